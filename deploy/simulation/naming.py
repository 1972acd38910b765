"""What people, towns and streets are called, as often as names of that kind are.

Common surnames stand in a list with their weights, sound-alikes (Clark, Clarke) beside each other; the long
tail of rare ones is put together from parts.
"""

import json
from bisect import bisect
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any, Generic, TypeVar

DATA = Path(__file__).parent / "data"

_T = TypeVar("_T")


class Weighted(Generic[_T]):
    """Things to draw from, each as often as its weight says."""

    def __init__(self, weights: Sequence[tuple[_T, float]]) -> None:
        self._things = [thing for thing, _ in weights]
        self._sums = list(accumulate(weight for _, weight in weights))

    def draw(self, rng: Random) -> _T:
        return self._things[bisect(self._sums, rng.random() * self._sums[-1])]


@lru_cache(maxsize=1)
def _names() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((DATA / "names.json").read_text())
    return content


@cache
def _weighted(kind: str) -> Weighted[str]:
    words = _names()[kind].split()
    return Weighted([(name, float(weight)) for name, weight in zip(words[::2], words[1::2], strict=True)])


@cache
def _listed(kind: str) -> tuple[str, ...]:
    return tuple(_names()[kind].replace("_", "\u00a0").split(" "))


def surname(rng: Random) -> str:
    if rng.random() < _names()["tail_share"]:
        return rng.choice(_listed("tail_beginnings")) + rng.choice(_listed("tail_endings"))
    return _weighted("surnames").draw(rng)


def forename(rng: Random, *, is_female: bool) -> str:
    return _weighted("female" if is_female else "male").draw(rng)


def short_form(name: str) -> str:
    """Dave for David; the name itself where it has none."""
    return str(_names()["short_forms"].get(name, name))


def town(rng: Random) -> str:
    return rng.choice(_listed("town_beginnings")) + rng.choice(_listed("town_endings"))


def streets(rng: Random, count: int) -> tuple[str, ...]:
    return tuple(street.replace("\u00a0", " ") for street in rng.sample(_listed("streets"), count))


def misheard(name: str, rng: Random) -> str:
    """The name as somebody writes it down who heard it once: one slip of the ear or of the hand."""
    low = name.lower()
    slips = [
        low.replace(heard, written, 1)
        for heard, written in (
            ("ph", "f"), ("ck", "k"), ("ie", "ei"), ("ee", "ea"), ("ea", "ee"), ("ll", "l"), ("tt", "t"),
            ("nn", "n"), ("ey", "y"), ("y", "ie"), ("son", "sen"), ("th", "t"), ("gh", ""), ("ou", "o"),
            ("er", "ar"), ("w", "wh"), ("k", "c"), ("c", "k"), ("s", "z"), ("a", "e"), ("i", "y"),
        )
        if heard in low
    ]  # fmt: skip
    place = rng.randrange(1, len(low))
    slips.append(low[:place] + low[place - 1] + low[place:])
    slips.append(low[: place - 1] + low[place] + low[place - 1] + low[place + 1 :])
    return rng.choice(slips).capitalize()
