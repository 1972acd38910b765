"""An officer as a caller describes him: half a name, a wrong digit, a unit in their own words."""

from collections.abc import Mapping
from datetime import date
from random import Random
from typing import Any

from deploy.simulation import naming
from deploy.simulation.happenings import Accused, Happening
from deploy.simulation.naming import Weighted
from deploy.simulation.tellers import Teller
from deploy.simulation.world import LARGE_FORCE, Unit

_SHORT_RANKS: Mapping[str, tuple[str, ...]] = {
    "constable": ("PC", "PC", "PC", "officer"),
    "sergeant": ("Sgt", "Sergeant", "PS"),
    "inspector": ("Insp", "Inspector"),
    "chief inspector": ("CI", "Chief Inspector"),
    "superintendent": ("Supt", "Superintendent"),
}
_DETECTIVE = {"constable": "DC", "sergeant": "DS", "inspector": "DI"}
_DETECTIVES = ("cid", "protection", "intelligence")
_CHIEF_OFFICER = "Assistant Chief Constable"
_LONDON_CHIEF_OFFICER = "Commander"

_UNIT_WORDS: Mapping[str, tuple[str, ...]] = {
    "response": ("response team {team}", "response, {town}", "{town} response", "emergency response {town}"),
    "neighbourhood": ("{town} neighbourhood team", "safer neighbourhoods {town}", "neighbourhood, {town}"),
    "cid": ("{town} CID", "CID", "criminal investigation, {town}"),
    "custody": ("{town} custody", "custody suite {town}", "custody"),
    "roads": ("roads policing", "traffic", "road policing unit {town}"),
    "support": ("territorial support group", "TSG", "tactical support {town}"),
    "protection": ("public protection {town}", "domestic abuse unit", "safeguarding {town}"),
    "firearms": ("firearms", "armed response", "ARV, {town}"),
    "dogs": ("dog section", "dog unit {town}"),
    "intelligence": ("intelligence unit {town}", "intel"),
    "control": ("control room", "{town} control room"),
    "command": ("senior leadership {town}", "command team"),
}

_NAMED = Weighted(
    [
        ("full", 20.0),
        ("surname", 40.0),
        ("initial", 13.0),
        ("first", 8.0),
        ("first and letter", 7.0),
        ("letters", 12.0),
    ]
)
_UNSURE = Weighted([("surname", 24.0), ("first", 26.0), ("first and letter", 15.0), ("letters", 35.0)])


def described(accused: Accused, happening: Happening, teller: Teller, rng: Random) -> dict[str, Any]:
    """The subject as it stands in the body; may hold no more than a role."""
    posting, knows = accused.posting, teller.knowledge
    subject: dict[str, Any] = {}
    if accused.failed_to_act:
        subject["role"] = "failed_to_act"
    elif rng.random() < 0.3:
        subject["role"] = "accused"
    if rng.random() < 0.58 + 0.4 * knows:
        subject["name"] = _name(accused, knows, rng)
    if rng.random() < 0.06 + 0.45 * knows**2:
        subject["collar_number"] = _collar_number(posting.collar_number, rng)
    if rng.random() < 0.2 + 0.4 * knows:
        subject["rank"] = _rank(posting.rank, posting.unit, rng)
    if rng.random() < 0.85:
        subject["force"] = "unknown" if rng.random() < 0.04 else posting.unit.force
    if rng.random() < 0.25 + 0.4 * knows:
        subject["unit"] = unit_in_words(posting.unit, rng)
    if rng.random() < 0.3:
        subject["description"] = _description(accused, rng)
    if rng.random() < 0.05:
        subject["vehicle"] = happening.vehicle
    if rng.random() < 0.03:
        begin = happening.day - rng.randrange(30, 700)
        subject["seen_from"] = date.fromordinal(begin).isoformat()
        subject["seen_to"] = date.fromordinal(happening.day).isoformat()
    return subject


def title(accused: Accused, rng: Random) -> str:
    """PC, DS, Insp: what is said before a name."""
    unit, rank = accused.posting.unit, accused.posting.rank
    if unit.kind in _DETECTIVES and rank in _DETECTIVE:
        return _DETECTIVE[rank]
    return rng.choice(_SHORT_RANKS[rank])


def spoken_name(accused: Accused, subject: Mapping[str, Any], rng: Random) -> str | None:
    """How the caller says the name they gave, with or without a rank; None where they gave none."""
    name = subject.get("name")
    if name is None or rng.random() < 0.4 or " " in name:
        return name
    return f"{title(accused, rng)} {name}"


def _name(accused: Accused, knows: float, rng: Random) -> str:
    forename, surname = accused.officer.forename, accused.posting.surname
    if rng.random() < 0.3:
        forename = naming.short_form(forename)
    if rng.random() < 0.1:
        surname = naming.misheard(surname, rng)
    kind = (_NAMED if rng.random() < knows + 0.25 else _UNSURE).draw(rng)
    if kind == "full":
        name = f"{forename} {surname}"
    elif kind == "surname":
        name = surname
    elif kind == "initial":
        name = f"{forename[0]} {surname}"
    elif kind == "first":
        name = forename
    elif kind == "first and letter":
        name = f"{forename} {surname[0]}"
    else:
        name = forename[0] + surname[0]
    drawn = rng.random()
    if drawn < 0.3:
        return f"{title(accused, rng)} {name}"
    return name.upper() if drawn < 0.34 else name.lower() if drawn < 0.37 and len(name) > 2 else name


def _collar_number(number: str, rng: Random) -> str:
    digits = "".join(character for character in number if character.isdigit())
    letters = number[len(digits) :]
    drawn = rng.random()
    if drawn < 0.09:  # one digit misread
        place = rng.randrange(len(digits))
        wrong = str((int(digits[place]) + rng.choice((1, 2, 3, 5, 7, 9))) % 10)
        digits = digits[:place] + wrong + digits[place + 1 :]
    elif drawn < 0.12 and len(digits) > 2:  # two digits the other way round
        place = rng.randrange(len(digits) - 1)
        digits = digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
    elif drawn < 0.18 and len(digits) > 2:  # half of it
        digits = digits[: len(digits) - 1] if rng.random() < 0.5 else digits[1:]
    if letters and rng.random() < 0.2:
        letters = ""
    return digits + (" " if letters and rng.random() < 0.2 else "") + letters


def _rank(rank: str, unit: Unit, rng: Random) -> str:
    if unit.kind == "command" and rank == "superintendent":
        return _LONDON_CHIEF_OFFICER if unit.force == LARGE_FORCE else _CHIEF_OFFICER
    drawn = rng.random()
    if drawn < 0.12:
        return rng.choice(("officer", "police officer", "a sergeant or something", "not sure, young one"))
    if drawn < 0.5:
        return rank
    return rng.choice(_SHORT_RANKS[rank])


def unit_in_words(unit: Unit, rng: Random) -> str:
    """The unit as somebody calls it, now and then only the town's station."""
    if rng.random() < 0.15:
        return rng.choice(("{town} police station", "{town} nick", "{town}")).format(town=unit.town.name)
    return rng.choice(_UNIT_WORDS[unit.kind]).format(town=unit.town.name, team=unit.team)


def _description(accused: Accused, rng: Random) -> str:
    """Some of what there is to see, one thing in ten of it wrong."""
    looks = list(accused.officer.looks)
    rng.shuffle(looks)
    seen = looks[: rng.randint(1, 3)]
    if rng.random() < 0.1:
        seen[0] = rng.choice(("about thirty", "in his fifties", "young", "hat on, could not tell"))
    seen.insert(
        0,
        rng.choice(
            ("woman", "female", "female officer") if accused.officer.is_female else ("man", "male", "bloke")
        ),
    )
    return ", ".join(seen)
