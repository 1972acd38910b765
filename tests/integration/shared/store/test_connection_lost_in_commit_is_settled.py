"""A connection that breaks around COMMIT leaves open whether it went through; the store finds out.

Resolving such an append as failed makes its caller repeat what is in the log already; resolving it as done
loses it where the server never got the COMMIT. So the event ids are looked up, under the lock: once that is
had, the old transaction is over and the answer final.
"""

from uuid import uuid4

import asyncpg
import pytest

from shared.store.postgres import PostgresStore
from shared.store.requests import (
    Appended,
    AppendRequest,
    CursorMove,
    CursorMoved,
    DuplicateEvent,
    VersionConflict,
    merged,
)
from tests.integration.shared.store.interposed import InterposedStore, Step
from tests.integration.shared.store.waiting import until
from tests.unit.shared.store.conformance import together
from tests.unit.shared.store.examples import new_event, new_stream, one_event


def killing(observer: PostgresStore, times: int, *, answer_lost: bool = False) -> Step:
    """Ends the server's side of the connection; the first `times` times."""
    left = [None] * times

    async def kill(connection: asyncpg.Connection) -> None:
        if not left:
            return
        left.pop()
        pid = connection.get_server_pid()
        await observer.pool.execute("SELECT pg_terminate_backend($1)", pid)

        async def gone() -> bool:
            return not await observer.pool.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE pid = $1", pid
            )

        await until(gone, what="the session ended")
        if answer_lost:
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

    return kill


@pytest.mark.parametrize("times", [1, 3])
async def test_killed_before_commit_it_is_committed_again(
    postgres_store: PostgresStore, store_url: str, times: int
) -> None:
    stream = new_stream()
    async with InterposedStore(store_url, before=killing(postgres_store, times)) as store:
        outcomes = await together(
            store, one_event(stream, 0), one_event(stream, 0), one_event(new_stream(), 0)
        )
    assert [outcomes[0], outcomes[2]] == [Appended((1,), (1,)), Appended((2,), (1,))]
    assert isinstance(outcomes[1], VersionConflict)
    assert [event.position for event in await postgres_store.read_log(0)] == [1, 2]


async def test_killed_after_commit_it_is_not_committed_again(
    postgres_store: PostgresStore, store_url: str
) -> None:
    """Its own expected version would refuse it the second time: the look-up must come before."""
    stream = new_stream()
    two = AppendRequest((new_event(stream), new_event(stream)), {stream: 0})
    async with InterposedStore(store_url, after=killing(postgres_store, 1, answer_lost=True)) as store:
        outcomes = await together(store, two, one_event(stream, 0), one_event(stream, 2))
        assert await store.append(one_event(stream, 3)) == Appended((4,), (4,))
    assert [outcomes[0], outcomes[2]] == [Appended((1, 2), (1, 2)), Appended((3,), (3,))]
    assert isinstance(outcomes[1], VersionConflict)
    assert [event.version for event in await postgres_store.read_stream(stream)] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "fault",
    [
        asyncpg.ConnectionFailureError("SSL connection has been closed unexpectedly"),
        asyncpg.AdminShutdownError("terminating connection due to administrator command"),
        asyncpg.IdleInTransactionSessionTimeoutError("terminating connection"),
        asyncpg.QueryCanceledError("canceling statement due to statement timeout"),
        asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress"),
        ConnectionResetError(),
        TimeoutError(),
    ],
    ids=lambda fault: type(fault).__name__,
)
async def test_whatever_hides_the_answer_to_commit_it_is_looked_up(
    postgres_store: PostgresStore, store_url: str, fault: Exception
) -> None:
    """Here the session lives on, and in one case might be in mid-transaction: it is given up as well."""
    pids: list[int] = []

    async def lose_the_answer(connection: asyncpg.Connection) -> None:
        pids.append(connection.get_server_pid())
        if len(pids) == 1:
            raise fault

    stream = new_stream()
    async with InterposedStore(store_url, after=lose_the_answer) as store:
        assert await store.append(one_event(stream, 0)) == Appended((1,), (1,))
        assert await store.append(one_event(stream, 1)) == Appended((2,), (2,))
    assert pids[0] != pids[1], "another connection"
    assert await postgres_store.head() == 2


async def test_a_cursor_without_events_is_judged_again_by_its_guard(
    postgres_store: PostgresStore, store_url: str
) -> None:
    """It leaves no id to look up; a consumer takes the refusal for "already done"."""
    moved = AppendRequest(cursors=(CursorMove("intake", 7, 0, 1),))
    async with InterposedStore(store_url, after=killing(postgres_store, 1, answer_lost=True)) as store:
        with pytest.raises(CursorMoved) as refused:
            await store.append(moved)
    assert refused.value.actual == 1
    assert await postgres_store.cursors("intake") == {7: 1}


@pytest.mark.parametrize("others", [0, 2])
async def test_another_requests_event_is_not_taken_for_its_own(
    postgres_store: PostgresStore, store_url: str, others: int
) -> None:
    """An id that is in the log proves nothing: the request may be a duplicate whose cursor never moved."""
    event_id = uuid4()
    await postgres_store.append(AppendRequest((new_event(new_stream(), event_id),)))
    cursor = AppendRequest(cursors=(CursorMove("intake", 7, 0, 1),))
    events = (new_event(new_stream(), event_id), *(new_event(new_stream()) for _ in range(others)))
    duplicate = merged(AppendRequest(events), cursor)

    async with LosingStore(store_url, observer=postgres_store) as store:
        outcomes = await together(store, duplicate, one_event(new_stream()))
    assert [type(outcome) for outcome in outcomes] == [DuplicateEvent, Appended]
    assert await postgres_store.cursors("intake") == {}
    assert [event.position for event in await postgres_store.read_log(0)] == [1, 2]


class LosingStore(InterposedStore):
    """Loses its first connection before anything is inserted."""

    def __init__(self, database_url: str, observer: PostgresStore) -> None:
        super().__init__(database_url)
        kill, connected = killing(observer, 1), self._committer._connected

        async def lost_at_once() -> asyncpg.Connection:
            connection = await connected()
            await kill(connection)
            return connection

        self._committer._connected = lost_at_once  # type: ignore[method-assign]  # to lose it sooner


async def test_readers_of_a_lost_connection_read_on(postgres_store: PostgresStore, store_url: str) -> None:
    await postgres_store.append(one_event(new_stream()))
    async with InterposedStore(store_url) as other:
        await other.pool.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    async def reads() -> bool:
        return len(await postgres_store.read_log(0)) == 1

    await until(reads, what="the log was read again")
    assert await postgres_store.append(one_event(new_stream())) == Appended((2,), (1,))
