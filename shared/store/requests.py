"""What a caller asks of the store, as data, and the ways in which it is refused.

An `AppendRequest` stands or falls as one: its events, claims, cursor moves, inbox entries and read-model
rows are written together or not at all. It carries no code, so nothing of the caller runs while the
store's lock is held.

Refusals (all `AppendRefused`; nothing of the request was written)::

    AppendRefused
    ├── VersionConflict     the stream has moved on: read it again, decide again
    ├── ClaimTaken          the unique key is somebody's; carries what was stored with it
    ├── CursorMoved         another consumer was there first: reread cursors, drop what lies below
    ├── LeaseLost           another process leads now
    ├── QueueChanged        the subject's queue of parked events is not as assumed
    ├── InboxStateChanged   the inbox entry was applied, dropped or retried by somebody else
    ├── DuplicateEvent      an event with this id is in the log
    ├── RowExists           a row of an insert-only table is there already
    └── EventTooLarge       the event would not fit into a Kafka record
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import repeat
from typing import Any
from uuid import UUID

from shared.errors import HotlineError
from shared.store.events import NewEvent

EVENT_LIMIT = 900 * 1024
"""Bytes of one event on the wire. A Kafka record holds 1 MiB; headers and recipients need room."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that only one request may ever take, e.g. ``("idempotency", hmac)``; `value` goes with it."""

    kind: str
    key: bytes
    value: str = ""


@dataclass(frozen=True, slots=True)
class CursorMove:
    """The cursor of (source, slot) stands at `expected` and goes to `to`; equal numbers only check it."""

    source: str
    slot: int
    expected: int
    to: int


@dataclass(frozen=True, slots=True)
class LeaseHeld:
    """The lease `name` is still held under `epoch`."""

    name: str
    epoch: int


class InboxState(StrEnum):
    APPLIED = "applied"
    PARKED = "parked"
    QUEUED = "queued"
    DROPPED = "dropped"


WAITING = frozenset({InboxState.PARKED, InboxState.QUEUED})


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """A consumed event to be kept: `event` is its CloudEvent as JSON text, rewrapped for this service.

    An APPLIED or PARKED entry requires that nothing of its subject waits, a QUEUED one that something does:
    checked under the lock, so an event cannot overtake a parked one, nor queue behind nothing for ever.
    """

    source: str
    slot: int
    slot_sequence: int
    event_id: UUID
    subject: str
    type: str
    event: str
    state: InboxState = InboxState.APPLIED
    reason: str = ""


@dataclass(frozen=True, slots=True)
class InboxTransition:
    """A waiting inbox entry changes its state (a retry, a drop)."""

    source: str
    slot: int
    slot_sequence: int
    subject: str
    expected: InboxState
    to: InboxState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A read-model table that requests may write: column name -> PostgreSQL type, and its primary key.

    With `insert_only` a row whose key is there is refused (`RowExists`): a second data key must never
    replace the one under which something is sealed already.

    Attributes:
        listed: a column of the key of an insert-only table for which a `Put` has a list of numbers: it stands
            for a row with each of them, and its own key is the rest, by which it is removed. Dozens of rows
            then cost the process hardly more than one.
    """

    name: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    insert_only: bool = False
    listed: str = ""

    def key_of(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple([row[column] for column in self.key if column != self.listed])

    def records(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Any, ...]]:
        """The rows as they stand in the table, their values in the order of `columns`."""
        if not self.listed:
            for row in rows:
                yield tuple([row[column] for column in self.columns])
            return
        for row in rows:
            listed = row[self.listed]
            columns = [
                listed if name == self.listed else repeat(row[name], len(listed)) for name in self.columns
            ]
            yield from zip(*columns, strict=True)


@dataclass(frozen=True, slots=True)
class Put:
    """The row, whole, replaces the one with the same primary key (but see `Table.insert_only`)."""

    table: Table
    row: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Remove:
    """All rows whose `column` has this value go away."""

    table: Table
    column: str
    value: Any


RowChange = Put | Remove


@dataclass(frozen=True, slots=True)
class AppendRequest:
    """One unit of writing. `expected` names the version each stream must have (0: it must be new);
    a stream of `events` that it does not name is appended to at whatever version it has.

    A claim, a cursor that moves and a transition stand in it once. Claims are taken before `rows` change,
    and these change in their order.
    """

    events: tuple[NewEvent, ...] = ()
    expected: Mapping[str, int] = field(default_factory=dict)
    claims: tuple[Claim, ...] = ()
    cursors: tuple[CursorMove, ...] = ()
    leases: tuple[LeaseHeld, ...] = ()
    inbox: tuple[InboxEntry, ...] = ()
    transitions: tuple[InboxTransition, ...] = ()
    rows: tuple[RowChange, ...] = ()


def merged(first: AppendRequest, *others: AppendRequest) -> AppendRequest:
    """One request that asks for all that these ask for."""
    # Most of their parts are empty, and tuples are the cheapest to add where one side is.
    for other in others:
        first = AppendRequest(
            first.events + other.events,
            {**first.expected, **other.expected},
            first.claims + other.claims,
            first.cursors + other.cursors,
            first.leases + other.leases,
            first.inbox + other.inbox,
            first.transitions + other.transitions,
            first.rows + other.rows,
        )
    return first


@dataclass(frozen=True, slots=True)
class Appended:
    """The numbers that the events of one request got, in their order."""

    positions: tuple[int, ...]
    versions: tuple[int, ...]


class AppendRefused(HotlineError):
    """The request as it stands cannot be written; nothing of it was."""


class VersionConflict(AppendRefused):
    def __init__(self, stream: str, expected: int, actual: int) -> None:
        super().__init__(f"stream {stream} was expected at version {expected} and is at {actual}")
        self.stream, self.expected, self.actual = stream, expected, actual


class ClaimTaken(AppendRefused):
    def __init__(self, kind: str, key: bytes, value: str) -> None:
        super().__init__(f"the {kind} key is taken")
        self.kind, self.key, self.value = kind, key, value


class CursorMoved(AppendRefused):
    def __init__(self, source: str, slot: int, expected: int, actual: int) -> None:
        super().__init__(f"the cursor of {source} slot {slot} was expected at {expected} and is at {actual}")
        self.source, self.slot, self.expected, self.actual = source, slot, expected, actual


class LeaseLost(AppendRefused):
    def __init__(self, name: str, epoch: int, actual: int) -> None:
        super().__init__(f"lease {name} is in epoch {actual}, not {epoch}")
        self.name, self.epoch, self.actual = name, epoch, actual


class QueueChanged(AppendRefused):
    def __init__(self, source: str, subject: str, waiting: int) -> None:
        super().__init__(f"{waiting} events of {subject} from {source} wait, against what was assumed")
        self.source, self.subject, self.waiting = source, subject, waiting


class InboxStateChanged(AppendRefused):
    def __init__(self, source: str, slot: int, slot_sequence: int, actual: InboxState | None) -> None:
        state = actual or "absent"
        super().__init__(f"event {slot_sequence} of slot {slot} from {source} is {state} by now")
        self.source, self.slot, self.slot_sequence, self.actual = source, slot, slot_sequence, actual


class DuplicateEvent(AppendRefused):
    pass


class RowExists(AppendRefused):
    pass


class EventTooLarge(AppendRefused):
    pass


class StoreUnavailable(HotlineError):
    """The database cannot be reached; nothing was written. Try again later."""


class StoreBusy(StoreUnavailable):
    """Too much waits to be written, all connections for this purpose are in use, or a statement took longer
    than it may; nothing was written. Try again soon."""


class OutcomeUnknown(StoreUnavailable):
    """The connection broke during the commit and did not come back in time to look up what became of it."""


class SchemaFault(StoreUnavailable):
    """The tables are not those that this software knows; nothing was written. It waits for the right ones."""


class StoreHalted(HotlineError):
    """The log has lost its tail (a restore, a failover): nothing is appended before `./hotline recover`."""
