"""How an answer compares with the truth: pairs of accounts of one incident, and officers found as patterns.

An `Answer` has for each complaint of the stream, by its index, the incident it was put in, and for its
subjects the patterns they were put in. What is not there was left by itself.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Set
from dataclasses import dataclass, field
from itertools import groupby

from deploy.simulation.truth import Truth

MANY_INCIDENTS = 9
MANY_COMPLAINTS = 9
LEAST_PURITY = 0.95

Member = tuple[int, int]
"""The index of a complaint, and of one of its subjects."""

Pair = tuple[int, int]
"""The indexes of two complaints, the lower one first."""


@dataclass(frozen=True, slots=True)
class Answer:
    incidents: Mapping[int, Hashable]
    patterns: Mapping[Member, Hashable]
    waiting: Set[Pair] = frozenset()
    """Pairs that wait for a person as accounts of one incident."""
    weights: Mapping[Pair, float] = field(default_factory=dict)
    """How much speaks for each pair as accounts of one incident, on any scale; of compared pairs alone."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of complaints of one incident: those that are, those that were found, and those that are both."""

    true: int
    found: int
    right: int

    @property
    def precision(self) -> float | None:
        """None where nothing was found."""
        return self.right / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        """None where there is nothing to find."""
        return self.right / self.true if self.true else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of the two; None where there is nothing to find and nothing was found."""
        return 2 * self.right / (self.true + self.found) if self.true + self.found else None


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the true pairs of one incident came: together, before a person, or never seen by anybody."""

    accepted: int
    in_review: int
    never_seen: int


@dataclass(frozen=True, slots=True)
class Officers:
    """Of the officers with nine incidents and more, how many are one pattern."""

    many: int
    found: int


def same_incident_pairs(answer: Answer, truth: Truth) -> Pairs:
    together: Counter[tuple[int, Hashable]] = Counter()
    for index, incident in enumerate(truth.incidents):
        # A complaint that is in no incident is in one of its own.
        together[incident, answer.incidents.get(index, ("alone", index))] += 1
    true: Counter[int] = Counter()
    found: Counter[Hashable] = Counter()
    for (incident, put_in), count in together.items():
        true[incident] += count
        found[put_in] += count
    return Pairs(_pairs(true.values()), _pairs(found.values()), _pairs(together.values()))


def reach_of_pairs(answer: Answer, truth: Truth) -> Reach:
    pairs = same_incident_pairs(answer, truth)
    in_review = 0
    for one, other in answer.waiting:
        put_in = answer.incidents.get(one), answer.incidents.get(other)
        are_together = put_in[0] is not None and put_in[0] == put_in[1]
        in_review += truth.incidents[one] == truth.incidents[other] and not are_together
    return Reach(pairs.right, in_review, pairs.true - pairs.right - in_review)


def recall_at_precision(answer: Answer, truth: Truth, precision: float) -> float | None:
    """The share of the true pairs that stand above a weight, the lowest at which at least `precision` of the
    pairs above it are right. Pairs of equal weight stand together. None where there is nothing to find."""
    true = same_incident_pairs(answer, truth).true
    if not true:
        return None
    seen = right = reached = 0
    ranked = sorted(answer.weights.items(), key=lambda item: -item[1])
    for _, equals in groupby(ranked, key=lambda item: item[1]):
        for (one, other), _ in equals:
            seen += 1
            right += truth.incidents[one] == truth.incidents[other]
        if right >= precision * seen:
            reached = right
    return reached / true


def officers_found(answer: Answer, truth: Truth) -> Officers:
    """An officer is found if one pattern holds at least nine of his complaints and at least 95 % of its
    members are him."""
    members: defaultdict[Hashable, list[Member]] = defaultdict(list)
    for member, pattern in answer.patterns.items():
        members[pattern].append(member)
    found = set()
    for of_pattern in members.values():
        complaints: defaultdict[int, set[int]] = defaultdict(set)
        counted: Counter[int | None] = Counter()
        for index, subject in of_pattern:
            officer = truth.officers[index][subject]
            counted[officer] += 1
            if officer is not None:
                complaints[officer].add(index)
        for officer, indexes in complaints.items():
            if len(indexes) >= MANY_COMPLAINTS and counted[officer] >= LEAST_PURITY * len(of_pattern):
                found.add(officer)
    many = truth.officers_with(MANY_INCIDENTS)
    return Officers(len(many), len(found.intersection(many)))


def largest(groups: Iterable[Hashable], count: int = 5) -> list[int]:
    """The sizes of the largest groups, given the group of each member."""
    return [size for _, size in Counter(groups).most_common(count)]


def _pairs(sizes: Iterable[int]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes)
