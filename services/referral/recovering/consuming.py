"""How much of what was sent is certain to have been consumed in the lost history."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.referral.domain.adoption import Membership, Told, UndecidedMembership, certainly_noted, noted
from services.referral.recovering.copied import Copy, undecided
from services.referral.recovering.judging import Entry, Place
from shared.contracts.complaint_events import ComplaintErased, ComplaintRecorded
from shared.contracts.events import COMPLAINT_RECORDED, INCIDENT_CHANGED, PATTERN_CHANGED
from shared.contracts.match_events import IncidentChanged
from shared.sealing.events import log_type
from shared.store.events import RecordedEvent
from shared.store.requests import WAITING

_RECORDED, _INCIDENT, _PATTERN = map(log_type, (COMPLAINT_RECORDED, INCIDENT_CHANGED, PATTERN_CHANGED))


@dataclass(frozen=True, slots=True)
class Consumed:
    """What is certain to have been consumed.

    Attributes:
        entries: slot by slot.
        memberships: as they were noted then.
        erasures: the complaints whose erasure was sent, consumed or not.
        again: what was consumed in part, perhaps, and comes again.
    """

    entries: Sequence[Entry]
    memberships: Mapping[UUID, Membership]
    erasures: frozenset[UUID]
    again: Entry | None

    def recorded(self) -> dict[UUID, Entry]:
        """The complaints that came, with what they say."""
        return {
            entry.complaint_id: entry for entry in self.entries if isinstance(entry.told, ComplaintRecorded)
        }


def consumed(
    copy: Copy, tail: Sequence[RecordedEvent], cursors: Mapping[Place, int], judged: Sequence[Entry]
) -> Consumed:
    """
    Raises:
        RecoveryFailed: that cannot be told.
    """
    upto = defaultdict(int, cursors)
    for entry in _needed(copy, tail, judged):
        upto[entry.place] = max(upto[entry.place], entry.envelope.slot_sequence)
    incidents = {
        entry.envelope.id: _told(entry) for entry in judged if entry.envelope.type == _INCIDENT and entry.told
    }
    known = {
        one.complaint_id: Membership(one.incident_id, one.incident_sequence, one.incident_on)
        for one in copy.placements.values()
    }
    while True:
        told = [one for one in incidents.values() if one.slot_sequence <= upto["dedup", one.slot]]
        later = [one for one in incidents.values() if one.slot_sequence > upto["dedup", one.slot]]
        memberships = noted(known, told)
        try:
            found = certainly_noted(copy.live, memberships, later)
        except UndecidedMembership as fault:
            raise undecided(f"which incidents the cases are of cannot be told ({fault})") from fault
        if not found:
            break
        for one in found:
            upto["dedup", one.slot] = max(upto["dedup", one.slot], one.slot_sequence)
    entries = [entry for entry in judged if entry.envelope.slot_sequence <= upto[entry.place]]
    rest = [entry for entry in judged if entry.envelope.slot_sequence > upto[entry.place]]
    erasures = frozenset(one.complaint_id for one in judged if isinstance(one.told, ComplaintErased))
    again = next((one for one in rest if _comes_again(one, tail)), None)
    return Consumed(entries, memberships, erasures, again)


def _told(entry: Entry) -> Told:
    envelope, told = entry.envelope, entry.told
    assert isinstance(told, IncidentChanged)  # noqa: S101  (asked by the caller)
    membership = Membership(told.incident_id, envelope.position, date.fromisoformat(envelope.day))
    members = frozenset(told.added if told.members is None else told.members)
    return Told(envelope.slot, envelope.slot_sequence, membership, members)


def _needed(copy: Copy, tail: Sequence[RecordedEvent], judged: Sequence[Entry]) -> Iterator[Entry]:
    """What the tail follows from."""
    by_id = {str(entry.envelope.id): entry for entry in judged}
    recorded: dict[UUID, Entry] = {}
    for entry in judged:
        if entry.envelope.type == _RECORDED:
            recorded.setdefault(entry.complaint_id, entry)
    for cause in {event.causation_id for event in tail} - {""}:
        if cause not in by_id:
            raise undecided(
                f"event {cause}, from which one of the lost tail follows, waited in the copy, or is not with"
                " its owner: where that has lost its tail, too, recover it first, or else"
            )
        entry = _applied(by_id[cause])
        if not _comes_again(entry, tail):
            yield entry
    for complaint_id in copy.listed:
        placement = copy.placement(complaint_id)
        if not placement.is_recorded and not placement.is_erased:
            if complaint_id not in recorded:
                raise undecided(f"complaint {complaint_id} of the lost tail is not with intake")
            yield _applied(recorded[complaint_id])


def _comes_again(entry: Entry, tail: Sequence[RecordedEvent]) -> bool:
    """What follows from a pattern is many things, and where the tail ends with one, others may be missing. It
    comes again, which does nothing that was done."""
    return entry.envelope.type == _PATTERN and str(entry.envelope.id) == tail[-1].causation_id


def _applied(entry: Entry) -> Entry:
    if entry.state in WAITING:
        raise undecided(
            f"event {entry.envelope.id} has to wait, and something of the lost tail follows from it"
        )
    return entry
