"""What people are called: forenames and surnames of the communities of the United Kingdom.

A purpose has a part of the listed names. Their shares are raised by the root of that part, so that two
officers share a surname about as often as in the country; all others get a rare one put together from parts.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from math import sqrt
from random import Random
from typing import Any, Final, NamedTuple

from deploy.simulation.purposes import DATA, Purpose, read_table
from deploy.simulation.weighted import Weighted, pick

PART: Final[Mapping[Purpose, float]] = {"sealed": 0.5, "training": 0.25, "tuning": 0.25}
"""Of the listed names, the part that a purpose has."""
_HIGHEST_LISTED: Final = 0.95


class PersonName(NamedTuple):
    forename: str
    surname: str
    community: str


@dataclass(slots=True)
class Names:
    """The names of one purpose. `spellings` and `short_forms` lead from a name to what is written for it."""

    spellings: dict[str, tuple[str, ...]] = field(default_factory=dict)
    short_forms: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _surnames: dict[str, Weighted[str]] = field(default_factory=dict)
    _listed: dict[str, float] = field(default_factory=dict)
    _forenames: dict[str, Weighted[str]] = field(default_factory=dict)
    _majority: dict[str, Weighted[str]] = field(default_factory=dict)
    _minority: Weighted[str] = field(default_factory=lambda: Weighted([]))
    _forenames_of: dict[str, str] = field(default_factory=dict)
    _rare: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())

    def person(self, country: str, minority: float, *, is_female: bool, rng: Random) -> PersonName:
        """Somebody of a force in `country`; `minority` is the chance of a minority community."""
        if rng.random() < minority:
            community = self._minority.draw(rng)
        else:
            community = self._majority.get(country, self._majority["england"]).draw(rng)
        return PersonName(
            self.forename(community, is_female=is_female, rng=rng), self.surname(community, rng), community
        )

    def surname(self, community: str, rng: Random) -> str:
        if rng.random() < self._listed[community]:
            return self._surnames[community].draw(rng)
        beginnings, endings = self._rare
        return pick(beginnings, rng) + pick(endings, rng)

    def forename(self, community: str, *, is_female: bool, rng: Random) -> str:
        return self._forenames[f"{self._forenames_of[community]}.{'female' if is_female else 'male'}"].draw(
            rng
        )


@cache
def names_of(purpose: Purpose) -> Names:
    """The names of a purpose, read once."""
    communities: dict[str, Any] = json.loads((DATA / "communities.json").read_text(encoding="utf-8"))
    table = read_table(purpose, "names")
    names = Names(
        _majority={country: Weighted(list(of.items())) for country, of in communities["majority"].items()},
        _minority=Weighted(list(communities["minority"].items())),
        _forenames_of=communities["forenames"],
        _rare=(tuple(table["rare_beginnings"]), tuple(table["rare_endings"])),
    )
    scale = 1 / sqrt(PART[purpose])
    for community, listed in table["surnames"].items():
        names._surnames[community] = Weighted([(surname, row[0]) for surname, row in listed.items()])
        share = sum(row[0] for row in listed.values()) / 100
        is_all = community not in communities["listed"]
        names._listed[community] = (
            1.0 if is_all else min(_HIGHEST_LISTED, share * scale * communities["listed"][community])
        )
        for surname, row in listed.items():
            names.spellings[surname] = tuple(dict.fromkeys((*names.spellings.get(surname, ()), *row[1:])))
    for kind, listed in table["forenames"].items():
        names._forenames[kind] = Weighted([(forename, row["weight"]) for forename, row in listed.items()])
        for forename, row in listed.items():
            names.spellings.setdefault(forename, tuple(row.get("spellings", ())))
            names.short_forms.setdefault(forename, tuple(row.get("short", ())))
    return names
