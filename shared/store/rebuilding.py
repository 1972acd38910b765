"""A service's read-model tables made anew from its own log and inbox, while it runs.

What the reader gets: the tables are made in a schema of their own, by the projection that the live code
uses too, and compared with the live ones in one snapshot. Then, under the store's lock, what happened since
is added and they take the live ones' place, in one transaction; nobody sees a table half made, and appends
wait for no longer than that. A transaction that has read the tables and stays open delays the exchange, and
nobody else (`_Rebuild._put_in_place`). How it fails: whatever stops it leaves the live tables as they were,
and the next one clears away what it made.

Data keys, claims, cursors, the log and the inbox are no read models: they stay.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

import asyncpg

from shared.errors import HotlineError
from shared.store.committer import Write, copy_rows, put_rows, write_tables
from shared.store.connections import AWAY, connect
from shared.store.history import WINDOW, Happened, History, Moment, now
from shared.store.numbering import Batch, Row
from shared.store.requests import RowChange, Table
from shared.store.sql import LOCK_KEY

SCHEMA = "rebuild"
CLOSE = 500
"""With so few events and entries to go it has caught up; the rest is read under the lock."""

_LIVE = "public"
_ONE_AT_A_TIME = LOCK_KEY + 1
_ROUNDS = 100

TRY_SECONDS = 0.1
"""How long one try to exchange the tables waits for their readers; appends and readers wait with it."""
PATIENCE_SECONDS = 60.0
"""How long it is tried."""
_LONGEST_PAUSE = 2.0

# Whatever a table is not named with its schema is the one that is being made, if there is one. What is lost
# with a crash is thrown away anyway; the transaction that puts the tables into their place does wait.
_SETTINGS = {
    "search_path": f"{SCHEMA}, {_LIVE}",
    "synchronous_commit": "off",
    "client_min_messages": "warning",
    "work_mem": "64MB",
    "jit": "off",
}


class RebuildFailed(HotlineError):
    """Nothing has changed; the message says why."""


class _TablesInUseError(Exception):
    """Somebody holds a table, or the store's lock; nothing was done yet."""


class Projection(Protocol):
    """How a service's read models follow from its history.

    Attributes:
        tables: all tables that follow from it, and nothing else writes.
        types: the published types of those inbox entries that change rows.
        ahead: statements that copy rows whose event is not applied yet, for a handler writes them in the
            first of two steps. They find the live tables as ``public.NAME``.
    """

    @property
    def tables(self) -> Sequence[Table]: ...

    @property
    def types(self) -> Collection[str]: ...

    @property
    def ahead(self) -> Sequence[str]: ...

    async def rows(self, happened: Sequence[Happened], made: "asyncpg.Connection") -> Sequence[RowChange]:
        """What the next events and entries do, in their order. `made` has the tables as they were before;
        keys that were destroyed meanwhile are not found, and what they sealed makes no rows."""
        ...


@dataclass(frozen=True, slots=True)
class Compared:
    """A live table against the rebuilt one: rows that are too many, that are missing, that are other ones."""

    table: str
    rows: int
    surplus: int
    missing: int
    changed: int

    @property
    def differing(self) -> int:
        return self.surplus + self.missing + self.changed


@dataclass(frozen=True, slots=True)
class Report:
    """`happened` counts events and inbox entries, `seconds` is the time that it took to replay them."""

    happened: int
    seconds: float
    tables: tuple[Compared, ...]

    @property
    def differing(self) -> int:
        return sum(table.differing for table in self.tables)


Tell = Callable[[int, int], None]
"""How many events and entries are done, and how many there are so far."""


async def rebuild(database_url: str, projection: Projection, *, is_check: bool, tell: Tell) -> Report:
    """Make the read models anew, and compare them with the live ones as they are.

    Args:
        is_check: change nothing.

    Raises:
        RebuildFailed: the live tables are as they were.
    """
    try:
        connection = await connect(database_url, timeout=10, server_settings=_SETTINGS)
    except AWAY as fault:
        raise RebuildFailed(f"the database does not answer ({type(fault).__name__})") from fault
    try:
        await _begin(connection)
        try:
            return await _Rebuild(connection, projection, tell).run(is_check=is_check)
        finally:
            with suppress(*AWAY):
                await connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
    except AWAY as fault:
        # By its type: the driver's own words may hold what is in a row.
        raise RebuildFailed(f"the database broke off the rebuild ({type(fault).__name__})") from fault
    finally:
        await connection.close()


async def _begin(connection: "asyncpg.Connection") -> None:
    """One rebuild at a time; an earlier one that was killed is cleared away."""
    await connection.execute("SET lock_timeout = '10s'")
    try:
        await connection.execute(f"SELECT pg_advisory_lock({_ONE_AT_A_TIME})")
    except asyncpg.LockNotAvailableError:
        raise RebuildFailed("another rebuild of this database is running") from None
    await connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}")


async def put_again(connection: "asyncpg.Connection", table: Table, rows: Collection[Row]) -> None:
    """In the live table a row of these may never replace another; here one is made again, if need be."""
    await put_rows(connection, replace(table, insert_only=False), rows)


async def project(
    connection: "asyncpg.Connection",
    projection: Projection,
    happened: Sequence[Happened],
    put: Write = put_again,
) -> None:
    """Write the rows that follow from the next events and entries."""
    batch = Batch()
    batch.change_rows(await projection.rows(happened, connection))
    async with connection.transaction():
        await write_tables(connection, batch, put)


async def project_all(
    connection: "asyncpg.Connection", projection: Projection, happened: Sequence[Happened]
) -> None:
    """The same, of however many, some at a time."""
    for begin in range(0, len(happened), WINDOW):
        await project(connection, projection, happened[begin : begin + WINDOW])


class _Rebuild:
    def __init__(self, connection: "asyncpg.Connection", projection: Projection, tell: Tell) -> None:
        self._connection, self._projection, self._tell = connection, projection, tell
        self._names = [table.name for table in projection.tables]
        self._live = ", ".join(f"{_LIVE}.{name}" for name in self._names)
        self._history = History(connection, projection.types)
        self._put_again: set[str] = set()
        self._seconds = 0.0

    async def run(self, *, is_check: bool) -> Report:
        for name in self._names:
            await _make_like(self._connection, name)
        await self._catch_up()
        for name in self._names:
            await self._connection.execute(f"ANALYZE {SCHEMA}.{name}")
        compared = await self._compared()
        if not is_check:
            await self._put_in_place()
        return Report(self._history.at.count, self._seconds, compared)

    async def _catch_up(self) -> None:
        for _ in range(_ROUNDS):
            upto = await now(self._connection)
            if upto.count - self._history.at.count <= CLOSE:
                return
            await self._replay(upto)
        # More arrives than can be replayed: to go on would hold up all that arrives for as long as it takes.
        raise RebuildFailed("the service appends faster than its history can be read")

    async def _replay(self, upto: Moment) -> None:
        begin = time.perf_counter()
        while happened := await self._history.next(upto):
            await project(self._connection, self._projection, happened, self._put)
            self._tell(self._history.at.count, upto.count)
        self._seconds += time.perf_counter() - begin

    async def _put(self, connection: "asyncpg.Connection", table: Table, rows: Collection[Row]) -> None:
        """By COPY, which costs least, until a row of the table replaces another one."""
        if table.name not in self._put_again:
            with suppress(asyncpg.UniqueViolationError):
                async with connection.transaction():
                    await copy_rows(connection, table, rows)
                return
            self._put_again.add(table.name)
        await put_again(connection, table, rows)

    async def _finish(self) -> None:
        """Up to the present, as the transaction sees it."""
        await self._replay(await now(self._connection))
        for statement in self._projection.ahead:
            await self._connection.execute(statement)

    async def _compared(self) -> tuple[Compared, ...]:
        """In one snapshot: an append writes its events and its rows together, so in each of them the rows
        are those of the events, and nobody has to wait."""
        async with self._connection.transaction(isolation="repeatable_read"):
            await self._finish()
            return tuple([await self._compare(table) for table in self._projection.tables])

    async def _compare(self, table: Table) -> Compared:
        (row,) = await self._connection.fetch(_compare_statement(table))
        return Compared(table.name, *row)

    async def _put_in_place(self) -> None:
        """Exchange the tables in short tries, each a transaction of its own that gives up everything that it
        holds: whoever stays in the way of one for longer delays neither appends nor other readers."""
        deadline, pause = time.monotonic() + PATIENCE_SECONDS, TRY_SECONDS
        while time.monotonic() < deadline:
            await self._catch_up()
            with suppress(_TablesInUseError):
                async with self._connection.transaction():
                    await self._shut_out_everybody()
                    await self._exchange()
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        raise RebuildFailed("somebody reads the tables and does not let go of them")

    async def _shut_out_everybody(self) -> None:
        """
        Raises:
            _TablesInUseError: the transaction has to be given up.
        """
        # A process that is stopped here must not stop all others: its session is ended.
        await self._connection.execute(
            "SET LOCAL synchronous_commit = on; SET LOCAL idle_in_transaction_session_timeout = '3s'"
        )
        try:
            # Autovacuum gives way to this, and starts no more. Nobody else does.
            await self._connection.execute(f"LOCK TABLE {self._live} IN SHARE UPDATE EXCLUSIVE MODE")
            # The store's lock before the last one on the tables: whoever appends holds it, and locks tables
            # after it. In the other order each would wait for the other, and beside two that append all the
            # time this one would never have both.
            await self._connection.execute(f"SELECT pg_advisory_xact_lock({LOCK_KEY})")
            # Readers hold tables in any order, so that this could end in a deadlock, and the server would
            # break off one of them. So this one gives way, long before the server looks (`deadlock_timeout`
            # is a second). A `lock_timeout` would count anew for each table.
            await self._connection.execute(f"SET LOCAL statement_timeout = {round(1000 * TRY_SECONDS)}")
            await self._connection.execute(f"LOCK TABLE {self._live} IN ACCESS EXCLUSIVE MODE")
        except (asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError) as fault:
            raise _TablesInUseError from fault
        await self._connection.execute("SET LOCAL statement_timeout = 0")

    async def _exchange(self) -> None:
        await self._finish()
        await self._connection.execute(f"DROP TABLE {self._live}")
        for name in self._names:
            await self._connection.execute(f"ALTER TABLE {SCHEMA}.{name} SET SCHEMA {_LIVE}")
        await self._connection.execute(f"DROP SCHEMA {SCHEMA}")


async def _make_like(connection: "asyncpg.Connection", name: str) -> None:
    """An empty table like the live one. Its constraints, indexes and triggers have the same names, for names
    are of a schema, and a trigger writes to the tables that are being made; privileges that were granted on
    the live table do not come along."""
    live = f"{_LIVE}.{name}"
    await connection.execute(f"CREATE TABLE {SCHEMA}.{name} (LIKE {live} INCLUDING ALL EXCLUDING INDEXES)")
    for constraint, definition in await connection.fetch(_CONSTRAINTS, live):
        await connection.execute(f"ALTER TABLE {SCHEMA}.{name} ADD CONSTRAINT {constraint} {definition}")
    for (definition,) in await connection.fetch(_INDEXES, live):
        await connection.execute(definition.replace(f" ON {live} ", f" ON {SCHEMA}.{name} ", 1))
    for (definition,) in await connection.fetch(_TRIGGERS, live):
        await connection.execute(definition.replace(f" ON {live} ", f" ON {SCHEMA}.{name} ", 1))


_CONSTRAINTS = """
SELECT quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = $1::text::regclass AND contype IN ('p', 'u', 'x') ORDER BY conname
"""

_INDEXES = """
SELECT pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid = $1::text::regclass AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
ORDER BY indexrelid
"""


_TRIGGERS = """
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = $1::text::regclass AND NOT tgisinternal
ORDER BY tgname
"""


def _compare_statement(table: Table) -> str:
    """Rows made, live rows that were not made, made ones that are not live, and those that differ."""
    key, others = table.key, [column for column in table.columns if column not in table.key]
    same = " AND ".join(f"live.{column} = made.{column}" for column in key)
    differ = " OR ".join(f"live.{column} IS DISTINCT FROM made.{column}" for column in others) or "false"
    return f"""
SELECT count(made.{key[0]}),
       count(*) FILTER (WHERE made.{key[0]} IS NULL),
       count(*) FILTER (WHERE live.{key[0]} IS NULL),
       count(*) FILTER (WHERE live.{key[0]} IS NOT NULL AND made.{key[0]} IS NOT NULL AND ({differ}))
FROM {_LIVE}.{table.name} AS live FULL JOIN {SCHEMA}.{table.name} AS made ON {same}
"""
