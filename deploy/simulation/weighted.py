"""Draws by weight."""

from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Weighted(Generic[_T]):
    """Things to draw from, each as often as its weight says."""

    def __init__(self, weights: Sequence[tuple[_T, float]]) -> None:
        self._things = [thing for thing, _ in weights]
        self._sums = list(accumulate(weight for _, weight in weights))

    def draw(self, rng: Random) -> _T:
        return self._things[bisect(self._sums, rng.random() * self._sums[-1])]


def pick(things: Sequence[_T], rng: Random) -> _T:
    """One of them, each as often; faster than `Random.choice`."""
    return things[int(rng.random() * len(things))]


def around(mean: float, rng: Random) -> int:
    """A whole number from 0 with this mean."""
    return int(rng.expovariate(1 / (mean + 0.5))) if mean > 0 else 0
