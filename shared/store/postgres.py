"""The event store on PostgreSQL.

What a caller gets: `append` returns when its request is durable, numbered in commit order without gaps,
or raises having written nothing. A reader that has seen position n has seen everything up to n. How it
fails: `AppendRefused` (the request), or `StoreUnavailable` (the database); `OutcomeUnknown` where a
connection broke during the commit and the database stayed away longer than `outcome_limit`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from contextlib import AsyncExitStack, suppress
from copy import copy
from datetime import date
from typing import Any, Self
from uuid import UUID

import asyncpg
import orjson

from shared.store import sql
from shared.store.announcing import CHANNEL
from shared.store.batch_sizes import BatchSizes
from shared.store.committer import CONNECT_SECONDS, Committer
from shared.store.connections import AWAY, connect
from shared.store.events import SLOTS, RecordedEvent, category_of, slot_of
from shared.store.halts import Halt
from shared.store.inbox import UNREADABLE_LIMIT, UnreadableRecord, WaitingEntry
from shared.store.leases import PostgresLeases
from shared.store.pools import CONSUMERS, CONTROL, HTTP, Pool, PoolLimits
from shared.store.requests import Appended, AppendRequest, StoreUnavailable
from shared.store.revisions import DatabaseRevision
from shared.store.server_clock import ServerClock

RECONNECT_SECONDS = 1.0
CLOCK_SECONDS = 30.0
"""The database's clock is read so often, and on every new connection."""
TIDY_SECONDS = 3600.0


class PostgresStore:
    """One service's log. Use as an async context manager; share one instance within a process.

    Opening it makes no connection: a service whose database is away starts, and says that it is not ready.

    It reads over the consumers' connections; `for_http` and `for_control` are the same store, read over
    others (see `shared.store.pools`).

    Args:
        public: the categories of streams whose events are published.
        outcome_limit: seconds to wait for a lost database before an append under way is given up.
        http, consumers: how many connections each may use, and how long.

    Attributes:
        pool: the connections for control.
    """

    def __init__(
        self,
        database_url: str,
        public: frozenset[str],
        *,
        outcome_limit: float = 10.0,
        http: PoolLimits = HTTP,
        consumers: PoolLimits = CONSUMERS,
    ) -> None:
        self._url = database_url
        self._public = public
        self._committer = Committer(database_url, self._slot, outcome_limit)
        self._news = _News()
        self._clock = ServerClock()
        self.leases = PostgresLeases(database_url)
        self._pools = AsyncExitStack()
        self._limits = http, consumers

    async def __aenter__(self) -> Self:
        limits = (*self._limits, CONTROL)
        pools = [await self._pools.enter_async_context(Pool(self._url, each)) for each in limits]
        self._http, self._reading, self.pool = pools
        await self._committer.__aenter__()
        self._listener = asyncio.create_task(self._listen(), name="store listener")
        return self

    async def __aexit__(self, *_: object) -> None:
        """What was accepted is committed first."""
        self._listener.cancel()
        with suppress(asyncio.CancelledError):
            await self._listener
        await self._committer.__aexit__()
        await self.leases.close()
        await self._pools.aclose()

    def for_http(self) -> Self:
        """This store, read over the connections of HTTP."""
        return self._over(self._http)

    def for_control(self) -> Self:
        """This store, read over the connections for control."""
        return self._over(self.pool)

    def _over(self, pool: Pool) -> Self:
        view = copy(self)
        view._reading = pool
        return view

    async def append(self, request: AppendRequest) -> Appended:
        """Write `request` as one.

        Raises:
            AppendRefused: a guard, version or claim does not hold (see `shared.store.requests`).
            StoreUnavailable: the database is away; at once, but where a COMMIT was on its way.
            StoreHalted: the log lost its tail.
        """
        return await self._committer.append(request)

    async def look(self) -> DatabaseRevision:
        """What the database says of itself, on the connection that appends go over.

        Raises:
            StoreUnavailable: the database takes no writing, or has other tables.
            asyncpg.PostgresError, OSError: there is no connection, and none can be made.
        """
        return await self._committer.look()

    def compare_first(self, compare: Callable[[], Awaitable[None]]) -> None:
        """Before the first append on each connection this is awaited, with those named before; it may `halt`:
        a database that comes back may have been set back."""
        self._committer.comparisons.append(compare)

    def today(self) -> date:
        """The date in Europe/London by the database's clock, as it was last read. Costs no look-up.

        Raises:
            StoreUnavailable: the database has never answered.
        """
        return self._clock.today()

    async def day(self) -> date:
        """The same, as the database says it now: for what destroys."""
        day: date = await self.fetchval(sql.DAY)
        return day

    async def until_day_is_known(self) -> None:
        """Returns when `today` answers, or after the time in which a database can be connected to."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CONNECT_SECONDS):
                while not self._clock.is_known:
                    await asyncio.sleep(0.005)

    async def halt(self, halt: Halt) -> None:
        """Refuse every append of every process from now on, but where the log has the event: numbers would
        be given twice after a lost tail.

        Raises:
            StoreUnavailable: the database is away; nothing is halted.
        """
        await self.fetch(sql.HALT, halt.witness, halt.slot, halt.slot_sequence, halt.event_id, halt.reason)

    async def halts(self) -> list[Halt]:
        """What every append is refused for; nothing where it is not."""
        rows = await self.fetch(sql.READ_HALTS)
        found = [Halt(witness, slot, at, UUID(bytes=id_.bytes), why) for witness, slot, at, id_, why in rows]
        self._committer.halted = found[0].reason if found else ""
        return found

    async def lift(self, halts: Collection[Halt]) -> None:
        """Append again, where nothing stands beside these, and those whose event the log has by now."""
        await self.fetch(sql.LIFT_HALTS, [halt.witness for halt in halts], [halt.event_id for halt in halts])

    @property
    def is_halted(self) -> bool:
        """Whether every append was refused when the database was last asked, by an append or `halts`."""
        return bool(self._committer.halted)

    @property
    def connections(self) -> int:
        """How many connections it has appended on. With another one the database may be an older copy: what
        is remembered of rows that never change is to be forgotten."""
        return self._committer.connections

    @property
    def batch_sizes(self) -> BatchSizes:
        """The sizes of the last commits, in requests."""
        return self._committer.batch_sizes

    def news(self) -> asyncio.Event:
        """An event that is set at the next append of any process. Take it, read, then wait for it, with a
        time limit: a wake-up may get lost with a connection."""
        return self._news.next

    async def _listen(self) -> None:
        while True:
            try:
                connection = await connect(self._url, timeout=5)
                try:
                    ended = asyncio.Event()
                    connection.add_termination_listener(lambda _, ended=ended: ended.set())
                    await connection.add_listener(CHANNEL, self._woken)
                    while not ended.is_set():
                        await self._clock.read(connection)
                        with suppress(TimeoutError):
                            async with asyncio.timeout(CLOCK_SECONDS):
                                await ended.wait()
                finally:
                    await connection.close(timeout=2)
            except AWAY:
                await asyncio.sleep(RECONNECT_SECONDS)

    def _woken(self, *_: object) -> None:
        self._news.come()

    def _slot(self, stream: str) -> int | None:
        return slot_of(stream) if category_of(stream) in self._public else None

    # Reading

    async def read_stream(self, stream: str, after: int = 0) -> list[RecordedEvent]:
        """The events of one stream in order, those above version `after`."""
        return recorded(await self.fetch(sql.READ_STREAM, stream, after))

    async def read_log(self, after: int, limit: int = 500) -> list[RecordedEvent]:
        """At most `limit` events of the whole log in order, those above position `after`; fewer where they
        are large (`PAGE_BYTES`)."""
        return recorded(await self.fetch(sql.READ_LOG, after, after + limit))

    async def read_public(self, after: int, limit: int = 500) -> tuple[list[RecordedEvent], int]:
        """The public ones among the `limit` events above position `after`, and the position read up to;
        fewer where they are large."""
        rows = await self.fetch(sql.READ_PUBLIC, after, limit)
        events = recorded(rows)
        is_cut = len(events) < len(rows) and bool(events)
        up_to = events[-1].position if is_cut else min(after + limit, rows[0]["head"])
        return events, max(after, up_to)

    async def read_slot(self, slot: int, after: int, limit: int = 500) -> list[RecordedEvent]:
        """At most `limit` events of one slot in order, those above slot sequence `after`; fewer where they
        are large."""
        return recorded(await self.fetch(sql.READ_SLOT, slot, after, limit))

    async def head(self) -> int:
        """The position of the newest event; 0 for an empty log."""
        return int(await self.fetchval(sql.HEAD))

    async def slot_heads(self) -> dict[int, int]:
        """The newest slot sequence of each slot that has events."""
        return {row["slot"]: row["head"] for row in await self.fetch(sql.SLOT_HEADS, SLOTS)}

    async def cursors(self, source: str) -> dict[int, int]:
        """How far each slot of `source` was consumed; slots never consumed are absent."""
        return {row["slot"]: row["at"] for row in await self.fetch(sql.READ_CURSORS, source)}

    async def claimed(self, kind: str, key: bytes) -> str | None:
        """What was stored with a claim, None where nobody took it."""
        value: str | None = await self.fetchval(sql.READ_CLAIM, kind, key)
        return value

    async def data_keys(self, key_ids: Collection[UUID]) -> list[tuple[UUID, str, bytes]]:
        """(key_id, kek_id, wrapped) of those data keys that exist."""
        return [tuple(row) for row in await self.fetch(sql.READ_DATA_KEYS, list(key_ids))]

    async def waiting(self, source: str, subject: str, limit: int | None = None) -> list[WaitingEntry]:
        """The parked and queued inbox entries of one subject, in their order, at most the first `limit`."""
        return [WaitingEntry(*row) for row in await self.fetch(sql.READ_WAITING, source, subject, limit)]

    async def parked(self, after: tuple[str, int, int] = ("", 0, 0), limit: int = 50) -> list[WaitingEntry]:
        """At most `limit` parked inbox entries of all sources, those above the key `after`, without their
        events."""
        return [WaitingEntry(*row) for row in await self.fetch(sql.READ_PARKED, *after, limit)]

    async def unpublished(self, topic: str) -> int:
        """How many public events the relay has not published yet, counted among the next 100,000 events."""
        return int(await self.fetchval(sql.COUNT_UNPUBLISHED, topic))

    async def parked_counts(self, today: date) -> dict[str, tuple[int, int]]:
        """source -> how many of its events are parked, and how many of these are of days before `today`."""
        rows = await self.fetch(sql.COUNT_PARKED, today.isoformat())
        return {row["source"]: (row["parked"], row["earlier"]) for row in rows}

    async def reached(self, source: str) -> list[tuple[int, int, UUID]]:
        """(slot, slot sequence, event id) of the last event of each slot of `source` that was consumed."""
        return [
            (slot, at, UUID(bytes=id_.bytes)) for slot, at, id_ in await self.fetch(sql.READ_REACHED, source)
        ]

    async def consumed(self, source: str, slot: int, after: int, limit: int) -> list[tuple[int, str | None]]:
        """(slot sequence, CloudEvent) of at most `limit` consumed events of one slot, those above `after`;
        fewer where they are large."""
        rows = await self.fetch(sql.READ_CONSUMED, source, slot, after, limit)
        return [(number, event) for number, event, fits in rows if fits]

    async def keep_unreadable(self, record: UnreadableRecord) -> None:
        """Keep the bytes of a record without an envelope for a look, under the database's day."""
        await self.fetch(
            sql.KEEP_UNREADABLE,
            record.topic,
            record.partition,
            record.offset,
            record.reason,
            record.value[:UNREADABLE_LIMIT],
        )

    async def destroy_unreadable(self) -> None:
        """Those records without an envelope that are older than a week, by the database's day."""
        await self.fetch(sql.DESTROY_UNREADABLE)

    async def keep_tidy(self) -> None:
        """`destroy_unreadable` every hour, until cancelled."""
        while True:
            with suppress(StoreUnavailable, asyncpg.PostgresError):
                await self.destroy_unreadable()
            await asyncio.sleep(TIDY_SECONDS)

    # What a service's own queries read, too

    async def fetch(self, statement: str, *parameters: object) -> list[asyncpg.Record]:
        """The rows of a statement.

        Raises:
            StoreBusy: no connection is free, or the statement takes too long.
            StoreUnavailable: the database is away, cannot write what the statement writes, or has
                other tables.
        """
        return await self._reading.fetch(statement, *parameters)

    def pages(
        self, statement: str, *parameters: object, size: int = 1000
    ) -> AsyncIterator[list[asyncpg.Record]]:
        """The rows of a statement, `size` at a time, out of one snapshot: for more than memory should hold.
        Raises as `fetch`."""
        return self._reading.pages(statement, *parameters, size=size)

    async def fetchrow(self, statement: str, *parameters: object) -> asyncpg.Record | None:
        """The first row, None where there is none; raises as `fetch`."""
        rows = await self.fetch(statement, *parameters)
        return rows[0] if rows else None

    async def fetchval(self, statement: str, *parameters: object) -> Any:
        """The first value of the first row, None where there is none; raises as `fetch`."""
        rows = await self.fetch(statement, *parameters)
        return rows[0][0] if rows else None


class _News:
    """The event that is set when the log grows next; one for all views of a store."""

    def __init__(self) -> None:
        self.next = asyncio.Event()

    def come(self) -> None:
        news, self.next = self.next, asyncio.Event()
        news.set()


def recorded(rows: Iterable[asyncpg.Record]) -> list[RecordedEvent]:
    """Rows of `events` as they are read; those beyond the bytes of a page come without data, and stay out."""
    # The metadata is parsed here: `->>` fails on some of what `json` takes, and no reader would pass there.
    return [
        RecordedEvent(
            position=row["position"],
            stream_id=row["stream_id"],
            version=row["version"],
            event_id=UUID(bytes=row["event_id"].bytes),
            type=row["type"],
            schema_version=row["schema_version"],
            slot=row["slot"],
            slot_sequence=row["slot_sequence"],
            data=orjson.loads(row["data"]),
            correlation_id=metadata.get("correlation", ""),
            causation_id=metadata.get("causation", ""),
            recorded_on=row["recorded_on"],
        )
        for row in rows
        if row["data"] is not None
        for metadata in (orjson.loads(row["metadata"]),)
    ]
