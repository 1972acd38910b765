"""Connections for reading, apart by what they are for.

What the reader gets: HTTP, consumers and control (leases, the relay's state, the comparison of the tail,
metrics) have connections of their own, so that however many people read slowly no lease is lost and no
consumer stops. How it fails: `StoreBusy` where no connection is free within a time limit, or a statement
takes longer than it may; `StoreUnavailable` where the database is away. The `Committer` has a connection of
its own, too.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Self

import asyncpg

from shared.store.committer import CONNECT_SECONDS, LOST, SURROUNDINGS
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
    """

    connections: int
    wait_seconds: float
    statement_seconds: float | None = None


HTTP = PoolLimits(10, 2.0, 10.0)
CONSUMERS = PoolLimits(10, 30.0)
CONTROL = PoolLimits(3, 2.0)


class Pool:
    """Use as an async context manager; opening it makes no connection."""

    def __init__(self, database_url: str, limits: PoolLimits) -> None:
        self._limits = limits
        self._url = database_url
        self._pool = asyncpg.create_pool(
            min_size=0, max_size=limits.connections, connect=self._connect, reset=_given_back
        )
        # The driver's own queue has no limit that costs nothing: nobody waits there.
        self._permits = asyncio.Semaphore(limits.connections)

    async def _connect(self, *_: object, **__: object) -> "asyncpg.Connection":
        settings = {"jit": "off"}
        if self._limits.statement_seconds is not None:
            settings["statement_timeout"] = f"{self._limits.statement_seconds * 1000:.0f}"
        return await connect(self._url, timeout=CONNECT_SECONDS, command_timeout=30, server_settings=settings)

    async def open(self) -> None:
        """Again and again, if need be."""
        await self._pool

    async def close(self) -> None:
        await self._pool.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["asyncpg.pool.PoolConnectionProxy"]:
        """A connection, for as long as the context is.

        Raises:
            StoreBusy: none is free within the time limit.
        """
        if self._permits.locked():
            try:
                async with asyncio.timeout(self._limits.wait_seconds):
                    await self._permits.acquire()
            except TimeoutError:
                raise StoreBusy("all connections to the database are in use") from None
        else:
            await self._permits.acquire()  # at once
        try:
            async with self._pool.acquire() as connection:
                yield connection
        finally:
            self._permits.release()

    async def fetch(self, statement: str, *parameters: object) -> list[asyncpg.Record]:
        """The rows of a statement.

        Raises:
            StoreBusy: no connection is free, or the statement takes too long.
            StoreUnavailable: the database is away, cannot write what the statement writes, or has
                other tables.
        """
        with _translated():
            async with self.acquire() as connection:
                rows: list[asyncpg.Record] = await connection.fetch(statement, *parameters)
        return rows

    async def pages(
        self, statement: str, *parameters: object, size: int
    ) -> AsyncIterator[list[asyncpg.Record]]:
        """The rows of a statement, `size` at a time, out of one snapshot; raises as `fetch`."""
        with _translated():
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


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except asyncpg.QueryCanceledError as fault:
        raise StoreBusy("a statement took too long") from fault
    except SCHEMA as fault:
        raise schema_fault(fault) from fault
    except (*LOST, *SURROUNDINGS) as fault:
        raise StoreUnavailable(f"the database cannot be read: {type(fault).__name__}") from fault


async def _given_back(connection: "asyncpg.Connection") -> None:
    """asyncpg would ask the server to reset the session whenever a connection comes back: a round trip
    for each read, measured at a quarter of a handler's time. Whoever takes one here leaves nothing behind:
    transactions are context managers, and nobody sets or locks anything beyond them.

    One whose server takes no writes any more is not used again: the next is made to one that does."""
    if not is_writable(connection):
        connection.terminate()
