"""What waits for the store's lock is bounded, and written for those alone who still wait for it.

Once 50,000 requests waited behind a slow lock, and were all written when their callers had long gone; and a
batch of five hundred large events held the lock for seconds, past the limit of all other processes.
"""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from shared.store import append_queue
from shared.store.append_queue import BATCH_BYTES
from shared.store.postgres import PostgresStore
from shared.store.requests import Appended, AppendRequest, StoreBusy
from tests.integration.shared.store.interposed import InterposedStore
from tests.integration.shared.store.test_a_database_that_is_away_refuses_at_once import lock_held
from tests.integration.shared.store.waiting import lock_is_waited_for, until
from tests.unit.shared.store.examples import PUBLIC, new_event, new_stream, one_event

LARGE = 340_000


def large_event() -> AppendRequest:
    event = replace(new_event(new_stream()), data='{"clear":{},"sealed":"' + "x" * LARGE + '"}')
    return AppendRequest((event,))


async def test_a_request_whose_caller_is_gone_is_not_written(
    postgres_store: PostgresStore, store_url: str
) -> None:
    async with PostgresStore(store_url, PUBLIC) as store, lock_held(store_url) as other:
        first = asyncio.create_task(store.append(one_event(new_stream())))
        await until(lambda: lock_is_waited_for(other), what="it waits for the lock")
        queued = [asyncio.create_task(store.append(one_event(new_stream()))) for _ in range(30)]
        await asyncio.sleep(0)
        *gone, stays = queued
        for task in (
            first,
            *gone,
        ):  # the first is in a batch that waits for the lock, the others in the queue
            task.cancel()
        await asyncio.wait(gone)
        assert len(store._committer._queue) == 1
        await other.execute("SELECT pg_advisory_unlock_all()")
        assert await stays == Appended((1,), (1,))
    assert await postgres_store.head() == 1


async def test_a_request_that_was_numbered_stands(postgres_store: PostgresStore, store_url: str) -> None:
    async def leave(_: asyncpg.Connection) -> None:
        appending.cancel()

    async with InterposedStore(store_url, before=leave) as store:
        appending = asyncio.create_task(store.append(one_event(new_stream())))
        with pytest.raises(asyncio.CancelledError):
            await appending
    assert await postgres_store.head() == 1


async def test_a_batch_holds_the_lock_for_no_more_than_its_bytes(
    postgres_store: PostgresStore, store_url: str
) -> None:
    async with PostgresStore(store_url, PUBLIC) as store:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(60):
                tasks.create_task(store.append(large_event()))
        sizes = list(store.batch_sizes)
    assert sum(sizes) == 60
    assert max(sizes) <= BATCH_BYTES // LARGE
    assert await postgres_store.head() == 60


async def test_beyond_its_limits_a_request_is_refused_at_once_and_later_taken(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(append_queue, "QUEUE_LIMIT", 3)
    async with PostgresStore(store_url, PUBLIC) as store:
        async with lock_held(store_url) as other:
            appends = [asyncio.create_task(store.append(one_event(new_stream())))]
            await until(lambda: lock_is_waited_for(other), what="it waits for the lock")
            appends += [asyncio.create_task(store.append(one_event(new_stream()))) for _ in range(3)]
            await asyncio.sleep(0)
            with pytest.raises(StoreBusy):
                await store.append(one_event(new_stream()))
        outcomes = await asyncio.gather(*appends)
        assert [outcome.positions for outcome in outcomes] == [(1,), (2,), (3,), (4,)]
        assert await store.append(one_event(new_stream())) == Appended((5,), (1,))
