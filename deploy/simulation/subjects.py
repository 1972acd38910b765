"""An officer as one caller describes them: partly, wrongly, in the caller's words."""

from collections.abc import Mapping
from datetime import date
from random import Random
from typing import Any, Final

from deploy.simulation.callers import Caller
from deploy.simulation.careers import RANKS
from deploy.simulation.happenings import Accused, Happening
from deploy.simulation.misspelling import misheard, mistyped, plain
from deploy.simulation.names import Names
from deploy.simulation.police_words import PoliceWords
from deploy.simulation.rates import Rates
from deploy.simulation.weighted import Weighted, pick
from deploy.simulation.world import YEAR, Officer, Unit

_SHORT_RANKS: Final[Mapping[str, tuple[str, ...]]] = {
    "constable": ("PC", "PC", "PC", "P.C.", "Pc", "Constable", "Officer"),
    "sergeant": ("Sgt", "Sergeant", "PS", "Sarge", "Sgt."),
    "inspector": ("Insp", "Inspector", "Insp."),
    "chief inspector": ("CI", "Chief Inspector", "Ch Insp"),
    "superintendent": ("Supt", "Superintendent", "Super"),
}
_DETECTIVE: Final = {"constable": ("DC", "Detective"), "sergeant": ("DS", "Det Sgt"), "inspector": ("DI",)}
_DETECTIVES: Final = ("cid", "protection", "intelligence")
_VAGUE_RANKS: Final = (
    "officer",
    "police officer",
    "a sergeant or something",
    "not sure, young one",
    "senior",
)
_CHIEF_OFFICERS: Final = {"metropolitan": "Commander", "city-of-london": "Commander"}
_CHIEF_OFFICER: Final = "Assistant Chief Constable"
_VEHICLES: Final = ("{} van", "{} Astra", "{} BMW", "{} estate", "unmarked {} car", "{} motorbike", "{} 4x4")
_COLOURS: Final = ("white", "blue", "grey", "black", "silver", "marked", "red")


class Describer:
    """Describes officers at the rates of one stream, in the words of its purpose."""

    def __init__(self, names: Names, words: PoliceWords, rates: Rates, forces: tuple[str, ...]) -> None:
        self._names, self._words, self._rates, self._forces = names, words, rates, forces
        self._name_kinds = Weighted(
            [
                ("full", rates.name_full),
                ("surname", rates.name_surname),
                ("initial", rates.name_initial),
                ("forename", rates.name_forename),
                ("forename letter", rates.name_forename_letter),
                ("letters", rates.name_letters),
                ("turned", rates.name_turned),
            ]
        )

    def accused(self, accused: Accused, happening: Happening, caller: Caller, rng: Random) -> dict[str, Any]:
        """The subject as it stands in the body; may hold no more than a role."""
        rates = self._rates
        subject: dict[str, Any] = {}
        if accused.failed_to_act:
            subject["role"] = "failed_to_act"
        elif rng.random() > rates.role_left_out:
            subject["role"] = "accused"
        self._name_and_number(subject, accused, caller, rng)
        self._service(subject, accused, caller, rng)
        if rng.random() < rates.description_given:
            if description := self._description(accused, happening.day, caller, rng):
                subject["description"] = description
        elif rng.random() < rates.non_answer:
            subject["description"] = pick(self._words.non_answers["description"], rng)
        if rng.random() < rates.vehicle_given:
            subject["vehicle"] = self._vehicle(happening.vehicle, caller, rng)
        if rng.random() < rates.seen_dates:
            begin = happening.day - rng.randrange(30, 700)
            subject["seen_from"] = date.fromordinal(begin).isoformat()
            subject["seen_to"] = date.fromordinal(happening.day).isoformat()
        return subject

    def on_scene(self, other: Accused, caller: Caller, rng: Random) -> dict[str, Any]:
        """An officer who was there and did no wrong, or in a quarter of the cases no officer at all."""
        subject: dict[str, Any] = {"role": pick(("witness", "mentioned"), rng)}
        if rng.random() < 0.25:
            subject["description"] = pick(self._words.mentioned, rng)
            return subject
        self._name_and_number(subject, other, caller, rng)
        self._service(subject, other, caller, rng)
        return subject

    def unit(self, unit: Unit, rng: Random) -> str:
        """The unit as somebody calls it, now and then its station alone."""
        forms = (
            self._words.stations if rng.random() < self._rates.unit_station else self._words.units[unit.kind]
        )
        return pick(forms, rng).format(t=unit.town.name, x=unit.team, s=unit.town.station_street)

    def _name_and_number(
        self, subject: dict[str, Any], accused: Accused, caller: Caller, rng: Random
    ) -> None:
        rates = self._rates
        if not caller.lacks(rates.name_missing, rng):
            subject["name"] = self.name(accused, caller, rng)
        elif rng.random() < rates.non_answer:
            subject["name"] = pick(self._words.non_answers["name"], rng)
        if caller.knows(rates.collar_given, rng):
            number = self._collar_number(accused.posting.collar_number, caller, rng)
            if rng.random() < rates.collar_in_name and "name" in subject:
                subject["name"] = f"{subject['name']} {number}"
            else:
                subject["collar_number"] = number
        elif rng.random() < rates.non_answer:
            subject["collar_number"] = pick(self._words.non_answers["collar_number"], rng)

    def _service(self, subject: dict[str, Any], accused: Accused, caller: Caller, rng: Random) -> None:
        rates, unit = self._rates, accused.posting.unit
        if rng.random() < rates.rank_given:
            subject["rank"] = self._rank(accused, caller, rng)
        if rng.random() < rates.force_given:
            drawn = rng.random()
            if drawn < rates.force_unknown:
                subject["force"] = "unknown"
            elif drawn < rates.force_unknown + rates.force_wrong:
                subject["force"] = pick(self._forces, rng)
            else:
                subject["force"] = unit.force
        if caller.knows(rates.unit_given, rng):
            subject["unit"] = self.unit(unit, rng)
            if caller.errs(rates.unit_wrong, rng):
                other = pick(tuple(self._words.units), rng)
                subject["unit"] = pick(self._words.units[other], rng).format(
                    t=unit.town.name, x=unit.team, s=unit.town.station_street
                )
        elif rng.random() < rates.non_answer:
            subject["unit"] = pick(self._words.non_answers["unit"], rng)

    def name(self, accused: Accused, caller: Caller, rng: Random) -> str:
        """The name as this caller gives it, in part or whole."""
        forename = self._forename(accused.officer.forename, caller, rng)
        surname = self._surname(accused.posting.surname, caller, rng)
        kind = self._name_kinds.draw(rng)
        if kind == "full":
            name = f"{forename} {surname}"
        elif kind == "surname":
            name = surname
        elif kind == "initial":
            name = f"{forename[0]}{pick((' ', '. ', '.'), rng)}{surname}"
        elif kind == "forename":
            name = forename
        elif kind == "forename letter":
            name = f"{forename} {surname[0]}"
        elif kind == "letters":
            name = f"{forename[0]}{pick(('', '.', ' '), rng)}{surname[0]}"
        else:
            name = f"{surname}{pick((' ', ', '), rng)}{forename}"
        if rng.random() < self._rates.name_in_title and kind != "turned":
            name = f"{self.title(accused, rng)} {name}"
        return _cased(name, caller)

    def _forename(self, forename: str, caller: Caller, rng: Random) -> str:
        rates, names = self._rates, self._names
        if (forms := names.short_forms.get(forename)) and rng.random() < rates.short_form:
            return pick(forms, rng)
        if (forms := names.spellings.get(forename)) and rng.random() < rates.other_spelling:
            return pick(forms, rng)
        if not forename.isascii() and rng.random() < rates.accents_dropped:
            forename = plain(forename)
        return mistyped(forename, rng) if caller.errs(rates.name_mistyped / 2, rng) else forename

    def _surname(self, surname: str, caller: Caller, rng: Random) -> str:
        rates = self._rates
        if "-" in surname and rng.random() < rates.other_spelling:  # of a double name one half, or both apart
            halves = surname.split("-")
            surname = pick((*halves, " ".join(halves)), rng)
        elif (forms := self._names.spellings.get(surname)) and rng.random() < rates.other_spelling:
            surname = pick(forms, rng)
        elif not surname.isascii() and rng.random() < rates.accents_dropped:
            surname = plain(surname)
        if caller.errs(rates.name_misheard, rng):
            surname = misheard(surname, rng)
        return mistyped(surname, rng) if caller.errs(rates.name_mistyped, rng) else surname

    def title(self, accused: Accused, rng: Random) -> str:
        """PC, DS, Insp: as it is said before a name."""
        unit, rank = accused.posting.unit, accused.posting.rank
        if unit.kind in _DETECTIVES and rank in _DETECTIVE and rng.random() < 0.8:
            return pick(_DETECTIVE[rank], rng)
        short = pick(_SHORT_RANKS[rank], rng)
        return "WPC" if short == "PC" and accused.officer.is_female and rng.random() < 0.3 else short

    def _rank(self, accused: Accused, caller: Caller, rng: Random) -> str:
        unit, rank = accused.posting.unit, accused.posting.rank
        if unit.kind == "command" and rank == "superintendent":
            return _CHIEF_OFFICERS.get(unit.force, _CHIEF_OFFICER)
        if caller.errs(self._rates.rank_wrong, rng):
            rank = RANKS[max(0, min(len(RANKS) - 1, RANKS.index(rank) + rng.choice((-1, 1, 1))))]
            return pick(_VAGUE_RANKS, rng) if rng.random() < 0.3 else pick(_SHORT_RANKS[rank], rng)
        return rank if rng.random() < 0.4 else self.title(accused, rng)

    def _collar_number(self, number: str, caller: Caller, rng: Random) -> str:
        rates = self._rates
        digits = "".join(character for character in number if character.isdigit())
        before, after = number.split(digits, 1)
        drawn = rng.random() / max(caller.slips, 0.2)
        if drawn < rates.collar_misread:
            place = rng.randrange(len(digits))
            wrong = str((int(digits[place]) + rng.choice((1, 2, 3, 5, 7, 9))) % 10)
            digits = digits[:place] + wrong + digits[place + 1 :]
        elif drawn < rates.collar_misread + rates.collar_swapped:
            place = rng.randrange(len(digits) - 1)
            digits = digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
        elif drawn < rates.collar_misread + rates.collar_swapped + rates.collar_cut and len(digits) > 2:
            kept = max(2, len(digits) - rng.choice((1, 1, 2)))
            digits = digits[:kept] if rng.random() < 0.5 else digits[-kept:]
        if (before or after) and rng.random() < rates.collar_letters_lost:
            before = after = ""
        between = " " if rng.random() < 0.15 else ""
        written = between.join(part for part in (before, digits, after) if part)
        return written.lower() if rng.random() < 0.1 else written

    def _description(self, accused: Accused, day: int, caller: Caller, rng: Random) -> str:
        """Some of what there is to see, in any order, some of it wrong; may be empty."""
        rates, officer, words = self._rates, accused.officer, self._words
        seen = []
        for kind, value in (*officer.looks.items(), ("age", _age(officer, day))):
            if kind == "face" and officer.is_female and value in ("beard", "moustache", "clean"):
                continue
            if rng.random() < rates.look_told:
                values = words.looks[kind]
                told = pick(tuple(values), rng) if caller.errs(rates.look_wrong, rng) else value
                seen.append(pick(values[told], rng))
        rng.shuffle(seen)
        if officer.community in words.origin and rng.random() < 0.5:
            seen.insert(0, pick(words.origin[officer.community], rng))
        if rng.random() < 0.6:
            seen.insert(0, pick(words.gender["female" if officer.is_female else "male"], rng))
        return pick((", ", ", ", " ", "; ", " and "), rng).join(seen)

    def _vehicle(self, plate: str, caller: Caller, rng: Random) -> str:
        rates = self._rates
        if rng.random() < rates.vehicle_in_words:
            return pick(_VEHICLES, rng).format(pick(_COLOURS, rng))
        if caller.errs(rates.plate_misread, rng):
            place = pick((0, 1, 5, 6, 7), rng)
            plate = plate[:place] + pick("ABDGHJKLMNPRSTVWY", rng) + plate[place + 1 :]
        if rng.random() < rates.plate_partial:
            plate = pick((plate[:4], plate[-3:], plate[:2], plate[:6]), rng).strip()
        drawn = rng.random()
        if drawn < 0.2:
            plate = plate.replace(" ", "")
        return plate.lower() if drawn > 0.9 else plate


def _age(officer: Officer, day: int) -> str:
    age = (day - officer.born) / YEAR
    return "young" if age < 30 else "thirties" if age < 40 else "forties" if age < 50 else "fifties"


def _cased(text: str, caller: Caller) -> str:
    return text.lower() if caller.case == "lower" else text.upper() if caller.case == "upper" else text
