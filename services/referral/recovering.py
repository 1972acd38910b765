"""What follows for referral from the events of a lost tail that it has adopted.

The cases are again what was told of them last. Which complaint is in which case, and which incident has
which, was internal: it is told again, by the cases and by what intake and dedup have sent. As consumed counts
what is certain to have been: each event that an adopted one follows from, each complaint that a case lists,
each membership without which the cases could not be (`services.referral.domain.adoption`), and what stands
before them in their slots. All of it is written with the tail, without a second effect. The rest is consumed
again as usual: it had told nobody anything, so that this is an order in which it might have come at first.

What cannot be told is refused, and nothing is changed.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from typing import Final
from uuid import UUID, uuid4

import asyncpg

from services.referral import read_models
from services.referral.complaints import ONLY_WITH_ANOTHER
from services.referral.docket import Changes, Docket
from services.referral.domain import case as cases
from services.referral.domain.adoption import (
    NOTHING,
    Membership,
    Told,
    UndecidedMembership,
    certainly_noted,
    noted,
)
from services.referral.domain.facts import force_of
from services.referral.domain.placement import Placement, news_in_pattern
from services.referral.domain.policy import Policy
from services.referral.domain.rules.table import load_rules
from services.referral.handlers import FOLLOWED
from services.referral.projection import Projection
from services.referral.read_models import IncidentCase, ReadModel
from services.referral.rows import CASES, VERDICTS, Member, difference
from services.referral.wiring import PUBLIC
from shared.contracts.case_events import CaseKey
from shared.contracts.complaint_events import ComplaintErased, ComplaintFollowedUp, ComplaintRecorded
from shared.contracts.contract import Contract
from shared.contracts.events import (
    CASE_APPROVED,
    CASE_DECIDED,
    CASE_REFERRED,
    CASE_REOPENED,
    CASE_SPLIT,
    COMPLAINT_ERASED,
    COMPLAINT_RECORDED,
    EVENTS,
    INCIDENT_CHANGED,
    PATTERN_CHANGED,
)
from shared.contracts.match_events import IncidentChanged, PatternChanged
from shared.sealing.events import log_type
from shared.sealing.jwe import BrokenSealError, NoKeyError, open_sealed, rewrap
from shared.sealing.keys import ServiceKeys, destroy_data_key, new_data_key, unwrap_data_keys
from shared.store import sql
from shared.store.asking import columns
from shared.store.committer import BATCH_LIMIT
from shared.store.events import RecordedEvent, category_of, identity_of
from shared.store.history import WINDOW, AppliedEntry
from shared.store.inbox import WaitingEntry
from shared.store.rebuilding import project, project_all
from shared.store.requests import (
    WAITING,
    AppendRequest,
    Claim,
    CursorMove,
    InboxEntry,
    InboxState,
    InboxTransition,
    Remove,
    RowChange,
    merged,
)
from shared.streaming.cloudevents import Envelope, UnreadableEnvelope, parse, serialise
from shared.streaming.inbox import TOMBSTONE, UNKNOWN
from shared.streaming.recovery import Append, Owner, RecoveryFailed, is_emptied
from shared.vocabulary import load_vocabulary

PAGE: Final = 500

_SOURCES: Final = ("intake", "dedup")
_RECORDED, _ERASED = log_type(COMPLAINT_RECORDED), log_type(COMPLAINT_ERASED)
_INCIDENT, _PATTERN = log_type(INCIDENT_CHANGED), log_type(PATTERN_CHANGED)
_REOPENED, _SPLIT = log_type(CASE_REOPENED), log_type(CASE_SPLIT)
_OF_DECISIONS: Final = frozenset(map(log_type, (CASE_DECIDED, CASE_APPROVED, CASE_REFERRED)))

_WAITING = """
SELECT source, slot, slot_sequence, event_id, subject, type, event, state, reason FROM inbox
WHERE state IN ('parked', 'queued') ORDER BY source, slot, slot_sequence
"""
# Where they stood in the lost history: right before what followed from them.
_STAND_BEFORE = """
UPDATE inbox SET after_position = stood FROM unnest($1::text[], $2::smallint[], $3::bigint[], $4::bigint[])
    AS _(of, in_slot, at, stood)
WHERE source = of AND slot = in_slot AND slot_sequence = at AND state = 'applied'
"""
_APPLIED = "SELECT coalesce(max(applied_no), 0) FROM inbox"

Place = tuple[str, int]
"""A source and one of its slots."""


def _undecided(what: str) -> RecoveryFailed:
    return RecoveryFailed(f"{what}: restore a newer copy of the database. Nothing was changed.")


class Consequences:
    """As `shared.streaming.recovery` asks for them."""

    sources = _SOURCES
    public = PUBLIC

    def __init__(self, keys: ServiceKeys) -> None:
        self._keys = keys
        self._cursors: dict[Place, int] = {}
        self._sent: dict[Place, list[Envelope]] = {}

    async def ask(self, connection: "asyncpg.Connection", owners: Mapping[str, Owner]) -> None:
        """All that was sent above the copy's cursors."""
        self._cursors = await _cursors(connection)
        for source in _SOURCES:
            for slot, head in (await owners[source].heads()).items():
                after = self._cursors.get((source, slot), 0)
                self._sent[source, slot] = [one async for one in _sent(owners[source], slot, after, head)]

    async def follow(
        self,
        connection: "asyncpg.Connection",
        tail: Sequence[RecordedEvent],
        today: date,
        append: Append,
    ) -> None:
        if await _cursors(connection) != self._cursors:
            raise RecoveryFailed("events were consumed meanwhile: stop the service, and try again.")
        gone = {identity_of(event.stream_id) for event in tail if is_emptied(event)}
        newest = {identity_of(event.stream_id): event for event in tail}
        if any(event.type == _REOPENED for case_id, event in newest.items() if case_id not in gone):
            raise _undecided("the tail breaks off where a case was opened again, and why is nowhere")
        await append([AppendRequest(rows=tuple(_without_key(gone)))])
        projection = Projection(self._keys)
        await project_all(connection, projection, tail)
        copy = await _Copy.read(connection, tail)
        judged = await _judged(connection, self._keys, copy, self._sent)
        consumed = _consumed(copy, tail, self._cursors, judged)
        adoption = _Adoption(connection, self._keys, copy, consumed, newest, today, append)
        await adoption.keep(tail)
        for entries in await adoption.applied():
            await project(connection, projection, entries)
        await adoption.place()
        await adoption.finish()


async def _cursors(connection: "asyncpg.Connection") -> dict[Place, int]:
    return {
        (source, slot): at
        for source in _SOURCES
        for slot, at in await connection.fetch(sql.READ_CURSORS, source)
    }


async def _sent(owner: Owner, slot: int, after: int, head: int) -> AsyncIterator[Envelope]:
    """Up to the first number that the owner does not have."""
    with suppress(UnreadableEnvelope):
        while after < head:
            page = [parse(item) for item in await owner.events(slot, after, PAGE)]
            for envelope in page:
                if envelope.slot_sequence != after + 1:
                    return
                after += 1
                yield envelope
            if not page:
                return


def _without_key(case_ids: Iterable[UUID]) -> Iterator[RowChange]:
    """Of cases whose complaints were all erased nothing is left but the log."""
    for case_id in case_ids:
        yield destroy_data_key(case_id)
        yield Remove(CASES, "case_id", case_id)
        yield Remove(VERDICTS, "case_id", case_id)


@dataclass(frozen=True, slots=True)
class _Copy:
    """What the copy of the database knows, and the cases as the tail left them.

    Attributes:
        placements: as the copy has them.
        live: case -> the complaints that it lists, of those that have any.
        case_of: complaint -> the one that lists it.
        listed: the complaints that cases of the tail list, or listed.
        waiting: parked and queued entries, by source and subject in order.
    """

    placements: Mapping[UUID, Placement]
    incidents: Mapping[UUID, IncidentCase]
    live: Mapping[UUID, frozenset[UUID]]
    case_of: Mapping[UUID, UUID]
    listed: frozenset[UUID]
    waiting: Mapping[tuple[str, str], Sequence[WaitingEntry]]

    @classmethod
    async def read(cls, connection: "asyncpg.Connection", tail: Sequence[RecordedEvent]) -> "_Copy":
        placements = {
            row["complaint_id"]: Placement(*row)
            for row in await connection.fetch(read_models.READ_ALL_PLACEMENTS)
        }
        incidents = {
            row["incident_id"]: IncidentCase(*row)
            for row in await connection.fetch(read_models.READ_ALL_INCIDENTS)
        }
        lists: defaultdict[UUID, frozenset[UUID]] = defaultdict(frozenset)
        for placement in placements.values():
            if placement.case_id is not None:
                lists[placement.case_id] |= {placement.complaint_id}
        listed: frozenset[UUID] = frozenset()
        for event in tail:
            if category_of(event.stream_id) == "case":
                clear = EVENTS[f"hotline.{event.type}.v{event.schema_version}"].read_clear(
                    event.data["clear"]
                )
                assert isinstance(clear, CaseKey)  # noqa: S101  (a case's event)
                lists[clear.case_id] = frozenset(clear.complaint_ids)
                listed |= lists[clear.case_id]
        keys = {row[0] for row in await connection.fetch(sql.READ_DATA_KEYS, list(lists))}
        waiting: defaultdict[tuple[str, str], list[WaitingEntry]] = defaultdict(list)
        for row in await connection.fetch(_WAITING):
            entry = WaitingEntry(*row)
            waiting[entry.source, entry.subject].append(entry)
        live = {case_id: there for case_id, there in lists.items() if there and case_id in keys}
        case_of: dict[UUID, UUID] = {}
        for case_id, there in live.items():
            for complaint_id in there:
                if complaint_id in case_of:
                    raise _undecided(f"complaint {complaint_id} is in two cases, for the tail breaks off")
                case_of[complaint_id] = case_id
        return cls(placements, incidents, live, case_of, listed, waiting)

    def placement(self, complaint_id: UUID) -> Placement:
        return self.placements.get(complaint_id) or Placement(complaint_id)


@dataclass(frozen=True, slots=True)
class _Entry:
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


async def _judged(
    connection: "asyncpg.Connection", keys: ServiceKeys, copy: _Copy, sent: Mapping[Place, Sequence[Envelope]]
) -> list[_Entry]:
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
    def __init__(self, keys: ServiceKeys, copy: _Copy, buried: set[UUID]) -> None:
        self._keys, self._buried = keys, buried
        self._recorded = {one.complaint_id for one in copy.placements.values() if one.is_recorded}
        self._waiting: defaultdict[tuple[str, str], list[InboxTransition]] = defaultdict(list)
        for of_subject in copy.waiting.values():
            for entry in of_subject:
                self._waits(
                    entry.source, entry.slot, entry.slot_sequence, entry.subject, InboxState(entry.state)
                )

    def judged(self, envelope: Envelope) -> _Entry:
        if envelope.erased:
            return _Entry(envelope, InboxState.DROPPED, "erased by its owner")
        if envelope.sealed is not None and identity_of(envelope.subject) in self._buried:
            return _Entry(envelope, InboxState.DROPPED, "its complaint is erased")
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
            return _Entry(envelope, InboxState.APPLIED, told=told, leaving=leaving, buries=buries)
        if queue or why_not:
            return self._waiting_entry(envelope, why_not, opens=True)
        return _Entry(envelope, InboxState.APPLIED, opens=True, told=told)

    def _waiting_entry(self, envelope: Envelope, why_not: str, *, opens: bool) -> _Entry:
        """It is parked, or stands behind one that is."""
        is_first = not self._waiting[envelope.source, envelope.subject]
        state = InboxState.PARKED if is_first else InboxState.QUEUED
        self._waits(envelope.source, envelope.slot, envelope.slot_sequence, envelope.subject, state)
        return _Entry(envelope, state, why_not if is_first else "behind a parked event", opens)

    def _waits(self, source: str, slot: int, slot_sequence: int, subject: str, state: InboxState) -> None:
        self._waiting[source, subject].append(
            InboxTransition(
                source, slot, slot_sequence, subject, state, InboxState.DROPPED, "its complaint is erased"
            )
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


@dataclass(frozen=True, slots=True)
class _Consumed:
    """What is certain to have been consumed.

    Attributes:
        entries: slot by slot.
        memberships: as they were noted then.
        erasures: the complaints whose erasure was sent, consumed or not.
        again: what was consumed in part, perhaps, and comes again.
    """

    entries: Sequence[_Entry]
    memberships: Mapping[UUID, Membership]
    erasures: frozenset[UUID]
    again: _Entry | None


def _consumed(
    copy: _Copy, tail: Sequence[RecordedEvent], cursors: Mapping[Place, int], judged: Sequence[_Entry]
) -> _Consumed:
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
            raise _undecided(f"which incidents the cases are of cannot be told ({fault})") from fault
        if not found:
            break
        for one in found:
            upto["dedup", one.slot] = max(upto["dedup", one.slot], one.slot_sequence)
    entries = [entry for entry in judged if entry.envelope.slot_sequence <= upto[entry.place]]
    rest = [entry for entry in judged if entry.envelope.slot_sequence > upto[entry.place]]
    erasures = frozenset(one.complaint_id for one in judged if isinstance(one.told, ComplaintErased))
    again = next((one for one in rest if _comes_again(one, tail)), None)
    return _Consumed(entries, memberships, erasures, again)


def _told(entry: _Entry) -> Told:
    envelope, told = entry.envelope, entry.told
    assert isinstance(told, IncidentChanged)  # noqa: S101  (asked by the caller)
    membership = Membership(told.incident_id, envelope.position, date.fromisoformat(envelope.day))
    members = frozenset(told.added if told.members is None else told.members)
    return Told(envelope.slot, envelope.slot_sequence, membership, members)


def _needed(copy: _Copy, tail: Sequence[RecordedEvent], judged: Sequence[_Entry]) -> Iterator[_Entry]:
    """What the tail follows from."""
    by_id = {str(entry.envelope.id): entry for entry in judged}
    recorded: dict[UUID, _Entry] = {}
    for entry in judged:
        if entry.envelope.type == _RECORDED:
            recorded.setdefault(entry.complaint_id, entry)
    for cause in {event.causation_id for event in tail} - {""}:
        if cause not in by_id:
            raise _undecided(
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
                raise _undecided(f"complaint {complaint_id} of the lost tail is not with intake")
            yield _applied(recorded[complaint_id])


def _comes_again(entry: _Entry, tail: Sequence[RecordedEvent]) -> bool:
    """What follows from a pattern is many things, and where the tail ends with one, others may be missing. It
    comes again, which does nothing that was done."""
    return entry.envelope.type == _PATTERN and str(entry.envelope.id) == tail[-1].causation_id


def _applied(entry: _Entry) -> _Entry:
    if entry.state in WAITING:
        raise _undecided(
            f"event {entry.envelope.id} has to wait, and something of the lost tail follows from it"
        )
    return entry


@dataclass(frozen=True, slots=True, order=True)
class _News:
    """What was new about a complaint of a case."""

    complaint_id: UUID
    because_of: str


class _Adoption:
    """Writes what was consumed, and what follows from it inside referral."""

    def __init__(
        self,
        connection: "asyncpg.Connection",
        keys: ServiceKeys,
        copy: _Copy,
        consumed: _Consumed,
        newest: Mapping[UUID, RecordedEvent],
        today: date,
        append: Append,
    ) -> None:
        self._connection, self._keys, self._copy = connection, keys, copy
        self._consumed, self._newest, self._today, self._append = consumed, newest, today, append
        self._kept = {
            entry.complaint_id: entry
            for entry in consumed.entries
            if isinstance(entry.told, ComplaintRecorded)
        }
        # Also of those whose payload nobody has any more.
        self._recorded_on = {
            entry.complaint_id: date.fromisoformat(entry.envelope.day)
            for entry in consumed.entries
            if entry.envelope.type == _RECORDED
        }
        self._members: dict[UUID, set[UUID]] = {}
        self._newcomers: dict[UUID, set[UUID]] = {}
        self._stale: set[UUID] = set()
        self._residents: defaultdict[UUID, set[UUID]] = defaultdict(set)

    # The inbox

    async def keep(self, tail: Sequence[RecordedEvent]) -> None:
        """The entries with their cursors and keys, where they stood in the lost history."""
        self._before = await self._connection.fetchval(_APPLIED)
        stood = _standing(self._consumed.entries, tail)
        effects = {event.causation_id: event.position for event in tail}
        self._done = {each: max(at, effects.get(str(each), 0)) for each, at in stood.items()}
        entries = sorted(self._consumed.entries, key=lambda one: (stood[one.envelope.id], *_at(one)))
        subjects = {entry.complaint_id for entry in entries if entry.envelope.sealed is not None}
        rows = [tuple(row) for row in await self._connection.fetch(sql.READ_DATA_KEYS, list(subjects))]
        self._data_keys = dict(unwrap_data_keys(self._keys.kek, rows))
        await self._append_all([self._request(entry) for entry in entries])
        standing = [(*_at(entry), stood[entry.envelope.id]) for entry in entries]
        await self._connection.execute(_STAND_BEFORE, *columns(standing, 4))

    async def applied(self) -> list[list[AppliedEntry]]:
        """What was applied of it, some at a time."""
        await self._read_patterns()
        upto = await self._connection.fetchval(_APPLIED)
        return [
            [
                AppliedEntry(*row)
                for row in await self._connection.fetch(
                    sql.READ_APPLIED, begin, min(begin + WINDOW, upto), list(Projection.types)
                )
            ]
            for begin in range(self._before, upto, WINDOW)
        ]

    async def _read_patterns(self) -> None:
        """By event who was in its pattern then, and who came with it."""
        told = [
            (one.envelope.id, one.told)
            for one in self._consumed.entries
            if isinstance(one.told, PatternChanged)
        ]
        known: defaultdict[UUID, set[Member]] = defaultdict(set)
        ids = [one.pattern_id for _, one in told]
        for row in await self._connection.fetch(read_models.READ_MEMBERS_OF_PATTERNS, ids):
            known[row["pattern_id"]].add((row["complaint_id"], row["subject"]))
        for event_id, one in told:
            added, removed = difference(one, known[one.pattern_id])
            known[one.pattern_id] = (known[one.pattern_id] | added) - removed
            self._members[event_id] = {each for each, _ in known[one.pattern_id]}
            self._newcomers[event_id] = {each for each, _ in added} | set(one.released)

    def _request(self, entry: _Entry) -> AppendRequest:
        envelope, rows = entry.envelope, []
        # What waits and does not open is kept as it came.
        sealed = envelope.sealed if entry.state in WAITING else None
        if envelope.sealed is not None and entry.opens:
            kid = str(entry.complaint_id)
            if kid not in self._data_keys:
                data_key, row = new_data_key(self._keys.kek, entry.complaint_id)
                self._data_keys[kid] = data_key.key
                rows.append(row)
            transport = self._keys.sources[envelope.source]
            sealed = rewrap(envelope.sealed, transport, {kid: self._data_keys[kid]})
        source, slot, number = _at(entry)
        kept = InboxEntry(
            source,
            slot,
            number,
            envelope.id,
            envelope.subject,
            f"hotline.{envelope.type}.v{envelope.schema_version}",
            serialise(replace(envelope, sealed=sealed)),
            entry.state,
            entry.reason,
        )
        return AppendRequest(
            cursors=(CursorMove(source, slot, number - 1, number),),
            inbox=(kept,),
            transitions=tuple(entry.leaving),
            claims=(Claim(TOMBSTONE, entry.complaint_id.bytes),) if entry.buries else (),
            rows=tuple(rows),
        )

    # Placements and incidents

    async def place(self) -> None:
        case_of = self._copy.case_of
        erased = {
            entry.complaint_id for entry in self._consumed.entries if isinstance(entry.told, ComplaintErased)
        }
        released = self._released()
        everybody = self._copy.placements.keys() | self._consumed.memberships.keys() | self._kept.keys()
        requests = []
        for complaint_id in sorted(everybody | case_of.keys() | erased | released.keys()):
            before = self._copy.placement(complaint_id)
            case_id = case_of.get(complaint_id)
            after = before
            if not before.is_erased and complaint_id not in erased:
                after = self._placed(before, case_id, released.get(complaint_id))
            if case_id is not None and after.case_id == case_id and complaint_id not in erased:
                self._residents[case_id].add(complaint_id)
            elif case_id is not None:
                self._stale.add(case_id)
            if after != before:
                requests.append(self._placing(before, after))
        await self._append_all([*requests, *self._giving()])
        for complaint_id in sorted(erased):
            await self._erase(self._copy.placement(complaint_id))

    def _placed(self, before: Placement, case_id: UUID | None, released_on: date | None) -> Placement:
        after = before
        membership = self._consumed.memberships.get(before.complaint_id, NOTHING)
        if membership.sequence > before.incident_sequence:
            after = replace(
                after,
                incident_id=membership.incident_id,
                incident_sequence=membership.sequence,
                incident_on=membership.day,
            )
        if after.released_on is None:
            after = replace(after, released_on=released_on)
        is_held = before.is_held
        entry = self._kept.get(before.complaint_id)
        if entry is not None:
            assert isinstance(entry.told, ComplaintRecorded)  # noqa: S101  (chosen so)
            is_held = entry.told.body.wish == ONLY_WITH_ANOTHER
            after = replace(
                after,
                is_recorded=True,
                recorded_on=date.fromisoformat(entry.envelope.day),
                slot=entry.envelope.slot,
                slot_sequence=entry.envelope.slot_sequence,
                force=force_of(entry.told.body),
            )
        if not after.is_recorded:  # erased by its caller since: its case goes on without it
            return after
        is_held = is_held and case_id is None and after.released_on is None
        # The key of a case that was published late may have died with its last complaint by then.
        if case_id is None and not is_held and before.complaint_id not in self._consumed.erasures:
            raise _undecided(f"the case of complaint {before.complaint_id} is nowhere")
        return replace(after, is_held=is_held, case_id=case_id)

    def _released(self) -> dict[UUID, date]:
        """Complaint -> the day on which the first pattern released it."""
        first: dict[UUID, tuple[int, str]] = {}
        again = self._consumed.again
        for entry in [*self._consumed.entries, *([again] if again else [])]:
            if isinstance(entry.told, PatternChanged):
                at = entry.envelope.position, entry.envelope.day
                for complaint_id in entry.told.released:
                    # One that comes again has let some go already.
                    if entry is not again or complaint_id in self._copy.case_of:
                        first[complaint_id] = min(first.get(complaint_id, at), at)
        return {complaint_id: date.fromisoformat(day) for complaint_id, (_, day) in first.items()}

    def _placing(self, before: Placement, after: Placement, cases_gone: Sequence[UUID] = ()) -> AppendRequest:
        changes = Changes(self._keys, self._today)
        changes.place(before, after, cases_gone=cases_gone)
        return changes.request()

    def _giving(self) -> Iterator[AppendRequest]:
        """Each incident the case of its complaints."""
        memberships = self._consumed.memberships
        case_of: dict[UUID, UUID] = {}
        for of_case, there in self._residents.items():
            for each in there:
                incident_id = memberships.get(each, NOTHING).incident_id
                if incident_id is not None:
                    case_of[incident_id] = of_case
        for incident_id in sorted(self._copy.incidents.keys() | case_of.keys()):
            before = self._copy.incidents.get(incident_id) or IncidentCase(incident_id)
            if before.case_id != case_of.get(incident_id):
                changes = Changes(self._keys, self._today)
                changes.give_incident(before, case_of.get(incident_id))
                yield changes.request()

    async def _erase(self, before: Placement) -> None:
        """As `Complaints.erased`. One by one: the last complaint of a case takes its key with it."""
        if before.is_erased:
            return
        recorded_on = before.recorded_on or self._recorded_on.get(before.complaint_id)
        after = Placement(before.complaint_id, is_erased=True, recorded_on=recorded_on)
        gone = [
            row[0] for row in await self._connection.fetch(read_models.READ_CASES_OF_ONE, before.complaint_id)
        ]
        keys = AppendRequest(rows=(destroy_data_key(before.complaint_id), *_without_key(gone)))
        await self._append([merged(self._placing(before, after, gone), keys)])

    # Cases

    async def finish(self) -> None:
        """What the tail did not come to, where the slots of cases break off: to assess a case without a
        complaint that was erased and comes no more, or what was split; to refer what was decided; and to tell
        decided cases what was new since."""
        self._stale |= {case_id for case_id, event in self._newest.items() if event.type == _SPLIT}
        decided = {case_id for case_id, event in self._newest.items() if event.type in _OF_DECISIONS}
        vocabulary = load_vocabulary()
        policy = Policy(load_rules(vocabulary), vocabulary)
        read = ReadModel(self._connection)
        docket = Docket(self._keys, read)
        told = await self._to_be_told(read)
        touched = sorted(self._stale | decided | told.keys())
        for case_id, opened in (await docket.cases(touched)).items():
            case, events = opened.case, []
            if case_id in decided:
                events += cases.referrals_left(await docket.events(case_id), self._today, uuid4)
                for event in events:
                    case = cases.evolve(case, event)
            if case_id in self._stale or case_id in told:
                events += await self._assessed(docket, policy, case, told.get(case_id))
            if events:
                changes = Changes(self._keys, self._today)
                changes.add(opened, events)
                await self._append([changes.request()])

    async def _assessed(
        self, docket: Docket, policy: Policy, case: cases.Case, news: "_News | None"
    ) -> list[cases.CaseEvent]:
        there = self._residents.get(case.case_id, set())
        facts = await docket.facts(there)
        if len(facts) != len(there):
            raise _undecided(f"a complaint of case {case.case_id} cannot be read")
        if not facts:
            return cases.end(case, self._today)
        if news is None:
            return cases.assess(case, facts, policy, self._today)
        return cases.assess(
            case, facts, policy, self._today, told=news.complaint_id, because_of=news.because_of
        )

    async def _to_be_told(self, read: ReadModel) -> dict[UUID, "_News"]:
        """Decided case -> what is new about it, and came later, as far as is known, than all that the case
        tells of. It opened the case again, and that is lost; or it came right before the decision: who looks
        again loses nothing."""
        case_of = {each: of_case for of_case, there in self._residents.items() for each in there}
        came = {each: entry for each, entry in self._kept.items() if each in case_of}
        rows = await self._connection.fetch(read_models.READ_EACH_FELLOW, list(came))
        fellows = {row["complaint_id"]: row["fellows"] for row in rows}
        latest: dict[UUID, tuple[int, _News]] = {}
        for entry in self._consumed.entries:
            because_of = cases.BY_PATTERN
            about: Collection[UUID] = ()
            match entry.told:
                case ComplaintRecorded() if entry.complaint_id in came:
                    own = case_of[entry.complaint_id]
                    about = [e for e in fellows.get(entry.complaint_id, ()) if case_of.get(e) != own]
                case ComplaintFollowedUp():
                    about, because_of = [entry.complaint_id], cases.BY_FOLLOW_UP
                case PatternChanged():
                    about = news_in_pattern(
                        [each for each in self._members[entry.envelope.id] if each in case_of],
                        self._newcomers[entry.envelope.id],
                    )
            for each in about:
                if each in case_of:
                    news = self._done[entry.envelope.id], _News(each, because_of)
                    latest[case_of[each]] = max(latest.get(case_of[each], news), news)
        decided = {
            case_id
            for case_id, row in (await read.cases(list(latest))).items()
            if row.status in cases.DECIDED
        }
        return {
            case_id: news
            for case_id, (at, news) in latest.items()
            if case_id in decided and at >= self._told_last(case_id)
        }

    def _told_last(self, case_id: UUID) -> int:
        return self._newest[case_id].position if case_id in self._newest else 0

    async def _append_all(self, requests: Sequence[AppendRequest]) -> None:
        for begin in range(0, len(requests), BATCH_LIMIT):
            await self._append(requests[begin : begin + BATCH_LIMIT])


def _at(entry: _Entry) -> tuple[str, int, int]:
    return (*entry.place, entry.envelope.slot_sequence)


def _standing(entries: Sequence[_Entry], tail: Sequence[RecordedEvent]) -> dict[UUID, int]:
    """The position of the log behind which each entry stood: right before what followed from it, else with
    the next one of its slot. What has none stands behind the tail."""
    first: dict[str, int] = {}
    for event in tail:
        first.setdefault(event.causation_id, event.position)
    stood: dict[UUID, int] = {}
    limits: dict[Place, int] = {}
    for entry in reversed(entries):
        limit = limits.get(entry.place, tail[-1].position)
        at = min(first.get(str(entry.envelope.id), limit + 1) - 1, limit)
        stood[entry.envelope.id] = limits[entry.place] = at
    return stood
