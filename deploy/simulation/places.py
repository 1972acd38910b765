"""Towns of the forces and the streets in them."""

from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Final

from deploy.simulation.misspelling import mistyped
from deploy.simulation.purposes import Purpose, read_table
from deploy.simulation.weighted import Weighted, pick

_SHORT: Final[Mapping[str, tuple[str, ...]]] = {
    "Street": ("St", "St.", "str"),
    "Road": ("Rd", "Rd.", "rd"),
    "Lane": ("Ln", "La"),
    "Avenue": ("Ave", "Av"),
    "Close": ("Cl",),
    "Grove": ("Gr",),
    "Drive": ("Dr",),
    "Terrace": ("Terr", "Tce"),
    "Crescent": ("Cres", "Crs"),
    "Square": ("Sq",),
}


@cache
def towns_of(purpose: Purpose) -> Mapping[str, tuple[str, ...]]:
    """Force -> towns, the largest first."""
    return {force: tuple(towns) for force, towns in read_table(purpose, "places")["towns"].items()}


@cache
def _streets(purpose: Purpose) -> Weighted[str]:
    listed = read_table(purpose, "places")["streets"]
    return Weighted([(street, 1 / (rank + 12)) for rank, street in enumerate(listed)])


def streets(purpose: Purpose, count: int, rng: Random) -> tuple[str, ...]:
    """The streets of a town; the common ones are in most towns."""
    drawn: dict[str, None] = {}
    while len(drawn) < count:
        drawn[_streets(purpose).draw(rng)] = None
    return tuple(drawn)


def shortened(street: str, rng: Random) -> str:
    """`Station Rd` for `Station Road`; the street itself where it has no short form."""
    name, _, kind = street.rpartition(" ")
    return f"{name} {pick(_SHORT[kind], rng)}" if name and kind in _SHORT else street


def misspelt(street: str, rng: Random) -> str:
    """With a slip of the hand in its first word."""
    first, space, rest = street.partition(" ")
    return mistyped(first, rng) + space + rest
