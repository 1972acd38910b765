"""What belonged together so far, and the events and rows that lead from there to what does now. Pure.

An id comes from the lowest member, so a group keeps its id while that member stays. Every complaint that
left an incident stands in the `added` of another one, alone if need be: who follows takes the latest word
on each complaint, and a removal alone moves nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
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
            added = tuple(member for member in members if before.get(member) != group_id)
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


def steps(changed: Iterable[Change[Member]], before: Mapping[Member, UUID]) -> list[list[Change[Member]]]:
    """The changes by what has to be told as one: groups between which a member moved. Each in their order."""
    changed = list(changed)
    linked = {change.group_id: change.group_id for change in changed}

    def first(group: UUID) -> UUID:
        while linked[group] != group:
            linked[group] = linked[linked[group]]
            group = linked[group]
        return group

    for change in changed:
        for left in {before[member] for member in change.added if member in before} & linked.keys():
            linked[first(left)] = first(change.group_id)
    together: dict[UUID, list[Change[Member]]] = {}
    for change in changed:
        together.setdefault(first(change.group_id), []).append(change)
    return list(together.values())


def parts(change: Change[Member], most: int) -> Iterator[Change[Member]]:
    """A change in parts of at most `most` added and removed ones: an event has a limit."""
    for place in range(0, max(len(change.added), len(change.removed), 1), most):
        until = place + most
        yield replace(change, added=change.added[place:until], removed=change.removed[place:until])


def _groups(of: Mapping[Member, UUID], order: Collection[Member]) -> dict[UUID, tuple[Member, ...]]:
    groups: dict[UUID, list[Member]] = defaultdict(list)
    for member in order:
        if member in of:
            groups[of[member]].append(member)
    return {group_id: tuple(members) for group_id, members in groups.items()}
