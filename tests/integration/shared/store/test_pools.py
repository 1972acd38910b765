"""The pool of connections: what is lent, given back, cancelled, lost and closed."""

import asyncio

import asyncpg
import pytest

from shared.store.pools import Pool, PoolLimits
from shared.store.requests import StoreBusy, StoreUnavailable

LIMITS = PoolLimits(2, 0.2)
PID = "SELECT pg_backend_pid()"
COUNT = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND query = $1 AND state = 'active'"
)
SLOW = "SELECT pg_sleep(60)"


async def test_one_connection_serves_whoever_comes_after_another(database_url: str) -> None:
    async with Pool(database_url, LIMITS) as pool:
        assert len({await pool.fetchval(PID) for _ in range(5)}) == 1


async def test_there_are_never_more_than_the_limit(database_url: str) -> None:
    async with Pool(database_url, LIMITS) as pool, pool.acquire(), pool.acquire():
        with pytest.raises(StoreBusy):
            await pool.fetch("SELECT 1")
    async with pool:
        assert await pool.fetchval("SELECT 1") == 1


async def test_a_statement_whose_caller_is_gone_ends_on_the_server(database_url: str) -> None:
    async with Pool(database_url, LIMITS) as pool:
        for _ in range(5):
            reading = asyncio.create_task(pool.fetch(SLOW))
            await _until(pool, 1)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await _until(pool, 0)


async def test_nobody_gets_anothers_transaction(database_url: str) -> None:
    async with Pool(database_url, LIMITS) as pool:
        with pytest.raises(ZeroDivisionError):
            async with pool.acquire() as connection:
                await connection.execute("BEGIN")
                raise ZeroDivisionError
        async with pool.acquire() as connection:
            assert not connection.is_in_transaction()


async def test_a_connection_that_the_server_ended_is_not_lent_again(database_url: str) -> None:
    async with Pool(database_url, LIMITS) as pool:
        async with pool.acquire() as first, pool.acquire() as second:
            ended = first
            await second.execute("SELECT pg_terminate_backend($1)", await first.fetchval(PID))
            async with asyncio.timeout(10):
                while not ended.is_closed():
                    await asyncio.sleep(0.01)
        assert [await pool.fetchval("SELECT 1") for _ in range(4)] == [1] * 4


async def test_whoever_comes_to_a_closed_pool_is_refused(database_url: str) -> None:
    async with Pool(database_url, LIMITS) as pool:
        await pool.fetch("SELECT 1")
    with pytest.raises(StoreUnavailable):
        await pool.fetch("SELECT 1")


async def test_closing_lets_what_runs_end(database_url: str) -> None:
    async with Pool(database_url, LIMITS) as pool:
        reading = asyncio.create_task(pool.fetch("SELECT pg_sleep(0.3), 7 AS n"))
        while not pool._lent:
            await asyncio.sleep(0)
    assert (await reading)[0]["n"] == 7


async def test_closing_ends_what_does_not_end_by_itself(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.store.pools._CLOSE_SECONDS", 0.1)
    async with Pool(database_url, LIMITS) as pool:
        reading = asyncio.create_task(pool.fetch(SLOW))
        await _until(pool, 1)
    with pytest.raises(StoreUnavailable):
        await reading
    async with pool, pool.acquire(), pool.acquire():  # all of them again
        pass


async def test_one_that_nobody_needs_is_closed(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.store.pools._IDLE_SECONDS", 0.0)
    async with Pool(database_url, LIMITS) as pool:
        async with pool.acquire(), pool.acquire():
            pass
        async with pool.acquire() as connection:
            assert await _connections(connection) == 0


async def _until(pool: Pool, count: int) -> None:
    async with asyncio.timeout(10):
        while await pool.fetchval(COUNT, SLOW) != count:
            await asyncio.sleep(0.01)


async def _connections(connection: asyncpg.Connection) -> int:
    """Of others, to this database, that are idle."""
    return int(
        await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
    )
