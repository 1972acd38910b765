"""The invented world: forces with towns and units, and officers with careers.

An officer moves between units, sometimes to another force (and gets another collar number there), is
promoted, marries and changes the surname. Some share surname and initial with a colleague of the same unit.
Four fifths serve in one large force, as at the hotline whose figures the design goes by, where 16 % of the
reports were about another force.
"""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from random import Random

from deploy.simulation import naming
from deploy.simulation.naming import Weighted
from shared.vocabulary import load_vocabulary

BEGIN = date(2004, 1, 1).toordinal()
END = date(2024, 10, 31).toordinal()
"""The last day on which anything happens: fixed, so that a stream is the same on any day."""
YEAR = 365.25

LARGE_FORCE = "metropolitan"
_LARGE_SHARE = 0.84
_LARGER = {
    "greater-manchester": 8, "west-midlands": 8, "west-yorkshire": 6, "thames-valley": 5, "kent": 4,
    "essex": 4, "merseyside": 4, "hampshire": 4, "police-scotland": 4, "lancashire": 3, "south-yorkshire": 3,
    "northumbria": 3, "avon-and-somerset": 3, "south-wales": 3, "sussex": 3, "british-transport-police": 3,
}  # fmt: skip

KINDS: Weighted[str] = Weighted(
    [
        ("response", 34), ("neighbourhood", 14), ("cid", 14), ("custody", 7), ("roads", 7), ("support", 7),
        ("protection", 6), ("firearms", 4), ("dogs", 2), ("intelligence", 2), ("control", 2), ("command", 1),
    ]
)  # fmt: skip
_RANKS = ("constable", "sergeant", "inspector", "chief inspector", "superintendent")
_LEAVES_FORCE = 0.09
_NEW_NUMBER = 0.2
_STAYS_IN_TOWN = 0.4
_IN_A_UNIT = 9
_UNITS_IN_A_TOWN = 5


@dataclass(frozen=True, slots=True)
class Town:
    name: str
    force: str
    streets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    number: int
    kind: str
    town: Town
    team: str

    @property
    def force(self) -> str:
        return self.town.force


@dataclass(frozen=True, slots=True)
class Posting:
    """Where and as what an officer serves from a day on."""

    since: int
    unit: Unit
    rank: str
    collar_number: str
    surname: str


@dataclass(frozen=True, slots=True, eq=False)  # two officers may look alike: each is himself alone
class Officer:
    number: int
    is_female: bool
    forename: str
    looks: tuple[str, ...]
    postings: tuple[Posting, ...]

    def on(self, day: int) -> Posting | None:
        """None before the first posting."""
        place = bisect_right(self.postings, day, key=lambda posting: posting.since)
        return self.postings[place - 1] if place else None


@dataclass(slots=True)
class World:
    """`persistent` are the officers who come to attention again and again."""

    officers: list[Officer] = field(default_factory=list)
    persistent: list[Officer] = field(default_factory=list)
    towns: dict[str, list[Town]] = field(default_factory=lambda: defaultdict(list))
    units: dict[str, list[Unit]] = field(default_factory=lambda: defaultdict(list))
    _units_in: dict[str, list[Unit]] = field(default_factory=lambda: defaultdict(list))
    _unit_count: int = 0
    _rosters: dict[int, list[tuple[int, int, Officer]]] = field(default_factory=lambda: defaultdict(list))

    def serving(self, unit: Unit, day: int) -> list[Officer]:
        """Who serves in a unit on a day."""
        return [officer for begin, end, officer in self._rosters[unit.number] if begin <= day < end]

    def others_in(self, town: Town, kind: str) -> list[Unit]:
        """The units of a town, those of a kind if there are any."""
        units = self.units_in(town)
        return [unit for unit in units if unit.kind == kind] or units

    def units_in(self, town: Town) -> list[Unit]:
        return self._units_in[f"{town.force}/{town.name}"]

    def add_unit(self, town: Town, kind: str, team: str) -> None:
        unit = Unit(self._unit_count, kind, town, team)
        self._unit_count += 1
        self.units[town.force].append(unit)
        self.units_in(town).append(unit)

    def add(self, officer: Officer) -> None:
        self.officers.append(officer)
        ends = [posting.since for posting in officer.postings[1:]] + [END + 1]
        for posting, end in zip(officer.postings, ends, strict=True):
            self._rosters[posting.unit.number].append((posting.since, end, officer))

    def colleague(self, unit: Unit, rng: Random) -> Officer | None:
        roster = self._rosters[unit.number]
        return rng.choice(roster)[2] if roster else None


def build_world(officers: int, persistent: int, rng: Random) -> World:
    """A world of so many officers, of whom so many are persistent."""
    world = World()
    forces = _forces()
    homes = [forces.draw(rng) for _ in range(officers)]
    strength: dict[str, int] = defaultdict(int)
    for force in homes:
        strength[force] += 1
    for force in sorted(load_vocabulary().forces):
        if force != "unknown":
            _add_units(world, force, strength[force], rng)
    collars = _Collars()
    for number, home in enumerate(homes):
        is_persistent = number < persistent
        officer = _officer(world, number, home, forces, collars, rng, is_persistent=is_persistent)
        world.add(officer)
        if is_persistent:
            world.persistent.append(officer)
    return world


def _forces() -> Weighted[str]:
    others = {
        slug: _LARGER.get(slug, 1)
        for slug in load_vocabulary().forces
        if slug not in (LARGE_FORCE, "unknown")
    }
    scale = (1 - _LARGE_SHARE) / sum(others.values())
    return Weighted([(LARGE_FORCE, _LARGE_SHARE), *((slug, n * scale) for slug, n in others.items())])


def _add_units(world: World, force: str, strength: int, rng: Random) -> None:
    count = max(2, round(strength / _IN_A_UNIT))
    names = dict.fromkeys(naming.town(rng) for _ in range(max(1, round(count / _UNITS_IN_A_TOWN))))
    world.towns[force] = [Town(name, force, naming.streets(rng, 8)) for name in names]
    for place in range(count):
        town = world.towns[force][place % len(world.towns[force])]
        world.add_unit(town, KINDS.draw(rng), rng.choice("ABCDE"))


class _Collars:
    """Collar numbers, unique within a force: `1234AB` in the large one, four or five digits elsewhere."""

    def __init__(self) -> None:
        self._taken: set[tuple[str, str]] = set()

    def new(self, force: str, rng: Random) -> str:
        while True:
            if force == LARGE_FORCE:
                letters = rng.choice("ABCDEFGHJKLMNPQRSTVWXY") + rng.choice("ADEHKNRSTW")
                number = f"{rng.randrange(10, 9999)}{letters}"
            else:
                number = str(rng.randrange(1000, 30000))
            if (force, number) not in self._taken:
                self._taken.add((force, number))
                return number


_LOOKS = (
    ("tall", "short", "average height", "very tall"),
    ("heavy", "slim", "stocky", "muscular"),
    ("shaved head", "ginger hair", "dark hair", "grey hair", "blond", "bald"),
    ("beard", "glasses", "tattoo on the arm", "scar on the chin", "gold tooth", "moustache", "earring"),
    ("Scottish accent", "northern accent", "local accent", "Welsh accent", "Irish accent"),
)


def _officer(
    world: World,
    number: int,
    force: str,
    forces: Weighted[str],
    collars: _Collars,
    rng: Random,
    *,
    is_persistent: bool,
) -> Officer:
    is_female = rng.random() < (0.08 if is_persistent else 0.3)
    forename, surname = naming.forename(rng, is_female=is_female), naming.surname(rng)
    unit = rng.choice(world.units[force])
    if rng.random() < 0.05 and (colleague := world.colleague(unit, rng)) is not None:
        is_female, surname = colleague.is_female, colleague.postings[0].surname
        while forename[0] != colleague.forename[0]:
            forename = naming.forename(rng, is_female=is_female)
    joined = BEGIN - int(8 * YEAR) + int(rng.random() * YEAR * (10 if is_persistent else 26))
    postings = [Posting(joined, unit, "constable", collars.new(force, rng), surname)]
    day = joined
    tenure = 3 if is_persistent else 6
    while (day := day + int(YEAR * (2 + rng.expovariate(1 / tenure)))) <= END:
        postings.append(_moved(world, postings[-1], day, is_female, forces, collars, rng))
    looks = tuple(rng.choice(kind) for kind in _LOOKS)
    return Officer(number, is_female, forename, looks, tuple(postings))


def _moved(
    world: World,
    last: Posting,
    day: int,
    is_female: bool,
    forces: Weighted[str],
    collars: _Collars,
    rng: Random,
) -> Posting:
    force, collar_number, surname, rank = last.unit.force, last.collar_number, last.surname, last.rank
    if rng.random() < _LEAVES_FORCE:
        while force == last.unit.force:
            force = forces.draw(rng)
    if force != last.unit.force or rng.random() < _NEW_NUMBER:
        collar_number = collars.new(force, rng)
    if rng.random() < 0.2 and rank != _RANKS[-1]:
        rank = _RANKS[_RANKS.index(rank) + 1]
    if is_female and rng.random() < 0.07:
        surname = naming.surname(rng)
    stays = force == last.unit.force and rng.random() < _STAYS_IN_TOWN
    unit = rng.choice(world.units_in(last.unit.town) if stays else world.units[force])
    return Posting(day, unit, rank, collar_number, surname)
