"""What belongs together, as a canonical function of a set of links: incidents and patterns.

The result depends on the set alone, never on the order in which links arrived: everything is taken in order
of weight, ties and sums in order of ids, in a fixed number of rounds. What is linked at all bounds a
component; a component over the cap falls apart at thresholds raised in fixed steps. Within it, groups grow:

- two single members are joined by an accepted link;
- a single one joins a group by an accepted link that does not rest on one identifier;
- two groups are joined by such a link where their average weight is high enough too;
- what a person accepted is joined first, what a person rejected, or what may never stand together, is kept
  apart, also where a chain of others leads from one to the other.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Literal
from uuid import UUID

from services.dedup.domain.model import PairModel

Node = tuple[UUID, int]
"""A subject of a complaint; the whole of it, in incidents, is (complaint, `WHOLE`)."""

WHOLE = -1
_ROUNDS = 3

Verdict = Literal["accepted", "rejected"]
Apart = Callable[[Node, Node], bool]


@dataclass(frozen=True, slots=True)
class Link:
    """A pair fact; `a` is the lower one. `verdict` is a person's, None where there is none."""

    a: Node
    b: Node
    weight: float
    rests_on_one: bool = False
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """`members` are sorted; `weakest` is the least weight by which they were joined, None for a single."""

    members: tuple[Node, ...]
    weakest: float | None = None


def never_apart(_: Node, __: Node) -> bool:
    return False


def of_one_complaint(a: Node, b: Node) -> bool:
    """Two subjects of one complaint are two officers."""
    return a[0] == b[0]


def clusters(
    nodes: Collection[Node], links: Iterable[Link], model: PairModel, apart: Apart = never_apart
) -> list[Cluster]:
    """A partition of `nodes`, in the order of lowest members. Links to others are left out."""
    known = sorted(
        (link for link in links if link.a in nodes and link.b in nodes),
        key=lambda link: (-link.weight, link.a, link.b),
    )
    ties = [link for link in known if link.verdict != "rejected"]
    parted = {(link.a, link.b) for link in known if link.verdict == "rejected"}
    found: list[Cluster] = []
    for component in _bounded(sorted(nodes), ties, model.zones.review, model):
        inside = set(component)
        within = [link for link in ties if link.a in inside and link.b in inside]
        found += _grown(component, within, parted, model, apart)
    return sorted(found, key=lambda cluster: cluster.members[0])


def _bounded(
    nodes: Sequence[Node], ties: Sequence[Link], threshold: float, model: PairModel
) -> list[list[Node]]:
    """The components at `threshold`, those over the cap at a higher one."""
    strong = [link for link in ties if _standing(link, model) >= threshold]
    parts = []
    for component in _components(nodes, strong):
        if len(component) <= model.clustering.most_members:
            parts.append(component)
            continue
        inside = set(component)
        within = [link for link in strong if link.a in inside and link.b in inside]
        parts += _bounded(component, within, threshold + model.clustering.step, model)
    return parts


def _standing(link: Link, model: PairModel) -> float:
    """What a person accepted stands at least as high as what a rule accepts."""
    return max(link.weight, model.zones.accept) if link.verdict == "accepted" else link.weight


def _components(nodes: Sequence[Node], links: Iterable[Link]) -> list[list[Node]]:
    neighbours: dict[Node, list[Node]] = defaultdict(list)
    for link in links:
        neighbours[link.a].append(link.b)
        neighbours[link.b].append(link.a)
    seen: set[Node] = set()
    parts = []
    for node in nodes:
        if node in seen:
            continue
        seen.add(node)
        part, waiting = [], [node]
        while waiting:
            at = waiting.pop()
            part.append(at)
            fresh = [other for other in neighbours[at] if other not in seen]
            seen.update(fresh)
            waiting += dict.fromkeys(fresh)
        parts.append(sorted(part))
    return parts


class _Group:
    __slots__ = ("members", "weakest")

    def __init__(self, members: list[Node], weakest: float | None = None) -> None:
        self.members, self.weakest = members, weakest


def _grown(
    component: Sequence[Node],
    ties: Sequence[Link],
    parted: Collection[tuple[Node, Node]],
    model: PairModel,
    apart: Apart,
) -> list[Cluster]:
    group = {node: _Group([node]) for node in component}
    weights = {(link.a, link.b): _standing(link, model) for link in ties}
    decided = [link for link in ties if link.verdict == "accepted"]
    by_rule = [link for link in ties if link.verdict is None and link.weight >= model.zones.accept]
    for _ in range(_ROUNDS):
        for link in (*decided, *by_rule):
            one, other = group[link.a], group[link.b]
            if one is other or not _may_join(one, other, parted, model, apart):
                continue
            if link.verdict is None and not _is_enough(link, one, other, weights, model):
                continue
            standing = _standing(link, model)
            weakest = min(standing, one.weakest or standing, other.weakest or standing)
            joined = _Group(sorted(one.members + other.members), weakest)
            for member in joined.members:
                group[member] = joined
    each = {id(of): of for of in group.values()}.values()
    return [Cluster(tuple(of.members), of.weakest) for of in each]


def _may_join(
    one: _Group, other: _Group, parted: Collection[tuple[Node, Node]], model: PairModel, apart: Apart
) -> bool:
    if len(one.members) + len(other.members) > model.clustering.most_members:
        return False
    return not any(
        apart(a, b) or ((a, b) if a < b else (b, a)) in parted for a in one.members for b in other.members
    )


def _is_enough(
    link: Link, one: _Group, other: _Group, weights: Mapping[tuple[Node, Node], float], model: PairModel
) -> bool:
    smaller, larger = sorted((len(one.members), len(other.members)))
    if larger == 1:
        return True
    if link.rests_on_one:
        return False
    if smaller == 1:
        return True
    unseen = model.clustering.unseen
    total = fsum(weights.get((a, b) if a < b else (b, a), unseen) for a in one.members for b in other.members)
    return total / (smaller * larger) >= model.clustering.average
