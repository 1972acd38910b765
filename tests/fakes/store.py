"""The event store in memory, for tests that need no database.

It has the API of `PostgresStore` and its rules, for it numbers by the same `shared.store.numbering`; the
same conformance tests hold it to that. Beside the API a test may look into it (`rows`, `inbox`) and take
the database away (`away`). Leases run out when a test says so.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self
from uuid import UUID

import asyncpg
import orjson

from shared.store.events import NewEvent, RecordedEvent, category_of, slot_of
from shared.store.halts import Halt
from shared.store.inbox import UNREADABLE_LIMIT, UnreadableRecord, WaitingEntry
from shared.store.leases import Lease
from shared.store.numbering import (
    Batch,
    Heads,
    NumberedEntry,
    NumberedEvent,
    NumberedTransition,
    RowKey,
    TableChanges,
    number,
    size_of,
)
from shared.store.requests import (
    WAITING,
    Appended,
    AppendRequest,
    DuplicateEvent,
    InboxEntry,
    InboxState,
    Put,
    RowExists,
    StoreHalted,
    StoreUnavailable,
    Table,
)
from shared.store.tables import CLAIMS, DATA_KEYS

Row = dict[str, Any]
Rows = dict[RowKey, Row]


@dataclass(frozen=True, slots=True)
class InboxRow:
    """An inbox entry as it stands now."""

    entry: InboxEntry
    applied_no: int | None
    after_position: int | None


class FakeStore:
    """
    Args:
        public: the categories of streams whose events are published.

    Attributes:
        away: the database is away; everything raises `StoreUnavailable`.
        inbox: (source, slot, slot_sequence) -> what was consumed.
        unreadable: what `keep_unreadable` kept.
    """

    def __init__(self, public: frozenset[str] = frozenset()) -> None:
        self._public = public
        self._heads = Heads()
        self._log: list[RecordedEvent] = []
        self._event_ids: set[UUID] = set()
        self._tables: dict[str, Rows] = {}
        self._holders: dict[str, tuple[Lease, bool]] = {}  # with whether it still runs
        self._halts: dict[str, Halt] = {}
        self._news = asyncio.Event()
        self.away = False
        self.inbox: dict[tuple[str, int, int], InboxRow] = {}
        self.unreadable: list[UnreadableRecord] = []
        self.batch_sizes: deque[int] = deque(maxlen=1000)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    # Appending

    async def append(self, request: AppendRequest) -> Appended:
        size_of(request)
        await self._answer()  # as a commit does, it lets others run meanwhile
        if self._halts:
            raise StoreHalted(min(self._halts.values(), key=lambda halt: halt.witness).reason)
        heads = _copied(self._heads)
        numbering = number([request], heads, self._slot)
        (outcome,) = numbering.outcomes
        if not isinstance(outcome, Appended):
            raise outcome
        self._check(request)
        self._write(numbering.batch)
        self._heads = heads
        self.batch_sizes.append(1)
        news, self._news = self._news, asyncio.Event()
        news.set()
        return outcome

    async def halt(self, halt: Halt) -> None:
        await self._answer()
        if not self._has_event_of(halt):
            self._halts[halt.witness] = halt

    async def halts(self) -> list[Halt]:
        await self._answer()
        return sorted(self._halts.values(), key=lambda halt: halt.witness)

    async def lift(self, halts: Collection[Halt]) -> None:
        await self._answer()
        lifted = {(halt.witness, halt.event_id) for halt in halts}
        self._halts = {
            witness: halt
            for witness, halt in self._halts.items()
            if (witness, halt.event_id) not in lifted and not self._has_event_of(halt)
        }

    def _has_event_of(self, halt: Halt) -> bool:
        return any(
            (event.slot, event.slot_sequence, event.event_id)
            == (halt.slot, halt.slot_sequence, halt.event_id)
            for event in self._log
        )

    def news(self) -> asyncio.Event:
        return self._news

    def _slot(self, stream: str) -> int | None:
        return slot_of(stream) if category_of(stream) in self._public else None

    def _check(self, request: AppendRequest) -> None:
        """What PostgreSQL checks: types, and unique constraints."""
        for event in request.events:
            _check_text(event.stream_id, event.type, event.data)
            _check_json(event.data)
        ids = [event.event_id for event in request.events]
        if len(set(ids)) < len(ids) or not self._event_ids.isdisjoint(ids):
            raise DuplicateEvent("an event with this id is in the log")
        for entry in request.inbox:
            _check_text(entry.source, entry.subject, entry.type, entry.event, entry.reason)
            _check_json(entry.event)
        keys = [(entry.source, entry.slot, entry.slot_sequence) for entry in request.inbox]
        if len(set(keys)) < len(keys) or not self.inbox.keys().isdisjoint(keys):
            raise RowExists("a row with this key is in inbox")
        for change in request.rows:
            if isinstance(change, Put):
                _check_text(*(change.row[column] for column in change.table.columns))

    def _changed(self, table: Table, runs: Iterable[TableChanges]) -> Rows:
        """The table's rows as they will be.

        Raises:
            RowExists: an insert-only row is there already.
        """
        rows = self._tables.get(table.name, {})
        for run in runs:
            rows = {**rows, **_copies(run.passing)}
            rows = {
                key: row
                for key, row in rows.items()
                if not any(row[column] in values for column, values in run.removals.items())
            }
            if table.insert_only and not rows.keys().isdisjoint(run.puts):
                raise RowExists(f"a row with this key is in {table.name}")
            rows |= _copies(run.puts)
        return rows

    def _write(self, batch: Batch) -> None:
        # The only step that may yet refuse stands first.
        tables = {table.name: self._changed(table, runs) for table, runs in batch.tables.values()}
        self._log += [_recorded(numbered) for numbered in batch.events]
        self._event_ids |= {numbered.event.event_id for numbered in batch.events}
        for entry in batch.inbox:
            self._keep_entry(entry)
        for step in batch.transitions.values():
            self._move_entry(step)
        self._tables |= tables

    def _keep_entry(self, numbered: NumberedEntry) -> None:
        entry = numbered.entry
        key = (entry.source, entry.slot, entry.slot_sequence)
        self.inbox[key] = InboxRow(entry, numbered.applied_no, numbered.after_position)

    def _move_entry(self, step: NumberedTransition) -> None:
        entry = replace(self.inbox[step.key].entry, state=step.state, reason=step.reason)
        self.inbox[step.key] = InboxRow(entry, step.applied_no, step.after_position)

    # Reading

    async def read_stream(self, stream: str, after: int = 0) -> list[RecordedEvent]:
        return await self._select(lambda event: event.stream_id == stream and event.version > after)

    async def read_log(self, after: int, limit: int = 500) -> list[RecordedEvent]:
        return await self._select(lambda event: after < event.position <= after + limit)

    async def read_public(self, after: int, limit: int = 500) -> tuple[list[RecordedEvent], int]:
        up_to = min(after + limit, await self.head())
        events = await self._select(lambda event: after < event.position <= up_to and event.slot is not None)
        return events, max(after, up_to)

    async def read_slot(self, slot: int, after: int, limit: int = 500) -> list[RecordedEvent]:
        events = await self._select(lambda event: event.slot == slot and (event.slot_sequence or 0) > after)
        return events[:limit]

    async def head(self) -> int:
        await self._answer()
        return self._heads.position

    async def slot_heads(self) -> dict[int, int]:
        await self._answer()
        return dict(self._heads.slots)

    async def cursors(self, source: str) -> dict[int, int]:
        await self._answer()
        return {slot: at for (of, slot), at in self._heads.cursors.items() if of == source}

    async def claimed(self, kind: str, key: bytes) -> str | None:
        await self._answer()
        row = self._tables.get(CLAIMS.name, {}).get((kind, key))
        return None if row is None else str(row["value"])

    async def data_keys(self, key_ids: Collection[UUID]) -> list[tuple[UUID, str, bytes]]:
        await self._answer()
        rows = self._tables.get(DATA_KEYS.name, {})
        found = [rows[key_id,] for key_id in dict.fromkeys(key_ids) if (key_id,) in rows]
        return [(row["key_id"], row["kek_id"], row["wrapped"]) for row in found]

    async def waiting(self, source: str, subject: str, limit: int | None = None) -> list[WaitingEntry]:
        await self._answer()
        found = self._waiting(
            lambda entry: (entry.source, entry.subject) == (source, subject) and entry.state in WAITING
        )
        return found[:limit]

    async def parked(self, after: tuple[str, int, int] = ("", 0, 0), limit: int = 50) -> list[WaitingEntry]:
        await self._answer()
        found = self._waiting(
            lambda entry: (
                (entry.source, entry.slot, entry.slot_sequence) > after and entry.state is InboxState.PARKED
            )
        )
        return [replace(entry, event=None) for entry in found[:limit]]

    async def keep_unreadable(self, record: UnreadableRecord) -> None:
        await self._answer()
        key = (record.topic, record.partition, record.offset)
        if key not in [(kept.topic, kept.partition, kept.offset) for kept in self.unreadable]:
            self.unreadable.append(replace(record, value=record.value[:UNREADABLE_LIMIT]))

    async def _answer(self) -> None:
        await asyncio.sleep(0)
        if self.away:
            raise StoreUnavailable("the database is away")

    async def _select(self, wanted: Callable[[RecordedEvent], bool]) -> list[RecordedEvent]:
        await self._answer()
        return [event for event in self._log if wanted(event)]

    def _waiting(self, wanted: Callable[[InboxEntry], bool]) -> list[WaitingEntry]:
        return [
            WaitingEntry(
                entry.source, entry.slot, entry.slot_sequence, entry.event_id, entry.subject, entry.type,
                entry.event, entry.state.value, entry.reason,
            )
            for _, entry in sorted((key, row.entry) for key, row in self.inbox.items() if wanted(row.entry))
        ]  # fmt: skip

    # For tests alone

    def rows(self, table: Table) -> list[Row]:
        """The rows of a read-model table."""
        rows = self._tables.get(table.name, {}).values()
        return [dict(zip(table.columns, record, strict=True)) for record in table.records(rows)]

    def take_lease(self, name: str, holder: UUID) -> Lease | None:
        """As `shared.store.leases.take_lease`; it runs until `expire_lease`."""
        held, runs = self._holders.get(name, (Lease(name, holder, 0), False))
        if runs:
            return None
        lease = Lease(name, holder, held.epoch + 1)
        self._heads.leases[name] = lease.epoch
        self._holders[name] = (lease, True)
        return lease

    def renew_lease(self, lease: Lease) -> bool:
        """As `shared.store.leases.renew_lease`."""
        return self._holders.get(lease.name) == (lease, True)

    def expire_lease(self, name: str) -> None:
        """Its time is over, whoever holds it."""
        lease, _ = self._holders[name]
        self._holders[name] = (lease, False)


def _copied(heads: Heads) -> Heads:
    return Heads(
        heads.position,
        heads.applied_no,
        dict(heads.versions),
        dict(heads.slots),
        dict(heads.claims),
        dict(heads.cursors),
        dict(heads.leases),
        dict(heads.waiting),
        dict(heads.inbox),
    )


def _copies(rows: Mapping[RowKey, Mapping[str, Any]]) -> Rows:
    return {key: dict(row) for key, row in rows.items()}


def _recorded(numbered: NumberedEvent) -> RecordedEvent:
    event: NewEvent = numbered.event
    return RecordedEvent(
        position=numbered.position,
        stream_id=event.stream_id,
        version=numbered.version,
        event_id=event.event_id,
        type=event.type,
        schema_version=event.schema_version,
        slot=numbered.slot,
        slot_sequence=numbered.slot_sequence,
        data=orjson.loads(event.data),
        correlation_id=event.correlation_id,
        causation_id=event.causation_id,
        recorded_on=event.recorded_on,
    )


def _check_text(*values: object) -> None:
    for value in values:
        if isinstance(value, str) and "\0" in value:
            raise asyncpg.CharacterNotInRepertoireError("invalid byte sequence for encoding UTF8: 0x00")


def _check_json(text: str) -> None:
    try:
        json.loads(text, parse_constant=_no_constant)
    except ValueError as fault:
        raise asyncpg.InvalidTextRepresentationError("invalid input syntax for type json") from fault


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
