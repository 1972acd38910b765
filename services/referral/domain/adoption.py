"""Which memberships were known when the cases became what they are: told by the cases themselves.

Of a lost tail the cases are known, and what the other services have sent since, but not how much of that was
consumed. At all times the complaints of a case are of one incident, or it is one complaint without any, and
no two cases are of one incident. Where that does not hold by the memberships of which it is certain that
they were noted, a later one was noted too; if but one would do, it is certain as well.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from shared.errors import HotlineError


class UndecidedMembership(HotlineError):
    """More than one history leads to these cases, or none."""


@dataclass(frozen=True, slots=True)
class Membership:
    """Of a complaint: its incident, the place of that in dedup's log, and its day."""

    incident_id: UUID | None = None
    sequence: int = 0
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """The members of an incident, as dedup told them with number `slot_sequence` of a slot."""

    slot: int
    slot_sequence: int
    membership: Membership
    members: frozenset[UUID]


NOTHING = Membership()


def noted(known: Mapping[UUID, Membership], told: Iterable[Told]) -> dict[UUID, Membership]:
    """Of each complaint the newest membership, whatever the order."""
    newest = dict(known)
    for one in told:
        for member in one.members:
            if newest.get(member, NOTHING).sequence < one.membership.sequence:
                newest[member] = one.membership
    return newest


def certainly_noted(
    cases: Mapping[UUID, Collection[UUID]], known: Mapping[UUID, Membership], later: Sequence[Told]
) -> list[Told]:
    """Those of `later` without which these cases could not be; none where nothing speaks for more.

    Args:
        cases: case -> its complaints.
        known: the memberships that were noted.
        later: what may have been noted besides; of one incident in order.

    Raises:
        UndecidedMembership
    """
    news = _News(known, later)
    found: list[Told] = []
    owners: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for case_id, complaints in cases.items():
        incidents = {news.known.get(each, NOTHING).incident_id for each in complaints}
        incident_id = next(iter(incidents)) if len(incidents) == 1 else None
        if incident_id is not None:
            owners[incident_id].append(case_id)
        elif len(complaints) > 1:
            found.append(_only(case_id, news.uniting(complaints)))
    if found:
        return found
    for incident_id, rivals in owners.items():
        if len(rivals) > 1:
            ways = {case_id: news.uniting(cases[case_id], but=incident_id) for case_id in rivals}
            moved = [case_id for case_id in rivals if ways[case_id]]
            if len(moved) != len(rivals) - 1:
                raise UndecidedMembership(f"{len(rivals)} cases are of incident {incident_id}")
            found += [_only(case_id, ways[case_id]) for case_id in moved]
    return found


def _only(case_id: UUID, ways: Sequence[Told]) -> Told:
    if len(ways) != 1:
        raise UndecidedMembership(f"case {case_id} may be of {len(ways)} incidents")
    return ways[0]


class _News:
    def __init__(self, known: Mapping[UUID, Membership], later: Sequence[Told]) -> None:
        self.known = known
        self._of_incident: defaultdict[UUID | None, list[Told]] = defaultdict(list)
        self._naming: defaultdict[UUID, set[UUID | None]] = defaultdict(set)
        for told in later:
            self._of_incident[told.membership.incident_id].append(told)
            for member in told.members:
                self._naming[member].add(told.membership.incident_id)

    def uniting(self, complaints: Collection[UUID], but: UUID | None = None) -> list[Told]:
        """Of each incident that would unite the complaints, the first event by which it does."""
        incidents = {incident for each in complaints for incident in self._naming[each]} - {but}
        found = (self._first_uniting(complaints, incident) for incident in incidents)
        return [told for told in found if told is not None]

    def _first_uniting(self, complaints: Collection[UUID], incident_id: UUID | None) -> Told | None:
        now = {each: self.known.get(each, NOTHING) for each in complaints}
        for told in self._of_incident[incident_id]:
            now = {
                each: told.membership
                if each in told.members and one.sequence < told.membership.sequence
                else one
                for each, one in now.items()
            }
            if all(one.incident_id == incident_id for one in now.values()):
                return told
        return None
