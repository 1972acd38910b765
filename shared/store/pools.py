"""Connections for reading, apart by what they are for.

What the reader gets: HTTP, consumers and control (leases, the relay's state, the comparison of the tail,
metrics) have connections of their own, so that however many people read slowly no lease is lost and no
consumer stops. How it fails: `StoreBusy` where no connection is free within a time limit, or a statement
takes longer than it may; `StoreUnavailable` where the database is away. The `Committer` has a connection of
its own, too.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

import asyncpg

from shared.store.committer import CONNECT_SECONDS, KEYED_LOOKUPS, LOST, SURROUNDINGS
from shared.store.connections import connect, is_writable
from shared.store.requests import StoreBusy, StoreUnavailable
from shared.store.schema_faults import SCHEMA, schema_fault


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """
    Attributes:
        connections: how many there are at most; they are opened when they are needed.
        wait_seconds: how long to wait for one.
        statement_seconds: how long a statement may take, None for the driver's own limit of half a minute.
        planning: settings of the planner.
    """

    connections: int
    wait_seconds: float
    statement_seconds: float | None = None
    planning: Mapping[str, str] = field(default_factory=dict)


HTTP = PoolLimits(10, 2.0, 10.0)
CONSUMERS = PoolLimits(10, 30.0, planning=KEYED_LOOKUPS)
CONTROL = PoolLimits(3, 2.0)

_PLANNED_EACH_TIME = 3000
"""Characters: a statement this long is planned for the values that it is asked with. Of a shorter one
PostgreSQL keeps a plan for whatever values after five questions, which saves more than it costs; of the
statistics of an account that may not know of some cases it was seven times too slow."""

_IDLE_SECONDS = 300.0
"""One that nobody needed for so long is closed: after a surge the server is given back its processes."""
_CLOSE_SECONDS = 5.0
_LEAST_SECONDS = 0.5


class Pool:
    """Use as an async context manager; opening it makes no connection. May be opened again after `close`.

    asyncpg's own pool costs twice what it serves: a task, a timer and a proxy for each look-up, 40 of the 60
    microseconds that `SELECT 1` took of this process. Here a connection is taken from a list and put back.
    """

    def __init__(self, database_url: str, limits: PoolLimits) -> None:
        self._limits = limits
        self._url = database_url
        self._is_open = False
        self._permits = asyncio.Semaphore(limits.connections)
        self._lent: set[asyncpg.Connection] = set()
        self._idle: list[tuple[float, asyncpg.Connection]] = []  # since when, the last one given back last

    async def open(self) -> None:
        """Again and again, if need be."""
        self._is_open = True

    async def close(self) -> None:
        """What runs may end first, for a moment."""
        self._is_open = False
        deadline = time.monotonic() + _CLOSE_SECONDS
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                for _ in range(self._limits.connections):
                    await self._permits.acquire()
        for connection in self._lent:
            connection.terminate()
        self._lent.clear()
        for _, connection in self._idle:
            with suppress(*LOST, TimeoutError):
                await connection.close(timeout=max(deadline - time.monotonic(), _LEAST_SECONDS))
        self._idle.clear()
        self._permits = asyncio.Semaphore(self._limits.connections)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def acquire(self) -> "_Lending":
        """A connection, for as long as the asynchronous context is.

        Entering it raises:
            StoreBusy: none is free within the time limit.
            StoreUnavailable: the pool is closed.
        """
        return _Lending(self)

    async def take(self) -> "asyncpg.Connection":
        """As `acquire`; whoever takes one gives it back."""
        if not self._is_open:
            raise StoreUnavailable("the store is closed")
        permits = self._permits
        if permits.locked():
            try:
                async with asyncio.timeout(self._limits.wait_seconds):
                    await permits.acquire()
            except TimeoutError:
                raise StoreBusy("all connections to the database are in use") from None
        else:
            await permits.acquire()  # at once
        try:
            connection = self._usable() or await self._connected()
        except BaseException:
            permits.release()
            raise
        if permits is not self._permits:  # the pool was closed meanwhile
            connection.terminate()
            raise StoreUnavailable("the store is closed")
        self._lent.add(connection)
        return connection

    async def give_back(self, connection: "asyncpg.Connection") -> None:
        """The statement of a caller that was cancelled is cancelled by the driver, and the next one waits for
        that. There is nothing to reset: transactions are context managers, and nobody sets or locks anything
        beyond them. A round trip for it was a quarter of a handler's time."""
        if connection not in self._lent:  # the pool was closed meanwhile
            return
        self._lent.remove(connection)
        if _is_usable(connection):
            self._idle.append((time.monotonic(), connection))
        else:
            connection.terminate()
        self._permits.release()
        if self._idle and self._idle[0][0] < time.monotonic() - _IDLE_SECONDS:
            _, unused = self._idle.pop(0)
            with suppress(*LOST, TimeoutError):
                await unused.close(timeout=_LEAST_SECONDS)

    def _usable(self) -> "asyncpg.Connection | None":
        while self._idle:
            _, connection = self._idle.pop()
            if _is_usable(connection):
                return connection
            connection.terminate()
        return None

    async def _connected(self) -> "asyncpg.Connection":
        settings = {"jit": "off", **self._limits.planning}
        if self._limits.statement_seconds is not None:
            settings["statement_timeout"] = f"{self._limits.statement_seconds * 1000:.0f}"
        return await connect(
            self._url,
            timeout=CONNECT_SECONDS,
            command_timeout=30,
            server_settings=settings,
            max_cacheable_statement_size=_PLANNED_EACH_TIME,
        )

    async def fetch(self, statement: str, *parameters: object) -> list[asyncpg.Record]:
        """The rows of a statement.

        Raises:
            StoreBusy: no connection is free, or the statement takes too long.
            StoreUnavailable: the database is away, cannot write what the statement writes, or has
                other tables.
        """
        with _TRANSLATED:
            async with self.acquire() as connection:
                rows: list[asyncpg.Record] = await connection.fetch(statement, *parameters)
        return rows

    async def pages(
        self, statement: str, *parameters: object, size: int
    ) -> AsyncIterator[list[asyncpg.Record]]:
        """The rows of a statement, `size` at a time, out of one snapshot; raises as `fetch`."""
        with _TRANSLATED:
            async with self.acquire() as connection, connection.transaction(readonly=True):
                cursor = await connection.cursor(statement, *parameters)
                while rows := await cursor.fetch(size):
                    yield rows

    async def fetchval(self, statement: str, *parameters: object) -> Any:
        """The first value of the first row, None where there is none; raises as `fetch`."""
        rows = await self.fetch(statement, *parameters)
        return rows[0][0] if rows else None

    async def execute(self, statement: str, *parameters: object) -> str:
        """The command's tag, such as ``UPDATE 1``; raises what the driver raises, and `StoreBusy`."""
        async with self.acquire() as connection:
            tag: str = await connection.execute(statement, *parameters)
        return tag


class _Lending:
    __slots__ = ("_connection", "_pool")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def __aenter__(self) -> "asyncpg.Connection":
        self._connection = await self._pool.take()
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        await self._pool.give_back(self._connection)


class _Translated:
    """The driver's errors in the store's words. It holds nothing, so one serves all."""

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, fault: BaseException | None, __: object) -> None:
        match fault:
            case None:
                pass
            case asyncpg.QueryCanceledError():
                raise StoreBusy("a statement took too long") from fault
            case _ if isinstance(fault, SCHEMA):
                raise schema_fault(fault) from fault
            case _ if isinstance(fault, (*LOST, *SURROUNDINGS)):
                raise StoreUnavailable(f"the database cannot be read: {type(fault).__name__}") from fault


_TRANSLATED = _Translated()


def _is_usable(connection: "asyncpg.Connection") -> bool:
    """Whether the next one may have it. Where its server takes no writes any more, the next one gets a new
    connection, to one that does."""
    return not connection.is_closed() and not connection.is_in_transaction() and is_writable(connection)
