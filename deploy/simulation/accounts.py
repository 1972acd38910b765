"""A happening as one caller tells it: the body of a complaint, and who its subjects are.

Accounts of one happening share few words. The day may be off or a range, the place in other words, the
category another; of several officers some are left out.
"""

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

from deploy.simulation import narratives, subjects
from deploy.simulation.happenings import Accused, Happening
from deploy.simulation.naming import Weighted
from deploy.simulation.phrases import say
from deploy.simulation.tellers import Teller
from deploy.simulation.world import END

_KEPT_CATEGORY = 0.55
_SECOND_ALLEGATION = 0.22
_STREET_DETAIL = 0.68


@dataclass(frozen=True, slots=True)
class Account:
    """`officers` has the number of the officer for each subject; None for whom nobody is to match."""

    body: dict[str, Any]
    officers: tuple[int | None, ...]


def tell(happening: Happening, teller: Teller, rng: Random) -> Account:
    """What this caller says of it, this time."""
    told = _told_of(happening, teller, rng)
    described = _described(told, happening, teller, rng)
    officers: list[int | None] = [accused.officer.number for accused in told]
    if rng.random() < 0.05:
        described.append(_mentioned(rng))
        officers.append(None)
    body: dict[str, Any] = {
        "channel": teller.channel,
        "narrative": narratives.narrative(happening, teller, told, described, rng),
    }
    if described:
        body["subjects"] = described
    if allegations := _allegations(happening, described, rng):
        body["allegations"] = allegations
    if incident := _incident(happening, rng):
        body["incident"] = incident
    if risk := _risk(happening, rng):
        body["risk"] = risk
    if teller.wish != "pass_on":
        body["wish"] = teller.wish
    if teller.could_be_guessed != "unknown":
        body["could_be_guessed"] = teller.could_be_guessed
    if teller.channel == "partner":
        body["external_reference"] = f"P-{rng.randrange(10**6):06d}"
    return Account(body, tuple(officers))


def tell_again(earlier: Account, rng: Random) -> Account:
    """The same account sent a second time, a little shorter or longer."""
    sentences = earlier.body["narrative"].split(". ")
    if len(sentences) > 3 and rng.random() < 0.6:
        del sentences[rng.randrange(len(sentences))]
    else:
        sentences.append(rng.choice(("Sent again as nobody answered", "Did you get this?", "Second try")))
    return Account({**earlier.body, "narrative": ". ".join(sentences)}, earlier.officers)


def _told_of(happening: Happening, teller: Teller, rng: Random) -> tuple[Accused, ...]:
    """Whom of the accused this caller speaks of: mostly the first, others less often."""
    if rng.random() < 0.05:
        return ()
    lead, *others = happening.accused
    if others and rng.random() < 0.01:
        return tuple(others)
    return (lead, *(other for other in others if rng.random() < 0.72 + 0.25 * teller.knowledge))


def _described(
    told: Sequence[Accused], happening: Happening, teller: Teller, rng: Random
) -> list[dict[str, Any]]:
    """Who cannot name the first, whom everybody noticed, seldom names another."""
    described = [subjects.described(accused, happening, teller, rng) for accused in told]
    if described and not _is_named(described[0]) and rng.random() < 0.9:
        for subject in described[1:]:
            subject.pop("name", None)
            subject.pop("collar_number", None)
    return described


def _is_named(subject: Mapping[str, Any]) -> bool:
    return "name" in subject or "collar_number" in subject


def _mentioned(rng: Random) -> dict[str, Any]:
    """A person who is not accused: a doctor, another officer who helped."""
    who = rng.choice(
        ("a nurse at the hospital", "another officer, who was kind", "the duty solicitor", "a paramedic")
    )
    return {"role": rng.choice(("witness", "mentioned")), "description": who}


def _allegations(
    happening: Happening, described: Sequence[dict[str, Any]], rng: Random
) -> list[dict[str, Any]]:
    if rng.random() < 0.04:
        return []
    categories = happening.family.categories
    first = happening.category if rng.random() < _KEPT_CATEGORY else categories.draw(rng)
    codes = dict.fromkeys([first])
    if rng.random() < _SECOND_ALLEGATION:
        codes[categories.draw(rng)] = None
    allegations: list[dict[str, Any]] = [{"code": code} for code in codes]
    accused = [
        index for index, subject in enumerate(described) if subject.get("role", "accused") == "accused"
    ]
    for allegation in allegations:
        if len(accused) > 1 and rng.random() < 0.3:
            allegation["subjects"] = sorted(rng.sample(accused, rng.randint(1, len(accused) - 1)))
    return allegations


def _incident(happening: Happening, rng: Random) -> dict[str, Any]:
    incident: dict[str, Any] = {}
    if days := _days(happening, rng):
        incident["from"], incident["to"] = (date.fromordinal(day).isoformat() for day in days)
    if place := _place(happening, rng):
        incident["place"] = place
    if rng.random() < 0.85:
        incident["force"] = happening.town.force
    return incident


_CLEAR = Weighted([("day", 95.5), ("next", 1.5), ("range", 2.0), ("none", 1.0)])
_VAGUE = Weighted([("day", 38.0), ("next", 10.0), ("range", 40.0), ("none", 12.0)])


def _days(happening: Happening, rng: Random) -> tuple[int, int] | None:
    kind = (_VAGUE if happening.is_vague else _CLEAR).draw(rng)
    day = happening.day
    if kind == "none":
        return None
    if kind == "day":
        return day, day
    if kind == "next":
        wrong = min(day + rng.choice((-2, -1, -1, 1, 1, 7)), END)
        return wrong, wrong
    said = date.fromordinal(day)
    drawn = rng.random()
    if drawn < 0.4:
        begin, length = day - rng.randrange(0, 4), rng.randrange(4, 8)
    elif drawn < 0.8:
        begin, length = day - said.day + 1, calendar.monthrange(said.year, said.month)[1] - 1
    else:
        begin, length = day - rng.randrange(20, 60), rng.randrange(60, 100)
    return begin, min(begin + length, END)


_PLACES = (
    "{street}, {town}",
    "{street}, {town}",
    "{street} {town}",
    "{town}, {street}",
    "{venue}, {street}, {town}",
    "{street} near {venue}, {town}",
    "{venue} in {town}, {street}",
)
_VAGUE_PLACES = (
    "{town}",
    "{town} town centre",
    "{venue}, {town}",
    "{town}, near {venue}",
    "{venue} in {town}",
)


def _place(happening: Happening, rng: Random) -> str | None:
    drawn = rng.random()
    if drawn < 0.06:
        return None
    venue = say(happening.venue, rng, {"my": "my"})
    street = happening.street
    if rng.random() < 0.2:
        street = street.replace("Street", "St").replace("Road", "Rd").replace("Lane", "Ln")
    if drawn < 0.09:
        return venue
    town = happening.town.name if rng.random() < 0.93 else happening.next_town
    form = rng.choice(_PLACES if rng.random() < _STREET_DETAIL else _VAGUE_PLACES)
    return form.format(street=street, town=town, venue=venue)


def _risk(happening: Happening, rng: Random) -> dict[str, bool]:
    risk: dict[str, bool] = {}
    if happening.is_serious and rng.random() < 0.8:
        risk["death_or_serious_injury"] = True
    for name, share in (("immediate_danger", 0.04), ("ongoing_contact", 0.12), ("child_involved", 0.08)):
        if rng.random() < share:
            risk[name] = True
        elif rng.random() < 0.15:
            risk[name] = False
    return risk
