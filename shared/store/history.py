"""What happened to a service, in the one order in which it did: its own log, and what it applied of others.

`applied_no` and `after_position` of the inbox are given under the lock that gives the log's positions: an
entry stands behind the event at `after_position`, and before those that followed from it.
"""

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import asyncpg

from shared.store import sql
from shared.store.events import RecordedEvent
from shared.store.postgres import recorded

WINDOW = 2000
"""So many events, and so many inbox entries, are read at a time; fewer where they are large."""


@dataclass(frozen=True, slots=True)
class AppliedEntry:
    """An applied inbox entry. `event` is its CloudEvent's JSON, sealed under the service's own keys; `type`
    is the published one (``hotline.complaint.recorded.v1``)."""

    source: str
    slot: int
    slot_sequence: int
    event_id: UUID
    subject: str
    type: str
    event: str
    applied_no: int
    after_position: int


Happened = RecordedEvent | AppliedEntry
Item = TypeVar("Item", RecordedEvent, AppliedEntry)


@dataclass(frozen=True, slots=True)
class Moment:
    """Everything up to and with this position of the log and this number of the inbox."""

    position: int = 0
    applied_no: int = 0

    @property
    def count(self) -> int:
        """How many events and entries that are."""
        return self.position + self.applied_no


async def now(connection: "asyncpg.Connection") -> Moment:
    """How far the history is; in a transaction of REPEATABLE READ, as that sees it."""
    (row,) = await connection.fetch(sql.READ_MOMENT)
    return Moment(*row)


class History:
    """Reads forward from the beginning. `at` is how far it was read.

    Args:
        types: the published types of which inbox entries are wanted. Now and then one of another type is
            read with them.
    """

    def __init__(self, connection: "asyncpg.Connection", types: Collection[str]) -> None:
        self._connection, self._types = connection, list(types)
        self._events: deque[RecordedEvent] = deque()
        self._entries: deque[AppliedEntry] = deque()
        self._fetched = Moment()
        self.at = Moment()

    async def next(self, upto: Moment) -> list[Happened]:
        """What happened next; nothing where all was read.

        Args:
            upto: a moment as `now` tells it, not before an earlier one.
        """
        await self._fetch(upto)
        events = _taken(self._events, self._last_event(upto), lambda event: event.position)
        entries = _taken(self._entries, self._last_entry(upto), lambda entry: entry.after_position)
        self.at = Moment(
            self.at.position + len(events), entries[-1].applied_no if entries else self.at.applied_no
        )
        return sorted([*events, *entries], key=_place)

    async def _fetch(self, upto: Moment) -> None:
        position, applied_no = self._fetched.position, self._fetched.applied_no
        if not self._events and position < upto.position:
            to = min(position + WINDOW, upto.position)
            self._events.extend(recorded(await self._connection.fetch(sql.READ_LOG, position, to)))
            position = self._events[-1].position
        if not self._entries and applied_no < upto.applied_no:
            self._entries.extend(
                await read_applied(self._connection, applied_no, upto.applied_no, self._types)
            )
            applied_no = self._entries[-1].applied_no
        self._fetched = Moment(position, applied_no)

    def _last_event(self, upto: Moment) -> int:
        """Up to here no event comes after an entry that was not fetched yet."""
        if self._fetched.applied_no < upto.applied_no:
            return self._entries[-1].after_position
        return upto.position

    def _last_entry(self, upto: Moment) -> int:
        """Up to here (`after_position`) no entry comes after an event that was not fetched yet."""
        return self._fetched.position if self._fetched.position < upto.position else upto.position


async def read_applied(
    connection: "asyncpg.Connection", after: int, upto: int, types: Collection[str]
) -> list[AppliedEntry]:
    """A page of the applied entries above `after`, at least one: those of `types`, and perhaps a last one
    that shows how far it was read."""
    rows = await connection.fetch(sql.READ_APPLIED, after, min(after + WINDOW, upto), list(types))
    return [AppliedEntry(*entry) for *entry, fits in rows if fits]


def _place(happened: Happened) -> tuple[int, int, int]:
    if isinstance(happened, RecordedEvent):
        return happened.position, 0, 0
    return happened.after_position, 1, happened.applied_no


def _taken(waiting: deque[Item], last: int, place: Callable[[Item], int]) -> list[Item]:
    taken = []
    while waiting and place(waiting[0]) <= last:
        taken.append(waiting.popleft())
    return taken
