"""What belongs together, as a canonical function of a set of links: incidents and patterns.

The result depends on the set alone, never on the order in which links arrived: everything is taken in order
of weight, ties in order of ids, sums exactly, in a fixed number of rounds. The time is linear in the links,
but for sorting them.

- What a person accepted is joined.
- What hangs together by more than one accepted link is joined: ends of a link that lie on a cycle of accepted
  links. No further complaint or accepted link can undo it, so it has no limit of size either.
- A link that is the only one between its two sides (a bridge) joins as far as the sides allow: a single one
  to any other; a single one to a group, where the link does not rest on one identifier; two groups, where
  their average weight is high enough too. So many parts at most come together by such links (the cap); a part
  is what the other links join, of whatever size, so that more of these push nobody out.
- What a person rejected, or what may never stand together, is kept apart, also where a chain of others leads
  from one to the other.

The accepted links that are left between two groups have joined nothing: the heaviest of them waits for a
person, who has the last word.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple
from uuid import UUID

from services.dedup.domain.bridges import bridges
from services.dedup.domain.model import PairModel

Node = tuple[UUID, int]
"""A subject of a complaint; the whole of it, in incidents, is (complaint, `WHOLE`)."""

WHOLE = -1
_ROUNDS = 3
_PARTS_OF_A_BIT = 1 << 32
"""Weights are summed as whole numbers of these parts: in whatever order, the sum is the same."""

_Sum = tuple[int, int]
"""Parts of a bit, and how many pairs they are of."""

Verdict = Literal["accepted", "rejected"]
Apart = Callable[[Node], Hashable]
"""Nodes for which this is equal never stand together."""


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
    nodes: Collection[Node], links: Iterable[Link], model: PairModel, apart: Apart = never_apart
) -> list[Cluster]:
    """The clusters of `partition`."""
    return partition(nodes, links, model, apart).clusters


def partition(
    nodes: Collection[Node], links: Iterable[Link], model: PairModel, apart: Apart = never_apart
) -> Partition:
    """A partition of `nodes`, and what waits beside it. Links to others are left out."""
    order = sorted(nodes)
    number = {node: place for place, node in enumerate(order)}
    ends = [
        _Ends(number[link.a], number[link.b], link) for link in links if link.a in number and link.b in number
    ]
    ends.sort(key=lambda each: (-each.link.weight, each.a, each.b))
    groups = _Groups([apart(node) for node in order])
    for each in ends:
        if each.link.verdict == "rejected":
            groups.keep_apart(each.a, each.b)
    accepted = [each for each in ends if _is_accepted(each.link, model)]
    alone = bridges(len(order), [(each.a, each.b) for each in accepted])
    for each in accepted:
        if each.link.verdict == "accepted":
            groups.join(each.a, each.b, max(each.link.weight, model.zones.accept))
    for place, each in enumerate(accepted):
        if place not in alone and not each.link.rests_on_one:
            groups.join(each.a, each.b, each.link.weight)
    _join_over_bridges([accepted[place] for place in sorted(alone)], ends, groups, model)
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


def _join_over_bridges(
    joining: Sequence[_Ends], ends: Sequence[_Ends], groups: _Groups, model: PairModel
) -> None:
    rule = model.clustering
    between = _Between(joining, ends, groups)
    for _ in range(_ROUNDS):
        for each in joining:
            one, other = groups.of(each.a), groups.of(each.b)
            if one == other or between.parts(one, other) > rule.most_members:
                continue
            smaller, larger = sorted((groups.size(one), groups.size(other)))
            if larger > 1 and each.link.rests_on_one:
                continue
            if smaller > 1 and between.average(one, other, smaller * larger, rule.unseen) < rule.average:
                continue
            if joined := groups.join(each.a, each.b, each.link.weight):
                between.join(*joined)


class _Between:
    """Groups that a bridge may join: their parts, and the sums of the known weights between them. Both follow
    when groups join."""

    def __init__(self, joining: Iterable[_Ends], ends: Iterable[_Ends], groups: _Groups) -> None:
        self._sums: dict[int, dict[int, _Sum]] = {
            groups.of(node): {} for each in joining for node in (each.a, each.b)
        }
        self._parts = dict.fromkeys(self._sums, 1)
        for each in ends:
            one, other = groups.of(each.a), groups.of(each.b)
            if one != other and one in self._sums and other in self._sums and each.link.verdict != "rejected":
                self._add(one, other, round(each.link.weight * _PARTS_OF_A_BIT), 1)

    def parts(self, one: int, other: int) -> int:
        """Of how many parts the two would be together."""
        return self._parts[one] + self._parts[other]

    def average(self, one: int, other: int, pairs: int, unseen: float) -> float:
        """Over all pairs between two groups; one without a link weighs `unseen`."""
        parts, count = self._sums[one].get(other, (0, 0))
        return (parts / _PARTS_OF_A_BIT + unseen * (pairs - count)) / pairs

    def join(self, stays: int, goes: int) -> None:
        self._parts[stays] += self._parts.pop(goes)
        for other, (parts, count) in self._sums.pop(goes).items():
            del self._sums[other][goes]
            if other != stays:
                self._add(stays, other, parts, count)

    def _add(self, one: int, other: int, parts: int, count: int) -> None:
        before = self._sums[one].get(other, (0, 0))
        self._sums[one][other] = self._sums[other][one] = before[0] + parts, before[1] + count


def _waiting(accepted: Iterable[_Ends], groups: _Groups) -> list[Link]:
    heaviest: dict[tuple[int, int], Link] = {}
    for each in accepted:  # the heaviest come first
        one, other = groups.of(each.a), groups.of(each.b)
        if one != other and groups.may_join(one, other):
            heaviest.setdefault((min(one, other), max(one, other)), each.link)
    return sorted(heaviest.values(), key=lambda link: (link.a, link.b))
