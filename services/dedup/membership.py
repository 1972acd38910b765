"""What belonged together so far, and the events and rows that lead from there to what does now. Pure.

An id comes from the lowest member, so a group keeps its id while that member stays. Every complaint that
left an incident stands in the `added` of another one, alone if need be: who follows takes the latest word
on each complaint, and a removal alone moves nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

Member = TypeVar("Member", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Change(Generic[Member]):
    """One group that is not what it was. Without `members` it is no more."""

    group_id: UUID
    members: tuple[Member, ...]
    added: tuple[Member, ...]
    removed: tuple[Member, ...]
    merged_into: UUID | None = None
    split_from: UUID | None = None


def changes(
    before: Mapping[Member, UUID], after: Mapping[Member, UUID], order: Collection[Member]
) -> list[Change[Member]]:
    """The groups that changed, those that are no more last, each in the order of ids.

    Args:
        before, after: member -> group, of all members of all groups concerned.
        order: all members in their order.
    """
    old, new = _groups(before, order), _groups(after, order)
    found = []
    for group_id in sorted(new):
        members, earlier = new[group_id], old.get(group_id, ())
        if members != earlier:
            added = tuple(member for member in members if member not in earlier)
            came_from = {before[member] for member in added if member in before} & new.keys()
            found.append(
                Change(
                    group_id,
                    members,
                    added,
                    tuple(member for member in earlier if after.get(member) != group_id),
                    split_from=min(came_from - {group_id}, default=None),
                )
            )
    for group_id in sorted(old.keys() - new.keys()):
        went_to = [after[member] for member in old[group_id] if member in after]
        found.append(Change(group_id, (), (), old[group_id], merged_into=went_to[0] if went_to else None))
    return found


def _groups(of: Mapping[Member, UUID], order: Collection[Member]) -> dict[UUID, tuple[Member, ...]]:
    groups: dict[UUID, list[Member]] = defaultdict(list)
    for member in order:
        if member in of:
            groups[of[member]].append(member)
    return {group_id: tuple(members) for group_id, members in groups.items()}
