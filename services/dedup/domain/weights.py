"""The weights of one kind of pair: a waterfall out of levels.

A pair's weight is the sum of its waterfall, exactly (`math.fsum`, so in whatever order): the prior, and a
level of each field that both sides have.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import fsum
from typing import NamedTuple

from services.dedup.domain.model import PairModel


class Step(NamedTuple):
    """One step of a waterfall; weights are in bits."""

    field: str
    level: str
    weight: float


@dataclass(frozen=True, slots=True)
class Scored:
    """The weight of one pair and how it came about.

    `rests_on_one`: without its strongest identifier hardly anything is left.
    """

    weight: float
    waterfall: tuple[Step, ...]
    rests_on_one: bool

    @property
    def probability(self) -> float:
        return probability_of(self.weight)


def probability_of(weight: float) -> float:
    """The probability that odds of two to the power of `weight` stand for."""
    return float(1.0 / (1.0 + 2.0 ** -max(min(weight, 1000.0), -1000.0)))


class Weights:
    """A pair model's weights, ready to be looked up. A level that the model does not know weighs nothing."""

    def __init__(self, model: PairModel) -> None:
        self.prior = model.prior
        self._identifiers = [frozenset(group) for group in model.identifiers]
        self._corroboration = model.corroboration
        self._weights = {
            (field, level): weight
            for field, levels in model.weights.items()
            for level, weight in levels.items()
        }

    def evidence(self, observed: Iterable[tuple[str, str]]) -> float:
        """What (field, level) pairs weigh together, without the prior; summed in their order."""
        weight_of = self._weights.get
        return sum([weight_of(level, 0.0) for level in observed])

    def most(self, field: str) -> float:
        """The most that a field can add; 0 at least, for it may be missing."""
        return max([0.0, *(weight for (of, _), weight in self._weights.items() if of == field)])

    def levels(self, field: str) -> dict[str, float]:
        """level -> weight."""
        return {level: weight for (of, level), weight in self._weights.items() if of == field}

    def of(self, field: str, level: str) -> float:
        """What one level weighs."""
        return self._weights.get((field, level), 0.0)

    def scored(self, observed: Iterable[tuple[str, str]]) -> Scored:
        steps = (
            Step("prior", "", self.prior),
            *sorted(Step(*level, self._weights[level]) for level in observed if level in self._weights),
        )
        weight = fsum(step.weight for step in steps)
        strongest = max(
            fsum(step.weight for step in steps if step.field in group) for group in self._identifiers
        )
        return Scored(weight, steps, weight - self.prior - strongest < self._corroboration)


ROUNDING = 1e-6
"""More than what a plain sum may differ from the exact one."""
