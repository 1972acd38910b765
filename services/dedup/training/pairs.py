"""Pairs of a stream as the service would compare them, and whether they are true."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from services.dedup.domain.blocking import blocking_keys
from services.dedup.domain.candidates import CANDIDATE_CAP, KEY_CAP, best_candidates
from services.dedup.domain.features import Features
from services.dedup.domain.normalising import features_of
from services.dedup.training.labelled import Labelled
from shared.contracts.complaint import SanitisedComplaint

Pair = tuple[int, int]
"""Two complaints by their places in the stream, the earlier one first."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A stream with the features of its complaints, and its truth; `seed` makes it again at its `origin`."""

    labelled: Sequence[Labelled]
    features: Sequence[Features]
    origin: str = ""
    seed: int | None = None

    def true_pairs(self) -> set[Pair]:
        """Complaints of one incident."""
        members: dict[int, list[int]] = defaultdict(list)
        for place, each in enumerate(self.labelled):
            members[each.incident].append(place)
        return {pair for of_one in members.values() for pair in combinations(of_one, 2)}

    def officer(self, place: int, i: int) -> int | None:
        """The number of the officer whom the `i`th officer of the features is."""
        return self.labelled[place].officers[self.features[place].officers[i].subject]


def prepared(stream: Iterable[Labelled], origin: str = "", seed: int | None = None) -> Prepared:
    labelled = list(stream)
    return Prepared(
        labelled,
        [
            features_of(SanitisedComplaint.model_validate(dict(each.body), strict=False), str(place))
            for place, each in enumerate(labelled)
        ],
        origin,
        seed,
    )


def candidate_pairs(features: Sequence[Features], most: int = CANDIDATE_CAP) -> Iterator[Pair]:
    """The pairs that are compared when the complaints arrive in their order, each with at most `most` of
    those before it."""
    index: dict[str, list[int]] = defaultdict(list)
    for place, each in enumerate(features):
        keys = blocking_keys(each)
        found = {key: index[key][-KEY_CAP:] for key in keys.asked if key in index}
        for other in best_candidates(found, place, most):
            yield other, place
        for key in keys.indexed:
            index[key].append(place)
