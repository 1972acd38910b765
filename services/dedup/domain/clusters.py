"""What belongs together, as a canonical function of a set of links: incidents and patterns.

The result depends on the set alone, never on the order in which links arrived: everything is taken in order
of weight, ties in order of ids, sums exactly.

- Incidents: what more than one path of accepted links holds together stays together. One link may be a
  mistake, two ways round are seldom both; and whatever is added, a look-alike filed on purpose too, nobody
  takes such a group apart but a person. Not so for officers: "Officer Perez" has two ways to each Perez.
- Groups are joined by average linkage, the two of the highest average first, down to a least average.
  A pair that was not worth keeping counts against it. But a complaint is compared with no more than some
  others: of one with as many kept links as that, pairs without a link may never have been looked at, and
  count for nothing. So no number of reports takes a group apart.
- What a person accepted is joined before that and carries along the groups on both sides; what a person
  rejected, or what may never stand together, is kept apart, also where a chain of others leads from one to
  the other.
- Officers: groups that this leaves apart are joined where their profiles fit
  (`services.dedup.domain.profiles`).

The accepted links that are left between two groups have joined nothing: the heaviest of them waits for a
person, who has the last word.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Literal, NamedTuple
from uuid import UUID

from services.dedup.domain.bridges import bridges
from services.dedup.domain.model import Clustering, PairModel

Node = tuple[UUID, int]
"""A subject of a complaint; the whole of it, in incidents, is (complaint, `WHOLE`)."""

WHOLE = -1
_PARTS_OF_A_BIT = 1 << 32
"""Weights are summed as whole numbers of these parts: in whatever order, the sum is the same."""

_Sum = tuple[int, int, int]
"""Parts of a bit, how many pairs they are of, and of how many of these both ends were compared with all."""

Verdict = Literal["accepted", "rejected"]
Apart = Callable[[Node], Hashable]
"""Nodes for which this is equal never stand together."""
Fit = Callable[[Sequence[Node], Sequence[Node]], float]
"""How well two groups fit together, in bits; symmetric, and a function of the two sets alone."""


@dataclass(frozen=True, slots=True)
class Link:
    """A pair fact; `a` is the lower one. `verdict` is a person's, None where there is none."""

    a: Node
    b: Node
    weight: float
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """`members` are sorted; `weakest` is the least weight by which they were joined, None for a single."""

    members: tuple[Node, ...]
    weakest: float | None = None


@dataclass(frozen=True, slots=True)
class Partition:
    """
    Attributes:
        clusters: all nodes, each once, in the order of lowest members.
        waiting: of every two clusters with accepted links between them the heaviest link, in the order of
            its ends; but none where a person, or a rule, keeps the two apart.
    """

    clusters: list[Cluster]
    waiting: list[Link]


def never_apart(node: Node) -> Hashable:
    return node


def of_one_complaint(node: Node) -> Hashable:
    """Two subjects of one complaint are two officers."""
    return node[0]


def clusters(
    nodes: Collection[Node],
    links: Iterable[Link],
    model: PairModel,
    apart: Apart = never_apart,
    fit: Fit | None = None,
) -> list[Cluster]:
    """The clusters of `partition`."""
    return partition(nodes, links, model, apart, fit).clusters


def partition(
    nodes: Collection[Node],
    links: Iterable[Link],
    model: PairModel,
    apart: Apart = never_apart,
    fit: Fit | None = None,
) -> Partition:
    """A partition of `nodes`, and what waits beside it. Links to others are left out."""
    order = sorted(nodes)
    number = {node: place for place, node in enumerate(order)}
    ends = [
        _Ends(number[link.a], number[link.b], link) for link in links if link.a in number and link.b in number
    ]
    ends.sort(key=lambda each: (-each.link.weight, each.a, each.b))
    kinds = [apart(node) for node in order]
    accepted = [each for each in ends if _is_accepted(each.link, model)]
    joins = _average_linkage(ends, _groups(kinds, ends), model.clustering)
    groups = _groups(kinds, ends)
    for each in ends:
        if each.link.verdict == "accepted":
            groups.join(each.a, each.b, max(each.link.weight, model.zones.accept))
    if not fit:
        alone = bridges(len(order), [(each.a, each.b) for each in accepted])
        for place, each in enumerate(accepted):
            if place not in alone:
                groups.join(each.a, each.b, max(each.link.weight, model.zones.accept))
    for one, other, average in joins:
        groups.join(one, other, average)
    if fit:
        # A component is what accepted links connect: no group may go beyond it, or the resolver would have
        # to look at others too.
        _join_by_profile(_Between(accepted, groups, model.clustering), groups, order, fit, model.clustering)
    found = [
        Cluster(tuple([order[place] for place in members]), weakest) for members, weakest in groups.all()
    ]
    return Partition(sorted(found, key=lambda cluster: cluster.members[0]), _waiting(accepted, groups))


class _Ends(NamedTuple):
    """A link with the places of its ends in the order of nodes."""

    a: int
    b: int
    link: Link


def _is_accepted(link: Link, model: PairModel) -> bool:
    """By a person, or by the rule where no person has decided."""
    return link.verdict == "accepted" or (link.verdict is None and link.weight >= model.zones.accept)


class _Groups:
    """Disjoint sets that grow by joining, the smaller one into the larger; each knows with which nodes it
    may not come together."""

    def __init__(self, kinds: Sequence[Hashable]) -> None:
        """
        Args:
            kinds: of each node; two of one kind never stand together.
        """
        count = len(kinds)
        self._parent = list(range(count))
        self._lowest = list(range(count))
        self._members = [[place] for place in range(count)]
        self._kinds = [{kind} for kind in kinds]
        self._apart: list[set[int]] = [set() for _ in range(count)]
        self._weakest: list[float | None] = [None] * count
        self._refused: set[tuple[int, int]] = set()

    def keep_apart(self, a: int, b: int) -> None:
        """Never join the groups of these two. To be said before the first `join`."""
        self._apart[a].add(b)
        self._apart[b].add(a)

    def of(self, node: int) -> int:
        """The group of a node, as the number of one of its members."""
        parent = self._parent
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    def size(self, group: int) -> int:
        return len(self._members[group])

    def lowest(self, group: int) -> int:
        return self._lowest[group]

    def members(self, group: int) -> list[int]:
        return sorted(self._members[group])

    def may_join(self, one: int, other: int) -> bool:
        """Whether nobody and nothing keeps two groups apart."""
        if (one, other) in self._refused or (other, one) in self._refused:
            return False
        few, many = sorted((self._kinds[one], self._kinds[other]), key=len)
        if few.isdisjoint(many):
            least = one if len(self._apart[one]) <= len(self._apart[other]) else other
            against = other if least == one else one
            if all(self.of(node) != against for node in self._apart[least]):
                return True
        self._refused.add((one, other))
        return False

    def join(self, a: int, b: int, weight: float) -> tuple[int, int] | None:
        """Join the groups of two nodes, if they may be; the group that stays, and the one that is no more."""
        one, other = self.of(a), self.of(b)
        if one == other or not self.may_join(one, other):
            return None
        if len(self._members[one]) < len(self._members[other]):
            one, other = other, one
        self._parent[other] = one
        self._lowest[one] = min(self._lowest[one], self._lowest[other])
        self._members[one] += self._members[other]
        self._kinds[one] |= self._kinds[other]
        self._apart[one] |= self._apart[other]
        known = [known for known in (self._weakest[one], self._weakest[other]) if known is not None]
        self._weakest[one] = min([weight, *known])
        self._members[other], self._kinds[other], self._apart[other] = [], set(), set()
        return one, other

    def all(self) -> list[tuple[list[int], float | None]]:
        """(members in their order, least weight of a join) of each group."""
        return [
            (sorted(self._members[place]), self._weakest[place])
            for place, parent in enumerate(self._parent)
            if parent == place
        ]


def _groups(kinds: Sequence[Hashable], ends: Iterable[_Ends]) -> _Groups:
    """Each node alone, with all that keeps some apart."""
    groups = _Groups(kinds)
    for each in ends:
        if each.link.verdict == "rejected":
            groups.keep_apart(each.a, each.b)
    return groups


def _average_linkage(
    ends: Sequence[_Ends], groups: _Groups, rule: Clustering
) -> list[tuple[int, int, float]]:
    """(a node of one group, a node of the other, their average) of each join, in their order: the two groups
    of the highest average first, ties by their lowest members."""
    between = _Between(ends, groups, rule)

    def entry(one: int, other: int) -> _Entry:
        low, high = sorted((groups.lowest(one), groups.lowest(other)))
        return -between.average(one, other), low, high

    heap = [entry(*pair) for pair in between.pairs()]
    heap = [each for each in heap if -each[0] >= rule.average]
    heapify(heap)
    joins = []
    while heap:
        told = heappop(heap)
        one, other = groups.of(told[1]), groups.of(told[2])
        if one == other:
            continue
        # An average only falls while a group grows by others, so what was put in is never too little.
        current = entry(one, other)
        if current != told:
            if -current[0] >= rule.average:
                heappush(heap, current)
        elif joined := groups.join(one, other, -told[0]):
            joins.append((told[1], told[2], -told[0]))
            stays, goes = joined
            for neighbour in between.join(stays, goes):
                if -(changed := entry(stays, neighbour))[0] >= rule.average:
                    heappush(heap, changed)
    return joins


_Entry = tuple[float, int, int]
"""The average of two groups below nought, and their lowest members."""


def _join_by_profile(
    between: "_Between", groups: _Groups, order: Sequence[Node], fit: Fit, rule: Clustering
) -> None:
    """Groups that some accepted link connects, the best fit first; what joined is looked at again as one. Two
    small groups have no profile yet that could outweigh their average."""
    fits: dict[int, dict[int, float]] = defaultdict(dict)
    heap: list[_Entry] = []

    def put(one: int, other: int) -> None:
        is_small = max(groups.size(one), groups.size(other)) < SMALL
        if fits[one][other] >= (rule.average if is_small else rule.fit):
            low, high = sorted((groups.lowest(one), groups.lowest(other)))
            heappush(heap, (-fits[one][other], low, high))

    def look_at(one: int, other: int) -> None:
        if groups.may_join(one, other):
            first, second = sorted((groups.members(one), groups.members(other)))
            found = fit([order[place] for place in first], [order[place] for place in second])
            fits[one][other] = fits[other][one] = found
            put(one, other)

    for pair in between.pairs():
        look_at(*pair)
    while heap:
        told, low, high = heappop(heap)
        one, other = groups.of(low), groups.of(high)
        if -told != fits[one].get(other) or (low, high) != tuple(
            sorted((groups.lowest(one), groups.lowest(other)))
        ):
            continue
        if _has_rival(one, other, fits, groups) or not (joined := groups.join(one, other, -told)):
            continue
        stays, goes = joined
        neighbours = sorted((fits[stays].keys() | fits[goes].keys()) - {stays, goes}, key=groups.lowest)
        for gone in (stays, goes):
            for neighbour in fits.pop(gone):
                fits[neighbour].pop(gone, None)
        for neighbour in neighbours:
            look_at(stays, neighbour)
            if groups.size(neighbour) <= SMALL:
                # What rivalled with another group may do so no more.
                for another in list(fits[neighbour]):
                    put(neighbour, another)


def _has_rival(one: int, other: int, fits: dict[int, dict[int, float]], groups: _Groups) -> bool:
    """A small group of a middling fit joins only where no other group fits it nearly as well."""
    taken = fits[one][other]
    if taken >= CERTAIN_FIT:
        return False
    return any(
        groups.size(group) <= SMALL
        and any(rival > taken - RIVAL for each, rival in fits[group].items() if each != against)
        for group, against in ((one, other), (other, one))
    )


# 7-matching.md, point 8, from nats to bits.
CERTAIN_FIT = 6 / 0.693
RIVAL = 2 / 0.693
SMALL = 3


class _Between:
    """The sums of the known weights between groups, which follow when groups join."""

    def __init__(self, ends: Iterable[_Ends], groups: _Groups, rule: Clustering) -> None:
        self._unseen = rule.unseen
        links: Counter[int] = Counter()
        for each in ends:
            links[each.a] += 1
            links[each.b] += 1
        self._sums: dict[int, dict[int, _Sum]] = defaultdict(dict)
        self._compared: Counter[int] = Counter()
        for each in ends:
            one, other = groups.of(each.a), groups.of(each.b)
            if one != other and each.link.verdict != "rejected":
                are_compared = links[each.a] < rule.seen and links[each.b] < rule.seen
                self._add(one, other, (round(each.link.weight * _PARTS_OF_A_BIT), 1, int(are_compared)))
        for node, count in links.items():
            self._compared[groups.of(node)] += count < rule.seen

    def pairs(self) -> list[tuple[int, int]]:
        """The groups with known weights between them, each two once."""
        return [(one, other) for one, others in self._sums.items() for other in others if one < other]

    def average(self, one: int, other: int) -> float:
        """Over the pairs between two groups that were compared; one that was not kept weighs `unseen`."""
        parts, count, both = self._sums[one].get(other, (0, 0, 0))
        unseen = self._compared[one] * self._compared[other] - both
        return (parts / _PARTS_OF_A_BIT + self._unseen * unseen) / (count + unseen)

    def join(self, stays: int, goes: int) -> list[int]:
        """The groups whose weights against the one that stays are others now."""
        self._compared[stays] += self._compared.pop(goes, 0)
        changed = []
        for other, added in self._sums.pop(goes, {}).items():
            del self._sums[other][goes]
            if other != stays:
                self._add(stays, other, added)
                changed.append(other)
        return changed

    def _add(self, one: int, other: int, added: "_Sum") -> None:
        parts, count, both = self._sums[one].get(other, (0, 0, 0))
        self._sums[one][other] = self._sums[other][one] = (
            parts + added[0],
            count + added[1],
            both + added[2],
        )


def _waiting(accepted: Iterable[_Ends], groups: _Groups) -> list[Link]:
    heaviest: dict[tuple[int, int], Link] = {}
    for each in accepted:  # the heaviest come first
        one, other = groups.of(each.a), groups.of(each.b)
        if one != other and groups.may_join(one, other):
            heaviest.setdefault((min(one, other), max(one, other)), each.link)
    return sorted(heaviest.values(), key=lambda link: (link.a, link.b))
