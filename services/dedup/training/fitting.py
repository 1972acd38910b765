"""Weights of levels from labelled pairs: a logistic regression on one-hot levels.

What a level weighs by itself, log(m / u), is the start and the point to which rare levels are drawn: levels
that say partly the same (a unit and a place, a name and its forename) share what they weigh together. A
field that is missing has no level and weighs nothing. The additive form is that of boosted trees with two
leaves on the same levels, and every weight can be read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Final

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

_BITS: Final = 1 / log(2)
_PULL: Final = 2.0
"""Strength of the pull to the start: as much as so many pairs."""
_SMOOTHING: Final = 0.5
_LIMITS: Final[Mapping[str, tuple[float, float]]] = {
    "day": (-9.0, 7.0),
    "name": (-5.0, 11.0),
    "collar number": (-3.0, 10.0),
    "vehicle": (-2.5, 9.0),
    "looks": (-4.0, 5.0),
    "description": (-0.5, 2.0),
    "unit": (-3.0, 4.0),
    "rank": (-2.0, 2.0),
    "officers": (-5.0, 9.0),
    "other officers": (-2.0, 8.0),
    "narrative": (-1.0, 0.75),
    "phrases": (-0.5, 3.0),
    "names in the text": (-0.5, 3.0),
}
"""The least and the most that a level may weigh, in bits. A thing that no stream got wrong is not
impossible. Words weigh little: each history has another stock of them, and where officials wrote the texts,
unlike events share half of their words."""
_OTHER_LIMITS: Final = (-5.0, 9.0)

Level = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Fitted:
    """In bits; `prior` is for the pairs that were given."""

    prior: float
    weights: Mapping[str, Mapping[str, float]]


def fitted(pairs: Sequence[Sequence[Level]], is_true: Sequence[bool]) -> Fitted:
    """
    Args:
        pairs: the levels of each pair.
        is_true: whether it is a match, as many.
    """
    levels = sorted({level for pair in pairs for level in pair})
    column = {level: n for n, level in enumerate(levels)}
    starts = np.cumsum([0, *map(len, pairs)])
    columns = np.fromiter((column[level] for pair in pairs for level in pair), dtype=np.int32)
    x = csr_matrix((np.ones(len(columns)), columns, starts), shape=(len(pairs), len(levels)))
    y = np.asarray(is_true, dtype=float)
    start = _log_ratios(x, y, levels)
    prior = log((y.sum() + 1) / (len(y) - y.sum() + 1))

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        intercept, weights = parameters[0], parameters[1:]
        score = x @ weights + intercept
        residual = 1 / (1 + np.exp(-score)) - y
        pulled = weights - start
        value = float(np.logaddexp(0, score).sum() - (y * score).sum() + _PULL / 2 * (pulled**2).sum())
        return value, np.concatenate(([residual.sum()], x.T @ residual + _PULL * pulled))

    limits = np.array([_LIMITS.get(field, _OTHER_LIMITS) for field, _ in levels]) / _BITS
    start = np.clip(start, limits[:, 0], limits[:, 1])
    bounds = [(None, None), *limits.tolist()]
    found = minimize(
        loss,
        np.concatenate(([prior], start)),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 400},
    )
    weights: dict[str, dict[str, float]] = {}
    for (field, level), weight in zip(levels, found.x[1:], strict=True):
        weights.setdefault(field, {})[level] = round(float(weight) * _BITS, 3)
    return Fitted(round(float(found.x[0]) * _BITS, 3), weights)


def _log_ratios(x: csr_matrix, y: np.ndarray, levels: Sequence[Level]) -> np.ndarray:
    """log(m / u) of each level among the pairs that have its field."""
    true, other = x.T @ y, x.T @ (1 - y)
    fields = {field: [n for n, level in enumerate(levels) if level[0] == field] for field, _ in levels}
    start = np.zeros(len(levels))
    for of_field in fields.values():
        m = (true[of_field] + _SMOOTHING) / (true[of_field].sum() + _SMOOTHING * len(of_field))
        u = (other[of_field] + _SMOOTHING) / (other[of_field].sum() + _SMOOTHING * len(of_field))
        start[of_field] = np.log(m / u)
    return start
