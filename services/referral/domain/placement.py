"""Which complaint belongs to which case: one live case for each incident, whatever order the news come in.

A placement is what is known of one complaint: whether it has arrived, whether it is held back
(`only_with_another`), its incident, its case. Of the incidents that dedup named it in, the one with the
highest sequence counts; that is the same whichever came first, and so is the partition into cases.
`regroup` says what has to move when dedup tells the members of an incident.
"""

from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Placement:
    """
    Attributes:
        version: how often it was changed; 0 where nothing is known of the complaint.
        is_held: it opens no case before its release.
        incident_id, incident_sequence, incident_on: the newest membership, its place in dedup's log, its day.
        released_on: the day on which dedup released it, also before it arrived.
        slot, slot_sequence: where the inbox has it.
    """

    complaint_id: UUID
    version: int = 0
    is_recorded: bool = False
    is_held: bool = False
    is_erased: bool = False
    case_id: UUID | None = None
    incident_id: UUID | None = None
    incident_sequence: int = 0
    incident_on: date | None = None
    released_on: date | None = None
    recorded_on: date | None = None
    force: str | None = None
    slot: int | None = None
    slot_sequence: int | None = None

    @property
    def clear_on(self) -> date:
        """The day from which its deadlines count: its own, or that of its release.

        Raises:
            ValueError: it has not arrived.
        """
        if self.recorded_on is None:
            raise ValueError("the complaint has not arrived")
        return max(self.recorded_on, self.released_on) if self.released_on else self.recorded_on


@dataclass(frozen=True, slots=True)
class CaseRank:
    """What decides which of several cases lives on: the one that people have decided, then the oldest."""

    case_id: UUID
    is_decided: bool
    opened_on: date

    @property
    def order(self) -> tuple[bool, date, UUID]:
        return (not self.is_decided, self.opened_on, self.case_id)


@dataclass(frozen=True, slots=True)
class Regrouping:
    """What follows from the members of an incident.

    Attributes:
        noted: the members whose placement changes, with the new membership; cases as before.
        joining: those of them that move to the incident's case from another one.
        target: that case, None for a new one;
        left: case -> the complaints that remain in it.
        freed: incidents whose case is theirs no more.
    """

    noted: tuple[Placement, ...]
    joining: tuple[Placement, ...] = ()
    target: UUID | None = None
    left: Mapping[UUID, frozenset[UUID]] = field(default_factory=dict)
    freed: frozenset[UUID] = frozenset()


def noting(
    placements: Iterable[Placement], incident_id: UUID, sequence: int, day: date
) -> tuple[Placement, ...]:
    """The placements for which this membership is news."""
    return tuple(
        replace(placement, incident_id=incident_id, incident_sequence=sequence, incident_on=day)
        for placement in placements
        if not placement.is_erased and placement.incident_sequence < sequence
    )


def news_in_pattern(cased: Collection[UUID], newcomers: Set[UUID]) -> set[UUID]:
    """For whom of a pattern's complaints with a case it is news who came to it: one that comes is news for
    the others, and they for it."""
    return set(cased) if len(cased) > 1 and not newcomers.isdisjoint(cased) else set()


def regroup(
    before: Mapping[UUID, Placement],
    noted: tuple[Placement, ...],
    incident_id: UUID,
    incident_case: UUID | None,
    residents: Mapping[UUID, Collection[UUID]],
    ranks: Mapping[UUID, CaseRank],
) -> Regrouping:
    """Move the known ones among `noted` into the case of their incident.

    Args:
        before: the placements as they were.
        incident_case: the case that the incident has so far.
        residents: case -> all its complaints, of every case that one of `noted` is in.
        ranks: of the same cases.
    """
    moving = {placement.complaint_id: placement for placement in noted if placement.case_id is not None}
    if not moving:
        return Regrouping(noted)
    # A case all of whose complaints move has no other owner: it can become the incident's.
    free = [ranks[case] for case, there in residents.items() if set(there) <= moving.keys()]
    target = incident_case
    if target is None and free:
        target = min(free, key=lambda rank: rank.order).case_id
    joining = tuple(placement for placement in moving.values() if placement.case_id != target)
    left = {
        case: frozenset(there) - moving.keys()
        for case, there in residents.items()
        if case != target and any(placement.case_id == case for placement in joining)
    }
    given_up = {case for case, remaining in left.items() if not remaining}
    if incident_case is None and target is not None:
        given_up.add(target)
    freed = frozenset(
        owner
        for placement in moving.values()
        if placement.case_id in given_up
        and (owner := before[placement.complaint_id].incident_id) is not None
        and owner != incident_id
    )
    return Regrouping(noted, joining, target, left, freed)
