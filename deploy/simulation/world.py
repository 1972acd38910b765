"""The invented world: forces with towns and units, and the officers who serve in them."""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from random import Random

from deploy.simulation.purposes import Purpose
from deploy.simulation.rates import Rates
from deploy.simulation.weighted import Weighted, pick

END = date(2024, 10, 31).toordinal()
"""The last day on which anything happens: fixed, so that a stream is the same on any day."""
YEAR = 365.25

KINDS: Weighted[str] = Weighted(
    [
        ("response", 34), ("neighbourhood", 14), ("cid", 14), ("custody", 7), ("roads", 7), ("support", 7),
        ("protection", 6), ("firearms", 4), ("dogs", 2), ("intelligence", 2), ("control", 2), ("command", 1),
    ]
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Town:
    name: str
    force: str
    streets: tuple[str, ...]
    station_street: str


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
    """`looks` has what there is to see by kind: `hair` -> `ginger`; the age goes by `born`."""

    number: int
    is_female: bool
    born: int
    forename: str
    community: str
    looks: dict[str, str]
    postings: tuple[Posting, ...]

    def on(self, day: int) -> Posting | None:
        """None before the first posting."""
        place = bisect_right(self.postings, day, key=lambda posting: posting.since)
        return self.postings[place - 1] if place else None


@dataclass(slots=True)
class World:
    """`persistent` are the officers who come to attention again and again; nothing happens before `begin`."""

    purpose: Purpose
    rates: Rates
    begin: int
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
        return pick(roster, rng)[2] if roster else None
