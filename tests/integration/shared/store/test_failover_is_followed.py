"""After a failover the store appends on the server that takes writes.

A committer once kept the connection to a server that had become read-only for as long as that connection
lived, and its callers got an internal error. A server that takes no writes is no database to a service,
however well it answers.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest

from deploy.local.postgres import Postgres
from shared.store.connections import connect
from shared.store.migrate import check_schema, migrate
from shared.store.postgres import PostgresStore
from shared.store.requests import Appended, StoreUnavailable
from tests.engines import Databases
from tests.engines.standby import address, primary_and_standby
from tests.integration.shared.store.conftest import lay_tables
from tests.integration.shared.store.waiting import until
from tests.unit.shared.store.examples import PUBLIC, new_stream, one_event

A_CLAIM = "INSERT INTO claims (kind, key, value) VALUES ('a', 'b', 'c')"


async def succeeds(attempt: Callable[[], Awaitable[object]]) -> bool:
    """Whether it does; it may fail with `StoreUnavailable` alone."""
    try:
        await attempt()
    except StoreUnavailable:
        return False
    return True


@asynccontextmanager
async def read_only(server: Postgres) -> AsyncIterator[None]:
    """The server goes on with its sessions and refuses their writes, as one that is being demoted does, or
    one whose disk is nearly full."""

    async def tell(statement: str) -> None:
        for one in (statement, "SELECT pg_reload_conf()"):
            await asyncio.to_thread(server.query, one)

    await tell("ALTER SYSTEM SET default_transaction_read_only = on")
    try:
        yield
    finally:
        await tell("ALTER SYSTEM RESET default_transaction_read_only")


async def test_a_server_that_takes_no_writes_any_more_is_a_database_that_is_away(postgres: Postgres) -> None:
    with Databases(postgres).new() as url:
        await lay_tables(url)
        async with PostgresStore(url, PUBLIC) as store:

            async def append() -> None:
                await store.append(one_event(new_stream()))

            async def is_refused() -> bool:
                return not await succeeds(append)

            await append()
            session = await store.fetchval("SELECT pg_backend_pid()")
            async with read_only(postgres):
                await until(is_refused, what="the server told its sessions")
                with pytest.raises(StoreUnavailable):
                    await store.fetch(A_CLAIM)
                with pytest.raises(StoreUnavailable):
                    await append()
            await until(lambda: succeeds(lambda: store.fetch(A_CLAIM)), what="the pool writes again")
            assert await store.fetchval("SELECT pg_backend_pid()") != session
            await until(lambda: succeeds(append), what="it appends again")


async def test_appends_go_on_at_a_standby_that_is_promoted() -> None:
    with primary_and_standby(synchronous=True) as (primary, standby):
        for url in (address(primary, standby), address(standby, primary)):
            connection = await connect(url, timeout=10)
            assert not await connection.fetchval("SELECT pg_is_in_recovery()"), "wherever it stands"
            await connection.close()
        with pytest.raises(asyncpg.TargetServerAttributeNotMatched):
            await connect(address(standby), timeout=10)

        await migrate("intake", url)
        async with PostgresStore(url, PUBLIC) as store:

            async def append() -> None:
                await store.append(one_event(new_stream()))

            assert await store.append(one_event(new_stream())) == Appended((1,), (1,))
            assert await store.head() == 1
            await asyncio.to_thread(primary.kill)
            with pytest.raises(StoreUnavailable):  # the standby answers, and takes no writes
                await append()
            await asyncio.to_thread(standby.promote)
            await until(lambda: succeeds(append), what="it appends again")
            assert [event.position for event in await store.read_log(0)] == [1, 2]
            await migrate("intake", url)
            await check_schema("intake", url)


async def test_a_host_that_says_nothing_holds_up_nobody(postgres: Postgres) -> None:
    """As one whose machine lost its power: nothing there refuses a connection."""
    connected: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _, writer: connected.append(writer), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    url = postgres.dsn("intake").replace("@127.0.0.1:", f"@127.0.0.1:{port},127.0.0.1:")
    async with silent:
        connection = await connect(url, timeout=20)
        assert connected, "it was asked first"
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()
        for writer in connected:
            writer.close()
