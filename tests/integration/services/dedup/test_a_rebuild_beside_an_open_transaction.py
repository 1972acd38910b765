"""A rebuild beside a transaction that has read the tables and stays open: a backup, a report.

The rebuild used to hold the store's lock while it waited for such a transaction: for ten seconds every
append was refused, after three seconds each.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from services.dedup.projection import Projection
from shared.sealing.keys import ServiceKeys
from shared.store import rebuilding
from shared.store.rebuilding import RebuildFailed
from tests.integration.rebuilding import contents, differing, leftovers, rebuilt
from tests.integration.services.dedup.desk import Desk
from tests.integration.services.dedup.test_matching import ANOTHER_NIGHT, NIGHT, SAME_NIGHT

LONGEST_APPEND = 1.0
"""Seconds; a try takes a tenth of one."""


@asynccontextmanager
async def _reader(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("BEGIN; SELECT * FROM matches")
        yield connection
    finally:
        await connection.close()


async def _appends_while(desk: Desk, task: asyncio.Task[object], at_least: float) -> list[float]:
    """Seconds of each append until the task is done or so many seconds are over."""
    took: list[float] = []
    begin = time.monotonic()
    while not task.done() and time.monotonic() < begin + at_least:
        before = time.monotonic()
        await desk.record(ANOTHER_NIGHT)
        took.append(time.monotonic() - before)
    return took


async def test_appends_go_on_while_the_rebuild_waits_for_a_reader(
    desk: Desk, dedup_url: str, keys: ServiceKeys
) -> None:
    """Longer than an append waits for the lock."""
    for body in (NIGHT, SAME_NIGHT):
        await desk.record(body)
    await desk.resolve()
    async with _reader(dedup_url) as reader:
        rebuild = asyncio.create_task(rebuilt(dedup_url, Projection(keys)))
        took = await _appends_while(desk, rebuild, 5.0)
        assert not rebuild.done()
        await reader.execute("COMMIT")
        assert differing(await rebuild) == {}
    assert len(took) > 5
    assert max(took) < LONGEST_APPEND
    assert differing(await rebuilt(dedup_url, Projection(keys), is_check=True)) == {}


async def test_a_reader_that_never_lets_go_ends_the_rebuild_and_nothing_else(
    desk: Desk, dedup_url: str, keys: ServiceKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "PATIENCE_SECONDS", 2.0)
    await desk.record(NIGHT)
    async with _reader(dedup_url):
        before = await contents(desk.store.pool, Projection.tables)
        with pytest.raises(RebuildFailed, match="does not let go"):
            await rebuilt(dedup_url, Projection(keys))
        assert await contents(desk.store.pool, Projection.tables) == before
        assert not await leftovers(desk.store.pool)
    await desk.record(SAME_NIGHT)
