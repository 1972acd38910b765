"""What happened: one incident after another, with who did it, where and on which day.

Some come with a neighbour that a matcher confuses with it: on the same night in the same town, by other
officers or by one of the same; or by the same officer of the same unit, and on another night.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any, Final

from deploy.simulation.places import towns_of
from deploy.simulation.purposes import Purpose, read_table
from deploy.simulation.rates import Rates
from deploy.simulation.weighted import Weighted, around, pick
from deploy.simulation.world import END, YEAR, Officer, Posting, Town, World

_BY_THE_SAME: Final = 0.1
_OTHER_UNIT_TOO: Final = 0.15
_UNITS_ASKED: Final = 4
_LETTERS: Final = "ABCDEFGHJKLMNOPRSTUVWXY"

Fact = tuple[str, ...]
"""The ways of saying one thing that happened."""


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """A kind of wrong: what may have happened, and as what it may be recorded."""

    code: str
    units: tuple[str, ...]
    serious: float
    venues: tuple[str, ...]
    categories: Weighted[str]
    beats: tuple[tuple[Fact, ...], ...]


@dataclass(frozen=True, slots=True)
class Accused:
    """An officer as he served on that day. `failed_to_act` stood by, or did not follow a report up."""

    officer: Officer
    posting: Posting
    failed_to_act: bool = False


@dataclass(frozen=True, slots=True)
class Happening:
    """`facts` are what happened in each beat of the family, `details` what else there was to see; `is_vague`:
    nobody knows the day any more. `others` were there and did no wrong."""

    day: int
    town: Town
    next_town: str
    street: str
    venue: str
    family: Family
    facts: tuple[Fact, ...]
    details: tuple[Fact, ...]
    category: str
    accused: tuple[Accused, ...]
    others: tuple[Accused, ...]
    vehicle: str
    is_vague: bool
    is_serious: bool
    bystander: str


@dataclass(frozen=True, slots=True)
class Plot:
    """What can happen in the streams of one purpose."""

    families: Weighted[Family]
    by_kind: Mapping[str, Weighted[Family]]
    details: tuple[tuple[Fact, ...], ...]


@cache
def plot_of(purpose: Purpose) -> Plot:
    """The plot of a purpose, read once."""
    table: dict[str, Any] = read_table(purpose, "narratives")
    weighted = [(_family(entry), float(entry["weight"])) for entry in table["families"]]
    kinds = sorted({kind for family, _ in weighted for kind in family.units})
    return Plot(
        Weighted(weighted),
        {
            kind: Weighted([(family, weight) for family, weight in weighted if kind in family.units])
            for kind in kinds
        },
        _facts(table["details"]),
    )


def _family(entry: Mapping[str, Any]) -> Family:
    return Family(
        entry["code"],
        tuple(entry["units"]),
        entry["serious"],
        tuple(entry["venues"]),
        Weighted(list(entry["categories"].items())),
        _facts(entry["beats"]),
    )


def _facts(pools: Sequence[Sequence[Sequence[str]]]) -> tuple[tuple[Fact, ...], ...]:
    return tuple(tuple(tuple(ways) for ways in pool) for pool in pools)


_ACCUSED: Weighted[int] = Weighted([(2, 54.0), (3, 25.0), (4, 13.0), (5, 6.0), (6, 2.0)])


def _several(rates: Rates) -> float:
    """The share of happenings with more than one accused for the rate's share of complaints: in some of them
    all the others are left out, or nobody is described."""
    left_out = rates.accused_left_out
    kept = 1 - 0.54 * left_out - 0.25 * left_out**2 - 0.13 * left_out**3
    kept *= 1 - 0.15 * left_out  # the first of two is left out now and then
    return rates.several_accused / (kept * (1 - rates.nobody_described))


_BYSTANDERS = ("young man", "woman", "lad", "teenager", "couple", "elderly man", "student", "girl", "driver")


def happenings(world: World, leads: Iterator[Officer], rng: Random) -> Iterator[Happening]:
    """One incident for each of `leads` who served long enough, and its neighbour where it has one."""
    for lead in leads:
        begin = max(world.begin, lead.postings[0].since)
        if begin > END - 30:
            continue
        recent = world.rates.recent / (2 if lead.number < len(world.persistent) else 1)
        first = _happening(world, lead, _some_day(world, begin, recent, rng), rng)
        yield first
        if rng.random() < world.rates.same_night:
            yield from _same_night(world, first, rng)
        if rng.random() < world.rates.same_officer_again:
            yield from _another_night(world, lead, first, rng)


def _some_day(world: World, begin: int, recent: float, rng: Random) -> int:
    """From `begin`, with the chance `recent` in the last fifth of the world's years."""
    last_fifth = END - (END - world.begin) // 5
    return rng.randint(max(begin, last_fifth) if rng.random() < recent else begin, END)


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
    plot, rates = plot_of(world.purpose), world.rates
    family = family or plot.by_kind.get(posting.unit.kind, plot.families).draw(rng)
    if town is None:
        town = posting.unit.town if rng.random() < 0.9 else pick(world.towns[posting.unit.force], rng)
    accused, others = _people(world, lead, posting, day, without, rng)
    count = min(around(rates.details, rng), len(plot.details))
    return Happening(
        day=day,
        town=town,
        next_town=pick(towns_of(world.purpose)[town.force], rng),
        street=street or pick(town.streets, rng),
        venue=pick(family.venues, rng),
        family=family,
        facts=tuple(pick(facts, rng) for facts in family.beats),
        details=tuple(pick(pool, rng) for pool in rng.sample(plot.details, count)),
        category=family.categories.draw(rng),
        accused=accused,
        others=others,
        vehicle=_plate(day, rng),
        is_vague=rng.random() < rates.vague_day,
        is_serious=rng.random() < family.serious,
        bystander=pick(_BYSTANDERS, rng),
    )


def _plate(day: int, rng: Random) -> str:
    """Of a vehicle that was up to twelve years old."""
    letters = "".join(pick(_LETTERS, rng) for _ in range(5))
    year = max(1, int((day - 730_120) / YEAR) - int(rng.random() * 12))  # 730,120: 1 January 2000
    half = 50 if rng.random() < 0.5 else 0
    return f"{letters[:2]}{year % 50 + half:02d} {letters[2:]}"


def _people(
    world: World, lead: Officer, posting: Posting, day: int, without: Collection[Officer], rng: Random
) -> tuple[tuple[Accused, ...], tuple[Accused, ...]]:
    """Who is accused, and who was there and did no wrong."""
    rates = world.rates
    count = _ACCUSED.draw(rng) if rng.random() < _several(rates) else 1
    units = [posting.unit]
    if count > 1 and rng.random() < _OTHER_UNIT_TOO:
        units.append(pick(world.others_in(posting.unit.town, "response"), rng))
    colleagues = [officer for unit in units for officer in world.serving(unit, day)]
    if len(colleagues) <= count > 1:  # the units of small forces are small
        others = world.units_in(posting.unit.town)
        for unit in rng.sample(others, min(_UNITS_ASKED, len(others))):
            colleagues += world.serving(unit, day)
    involved = {lead, *without}
    colleagues = [officer for officer in dict.fromkeys(colleagues) if officer not in involved]
    rng.shuffle(colleagues)
    there = [Accused(officer, at) for officer in colleagues[:10] if (at := officer.on(day)) is not None]
    accused = [Accused(lead, posting), *there[: count - 1]]
    there = there[count - 1 :]
    if there and rng.random() < rates.stood_by:
        stood_by = there.pop()
        accused.append(Accused(stood_by.officer, stood_by.posting, failed_to_act=True))
    return tuple(accused), tuple(there[:2])


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
        elsewhere = pick(world.others_in(first.town, "response"), rng)
        candidates = [officer for officer in world.serving(elsewhere, first.day) if officer not in involved]
    if candidates:
        in_the_street, in_the_way = (0.15, 0.3) if is_same_officer else (0.4, 0.6)
        yield _happening(
            world,
            pick(candidates, rng),
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
    if world.begin <= day <= END and lead.on(day) is not None:
        yield _happening(
            world,
            lead,
            day,
            rng,
            town=first.town,
            street=first.street if rng.random() < 0.5 else None,
            family=first.family if rng.random() < 0.6 else None,
        )
