"""Builds the world: units by the strength of each force, and officers with careers over forces and years.

An officer moves between units, sometimes to another force (and gets another collar number there), is
promoted, marries and changes the surname. Some share surname and initial with a colleague of the same unit.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Any, Final

from deploy.simulation import places
from deploy.simulation.names import Names, names_of
from deploy.simulation.police_words import police_words_of
from deploy.simulation.purposes import DATA, Purpose
from deploy.simulation.rates import Rates
from deploy.simulation.weighted import Weighted, pick
from deploy.simulation.world import END, KINDS, YEAR, Officer, Posting, Town, Unit, World
from shared.vocabulary import load_vocabulary

RANKS: Final = ("constable", "sergeant", "inspector", "chief inspector", "superintendent")
_IN_A_UNIT: Final = 9
_UNITS_IN_A_TOWN: Final = 5
_MOST_UNITS_IN_A_TOWN: Final = 60
_STREETS_IN_A_TOWN: Final = 12
_TEAMS: Final = "ABCDE12345"
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_SERVES_LONGEST: Final = 26
_PERSISTENT_TENURE: Final = 0.6
_PERSISTENT_LEAVES: Final = 2.0
"""Who comes to attention again and again is moved sooner and farther."""
_RECRUITED: Final = (19.0, 34.0)
"""Between which ages officers join."""
_TRIES: Final = 50
"""Then a collar number is a digit longer: those of its force are nearly used up."""
_PERSISTENT_JOINED: Final = 0.4
"""Of the years that are looked at, the first part, in which every persistent officer joined."""


def build_world(officers: int, persistent: int, purpose: Purpose, rates: Rates, rng: Random) -> World:
    """A world of so many officers, of whom so many are persistent."""
    world = World(purpose, rates, END - int(rates.years * YEAR))
    forces = _forces(rates, rng)
    homes = [forces.draw(rng) for _ in range(officers)]
    strength: dict[str, int] = defaultdict(int)
    for force in homes:
        strength[force] += 1
    for force in _strengths():
        _add_units(world, force, strength[force], rng)
    recruits = _Recruits(world, forces, rng)
    for number, home in enumerate(homes):
        officer = recruits.officer(number, home, is_persistent=number < persistent)
        world.add(officer)
        if number < persistent:
            world.persistent.append(officer)
    return world


@cache
def _strengths() -> Mapping[str, tuple[float, str]]:
    """Force -> officers in thousands, and the form of its collar numbers."""
    content: dict[str, Any] = json.loads((DATA / "forces.json").read_text(encoding="utf-8"))
    return {force: (float(strength), str(form)) for force, (strength, form) in content["forces"].items()}


def _forces(rates: Rates, rng: Random) -> Weighted[str]:
    """One force, drawn by its strength, has the share of the largest; the others share the rest."""
    strengths = {force: strength for force, (strength, _) in _strengths().items()}
    largest = Weighted(list(strengths.items())).draw(rng)
    scale = (1 - rates.largest_force) / (sum(strengths.values()) - strengths.pop(largest))
    return Weighted([(largest, rates.largest_force), *((force, n * scale) for force, n in strengths.items())])


def _add_units(world: World, force: str, strength: int, rng: Random) -> None:
    names = places.towns_of(world.purpose)[force]
    count = min(max(2, round(strength / _IN_A_UNIT)), _MOST_UNITS_IN_A_TOWN * len(names))
    for name in names[: max(1, round(count / _UNITS_IN_A_TOWN))]:
        streets = places.streets(world.purpose, _STREETS_IN_A_TOWN, rng)
        world.towns[force].append(Town(name, force, streets, streets[0]))
    towns = world.towns[force]
    by_size = Weighted([(town, 1 / (rank + 3)) for rank, town in enumerate(towns)])
    for place in range(count):
        town = towns[place] if place < len(towns) else by_size.draw(rng)
        world.add_unit(town, KINDS.draw(rng), pick(_TEAMS, rng))


class _Collars:
    """Collar numbers, unique within a force."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._taken: set[tuple[str, str]] = set()

    def new(self, force: str) -> str:
        form = _strengths()[force][1]
        number, tries = self._number(form), 0
        while (force, number) in self._taken:
            tries += 1
            number = self._number(form) if tries < _TRIES else self._number(form + "#")
        self._taken.add((force, number))
        return number

    def _number(self, form: str) -> str:
        # Numbers are given out in turn, so that those in use have no leading noughts.
        return "".join(
            pick(_LETTERS, self._rng)
            if kind == "L"
            else pick("123456789" if not place or form[place - 1] == "L" else "0123456789", self._rng)
            for place, kind in enumerate(form)
        )


class _Recruits:
    def __init__(self, world: World, forces: Weighted[str], rng: Random) -> None:
        self._world, self._forces, self._rng = world, forces, rng
        self._rates: Rates = world.rates
        self._names: Names = names_of(world.purpose)
        looks = police_words_of(world.purpose).looks
        self._looks = {kind: tuple(values) for kind, values in looks.items() if kind != "age"}
        self._collars = _Collars(rng)
        self._countries = {slug: force.country for slug, force in load_vocabulary().forces.items()}

    def officer(self, number: int, force: str, *, is_persistent: bool) -> Officer:
        rng, rates = self._rng, self._rates
        is_female = rng.random() < (0.1 if is_persistent else rates.women)
        country = str(self._countries[force])
        forename, surname, community = self._names.person(
            country, rates.minority, is_female=is_female, rng=rng
        )
        if rng.random() < rates.double_barrelled:
            surname = f"{surname}-{self._names.surname(community, rng)}"
        unit = pick(self._world.units[force], rng)
        if rng.random() < rates.namesake and (colleague := self._world.colleague(unit, rng)) is not None:
            is_female, community = colleague.is_female, colleague.community
            surname = colleague.postings[0].surname
            for _ in range(30):  # some letters begin few forenames
                forename = self._names.forename(community, is_female=is_female, rng=rng)
                if forename[0] == colleague.forename[0]:
                    break
        looks = {kind: pick(values, rng) for kind, values in self._looks.items()}
        postings = self._postings(unit, surname, community, is_female=is_female, is_persistent=is_persistent)
        born = postings[0].since - int(YEAR * rng.uniform(*_RECRUITED))
        return Officer(number, is_female, born, forename, community, looks, postings)

    def _postings(
        self, unit: Unit, surname: str, community: str, *, is_female: bool, is_persistent: bool
    ) -> tuple[Posting, ...]:
        rng, begin = self._rng, self._world.begin
        first = begin - int(8 * YEAR)
        last = begin + int((END - begin) * _PERSISTENT_JOINED) if is_persistent else END - int(YEAR)
        joined = rng.randint(max(first, END - int(_SERVES_LONGEST * YEAR)), last)
        postings = [Posting(joined, unit, RANKS[0], self._collars.new(unit.force), surname)]
        day = joined
        tenure, leaves_force = self._rates.tenure, self._rates.leaves_force
        if is_persistent:
            tenure, leaves_force = tenure * _PERSISTENT_TENURE, leaves_force * _PERSISTENT_LEAVES
        while (day := day + int(YEAR * (1 + rng.expovariate(1 / tenure)))) <= END:
            moved = self._moved(postings[-1], day, community, leaves_force, is_female=is_female)
            postings.append(moved)
        return tuple(postings)

    def _moved(
        self, last: Posting, day: int, community: str, leaves_force: float, *, is_female: bool
    ) -> Posting:
        rng, rates = self._rng, self._rates
        force, collar_number, surname, rank = last.unit.force, last.collar_number, last.surname, last.rank
        if rng.random() < leaves_force:
            while force == last.unit.force:
                force = self._forces.draw(rng)
        if force != last.unit.force or rng.random() < rates.new_number:
            collar_number = self._collars.new(force)
        if rng.random() < rates.promoted and rank != RANKS[-1]:
            rank = RANKS[RANKS.index(rank) + 1]
        if is_female and rng.random() < rates.married:
            surname = self._names.surname(community, rng)
        stays = force == last.unit.force and rng.random() < rates.stays_in_town
        units = self._world.units_in(last.unit.town) if stays else self._world.units[force]
        return Posting(day, pick(units, rng), rank, collar_number, surname)
