"""Group commit: appends of one process go through one committer, those of all under one advisory lock.

While a commit runs the next batch gathers; there is no timer. Numbers are given and committed under the
lock, so they are in commit order and without gaps, and a reader that has seen position n has seen
everything up to n.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Self

import asyncpg
import orjson
import structlog

from shared.store import sql
from shared.store.announcing import Announcer
from shared.store.append_queue import AppendQueue, Waiting, refuse
from shared.store.asking import Asked, FollowedSlots, columns
from shared.store.batch_sizes import BatchSizes
from shared.store.connections import connect
from shared.store.numbering import Batch, Row, number, size_of
from shared.store.requests import (
    Appended,
    AppendRefused,
    AppendRequest,
    OutcomeUnknown,
    SchemaFault,
    StoreHalted,
    StoreUnavailable,
    Table,
)
from shared.store.revisions import DatabaseRevision
from shared.store.schema_faults import SCHEMA, explained, schema_fault
from shared.store.tables import put_statement, remove_statement

# An append to a database that is away is refused at once, not after a time limit of the driver's: a dead
# server refuses the connection, a dead host answers neither this nor the first statement. The lock is held
# for milliseconds; by a stopped process for 1.5 s.
CONNECT_SECONDS = 2.0
LOCK_SECONDS = 3.0
COMMIT_SECONDS = 5.0
"""An answer to COMMIT is waited for so long. It may wait for a synchronous standby; so it is never cancelled,
which would end that wait with a success, but its connection is given up, and its outcome looked up."""
_TRIES = 3

# Every statement of the committer, and of consumers, looks keys up in an index. Plans are made once, perhaps
# on empty tables; a plan with a sequential scan would turn quadratic long before the statistics catch up.
KEYED_LOOKUPS = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}

# A process stopped in mid-transaction (SIGSTOP, a paused VM) holds the lock of all replicas: its session
# is ended after `idle_in_transaction_session_timeout`. One that was given up while it waits for a lock ends
# by itself after `lock_timeout`. What is wrong with a COMMIT that was done all the same is told by a warning.
COMMITTER_SETTINGS = {
    "synchronous_commit": "on",
    "idle_in_transaction_session_timeout": "1500",
    "lock_timeout": "4000",
    "statement_timeout": "20000",
    "client_min_messages": "warning",
    "jit": "off",
    **KEYED_LOOKUPS,
}

# The connection is gone, or the server is going, takes no writes any more, or does not let us in: what
# became of a commit under way is to be looked up, on a server that takes writes.
# InternalClientError: the driver has read the server's farewell, and has not seen the connection close yet;
# or no host takes writes.
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InternalClientError,
    OSError,
)
# Not a fault of the request: disk full, out of memory, too many connections, I/O error, a lock not given.
SURROUNDINGS = (
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.LockNotAvailableError,
    TimeoutError,
)

log = structlog.get_logger(origin=__name__)


_Outcomes = list[tuple[Waiting, Appended | AppendRefused]]
"""Of those whose callers still waited when the batch was numbered."""


class CommitInDoubt(ConnectionError):
    """The server committed, and warns that a synchronous standby may not have it."""


class Committer:
    """
    Args:
        slot_of_stream: the slot of a public stream, None for an internal one.
        outcome_limit: seconds to wait for a lost database before an append under way is given up.
    """

    def __init__(
        self, database_url: str, slot_of_stream: Callable[[str], int | None], outcome_limit: float
    ) -> None:
        self._url = database_url
        self._slot = slot_of_stream
        self._outcome_limit = outcome_limit
        self._queue = AppendQueue()
        self._looks: deque[asyncio.Future[DatabaseRevision]] = deque()
        self._arrived = asyncio.Event()
        self._closing = False
        self._connection: asyncpg.Connection | None = None
        self._is_compared = False
        self._is_warned = False
        self._followed = FollowedSlots()
        self._announcer = Announcer(database_url)
        self.halted = ""
        self._schema_fault = ""
        self.comparisons: list[Callable[[], Awaitable[None]]] = []
        self.batch_sizes = BatchSizes()
        self.connections = 0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="committer")
        return self

    async def __aexit__(self, *_: object) -> None:
        """What was accepted is committed first."""
        self._closing = True
        self._arrived.set()
        await self._task
        if self._connection is not None:
            await self._connection.close()
        await self._announcer.close()

    # Appending

    async def append(self, request: AppendRequest) -> Appended:
        """Write `request` as one. Whoever is cancelled before it is numbered has written nothing.

        Raises:
            AppendRefused: a guard, version or claim does not hold (see `shared.store.requests`).
            StoreBusy: too much waits to be written.
            StoreUnavailable: the database is away; at once, but where a COMMIT was on its way.
            StoreHalted: the log lost its tail.
        """
        if self._closing:
            raise StoreUnavailable("the store is closing")
        waiting = Waiting(request, size_of(request))
        self._queue.put(waiting)
        self._arrived.set()
        try:
            return await waiting.future
        except asyncio.CancelledError:
            self._queue.give_up(waiting)
            raise

    async def look(self) -> DatabaseRevision:
        """What the database says of itself, on the very connection on which requests are written, between two
        of its transactions; `halted` is then as it stands in the database. The tail is not compared for that:
        at the start of all services nobody would answer.

        Raises:
            StoreUnavailable: the database takes no writing, or has other tables.
            asyncpg.PostgresError, OSError: there is no connection, and none can be made.
        """
        if self._closing:
            raise StoreUnavailable("the store is closing")
        answer: asyncio.Future[DatabaseRevision] = asyncio.get_running_loop().create_future()
        self._looks.append(answer)
        self._arrived.set()
        return await answer

    async def _answer_look(self, answer: "asyncio.Future[DatabaseRevision]") -> None:
        if answer.done():
            return
        outcome: DatabaseRevision | Exception
        try:
            outcome = await self._revision()
            self.halted = await self._read_halted()
        except Exception as fault:  # noqa: BLE001  (whatever it is, it is told to who asked)
            if not isinstance(fault, SchemaFault):
                self._abandon()
            outcome = fault
        if answer.done():  # it was not waited for any longer
            return
        if isinstance(outcome, DatabaseRevision):
            answer.set_result(outcome)
        else:
            answer.set_exception(outcome)

    async def _read_halted(self) -> str:
        connection = await self._opened()
        try:
            halted: str = await connection.fetchval(sql.READ_HALTED, timeout=LOCK_SECONDS)
        except asyncpg.UndefinedTableError:  # a database of before
            return ""
        return halted

    async def _revision(self) -> DatabaseRevision:
        connection = await self._opened()
        try:
            row = await connection.fetchrow(sql.LOOK, timeout=LOCK_SECONDS)
        except asyncpg.UndefinedTableError:
            row = None
        except SCHEMA as fault:
            raise schema_fault(fault) from fault
        if row is None:
            return DatabaseRevision(None)
        is_read_only, revision, oldest_code = row
        if is_read_only:
            raise StoreUnavailable("the database is read-only")
        return DatabaseRevision(revision, oldest_code)

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while True:
                if self._looks:
                    await self._answer_look(self._looks.popleft())
                    continue
                if not (taken := self._queue.take()):
                    break
                try:
                    await self._commit(taken)
                except Exception as fault:  # the committer must outlive whatever a batch brings
                    log.exception("commit failed")
                    self._abandon()
                    refuse(taken, fault)
            if self._closing:
                return

    async def _commit(self, taken: Sequence[Waiting]) -> None:
        try:
            connection = await self._connected()
        except (*LOST, *SURROUNDINGS, asyncpg.PostgresError, StoreUnavailable) as fault:
            # What came meanwhile has waited for this connection too: it does not wait for the next try.
            away = StoreUnavailable(f"no connection to the database: {type(fault).__name__}")
            refuse([*taken, *self._queue.drain()], away)
            return
        try:
            outcomes = await self._transact(connection, taken)
        except LOST as fault:
            if isinstance(fault, asyncpg.InterfaceError) and not connection.is_closed():
                await self._fail_alone(connection, taken, fault)  # the driver does not take a parameter
            elif any(waiting.numbered is not None for waiting in taken):
                await self._settle(taken)
            else:
                self._repeat(taken, fault)
        except StoreHalted as fault:
            await self._rolled_back(connection)
            refuse(taken, fault)
        except SURROUNDINGS as fault:
            await self._rolled_back(connection)
            refuse(taken, StoreUnavailable(f"the database cannot write: {type(fault).__name__}"))
        except (asyncpg.PostgresError, ValueError, TypeError, ArithmeticError, LookupError) as fault:
            await self._fail_alone(connection, taken, fault)
        else:
            for waiting, outcome in outcomes:
                waiting.resolve(outcome)
            if outcomes:
                self.batch_sizes.add(len(outcomes))
                self._announcer.announce()

    def _repeat(self, taken: Sequence[Waiting], fault: Exception) -> None:
        """After a connection lost before COMMIT was sent: nothing can have been written, for the session
        ends without it. On a new connection again, if there is one; but whoever waited in vain is refused.
        """
        self._abandon()
        for waiting in taken:
            waiting.tries += 1
        again = [w for w in taken if w.tries < _TRIES and not isinstance(fault, TimeoutError)]
        self._queue.put_back(again)
        refuse(
            (waiting for waiting in taken if waiting not in again),
            StoreUnavailable(f"the database went away: {type(fault).__name__}"),
        )

    async def _fail_alone(
        self, connection: "asyncpg.Connection", taken: Sequence[Waiting], fault: Exception
    ) -> None:
        """One request is at fault: repeat the batch request by request."""
        await self._rolled_back(connection)
        if len(taken) == 1:
            self._refuse_alone(taken[0], explained(fault, taken[0].request))
            return
        for waiting in taken:
            await self._commit([waiting])

    def _refuse_alone(self, waiting: Waiting, fault: Exception) -> None:
        if isinstance(fault, SchemaFault) and str(fault) != self._schema_fault:
            self._schema_fault = str(fault)  # once: it is every request's
            log.error("the tables are not those of this software", reason=str(fault))
        waiting.resolve(fault)

    async def _connected(self) -> "asyncpg.Connection":
        connection = await self._opened()
        if not self._is_compared:
            try:
                for compare in self.comparisons:
                    await compare()
            except BaseException:
                self._abandon()
                raise
        self._is_compared = True
        return connection

    async def _opened(self) -> "asyncpg.Connection":
        """The connection as it is, perhaps of a database that was not compared."""
        if self._connection is None or self._connection.is_closed():
            self._followed.forget()
            self.connections += 1
            self._is_compared = False
            self._connection = await connect(
                self._url, timeout=CONNECT_SECONDS, server_settings=COMMITTER_SETTINGS, command_timeout=30
            )
            self._connection.add_log_listener(self._heed)
        return self._connection

    async def _rolled_back(self, connection: "asyncpg.Connection") -> None:
        try:
            await connection.execute("ROLLBACK")
        except (*LOST, *SURROUNDINGS, asyncpg.PostgresError):
            self._abandon()

    def _abandon(self) -> None:
        """Never go on with a connection that may be in mid-transaction: the next commit would take with it
        what was refused."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _transact(self, connection: "asyncpg.Connection", taken: Sequence[Waiting]) -> _Outcomes:
        try:
            return await self._attempt(connection, taken, trusting=True)
        except asyncpg.UniqueViolationError as fault:
            if fault.table_name != "events":
                raise
            await connection.execute("ROLLBACK")
        return await self._attempt(connection, taken, trusting=False)

    async def _attempt(
        self, connection: "asyncpg.Connection", taken: Sequence[Waiting], *, trusting: bool
    ) -> _Outcomes:
        asked = Asked([waiting.request for waiting in taken], self._slot, trusting=trusting)
        await connection.execute(sql.LOCK, timeout=LOCK_SECONDS)
        heads = await asked.read(connection, self._followed)
        self.halted = heads.halted
        if heads.halted:
            raise StoreHalted(heads.halted)
        taken = [waiting for waiting in taken if not waiting.future.done()]
        requests = [waiting.request for waiting in taken]
        if not taken:
            await connection.execute("ROLLBACK")
            return []
        numbering = number(requests, heads, asked.slot_of.__getitem__)
        if asked.trusts and numbering.refuses:
            asked = Asked(requests, self._slot, trusting=False)
            heads = await asked.read(connection, self._followed)
            numbering = number(requests, heads, asked.slot_of.__getitem__)
        await _write(connection, numbering.batch)
        for waiting, outcome in zip(taken, numbering.outcomes, strict=True):
            waiting.numbered = outcome if isinstance(outcome, Appended) else None
        if not numbering.batch:
            await connection.execute(sql.WAIT_FOR_STANDBY)  # a refusal tells of what others have committed
        await self._end(connection)
        self._followed.follow(heads.position, heads.slots)
        return list(zip(taken, numbering.outcomes, strict=True))

    async def _end(self, connection: "asyncpg.Connection") -> None:
        """COMMIT: durable on return, on a synchronous standby too.

        Raises:
            LOST: its outcome has to be looked up.
        """
        self._is_warned = False
        limit = asyncio.get_running_loop().call_later(COMMIT_SECONDS, connection.terminate)
        try:
            await connection.execute("COMMIT")
        finally:
            limit.cancel()
        if self._is_warned:
            raise CommitInDoubt

    def _heed(self, _: object, message: asyncpg.PostgresLogMessage) -> None:
        """Whoever cancels a COMMIT that waits for a standby ends the wait: the server then warns, and answers
        that it is done."""
        self._is_warned = self._is_warned or message.severity_en == "WARNING"

    async def _settle(self, taken: Sequence[Waiting]) -> None:
        """After a connection lost with a COMMIT on its way: find out what went through, repeat the rest.

        The lock is taken first. While the old session still lives it holds the lock; once we have it,
        the old transaction is over and the look-up final. Committed is what stands under the very numbers
        that it was given: an id alone may be another request's, of which this one is a duplicate. Requests
        without events are judged again by their guards: a cursor that has moved refuses, which a consumer
        takes for "already done".

        The server may have committed, and the wait for a synchronous standby been broken off, by its restart
        or by a person. So the look-up commits too, and is believed when the standby has that.
        """
        self._abandon()  # a time limit may have left it open, in mid-transaction
        ids = [event.event_id for waiting in taken for event in waiting.request.events]
        loop = asyncio.get_running_loop()
        deadline, pause = loop.time() + self._outcome_limit, 0.05
        while True:
            try:
                connection = await self._connected()
                await connection.execute(sql.LOCK, timeout=LOCK_SECONDS)
                rows = await connection.fetch(sql.KNOWN_EVENTS, ids)
                await connection.execute(sql.WAIT_FOR_STANDBY)
                await self._end(connection)
                break
            except (*LOST, *SURROUNDINGS, asyncpg.PostgresError, StoreUnavailable) as fault:
                self._abandon()
                # Of what came meanwhile nothing was sent: it is refused at once.
                away = StoreUnavailable(f"no connection to the database: {type(fault).__name__}")
                refuse(self._queue.drain(), away)
                if loop.time() > deadline:
                    refuse(taken, OutcomeUnknown(f"the database went away: {type(fault).__name__}"))
                    return
                await asyncio.sleep(pause)
                pause = min(pause * 2, 1.0)
        known = {row["position"]: row["event_id"] for row in rows}
        again = []
        for waiting in taken:
            numbered, waiting.numbered = waiting.numbered, None
            ids = [event.event_id for event in waiting.request.events]
            if ids and numbered is not None and [known.get(at) for at in numbered.positions] == ids:
                waiting.resolve(numbered)
            else:
                again.append(waiting)
        self._queue.put_back(again)


async def write(
    connection: "asyncpg.Connection",
    requests: Sequence[AppendRequest],
    slot_of_stream: Callable[[str], int | None],
) -> None:
    """Write requests in a transaction of the caller's, who holds the store's lock.

    Raises:
        AppendRefused: one of them; the transaction has to be given up.
    """
    asked = Asked(requests, slot_of_stream, trusting=False)
    numbering = number(requests, await asked.read(connection, FollowedSlots()), asked.slot_of.__getitem__)
    for outcome in numbering.outcomes:
        if isinstance(outcome, AppendRefused):
            raise outcome
    await _write(connection, numbering.batch)


async def _write(connection: "asyncpg.Connection", batch: Batch) -> None:
    if batch.events:
        rows = [
            (
                numbered.position,
                numbered.event.stream_id,
                numbered.version,
                numbered.event.event_id,
                numbered.event.type,
                numbered.event.schema_version,
                numbered.slot,
                numbered.slot_sequence,
                numbered.event.data,
                _metadata(numbered.event.correlation_id, numbered.event.causation_id),
                numbered.event.recorded_on,
            )
            for numbered in batch.events
        ]
        await connection.copy_records_to_table("events", records=rows, columns=sql.COLUMNS)
    if batch.cursors:
        # In one order for all writers: rows locked crosswise would be a deadlock, even under the lock,
        # with whoever repairs a cursor by hand.
        moves = sorted((source, slot, at) for (source, slot), at in batch.cursors.items())
        await connection.fetch(sql.MOVE_CURSORS, *columns(moves, 3))
    if batch.inbox:
        entries = [
            (e.source, e.slot, e.slot_sequence, e.event_id, e.subject, e.type, e.event, e.state.value,
             e.reason, numbered.applied_no, numbered.after_position)
            for numbered in batch.inbox
            for e in (numbered.entry,)
        ]  # fmt: skip
        await connection.fetch(sql.INSERT_INBOX, *columns(entries, 11))
    if batch.transitions:
        steps = [
            (*key, step.state.value, step.reason, step.applied_no, step.after_position)
            for key, step in batch.transitions.items()
        ]
        await connection.fetch(sql.MOVE_INBOX, *columns(steps, 7))
    await write_tables(connection, batch)


Write = Callable[["asyncpg.Connection", Table, Collection[Row]], Awaitable[None]]
"""Writes rows of one table, at least one."""


async def put_rows(connection: "asyncpg.Connection", table: Table, rows: Collection[Row]) -> None:
    """Insert or replace them, at least one."""
    if table.listed and table.insert_only:
        # Many rows: COPY writes half the log of an INSERT, for it fills pages at a time.
        await copy_rows(connection, table, rows)
    else:
        await connection.fetch(put_statement(table), *columns(list(table.records(rows)), len(table.columns)))


async def copy_rows(connection: "asyncpg.Connection", table: Table, rows: Collection[Row]) -> None:
    """Insert them; none may replace another one."""
    records = table.records(rows)
    await connection.copy_records_to_table(table.name, records=records, columns=list(table.columns))


async def write_tables(connection: "asyncpg.Connection", batch: Batch, put: Write = put_rows) -> None:
    """The rows of read models; `put` writes those of one table."""
    for table, runs in batch.tables.values():
        for changes in runs:
            if changes.passing:
                await put(connection, table, changes.passing.values())
            for column, values in changes.removals.items():
                await connection.fetch(remove_statement(table, column), list(values))
            if changes.puts:
                await put(connection, table, changes.puts.values())


def _metadata(correlation: str, causation: str) -> str:
    if not correlation and not causation:
        return "{}"
    return orjson.dumps({"correlation": correlation, "causation": causation}).decode()
