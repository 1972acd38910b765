"""An append to a database that is away is refused at once where nothing of it can have been written.

Once every lost connection was treated as one that was lost in COMMIT: its append, and all that came
meanwhile, waited for ten seconds for a server that was gone, and a call handler with them. Only what was in
COMMIT has something to wait for. A server that cannot even be told to be dead, for it says nothing, is given
up after a short limit too.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from shared.store import committer
from shared.store.postgres import PostgresStore
from shared.store.requests import Appended, StoreUnavailable
from shared.store.sql import LOCK_KEY
from tests.integration.shared.store.interposed import InterposedStore
from tests.integration.shared.store.waiting import lock_is_waited_for, until
from tests.unit.shared.store.examples import PUBLIC, new_stream, one_event

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


@asynccontextmanager
async def lock_held(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Another session has the store's lock."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK_KEY)
        yield connection
    finally:
        await connection.close()


async def test_lost_before_commit_with_the_server_gone_it_is_refused_and_not_looked_up(
    postgres_store: PostgresStore, store_url: str
) -> None:
    async with InterposedStore(store_url, outcome_limit=3600) as store, lock_held(store_url) as other:
        appending = asyncio.create_task(store.append(one_event(new_stream())))
        await until(lambda: lock_is_waited_for(other), what="the append waits for the lock")
        store._committer._url = NOWHERE
        await other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        )
        with pytest.raises(StoreUnavailable) as refused:
            await appending
        assert type(refused.value) is StoreUnavailable, "its outcome is known: nothing was written"
        store._committer._url = store_url
    assert await postgres_store.head() == 0


async def test_lost_before_commit_with_the_server_there_it_is_appended_once(
    postgres_store: PostgresStore, store_url: str
) -> None:
    async with InterposedStore(store_url) as store:
        async with lock_held(store_url) as other:
            appending = asyncio.create_task(store.append(one_event(new_stream())))
            await until(lambda: lock_is_waited_for(other), what="the append waits for the lock")
            await other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            )
        assert await appending == Appended((1,), (1,))
    assert await postgres_store.head() == 1


async def test_what_comes_while_an_outcome_is_looked_up_does_not_wait_for_it(
    postgres_store: PostgresStore, store_url: str
) -> None:
    is_lost = False

    async def lose(connection: asyncpg.Connection) -> None:
        nonlocal is_lost
        if not is_lost:  # the look-up commits too
            is_lost, store._committer._url = True, NOWHERE
            raise ConnectionResetError

    async with InterposedStore(store_url, after=lose, outcome_limit=3600) as store:
        in_commit = asyncio.create_task(store.append(one_event(new_stream())))

        async def is_looked_up() -> bool:
            return store._committer._url == NOWHERE

        await until(is_looked_up, what="the answer to COMMIT is lost")
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                await store.append(one_event(new_stream()))
        assert not in_commit.done()
        store._committer._url = store_url
        assert await in_commit == Appended((1,), (1,))
    assert await postgres_store.head() == 1


async def test_a_lock_that_is_not_given_refuses_and_leaves_nothing(
    postgres_store: PostgresStore, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a server that was stopped, or a host that is gone: the statement is never answered."""
    monkeypatch.setattr(committer, "LOCK_SECONDS", 0.2)
    async with PostgresStore(store_url, PUBLIC) as store:
        async with lock_held(store_url):
            with pytest.raises(StoreUnavailable):
                await store.append(one_event(new_stream()))
        assert await store.append(one_event(new_stream())) == Appended((1,), (1,))
    assert await postgres_store.head() == 1


async def test_whoever_waits_for_a_host_that_says_nothing_is_refused_with_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those that came during an attempt to connect do not wait for another one."""
    monkeypatch.setattr(committer, "CONNECT_SECONDS", 0.3)
    connected: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _, writer: connected.append(writer), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    async with silent, PostgresStore(f"postgresql://nobody@127.0.0.1:{port}/x", PUBLIC) as store:
        store._listener.cancel()  # it connects too
        appends = [asyncio.create_task(store.append(one_event(new_stream())))]

        async def is_connecting() -> bool:
            return bool(connected)

        await until(is_connecting, what="it connects")
        appends += [asyncio.create_task(store.append(one_event(new_stream()))) for _ in range(3)]
        outcomes = await asyncio.gather(*appends, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 4
        assert len(connected) == 1
        for writer in connected:
            writer.close()
