"""The weights of one kind of pair: a waterfall out of levels, and the most that a pair can still reach.

A pair's weight is the sum of its waterfall, exactly (`math.fsum`, so in whatever order): the prior, a level
of each field that both sides have, what the surname's frequency adds, and what a cap takes away.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import fsum
from typing import NamedTuple

from services.dedup.domain.comparing import MISSING
from services.dedup.domain.model import Comparison, Observed, PairModel


class Step(NamedTuple):
    """One step of a waterfall; weights are in bits."""

    field: str
    level: str
    weight: float


@dataclass(frozen=True, slots=True)
class Scored:
    """The weight of one pair and how it came about.

    `rests_on_one`: without its strongest identifier hardly anything is left; such a pair joins no groups.
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
    """A pair model's weights, ready to be looked up."""

    def __init__(self, model: PairModel) -> None:
        self._prior = Step("prior", "", model.prior_weight)
        self._identifiers = [frozenset(group) for group in model.identifiers]
        self._corroboration = model.corroboration
        self._caps = [(cap.most, " and ".join(cap.fields)) for cap in model.caps]
        self._cap_of = {field: n for n, cap in enumerate(model.caps) for field in cap.fields}
        self._comparisons: dict[str, list[Comparison]] = {}
        for comparison in model.comparisons:
            self._comparisons.setdefault(comparison.field, []).append(comparison)
        # Pairs have few combinations of levels, again and again.
        self._summed = lru_cache(maxsize=_REMEMBERED)(self._sum)

    def scored(
        self, observed: Observed, named: str, frequency: float | None, least: float | None = None
    ) -> Scored | None:
        """The weight and its waterfall; None where it is below `least`, most of all pairs.

        `frequency` is added beside the field `named`, where that weighs anything for a match.
        """
        summed = self._summed(tuple(observed.items()))
        terms, total = summed.steps, summed.total
        if frequency and (base := summed.weights.get(named, 0.0)) > 0:
            # A common name can take a name's evidence away, and does not turn it round.
            common = Step(f"{named} frequency", "", max(frequency, -base))
            terms, total = (*terms, common), total + common.weight
        if least is not None and total < least - ROUNDING:
            return None
        steps = (self._prior, *sorted(terms, key=lambda step: step.field))
        weight = fsum(step.weight for step in steps)
        strongest = max(
            fsum(step.weight for step in steps if step.field in group) for group in self._identifiers
        )
        rest = weight - self._prior.weight - strongest
        return Scored(weight, steps, rest < self._corroboration)

    def ceiling(self, seen: Observed, named: str, frequency: float) -> float:
        """The most that a pair can weigh, but for rounding.

        Args:
            seen: field -> level as far as it is known, `MISSING` where it cannot be compared.
            named, frequency: the most that the frequency of a surname adds beside the field `named`.
        """
        total = self._prior.weight
        capped = [0.0] * len(self._caps)
        for field in self._comparisons:
            most = self._most(field, seen)
            if field == named and most > 0:
                most += max(frequency, 0.0)
            if (cap := self._cap_of.get(field)) is not None:
                capped[cap] += most
            else:
                total += most
        return total + sum(min(most, reached) for (most, _), reached in zip(self._caps, capped, strict=True))

    def _most(self, field: str, seen: Observed) -> float:
        """The most that one field can weigh."""
        level = seen.get(field)
        if level == MISSING:
            return 0.0
        possible = [0.0] if level is None else []
        for comparison in self._comparisons[field]:
            levels = comparison.levels
            holds = _holds(comparison, seen)
            if holds is not False and level is None:
                possible += [each.weight for each in levels.values()]
            elif holds is not False:
                possible.append(levels[level].weight if level in levels else 0.0)
            if holds:  # the first one that does counts
                break
        else:
            possible.append(0.0)
        return max(possible)

    def _sum(self, observed: tuple[tuple[str, str], ...]) -> "_Summed":
        """The steps after the prior but for the frequency of a name."""
        levels = dict(observed)
        steps = []
        capped = [0.0] * len(self._caps)
        for field, level in observed:
            if (weight := self._weight(field, level, levels)) is None:
                continue
            steps.append(Step(field, level, weight))
            if (cap := self._cap_of.get(field)) is not None:
                capped[cap] += weight
        for (most, label), reached in zip(self._caps, capped, strict=True):
            if reached > most:
                steps.append(Step(label, "cap", most - reached))
        total = fsum((self._prior.weight, *(step.weight for step in steps)))
        return _Summed(tuple(steps), {step.field: step.weight for step in steps}, total)

    def _weight(self, field: str, level: str, observed: Observed) -> float | None:
        """That of the first comparison of `field` whose conditions hold."""
        for comparison in self._comparisons.get(field, ()):
            if all(observed.get(name, MISSING) in levels for name, levels in comparison.when.items()):
                found = comparison.levels.get(level)
                return found.weight if found else None
        return None


@dataclass(frozen=True, slots=True)
class _Summed:
    """`total` is the sum of the steps and the prior, but for rounding."""

    steps: tuple[Step, ...]
    weights: Mapping[str, float]
    total: float


def _holds(comparison: Comparison, seen: Observed) -> bool | None:
    """Whether the conditions of a comparison hold; None where that is still open."""
    if any(name in seen and seen[name] not in levels for name, levels in comparison.when.items()):
        return False
    return True if all(name in seen for name in comparison.when) else None


ROUNDING = 1e-6
"""More than what a plain sum may differ from the exact one."""
_REMEMBERED = 4096
