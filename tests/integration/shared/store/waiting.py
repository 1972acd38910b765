"""Waiting for what a database or a task does, with a time limit, in place of sleeping."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg


async def until(condition: Callable[[], Awaitable[object]], *, what: str, seconds: float = 20.0) -> None:
    """Returns as soon as `condition()` holds; fails, saying `what` did not happen, after `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            while not await condition():
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"within {seconds:.0f} s it did not happen that {what}") from None


async def lock_is_waited_for(observer: asyncpg.Connection) -> bool:
    """Whether a session of this database waits for the store's lock."""
    return bool(
        await observer.fetchval(
            "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
            " WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted"
        )
    )
