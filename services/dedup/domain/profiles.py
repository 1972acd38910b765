"""How well two groups of subjects fit together as one officer: by their profiles, not by the average of
pairs.

In the average of pairs a report that tells a name and one that tells a number weigh little, whatever the
others tell. Here each field counts once, by its mean weight over those pairs of the two groups that tell it;
a field that no pair tells counts nothing. Computed from features alone, so it is a function of the two sets.
"""

from collections.abc import Mapping, Sequence
from math import fsum
from typing import Final
from uuid import UUID

from services.dedup.domain.clusters import Node
from services.dedup.domain.features import Features
from services.dedup.domain.scoring import Scorer

MOST_COMPARED: Final = 12
"""Members of a group that stand for it, those that tell most: a group of a thousand costs no more than
that."""


class Profiles:
    """
    Args:
        features: of the complaints, as far as they are still there.
    """

    def __init__(self, scorer: Scorer, features: Mapping[UUID, Features]) -> None:
        self._scorer, self._features = scorer, features
        self._place = {
            (complaint_id, officer.subject): i
            for complaint_id, each in features.items()
            for i, officer in enumerate(each.officers)
        }

    def fit(self, one: Sequence[Node], other: Sequence[Node]) -> float:
        """In bits, the prior included."""
        told: dict[str, list[float]] = {}
        for a in self._telling(one):
            for b in self._telling(other):
                low, high = (a, b) if a < b else (b, a)
                levels = self._scorer.levels_of_officers(
                    self._features[low[0]], self._place[low], self._features[high[0]], self._place[high]
                )
                for field, weight in levels:
                    told.setdefault(field, []).append(weight)
        return self._scorer.model.officer.prior + fsum(fsum(sorted(of)) / len(of) for of in told.values())

    def _telling(self, nodes: Sequence[Node]) -> list[Node]:
        """The members that tell most fields; of equals the lowest."""
        there = [node for node in nodes if node in self._place]
        if len(there) <= MOST_COMPARED:
            return there
        return sorted(there, key=lambda node: (-self._told(node), node))[:MOST_COMPARED]

    def _told(self, node: Node) -> int:
        _, *fields = self._features[node[0]].officers[self._place[node]]
        return sum(map(bool, fields))
