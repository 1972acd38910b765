"""What the inbox makes of all that intake and dedup have sent above the copy's cursors."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from services.referral import read_models
from services.referral.handlers import FOLLOWED
from services.referral.recovering.copied import Copy
from shared.contracts.contract import Contract
from shared.contracts.events import COMPLAINT_ERASED, COMPLAINT_RECORDED
from shared.sealing.events import log_type
from shared.sealing.jwe import BrokenSealError, NoKeyError, open_sealed
from shared.sealing.keys import ServiceKeys
from shared.store.events import category_of, identity_of
from shared.store.requests import InboxState, InboxTransition
from shared.streaming.cloudevents import Envelope
from shared.streaming.inbox import BEHIND, ERASED, ERASED_BY_OWNER, TOMBSTONE, UNKNOWN
from shared.streaming.recovery import RecoveryFailed

_RECORDED, _ERASED = log_type(COMPLAINT_RECORDED), log_type(COMPLAINT_ERASED)

Place = tuple[str, int]
"""A source and one of its slots."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the inbox makes of an event.

    Attributes:
        opens: its payload, if it has one, is to be kept under our own key.
        told: what it says, where that is applied.
        leaving: the waiting entries that it takes with it.
        buries: it is the first that says that its complaint is erased.
    """

    envelope: Envelope
    state: InboxState
    reason: str = ""
    opens: bool = False
    told: Contract | None = None
    leaving: Sequence[InboxTransition] = ()
    buries: bool = False

    @property
    def place(self) -> Place:
        return self.envelope.source, self.envelope.slot

    @property
    def complaint_id(self) -> UUID:
        return identity_of(self.envelope.subject)


async def judged(
    connection: "asyncpg.Connection", keys: ServiceKeys, copy: Copy, sent: Mapping[Place, Sequence[Envelope]]
) -> list[Entry]:
    """Slot by slot what the inbox makes of all that was sent. That depends on nothing but what stands
    before it in its slot."""
    subjects = {
        one.subject for of_slot in sent.values() for one in of_slot if category_of(one.subject) == "complaint"
    }
    asked = [identity_of(subject).bytes for subject in subjects]
    buried = {
        UUID(bytes=bytes(row["key"]))
        for row in await connection.fetch(read_models.READ_CLAIMED, TOMBSTONE, asked)
    }
    judge = _Judge(keys, copy, buried)
    return [judge.judged(one) for of_slot in sent.values() for one in of_slot]


class _Judge:
    def __init__(self, keys: ServiceKeys, copy: Copy, buried: set[UUID]) -> None:
        self._keys, self._buried = keys, buried
        self._recorded = {one.complaint_id for one in copy.placements.values() if one.is_recorded}
        self._waiting: defaultdict[tuple[str, str], list[InboxTransition]] = defaultdict(list)
        for of_subject in copy.waiting.values():
            for entry in of_subject:
                self._waits(
                    entry.source, entry.slot, entry.slot_sequence, entry.subject, InboxState(entry.state)
                )

    def judged(self, envelope: Envelope) -> Entry:
        if envelope.erased:
            return Entry(envelope, InboxState.DROPPED, ERASED_BY_OWNER)
        if envelope.sealed is not None and identity_of(envelope.subject) in self._buried:
            return Entry(envelope, InboxState.DROPPED, ERASED)
        queue = self._waiting[envelope.source, envelope.subject]
        try:
            plain = self._opened(envelope)
        except (BrokenSealError, ValueError) as fault:
            return self._waiting_entry(envelope, f"not readable: {type(fault).__name__}", opens=False)
        why_not, told = self._read(envelope, plain)
        if not why_not and envelope.type == _ERASED:
            complaint_id = identity_of(envelope.subject)
            buries = complaint_id not in self._buried
            self._buried.add(complaint_id)
            leaving, queue[:] = list(queue), []
            return Entry(envelope, InboxState.APPLIED, told=told, leaving=leaving, buries=buries)
        if queue or why_not:
            return self._waiting_entry(envelope, why_not, opens=True)
        return Entry(envelope, InboxState.APPLIED, opens=True, told=told)

    def _waiting_entry(self, envelope: Envelope, why_not: str, *, opens: bool) -> Entry:
        """It is parked, or stands behind one that is."""
        is_first = not self._waiting[envelope.source, envelope.subject]
        state = InboxState.PARKED if is_first else InboxState.QUEUED
        self._waits(envelope.source, envelope.slot, envelope.slot_sequence, envelope.subject, state)
        return Entry(envelope, state, why_not if is_first else BEHIND, opens)

    def _waits(self, source: str, slot: int, slot_sequence: int, subject: str, state: InboxState) -> None:
        self._waiting[source, subject].append(
            InboxTransition(source, slot, slot_sequence, subject, state, InboxState.DROPPED, ERASED)
        )

    def _opened(self, envelope: Envelope) -> bytes | None:
        if envelope.sealed is None:
            return None
        try:
            return open_sealed(envelope.sealed, self._keys.sources[envelope.source], envelope.id)
        except NoKeyError as fault:
            raise RecoveryFailed(
                f"number {envelope.slot_sequence} of slot {envelope.slot} of {envelope.source} does not open:"
                " put the transport key that sealed it back into the keys file. Nothing was changed."
            ) from fault

    def _read(self, envelope: Envelope, plain: bytes | None) -> tuple[str, Contract | None]:
        """Why it cannot be applied, or what it says."""
        type_ = FOLLOWED.get((envelope.type, envelope.schema_version))
        if type_ is None:
            return f"{UNKNOWN}: hotline.{envelope.type}.v{envelope.schema_version}", None
        try:
            told = (
                type_.read_clear(envelope.clear) if type_.sealed is None else type_.read_sealed(plain or b"")
            )
        except ValueError as fault:
            return f"not readable: {type(fault).__name__}", None
        if envelope.type == _RECORDED:
            if identity_of(envelope.subject) in self._recorded:
                return "this complaint was recorded before", None
            self._recorded.add(identity_of(envelope.subject))
        return "", told
