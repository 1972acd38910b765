"""What a region falls into, and what is new about it. Pure."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from services.dedup.domain.clusters import Apart, Fit, Link, Node, partition
from services.dedup.domain.model import PairModel
from services.dedup.membership import Change, changes, steps
from services.dedup.regions import Region


@dataclass(frozen=True, slots=True)
class Rule:
    """How groups of one kind are made.

    Attributes:
        group_id: the id of the group whose lowest member is this one.
        keeps_singles: who was in a group so far is in one of its own, where nobody else is.
    """

    model: PairModel
    apart: Apart
    group_id: Callable[[Node], UUID]
    keeps_singles: bool


@dataclass(frozen=True, slots=True)
class Resolution:
    """
    Attributes:
        members: group -> its members in their order.
        weakest: group -> the least weight by which it was joined.
        steps: the groups that changed, by what has to be told as one.
        waiting: see `Partition`.
    """

    members: Mapping[UUID, tuple[Node, ...]]
    weakest: Mapping[UUID, float | None]
    steps: list[list[Change[Node]]]
    waiting: list[Link]


def resolved(region: Region, withdrawn: Collection[UUID], rule: Rule, fit: Fit | None = None) -> Resolution:
    """
    Args:
        withdrawn: complaints that belong to nothing any more.
        fit: how well two groups fit together, where that joins groups too.
    """
    nodes = {node for node in region.nodes if node[0] not in withdrawn}
    found = partition(nodes, region.links, rule.model, rule.apart, fit)
    after: dict[Node, UUID] = {}
    members: dict[UUID, tuple[Node, ...]] = {}
    weakest: dict[UUID, float | None] = {}
    for cluster in found.clusters:
        lowest = cluster.members[0]
        if len(cluster.members) > 1 or (rule.keeps_singles and lowest in region.before):
            group = rule.group_id(lowest)
            after |= dict.fromkeys(cluster.members, group)
            members[group], weakest[group] = cluster.members, cluster.weakest
    changed = changes(region.before, after, sorted(region.nodes))
    return Resolution(members, weakest, steps(changed, region.before), found.waiting)
