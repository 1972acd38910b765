"""The inbox: one event of another service, applied with its cursor, exactly once.

Whatever calls it (Kafka, catch-up, a retry), an event is judged by its slot's cursor in the append request
itself, so repetitions, zombies and two members on one slot cannot apply it twice. A fault of the record
parks it and lets its subject's later events queue behind it; a fault of the surroundings raises. The first
of a queue is always a parked one: whoever applies or drops it parks the next in the same request, so that a
crash in between leaves nothing waiting that nobody sees.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from uuid import UUID

import asyncpg
import orjson
import structlog
from pydantic import ValidationError

from shared.sealing.jwe import BrokenSealError, NoKeyError, Sealed, open_sealed, rewrap
from shared.sealing.keys import DataKey, ServiceKeys, new_data_key, unwrap_data_keys
from shared.store.events import identity_of
from shared.store.inbox import WaitingEntry
from shared.store.port import Store
from shared.store.requests import (
    AppendRefused,
    AppendRequest,
    ClaimTaken,
    CursorMove,
    CursorMoved,
    DuplicateEvent,
    EventTooLarge,
    InboxEntry,
    InboxState,
    InboxStateChanged,
    InboxTransition,
    QueueChanged,
    RowExists,
    StoreHalted,
    StoreUnavailable,
    merged,
)
from shared.streaming.authentication import FollowedEvents
from shared.streaming.cloudevents import Envelope, UnreadableEnvelope, parse, serialise
from shared.streaming.handling import Handlers, Incoming, RecordFault, SurroundingsFault

TOMBSTONE = "tombstone"
"""Kind of the claim that an erased complaint leaves for ever; the key is its UUID's bytes."""

ERASURE = "complaint.erased"
UNKNOWN = "unknown type or version"
"""How the reason of an event begins that an upgrade may make known."""
BROKEN = "breaks its schema"
"""The same: newer software may have sent a word that this one's models do not list."""
BEHIND = "behind a parked event"
ERASED = "its complaint is erased"
ERASED_BY_OWNER = "erased by its owner"
NEXT = "next in its queue"
"""The reason of an event that was queued, and is now the first that waits."""

PARKED_IN_A_ROW = 20
_ATTEMPTS = 25
PAGE = 32
"""So many waiting events are read at a time; each may have 900 KiB."""

# A value that PostgreSQL, or its driver, does not take is the record's fault, and so is one that is missing
# for a column that the handler names (see `shared.store.schema_faults`); whatever else they say is not. (The
# driver's own `DataError` is an `InterfaceError` and a `ValueError`.)
_RECORD_FAULTS = (
    asyncpg.DataError,
    asyncpg.NotNullViolationError,
    EventTooLarge,
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
)
_SURROUNDINGS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
    NoKeyError,
    StoreHalted,
)
# Refusals that may be over after another look; where they last, the event asks for what cannot be.
_LASTING = (ClaimTaken, DuplicateEvent, RowExists)

log = structlog.get_logger(origin=__name__)


class FollowerStopped(Exception):
    """Too many events in a row had to be parked: nothing more is received."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """The sealed part of an event; `kept` is the payload rewrapped for us, `key_row` writes a new key."""

    plain: bytes | None = None
    data_key: DataKey | None = None
    kept: Sealed | None = None
    key_row: AppendRequest = field(default_factory=AppendRequest)


class Inbox:
    """Receives the events of one source for one service."""

    def __init__(self, source: str, store: Store, keys: ServiceKeys, handlers: Handlers) -> None:
        self.source, self._store, self._keys, self._handlers = source, store, keys, handlers
        self._transport_keys = keys.sources[source]
        self.events = FollowedEvents(source, self._transport_keys)
        self.parked_in_a_row = 0
        self._parking = asyncio.Lock()

    async def receive(self, envelope: Envelope) -> InboxState:
        """Apply, queue, park or drop the event that is next in its slot; durable on return.

        Raises:
            CursorMoved: it is not next any more; reread the cursor.
            StoreUnavailable, SurroundingsFault: nothing was written; try again later.
            FollowerStopped: 20 events in a row were parked, this one or those before it.
        """
        if self.parked_in_a_row >= PARKED_IN_A_ROW:
            raise FollowerStopped
        at = CursorMove(self.source, envelope.slot, envelope.slot_sequence - 1, envelope.slot_sequence)
        refusal: AppendRefused | None = None
        for attempt in range(_ATTEMPTS):
            try:
                async with _surroundings():
                    return await self._receive(envelope, at, is_first=attempt == 0)
            except CursorMoved:
                raise
            except AppendRefused as fault:
                # Somebody else changed what we had read: read again, decide again.
                refusal = fault
                await asyncio.sleep(0)
        if isinstance(refusal, _LASTING):
            async with _surroundings():
                return await self._receive(envelope, at, refused=_refused(refusal))
        raise SurroundingsFault(f"an event of {self.source} was refused {_ATTEMPTS} times")

    async def _receive(
        self, envelope: Envelope, at: CursorMove, *, is_first: bool = False, refused: str = ""
    ) -> InboxState:
        guard = AppendRequest(cursors=(CursorMove(at.source, at.slot, at.expected, at.expected),))
        passing = AppendRequest(cursors=(at,))
        if envelope.erased:
            await self._keep(envelope, _Opened(), passing, InboxState.DROPPED, ERASED_BY_OWNER)
            return InboxState.DROPPED
        opened = _Opened()
        try:
            # A subject's first event brings its key; asking for it would be a look-up in vain.
            opened = await self._open(
                envelope, self._transport_keys, is_new=is_first and envelope.version == 1
            )
            if opened.plain is None and envelope.sealed is not None:
                await self._keep(envelope, opened, passing, InboxState.DROPPED, ERASED)
                return InboxState.DROPPED
            if refused:
                return await self._park(envelope, opened, passing, refused)
            effects = await self._handled(Incoming(envelope, opened.plain, opened.data_key, guard))
            if envelope.type == ERASURE:
                effects = merged(effects, await self._queue_dropped(envelope.subject))
            await self._keep(envelope, opened, merged(passing, effects), InboxState.APPLIED)
        except QueueChanged:
            return await self._queue(envelope, opened, passing)
        except (RecordFault, *_RECORD_FAULTS) as fault:
            return await self._park(envelope, opened, passing, _reason(fault))
        self.parked_in_a_row = 0
        return InboxState.APPLIED

    async def _queue(self, envelope: Envelope, opened: _Opened, passing: AppendRequest) -> InboxState:
        await self._keep(envelope, opened, passing, InboxState.QUEUED, BEHIND)
        return InboxState.QUEUED

    async def _park(
        self, envelope: Envelope, opened: _Opened, passing: AppendRequest, reason: str
    ) -> InboxState:
        async with self._parking:  # one by one: slots are received at the same time
            if self.parked_in_a_row >= PARKED_IN_A_ROW:
                raise FollowerStopped
            with suppress(QueueChanged):
                await self._keep(envelope, opened, passing, InboxState.PARKED, reason)
                self.parked_in_a_row += 1
                log.warning("event parked", source=self.source, type=envelope.type, reason=reason)
                if self.parked_in_a_row >= PARKED_IN_A_ROW:
                    raise FollowerStopped
                return InboxState.PARKED
        # Another of its subject is parked already; this one fails in its turn, or does not any more.
        return await self._queue(envelope, opened, passing)

    async def miss(self, slot: int, slot_sequence: int) -> None:
        """Park a number that its owner cannot serve either, so that the slot goes on.

        Raises:
            CursorMoved, StoreUnavailable, SurroundingsFault: as `receive`.
        """
        nobody = UUID(int=0)
        entry = InboxEntry(
            self.source, slot, slot_sequence, nobody, f"missing-{slot}-{slot_sequence}", "missing", "null",
            InboxState.PARKED, "its owner does not have it",
        )  # fmt: skip
        move = CursorMove(self.source, slot, slot_sequence - 1, slot_sequence)
        async with _surroundings():
            await self._store.append(AppendRequest(cursors=(move,), inbox=(entry,)))
        log.error("event missing", source=self.source, slot=slot)

    async def retry(self, subject: str) -> tuple[int, str]:
        """Apply what waits of one subject, in order, until the queue is empty or an event fails again.

        Returns:
            How many were applied, and the reason why it stopped ("" where nothing waits any more).

        Raises:
            StoreUnavailable, SurroundingsFault: stopped there; try again later.
        """
        applied, refusals = 0, 0
        queue: _Queue | None = None
        while True:
            try:
                async with _surroundings():
                    queue = queue or await self._waiting(subject, PAGE)
                    if not queue.waiting:
                        return applied, ""
                    state, reason = await self._retry_first(queue, refusals)
            except AppendRefused as fault:
                queue = None
                # It has another state by now, an event has arrived: look again. Where another retry was there
                # first, the queue has moved on, however often.
                refusals += not isinstance(fault, (CursorMoved, InboxStateChanged))
                if refusals > _ATTEMPTS:
                    raise SurroundingsFault(f"retrying {self.source}: {_refused(fault)}") from fault
                await asyncio.sleep(0)
                continue
            if state is InboxState.PARKED:
                return applied, reason
            applied += state is InboxState.APPLIED
            refusals = 0
            queue = queue.after_first()

    async def drop(self, entry: WaitingEntry, recorded: AppendRequest | None = None) -> None:
        """Give a waiting event up for good, and write `recorded` with it. What queued behind it is applied by
        `retry`.

        Raises:
            InboxStateChanged: it does not wait any more.
            StoreUnavailable, SurroundingsFault: nothing was written; try again later.
        """
        while True:
            async with _surroundings():
                queue = await self._waiting(entry.subject, 2)
                is_first = bool(queue.waiting) and queue.waiting[0].slot_sequence == entry.slot_sequence
                dropped = AppendRequest(transitions=(_step(entry, InboxState.DROPPED, "dropped"),))
                step = merged(dropped, recorded) if recorded else dropped
                try:
                    await self._store.append(merged(step, queue.next_parked()) if is_first else step)
                except CursorMoved:
                    await asyncio.sleep(0)
                else:
                    return

    async def _waiting(self, subject: str, limit: int | None) -> "_Queue":
        # The cursor first: nothing can be queued between, or the guard refuses.
        cursors = await self._store.cursors(self.source)
        waiting = await self._store.waiting(self.source, subject, limit)
        is_whole = limit is None or len(waiting) < limit
        return _Queue(waiting, is_whole, cursors.get(waiting[0].slot, 0) if waiting else 0)

    async def _retry_first(self, queue: "_Queue", refusals: int) -> tuple[InboxState, str]:
        """What became of the first that waits, and why it still does."""
        entry = queue.waiting[0]
        if entry.event in (None, "null"):
            return InboxState.PARKED, entry.reason
        try:
            envelope = parse(orjson.loads(entry.event or ""))
        except (UnreadableEnvelope, orjson.JSONDecodeError):
            return InboxState.PARKED, "what is kept of it cannot be read"
        try:
            if (opened := await self._open_kept(envelope)) is None:
                dropped = _step(entry, InboxState.DROPPED, ERASED)
                await self._store.append(merged(AppendRequest(transitions=(dropped,)), queue.next_parked()))
                return InboxState.DROPPED, ""
            guard = AppendRequest(transitions=(_step(entry, InboxState(entry.state), entry.reason),))
            effects = await self._handled(Incoming(envelope, opened.plain, opened.data_key, guard))
            applied = AppendRequest(transitions=(_step(entry, InboxState.APPLIED, ""),))
            if envelope.type == ERASURE:
                rest = (queue if queue.is_whole else await self._waiting(entry.subject, None)).rest_dropped()
            else:
                rest = queue.next_parked()
            try:
                await self._store.append(merged(applied, effects, opened.key_row, rest))
            except _LASTING as refusal:
                if refusals < _ATTEMPTS:
                    raise
                raise RecordFault(_refused(refusal)) from refusal
        except (RecordFault, *_RECORD_FAULTS) as fault:
            reason = _reason(fault)
            if (entry.state, entry.reason) != (InboxState.PARKED, reason):
                parked = _step(entry, InboxState.PARKED, reason)
                await self._store.append(AppendRequest(transitions=(parked,)))
            return InboxState.PARKED, reason
        return InboxState.APPLIED, ""

    async def _open_kept(self, envelope: Envelope) -> _Opened | None:
        """A kept event, sealed under our own key or, where it could not be opened, as it came. None where
        its complaint was erased."""
        if envelope.sealed is None:
            return _Opened()
        key_id = identity_of(envelope.subject)
        own = await self._data_key(key_id)
        if own is None and await self._store.claimed(TOMBSTONE, key_id.bytes) is not None:
            return None
        return await self._open(
            envelope, {**self._transport_keys, **(own.recipient if own else {})}, is_new=False
        )

    async def _handled(self, incoming: Incoming) -> AppendRequest:
        envelope = incoming.envelope
        handler = self._handlers.get((envelope.type, envelope.schema_version))
        if handler is None:
            raise RecordFault(f"{UNKNOWN}: hotline.{envelope.type}.v{envelope.schema_version}")
        try:
            return await handler(incoming)
        except (RecordFault, SurroundingsFault, AppendRefused, StoreUnavailable, *_SURROUNDINGS):
            raise
        except ValidationError as fault:
            errors = fault.errors(include_input=False, include_url=False, include_context=False)
            fields = ", ".join(
                f"{'.'.join(map(str, error['loc']))} ({error['type']})" for error in errors[:5]
            )
            raise RecordFault(f"{BROKEN}: {fields}") from fault
        except Exception as fault:  # a handler that fails on an event fails again: park it, go on
            log.exception("handler failed", type=envelope.type)
            raise RecordFault(f"the handler failed: {type(fault).__name__}") from fault

    async def _open(self, envelope: Envelope, keys: Mapping[str, bytes], *, is_new: bool) -> _Opened:
        if envelope.sealed is None:
            return _Opened()
        try:
            plain = open_sealed(envelope.sealed, keys, envelope.id)
            key_id = identity_of(envelope.subject)
        except (BrokenSealError, ValueError) as fault:
            raise RecordFault(f"not readable: {fault}") from fault
        data_key = None if is_new else await self._data_key(key_id)
        key_row = AppendRequest()
        if data_key is None:
            if not is_new and await self._store.claimed(TOMBSTONE, key_id.bytes) is not None:
                return _Opened()
            data_key, row = new_data_key(self._keys.kek, key_id)
            key_row = AppendRequest(rows=(row,))
        return _Opened(plain, data_key, rewrap(envelope.sealed, keys, data_key.recipient), key_row)

    async def _data_key(self, key_id: UUID) -> DataKey | None:
        rows = await self._store.data_keys([key_id])
        key = unwrap_data_keys(self._keys.kek, rows).get(str(key_id))
        return DataKey(key_id, key) if key else None

    async def _keep(
        self, envelope: Envelope, opened: _Opened, request: AppendRequest, state: InboxState, reason: str = ""
    ) -> None:
        # What could not be opened is kept as it came, sealed under the transport key.
        sealed = opened.kept if opened.kept or state is InboxState.DROPPED else envelope.sealed
        entry = InboxEntry(
            source=self.source,
            slot=envelope.slot,
            slot_sequence=envelope.slot_sequence,
            event_id=envelope.id,
            subject=envelope.subject,
            type=f"hotline.{envelope.type}.v{envelope.schema_version}",
            event=serialise(replace(envelope, sealed=sealed)),
            state=state,
            reason=reason,
        )
        await self._store.append(merged(request, AppendRequest(inbox=(entry,)), opened.key_row))

    async def _queue_dropped(self, subject: str) -> AppendRequest:
        """An erasure overtakes what waits of its complaint."""
        waiting = await self._store.waiting(self.source, subject)
        return AppendRequest(transitions=tuple(_step(entry, InboxState.DROPPED, ERASED) for entry in waiting))


@dataclass(frozen=True, slots=True)
class _Queue:
    """What waits of one subject in its order: all of it, or the first two at least; and the slot's cursor
    before that was read."""

    waiting: Sequence[WaitingEntry]
    is_whole: bool
    cursor: int

    def after_first(self) -> "_Queue | None":
        """The queue when the first one has left, and the next one was parked; None where too little of it is
        known."""
        if len(self.waiting) == 2 and not self.is_whole:
            return None
        rest = [replace(one, state=InboxState.PARKED, reason=NEXT) for one in self.waiting[1:2]]
        return _Queue([*rest, *self.waiting[2:]], self.is_whole, self.cursor)

    def next_parked(self) -> AppendRequest:
        """With the first one leaving, the next one is parked. Refused where there was none, and one was
        queued meanwhile; behind a second one any number may be."""
        if len(self.waiting) == 1:  # then it is whole
            return AppendRequest(cursors=(self._unmoved(),))
        return AppendRequest(transitions=(_step(self.waiting[1], InboxState.PARKED, NEXT),))

    def rest_dropped(self) -> AppendRequest:
        """Everything behind an erasure goes with what it erases."""
        return AppendRequest(
            cursors=(self._unmoved(),),
            transitions=tuple(_step(entry, InboxState.DROPPED, ERASED) for entry in self.waiting[1:]),
        )

    def _unmoved(self) -> CursorMove:
        first = self.waiting[0]
        return CursorMove(first.source, first.slot, self.cursor, self.cursor)


@asynccontextmanager
async def _surroundings() -> AsyncIterator[None]:
    """Faults of the database and the keys as such."""
    try:
        yield
    except _SURROUNDINGS as fault:
        raise SurroundingsFault(type(fault).__name__) from fault


def _reason(fault: Exception) -> str:
    return str(fault) if isinstance(fault, RecordFault) else f"not storable: {type(fault).__name__}"


def _refused(refusal: AppendRefused) -> str:
    return f"its effects are refused: {type(refusal).__name__}"


def _step(entry: WaitingEntry, to: InboxState, reason: str) -> InboxTransition:
    return InboxTransition(
        entry.source, entry.slot, entry.slot_sequence, entry.subject, InboxState(entry.state), to, reason
    )
