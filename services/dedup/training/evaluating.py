"""How well a model does on a stream of known truth, and what that costs: no database, one process."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import process_time
from typing import TypeVar
from uuid import UUID

from services.dedup.domain.clusters import WHOLE, Cluster, Link, Node, clusters, of_one_complaint
from services.dedup.domain.model import Model
from services.dedup.domain.profiles import Profiles
from services.dedup.domain.scoring import Scorer
from services.dedup.training.pairs import Pair, Prepared, candidate_pairs

Member = TypeVar("Member", bound=Hashable)

_MANY = 9
_PURE = 0.95
_PRECISION = 0.99


@dataclass(frozen=True, slots=True)
class Figures:
    """One row of the table. Recalls and F1s are shares, costs microseconds of CPU."""

    blocking: float
    candidates: float
    pair_f1: float
    best_f1: float
    best_at: float
    r99: float
    cluster_f1: float
    officer_f1: float
    nine_timers: float
    cost_finding: float
    cost_scoring: float
    cost_grouping: float


def figures(stream: Prepared, model: Model) -> Figures:
    scorer, count = Scorer(model), len(stream.features)
    begun = process_time()
    pairs = list(candidate_pairs(stream.features))
    found_at = process_time()
    links: list[Link] = []
    of_officers: list[Link] = []
    weights: dict[Pair, float] = {}
    nodes_of_officers: set[Node] = set()
    for a, b in pairs:
        for found in scorer.pairs(stream.features[a], stream.features[b]):
            weight = found.scored.weight
            if found.subject is None or found.other_subject is None:
                links.append(Link((_id(a), WHOLE), (_id(b), WHOLE), weight))
                weights[a, b] = weight
            else:
                ends = (_id(a), found.subject), (_id(b), found.other_subject)
                of_officers.append(Link(*ends, weight))
                nodes_of_officers.update(ends)
    scored_at = process_time()
    incidents = clusters([(_id(place), WHOLE) for place in range(count)], links, model.incident)
    profiles = Profiles(scorer, {_id(place): each for place, each in enumerate(stream.features)})
    patterns = clusters(nodes_of_officers, of_officers, model.officer, of_one_complaint, profiles.fit)
    grouped_at = process_time()
    true = stream.true_pairs()
    best_f1, best_at, r99 = _ranked(weights, true)
    accepted = {pair for pair, weight in weights.items() if weight >= model.incident.zones.accept}
    group_of = {node[0].int: n for n, cluster in enumerate(incidents) for node in cluster.members}
    truth = {place: each.incident for place, each in enumerate(stream.labelled)}
    subjects = {
        (_id(place), officer.subject): whose
        for place, each in enumerate(stream.features)
        for officer in each.officers
        if (whose := stream.labelled[place].officers[officer.subject]) is not None
    }
    pattern_of: dict[Node, Hashable] = {node: node for node in subjects}
    pattern_of |= {node: n for n, cluster in enumerate(patterns) for node in cluster.members}
    return Figures(
        blocking=len(true.intersection(pairs)) / len(true),
        candidates=len(pairs) / count,
        pair_f1=2 * len(accepted & true) / (len(accepted) + len(true)),
        best_f1=best_f1,
        best_at=best_at,
        r99=r99,
        cluster_f1=_f1(group_of, truth),
        officer_f1=_f1(pattern_of, subjects),
        nine_timers=_nine_timers(stream, patterns),
        cost_finding=(found_at - begun) / count * 1e6,
        cost_scoring=(scored_at - found_at) / count * 1e6,
        cost_grouping=(grouped_at - scored_at) / count * 1e6,
    )


def _id(place: int) -> UUID:
    return UUID(int=place)


def _ranked(weights: Mapping[Pair, float], true: set[Pair]) -> tuple[float, float, float]:
    """(best F1, the weight from which it is reached, recall at an observed precision of .99)."""
    best, best_at, r99, right = 0.0, 0.0, 0.0, 0
    for found, pair in enumerate(sorted(weights, key=lambda pair: (-weights[pair], pair)), 1):
        right += pair in true
        f1 = 2 * right / (found + len(true))
        if f1 > best:
            best, best_at = f1, weights[pair]
        if right / found >= _PRECISION:
            r99 = right / len(true)
    return best, best_at, r99


def _f1(found: Mapping[Member, Hashable], truth: Mapping[Member, Hashable]) -> float:
    """Of pairs that stand together."""
    both = Counter((found[member], truth[member]) for member in truth)
    right = sum(n * (n - 1) for n in both.values())
    made = sum(n * (n - 1) for n in Counter(found[member] for member in truth).values())
    there = sum(n * (n - 1) for n in Counter(truth.values()).values())
    return 2 * right / (made + there) if made + there else 0.0


def _nine_timers(stream: Prepared, patterns: Iterable[Cluster]) -> float:
    """Of the officers with nine incidents those of whom one pattern holds nine complaints at 95 % purity."""
    incidents: dict[int, set[int]] = defaultdict(set)
    for each in stream.labelled:
        for officer in each.officers:
            if officer is not None:
                incidents[officer].add(each.incident)
    many = {officer for officer, of_one in incidents.items() if len(of_one) >= _MANY}
    found = set()
    for pattern in patterns:
        members = [stream.labelled[node[0].int].officers[node[1]] for node in pattern.members]
        (officer, count), *_ = Counter(members).most_common(1)
        if count >= _MANY and count >= _PURE * len(members):
            found.add(officer)
    return len(found & many) / len(many) if many else 0.0


def mean(rows: Sequence[Figures]) -> Figures:
    names = Figures.__dataclass_fields__
    return Figures(*(sum(getattr(row, name) for row in rows) / len(rows) for name in names))
