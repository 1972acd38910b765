"""The rules by which a batch of append requests is accepted and numbered. Pure: no I/O, no clock.

`PostgresStore` runs it under the store's lock, on heads it has just read; the tests' `FakeStore` on its
dictionaries. Requests are judged in their order, each as if the accepted ones before it were written; a
refused one leaves no trace, the others are numbered head + 1, head + 2, ...
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from shared.store.events import NewEvent
from shared.store.requests import (
    EVENT_LIMIT,
    WAITING,
    Appended,
    AppendRefused,
    AppendRequest,
    ClaimTaken,
    CursorMoved,
    EventTooLarge,
    InboxEntry,
    InboxState,
    InboxStateChanged,
    LeaseLost,
    Put,
    QueueChanged,
    RowChange,
    RowExists,
    Table,
    VersionConflict,
)
from shared.store.tables import CLAIMS

InboxKey = tuple[str, int, int]
Row = Mapping[str, Any]
RowKey = tuple[Any, ...]
Queue = tuple[str, str]
"""A subject's parked and queued events: (source, subject)."""
_NUMBER_BYTES = 8


@dataclass(slots=True)
class Heads:
    """What the store holds for all that a batch touches. A key that is absent stands for "nothing"."""

    position: int = 0
    applied_no: int = 0
    versions: dict[str, int] = field(default_factory=dict)
    slots: dict[int, int] = field(default_factory=dict)
    claims: dict[tuple[str, bytes], str] = field(default_factory=dict)
    cursors: dict[tuple[str, int], int] = field(default_factory=dict)
    leases: dict[str, int] = field(default_factory=dict)
    # As many as wait, or of more than `waiting_limits` tells only so many.
    waiting: dict[Queue, int] = field(default_factory=dict)
    inbox: dict[InboxKey, InboxState] = field(default_factory=dict)
    halted: str = ""
    """Why nothing may be appended."""


class NumberedEvent(NamedTuple):
    position: int
    version: int
    slot: int | None
    slot_sequence: int | None
    event: NewEvent


@dataclass(frozen=True, slots=True)
class NumberedEntry:
    """An inbox entry; an applied one has its `applied_no` and the position of the log before its effects."""

    entry: InboxEntry
    applied_no: int | None
    after_position: int | None


@dataclass(frozen=True, slots=True)
class NumberedTransition:
    key: InboxKey
    state: InboxState
    reason: str
    applied_no: int | None
    after_position: int | None


@dataclass(slots=True)
class TableChanges:
    """What a batch does to one table, in this order: `passing` (key -> row), `removals` (column -> values),
    `puts` (key -> row).

    A row that one request puts and a later one removes is still written before the removals: it replaces
    the row that the table holds under its key, which may not have the value that is removed. In an
    insert-only table it must not replace anything: there a removal after a put begins another run.
    """

    passing: dict[RowKey, Row] = field(default_factory=dict)
    removals: dict[str, set[Any]] = field(default_factory=dict)
    puts: dict[RowKey, Row] = field(default_factory=dict)


@dataclass(slots=True)
class Batch:
    """Everything that the accepted requests write, set-wise."""

    events: list[NumberedEvent] = field(default_factory=list)
    cursors: dict[tuple[str, int], int] = field(default_factory=dict)
    inbox: list[NumberedEntry] = field(default_factory=list)
    transitions: dict[InboxKey, NumberedTransition] = field(default_factory=dict)
    tables: dict[str, tuple[Table, list[TableChanges]]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything is written."""
        return bool(self.events or self.cursors or self.inbox or self.transitions or self.tables)

    def change_rows(self, changes: Iterable[RowChange]) -> None:
        for change in changes:
            table, runs = self.tables.setdefault(change.table.name, (change.table, [TableChanges()]))
            if isinstance(change, Put):
                runs[-1].puts[table.key_of(change.row)] = change.row
                continue
            if table.insert_only and runs[-1].puts:
                runs.append(TableChanges())
            of_table = runs[-1]
            of_table.removals.setdefault(change.column, set()).add(change.value)
            gone = [key for key, row in of_table.puts.items() if row[change.column] == change.value]
            for key in gone:
                of_table.passing[key] = of_table.puts.pop(key)


@dataclass(frozen=True, slots=True)
class Numbering:
    """The outcome of each request in order, and what is to be written for the accepted ones."""

    outcomes: list[Appended | AppendRefused]
    batch: Batch

    @property
    def refuses(self) -> bool:
        return any(isinstance(outcome, AppendRefused) for outcome in self.outcomes)


def number(
    requests: Sequence[AppendRequest], heads: Heads, slot_of_stream: Callable[[str], int | None]
) -> Numbering:
    """Judge and number `requests`; `heads` is advanced in place.

    Args:
        slot_of_stream: the slot of a public stream, None for an internal one.
    """
    batch = Batch()
    outcomes: list[Appended | AppendRefused] = []
    for request in requests:
        refusal = _refusal(request, heads) or _row_exists(request, batch)
        outcomes.append(refusal or _accept(request, heads, batch, slot_of_stream))
    return Numbering(outcomes, batch)


def waiting_limits(requests: Iterable[AppendRequest]) -> dict[Queue, int]:
    """How many waiting events of each queue are worth counting: one more than leave it in the batch. With
    more the same is true, and to count them all, at each event, is quadratic in the queue."""
    limits: dict[Queue, int] = {}
    for request in requests:
        for entry in request.inbox:
            limits.setdefault((entry.source, entry.subject), 1)
        for step in request.transitions:
            queue = (step.source, step.subject)
            leaves = step.expected in WAITING and step.to not in WAITING
            limits[queue] = limits.get(queue, 1) + leaves
    return limits


def size_of(request: AppendRequest) -> int:
    """About how many bytes the request writes: its texts, byte strings and lists of numbers.

    Raises:
        EventTooLarge: an event of the request would not fit into a Kafka record.
    """
    total = 0
    for event in request.events:
        size = len(event.data) if event.data.isascii() else len(event.data.encode())
        if size > EVENT_LIMIT:
            raise EventTooLarge(f"{event.type} has {size} bytes, at most {EVENT_LIMIT} fit")
        total += size
    for entry in request.inbox:
        total += len(entry.event)
    for change in request.rows:
        if isinstance(change, Put):
            for value in change.row.values():
                if isinstance(value, (str, bytes)):
                    total += len(value)
                elif isinstance(value, list):
                    total += _NUMBER_BYTES * len(value)
    return total


def _refusal(request: AppendRequest, heads: Heads) -> AppendRefused | None:  # noqa: PLR0911  (one a rule)
    for stream, expected in request.expected.items():
        if (actual := heads.versions.get(stream, 0)) != expected:
            return VersionConflict(stream, expected, actual)
    for claim in request.claims:
        if (value := heads.claims.get((claim.kind, claim.key))) is not None:
            return ClaimTaken(claim.kind, claim.key, value)
    for move in request.cursors:
        if (at := heads.cursors.get((move.source, move.slot), 0)) != move.expected:
            return CursorMoved(move.source, move.slot, move.expected, at)
    for lease in request.leases:
        if (epoch := heads.leases.get(lease.name, 0)) != lease.epoch:
            return LeaseLost(lease.name, lease.epoch, epoch)
    for n, entry in enumerate(request.inbox):
        waiting = heads.waiting.get((entry.source, entry.subject), 0) - _leaving(request, entry)
        waiting += sum(
            (earlier.source, earlier.subject) == (entry.source, entry.subject) and earlier.state in WAITING
            for earlier in request.inbox[:n]
        )
        # Applied and parked entries come first of their subject, a queued one stands behind another.
        # A dropped one has nothing to apply and passes by.
        if entry.state is not InboxState.DROPPED and (entry.state is InboxState.QUEUED) != (waiting > 0):
            return QueueChanged(entry.source, entry.subject, waiting)
    for step in request.transitions:
        state = heads.inbox.get((step.source, step.slot, step.slot_sequence))
        if state is not step.expected:
            return InboxStateChanged(step.source, step.slot, step.slot_sequence, state)
    return None


def _leaving(request: AppendRequest, entry: InboxEntry) -> int:
    """How many events of the entry's subject the request itself takes out of the queue."""
    return sum(
        (step.source, step.subject) == (entry.source, entry.subject)
        and step.expected in WAITING
        and step.to not in WAITING
        for step in request.transitions
    )


def _row_exists(request: AppendRequest, batch: Batch) -> RowExists | None:
    """Whether a row of an insert-only table would replace one of the same run. Of those before, the table's
    primary key tells."""
    own: set[tuple[str, RowKey]] = set()
    begun: set[str] = set()  # tables of which a removal in this request begins a new run
    for change in request.rows:
        table = change.table
        if not table.insert_only:
            continue
        if not isinstance(change, Put):
            begun.add(table.name)
            own = {(name, key) for name, key in own if name != table.name}
            continue
        key = table.key_of(change.row)
        earlier = table.name not in begun and table.name in batch.tables
        if (table.name, key) in own or (earlier and key in batch.tables[table.name][1][-1].puts):
            return RowExists(f"a row with this key is in {table.name}")
        own.add((table.name, key))
    return None


def _accept(
    request: AppendRequest, heads: Heads, batch: Batch, slot_of_stream: Callable[[str], int | None]
) -> Appended:
    for claim in request.claims:
        heads.claims[claim.kind, claim.key] = claim.value
        row = {"kind": claim.kind, "key": claim.key, "value": claim.value}
        batch.change_rows([Put(CLAIMS, row)])
    for move in request.cursors:
        # One that only checks writes nothing: merged with one that moves, it would put the cursor back.
        if move.to != move.expected:
            heads.cursors[move.source, move.slot] = batch.cursors[move.source, move.slot] = move.to
    for entry in request.inbox:
        _accept_entry(entry, heads, batch)
    for step in request.transitions:
        key = (step.source, step.slot, step.slot_sequence)
        heads.inbox[key] = step.to
        queue = (step.source, step.subject)
        heads.waiting[queue] = heads.waiting.get(queue, 0) - (step.expected in WAITING) + (step.to in WAITING)
        batch.transitions[key] = NumberedTransition(key, step.to, step.reason, *_application(step.to, heads))
    if request.rows:
        batch.change_rows(request.rows)
        _follow_claims(request.rows, heads)
    positions, versions = [], []
    for event in request.events:
        heads.position += 1
        version = heads.versions[event.stream_id] = heads.versions.get(event.stream_id, 0) + 1
        slot, sequence = slot_of_stream(event.stream_id), None
        if slot is not None:
            sequence = heads.slots[slot] = heads.slots.get(slot, 0) + 1
        batch.events.append(NumberedEvent(heads.position, version, slot, sequence, event))
        positions.append(heads.position)
        versions.append(version)
    return Appended(tuple(positions), tuple(versions))


def _accept_entry(entry: InboxEntry, heads: Heads, batch: Batch) -> None:
    heads.inbox[entry.source, entry.slot, entry.slot_sequence] = entry.state
    queue = (entry.source, entry.subject)
    heads.waiting[queue] = heads.waiting.get(queue, 0) + (entry.state in WAITING)
    batch.inbox.append(NumberedEntry(entry, *_application(entry.state, heads)))


def _follow_claims(changes: Iterable[RowChange], heads: Heads) -> None:
    """Claims that an erasure takes away as rows are free again for the batch's later requests."""
    for change in changes:
        if change.table.name != CLAIMS.name:
            continue
        if isinstance(change, Put):
            heads.claims[change.row["kind"], change.row["key"]] = change.row["value"]
            continue
        for (kind, key), value in list(heads.claims.items()):
            if {"kind": kind, "key": key, "value": value}[change.column] == change.value:
                del heads.claims[kind, key]


def _application(state: InboxState, heads: Heads) -> tuple[int | None, int | None]:
    if state is not InboxState.APPLIED:
        return None, None
    heads.applied_no += 1
    return heads.applied_no, heads.position
