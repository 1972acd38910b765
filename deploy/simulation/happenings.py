"""What happened: one incident after another, with who did what, where and on which day.

Some come with a neighbour that a matcher confuses with it: on the same night in the same town, by other
officers or by one of the same; or by the same officer of the same unit, and on another night.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

from deploy.simulation.naming import DATA, Weighted
from deploy.simulation.world import BEGIN, END, YEAR, Officer, Posting, Town, Unit, World

_SAME_NIGHT = 0.11
_BY_THE_SAME = 0.1
_ANOTHER_NIGHT = 0.1
_STOOD_BY = 0.1


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of wrong: what may have happened, and as what it may be recorded."""

    code: str
    units: tuple[str, ...]
    serious: float
    venues: tuple[str, ...]
    categories: Weighted[str]
    beats: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Accused:
    """An officer as he served on that day. `failed_to_act` stood by, or did not follow a report up."""

    officer: Officer
    posting: Posting
    failed_to_act: bool = False


@dataclass(frozen=True, slots=True)
class Happening:
    """`facts` are what happened in each beat of the family; `is_vague`: nobody knows the day any more."""

    day: int
    town: Town
    next_town: str
    street: str
    venue: str
    family: Family
    facts: tuple[str, ...]
    category: str
    accused: tuple[Accused, ...]
    vehicle: str
    is_vague: bool
    is_serious: bool
    bystander: str


@lru_cache(maxsize=1)
def scenarios() -> Mapping[str, Any]:
    content: dict[str, Any] = json.loads((DATA / "scenarios.json").read_text())
    return content


@lru_cache(maxsize=1)
def _families() -> tuple[Weighted[Family], Mapping[str, Weighted[Family]]]:
    """All, and by the kind of unit in which they happen (everywhere else, any of them)."""
    weighted = [
        (
            Family(
                entry["code"],
                tuple(entry["units"]),
                entry["serious"],
                tuple(entry["venues"]),
                Weighted(list(entry["categories"].items())),
                tuple(map(tuple, entry["beats"])),
            ),
            float(entry["weight"]),
        )
        for entry in scenarios()["families"]
    ]
    kinds = {kind for family, _ in weighted for kind in family.units}
    by_kind = {
        kind: Weighted([(family, weight) for family, weight in weighted if kind in family.units])
        for kind in sorted(kinds)
    }
    return Weighted(weighted), by_kind


@lru_cache(maxsize=1)
def spare_words() -> Mapping[str, Sequence[str]]:
    """By kind, what else there is in a day: relatives, jobs, errands."""
    return {kind: tuple(listed.split(", ")) for kind, listed in scenarios()["words"].items()}


_ACCUSED = Weighted([(1, 52.0), (2, 26.0), (3, 12.0), (4, 6.0), (5, 3.0), (6, 1.0)])
_BYSTANDERS = ("young man", "woman", "lad", "teenager", "couple", "elderly man", "student", "girl", "driver")


def happenings(world: World, leads: Iterator[Officer], rng: Random) -> Iterator[Happening]:
    """One incident for each of `leads` who served long enough, and its neighbour where it has one."""
    for lead in leads:
        begin = max(BEGIN, lead.postings[0].since)
        if begin > END - 30:
            continue
        first = _happening(world, lead, _some_day(begin, rng), rng)
        yield first
        if rng.random() < _SAME_NIGHT:
            yield from _same_night(world, first, rng)
        if rng.random() < _ANOTHER_NIGHT:
            yield from _another_night(world, lead, first, rng)


def _some_day(begin: int, rng: Random) -> int:
    """Half in the last year, a fifth in the two before, the rest over two decades."""
    drawn = rng.random()
    years = 1 if drawn < 0.5 else 3 if drawn < 0.7 else 21
    return rng.randint(max(begin, END - int(years * YEAR)), END)


def _happening(
    world: World,
    lead: Officer,
    day: int,
    rng: Random,
    *,
    town: Town | None = None,
    street: str | None = None,
    family: Family | None = None,
    without: Collection[Officer] = (),
) -> Happening:
    posting = lead.on(day)
    if posting is None:
        raise ValueError("nobody is accused of what was before their time")
    every, by_kind = _families()
    family = family or by_kind.get(posting.unit.kind, every).draw(rng)
    if town is None:
        town = posting.unit.town if rng.random() < 0.9 else rng.choice(world.towns[posting.unit.force])
    plate = "".join(rng.choice("ABCDEFGHJKLMNOPRSTUVWXY") for _ in range(5))
    return Happening(
        day=day,
        town=town,
        next_town=rng.choice(world.towns[town.force]).name,
        street=street or rng.choice(town.streets),
        venue=rng.choice(family.venues),
        family=family,
        facts=tuple(rng.choice(facts) for facts in family.beats),
        category=family.categories.draw(rng),
        accused=_accused(world, lead, posting, day, without, rng),
        vehicle=f"{plate[:2]}{rng.randrange(2, 24):02d} {plate[2:]}",
        is_vague=rng.random() < (0.08 if day > END - YEAR else 0.25),
        is_serious=rng.random() < family.serious,
        bystander=rng.choice(_BYSTANDERS),
    )


def _accused(
    world: World, lead: Officer, posting: Posting, day: int, without: Collection[Officer], rng: Random
) -> tuple[Accused, ...]:
    count = _ACCUSED.draw(rng)
    accused = [Accused(lead, posting)]
    others = [officer for officer in world.serving(posting.unit, day) if officer is not lead]
    if count > 1 and rng.random() < 0.15:  # somebody of another unit was there too
        elsewhere: Unit = rng.choice(world.others_in(posting.unit.town, "response"))
        others += [officer for officer in world.serving(elsewhere, day) if officer is not lead]
    others = [officer for officer in dict.fromkeys(others) if officer not in without]
    rng.shuffle(others)
    accused += [
        Accused(officer, at) for officer in others[: count - 1] if (at := officer.on(day)) is not None
    ]
    if len(others) >= count and rng.random() < _STOOD_BY:
        officer = others[count - 1]
        if (at := officer.on(day)) is not None:
            accused.append(Accused(officer, at, failed_to_act=True))
    return tuple(accused)


def _same_night(world: World, first: Happening, rng: Random) -> Iterator[Happening]:
    """Another event in the same town: by a colleague of the unit, by a neighbouring unit, or, seldom and
    then mostly in another street, by one of the officers who were in the first."""
    drawn = rng.random()
    unit = first.accused[0].posting.unit
    involved = [accused.officer for accused in first.accused]
    is_same_officer = drawn < _BY_THE_SAME
    if is_same_officer:
        candidates = involved
    elif drawn < 0.75:
        candidates = [officer for officer in world.serving(unit, first.day) if officer not in involved]
    else:
        elsewhere = rng.choice(world.others_in(first.town, "response"))
        candidates = [officer for officer in world.serving(elsewhere, first.day) if officer not in involved]
    if candidates:
        lead = rng.choice(candidates)
        in_the_street, in_the_way = (0.15, 0.3) if is_same_officer else (0.4, 0.6)
        yield _happening(
            world,
            lead,
            first.day,
            rng,
            town=first.town,
            street=first.street if rng.random() < in_the_street else None,
            family=first.family if rng.random() < in_the_way else None,
            without=involved,
        )


def _another_night(world: World, lead: Officer, first: Happening, rng: Random) -> Iterator[Happening]:
    """The same officer within three weeks, often in the same street and in the same way."""
    day = first.day + rng.choice((-1, 1)) * rng.randint(1, 21)
    if BEGIN <= day <= END and lead.on(day) is not None:
        yield _happening(
            world,
            lead,
            day,
            rng,
            town=first.town,
            street=first.street if rng.random() < 0.5 else None,
            family=first.family if rng.random() < 0.6 else None,
        )
