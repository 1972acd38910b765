"""The inbox: one event of another service, applied with its cursor, exactly once.

Whatever calls it (Kafka, catch-up, a retry), an event is judged by its slot's cursor in the append request
itself, so repetitions, zombies and two members on one slot cannot apply it twice. A fault of the record
parks it and lets its subject's later events queue behind it; a fault of the surroundings raises.
"""

import asyncio
from collections.abc import Mapping
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
    CursorMove,
    CursorMoved,
    EventTooLarge,
    InboxEntry,
    InboxState,
    InboxStateChanged,
    InboxTransition,
    QueueChanged,
    StoreHalted,
    StoreUnavailable,
    merged,
)
from shared.streaming.cloudevents import Envelope, parse, serialise
from shared.streaming.handling import Handlers, Incoming, RecordFault, SurroundingsFault

TOMBSTONE = "tombstone"
"""Kind of the claim that an erased complaint leaves for ever; the key is its UUID's bytes."""

ERASURE = "complaint.erased"
UNKNOWN = "unknown type or version"
"""How the reason of an event begins that an upgrade may make known."""

_ATTEMPTS = 25

# A value that PostgreSQL does not take is the record's fault, whatever else it says is not.
_RECORD_FAULTS = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, EventTooLarge)
_SURROUNDINGS = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, NoKeyError)

log = structlog.get_logger(origin=__name__)


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
        self.parked_in_a_row = 0

    async def receive(self, envelope: Envelope) -> InboxState:
        """Apply, queue, park or drop the event that is next in its slot; durable on return.

        Raises:
            CursorMoved: it is not next any more; reread the cursor.
            StoreUnavailable, SurroundingsFault: nothing was written; try again later.
        """
        at = CursorMove(self.source, envelope.slot, envelope.slot_sequence - 1, envelope.slot_sequence)
        for attempt in range(_ATTEMPTS):
            try:
                return await self._receive(envelope, at, is_first=attempt == 0)
            except CursorMoved:
                raise
            except AppendRefused:
                # Somebody else changed what we had read: read again, decide again.
                await asyncio.sleep(0)
            except _SURROUNDINGS as fault:
                raise SurroundingsFault(f"{type(fault).__name__}") from fault
        raise SurroundingsFault(f"an event of {self.source} was refused {_ATTEMPTS} times")

    async def _receive(self, envelope: Envelope, at: CursorMove, *, is_first: bool) -> InboxState:
        guard = AppendRequest(cursors=(replace(at, to=at.expected),))
        passing = AppendRequest(cursors=(at,))
        if envelope.erased:
            await self._keep(envelope, _Opened(), passing, InboxState.DROPPED, "erased by its owner")
            return InboxState.DROPPED
        opened = _Opened()
        try:
            # A subject's first event brings its key; asking for it would be a look-up in vain.
            opened = await self._open(
                envelope, self._transport_keys, is_new=is_first and envelope.version == 1
            )
            if opened.plain is None and envelope.sealed is not None:
                await self._keep(envelope, opened, passing, InboxState.DROPPED, "its complaint is erased")
                return InboxState.DROPPED
            effects = await self._handled(Incoming(envelope, opened.plain, opened.data_key, guard))
            if envelope.type == ERASURE:
                effects = merged(effects, await self._queue_dropped(envelope.subject))
            await self._keep(envelope, opened, merged(passing, effects), InboxState.APPLIED)
        except QueueChanged:
            await self._keep(envelope, opened, passing, InboxState.QUEUED, "behind a parked event")
            return InboxState.QUEUED
        except (RecordFault, *_RECORD_FAULTS) as fault:
            reason = str(fault) if isinstance(fault, RecordFault) else f"not storable: {type(fault).__name__}"
            await self._keep(envelope, opened, passing, InboxState.PARKED, reason)
            self.parked_in_a_row += 1
            log.warning("event parked", source=self.source, type=envelope.type, reason=reason)
            return InboxState.PARKED
        self.parked_in_a_row = 0
        return InboxState.APPLIED

    async def miss(self, slot: int, slot_sequence: int) -> None:
        """Park a number that its owner cannot serve either, so that the slot goes on.

        Raises:
            CursorMoved, StoreUnavailable: as `receive`.
        """
        nobody = UUID(int=0)
        entry = InboxEntry(
            self.source, slot, slot_sequence, nobody, f"missing-{slot}-{slot_sequence}", "missing", "null",
            InboxState.PARKED, "its owner does not have it",
        )  # fmt: skip
        move = CursorMove(self.source, slot, slot_sequence - 1, slot_sequence)
        await self._store.append(AppendRequest(cursors=(move,), inbox=(entry,)))
        log.error("event missing", source=self.source, slot=slot)

    async def retry(self, subject: str) -> tuple[int, str]:
        """Apply what waits of one subject, in order, until the queue is empty or an event fails again.

        Returns:
            How many were applied, and the reason why it stopped ("" where nothing waits any more).
        """
        applied = 0
        while waiting := await self._store.waiting(self.source, subject):
            reason = await self._retry_one(waiting[0])
            if reason:
                return applied, reason
            applied += 1
        return applied, ""

    async def drop(self, entry: WaitingEntry) -> None:
        """Give a waiting event up for good. What queued behind it is applied by `retry`.

        Raises:
            InboxStateChanged: it does not wait any more.
        """
        await self._store.append(AppendRequest(transitions=(_step(entry, InboxState.DROPPED, "dropped"),)))

    async def _retry_one(self, entry: WaitingEntry) -> str:
        if entry.event in (None, "null"):
            return entry.reason
        envelope = parse(orjson.loads(entry.event or ""))
        state = InboxState(entry.state)
        try:
            own = await self._data_key(identity_of(envelope.subject)) if envelope.sealed else None
            keys = {**self._transport_keys, **(own.recipient if own else {})}
            opened = await self._open(envelope, keys, is_new=False)
            guard = AppendRequest(transitions=(_step(entry, state, entry.reason),))
            effects = await self._handled(Incoming(envelope, opened.plain, opened.data_key, guard))
            applied = AppendRequest(transitions=(_step(entry, InboxState.APPLIED, ""),))
            await self._store.append(merged(applied, effects, opened.key_row))
        except InboxStateChanged:
            return ""  # somebody else was quicker
        except (RecordFault, *_RECORD_FAULTS) as fault:
            reason = str(fault) if isinstance(fault, RecordFault) else f"not storable: {type(fault).__name__}"
            parked = _step(entry, InboxState.PARKED, reason)
            await self._store.append(AppendRequest(transitions=(parked,)))
            return reason
        except AppendRefused:
            return await self._retry_one(entry)
        return ""

    async def _handled(self, incoming: Incoming) -> AppendRequest:
        envelope = incoming.envelope
        handler = self._handlers.get((envelope.type, envelope.schema_version))
        if handler is None:
            raise RecordFault(f"{UNKNOWN}: hotline.{envelope.type}.v{envelope.schema_version}")
        try:
            return await handler(incoming)
        except (RecordFault, SurroundingsFault, AppendRefused, StoreUnavailable, StoreHalted, *_SURROUNDINGS):
            raise
        except ValidationError as fault:
            errors = fault.errors(include_input=False, include_url=False, include_context=False)
            fields = ", ".join(
                f"{'.'.join(map(str, error['loc']))} ({error['type']})" for error in errors[:5]
            )
            raise RecordFault(f"breaks its schema: {fields}") from fault
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
        return AppendRequest(
            transitions=tuple(
                _step(entry, InboxState.DROPPED, "its complaint is erased") for entry in waiting
            )
        )


def _step(entry: WaitingEntry, to: InboxState, reason: str) -> InboxTransition:
    return InboxTransition(
        entry.source, entry.slot, entry.slot_sequence, entry.subject, InboxState(entry.state), to, reason
    )
