"""Readiness on a real database: one look a second, whoever asks, and what it finds holds for appends.

Each public look used to open a connection of its own; four hundred of them used up the server, and a store
that had to connect meanwhile was refused.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest

from shared.readiness import INTERVAL_SECONDS, LOOK_SECONDS, Readiness
from shared.store.migrate import migrate
from shared.store.postgres import PostgresStore
from shared.store.revisions import DatabaseRevision
from shared.streaming.tail import lost_tail
from tests.integration.shared.store.waiting import until
from tests.unit.shared.store.examples import PUBLIC, new_stream, one_event

COUNT = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class Watched(PostgresStore):
    """Counts the looks, and can make one take for ever."""

    looks = 0

    def cut(self) -> None:
        """The committer loses its connection."""
        self._committer._abandon()

    is_stuck = False

    async def look(self) -> DatabaseRevision:
        self.looks += 1
        if self.is_stuck:
            await asyncio.Event().wait()
        return await super().look()


@pytest.fixture
async def url(database_url: str) -> str:
    await migrate("intake", database_url)
    return database_url


@pytest.fixture
async def store(url: str) -> AsyncIterator[Watched]:
    async with Watched(url, PUBLIC) as opened:
        yield opened


@pytest.fixture
def readiness(store: Watched) -> Readiness:
    return Readiness("intake", store)


async def query(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        if ";" in statement:
            return await connection.execute(statement)
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def becomes(readiness: Readiness, reasons: dict[str, str]) -> None:
    async def it_has() -> bool:
        return dict(await readiness()) == reasons

    await until(it_has, what=f"not ready became {reasons}")


async def test_four_hundred_that_ask_at_once_share_one_look(
    readiness: Readiness, store: Watched, url: str
) -> None:
    answers = await asyncio.gather(*(readiness() for _ in range(400)))
    assert (answers, store.looks) == ([{}] * 400, 1)
    others = await query(url, COUNT)
    assert isinstance(others, int)
    assert others <= 3  # the committer's, its announcer's and the listener's
    await store.append(one_event(new_stream()))


async def test_those_that_keep_asking_get_one_look_a_second(readiness: Readiness, store: Watched) -> None:
    until_then = time.monotonic() + 2.5 * INTERVAL_SECONDS
    while time.monotonic() < until_then:
        assert await readiness() == {}
    assert 2 <= store.looks <= 3


async def test_one_that_goes_away_takes_nobody_along(readiness: Readiness) -> None:
    first, second = asyncio.create_task(readiness()), asyncio.create_task(readiness())
    await asyncio.sleep(0)
    first.cancel()
    assert await second == {}


async def test_a_database_that_hangs_is_told_in_time(readiness: Readiness, store: Watched) -> None:
    store.is_stuck = True
    began = time.monotonic()
    assert await readiness() == {"database": "TimeoutError"}
    assert time.monotonic() - began < LOOK_SECONDS + 1
    store.is_stuck = False
    await becomes(readiness, {})


async def test_an_answer_that_comes_too_late_harms_nobody(
    readiness: Readiness, store: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Appends that are slow keep the committer from looking in time."""
    let_go = asyncio.Event()
    store.compare_first(let_go.wait)  # type: ignore[arg-type]  # what it returns is not looked at
    append = asyncio.create_task(store.append(one_event(new_stream())))
    monkeypatch.setattr("shared.readiness.LOOK_SECONDS", 0.05)
    await becomes(readiness, {"database": "TimeoutError"})
    monkeypatch.undo()
    let_go.set()
    await append
    await becomes(readiness, {})
    await store.append(one_event(new_stream()))


async def test_a_halted_store_is_not_ready_and_says_so(readiness: Readiness, store: Watched) -> None:
    halt = lost_tail("topic", "the topic holds", 17, 5, uuid4())
    await store.halt(halt)
    assert await readiness() == {"store": "store halted: its log has lost its tail. Run `./hotline recover`"}
    assert not readiness.is_ready
    assert not readiness.waits_for  # it answers what it is asked, and it can be recovered
    await store.lift([halt])
    await becomes(readiness, {})


async def test_a_database_that_takes_no_writing_is_not_ready(
    readiness: Readiness, store: Watched, url: str
) -> None:
    """Seen on the very connection that appends go over: one of another age would tell of another state."""
    name = url.rpartition("/")[2]
    await store.append(one_event(new_stream()))
    assert await readiness() == {}
    await query(url, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    await query(url, COUNT.replace("*", "pg_terminate_backend(pid)"))
    await becomes(readiness, {"database": "no server of its address takes writes"})
    await query(url, f'BEGIN READ WRITE; ALTER DATABASE "{name}" RESET ALL; COMMIT')
    await becomes(readiness, {})
    await store.append(one_event(new_stream()))


async def test_one_whose_appends_have_no_connection_is_not_ready(
    readiness: Readiness, store: Watched, url: str
) -> None:
    """Others have theirs: it is those of the committer that are refused."""
    await becomes(readiness, {})
    name = url.rpartition("/")[2]
    other = await asyncpg.connect(url)
    try:
        await other.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT 0')
        store.cut()
        await becomes(readiness, {"database": "TooManyConnectionsError"})
        assert await other.fetchval("SELECT 1") == 1
        await other.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT -1')
        await becomes(readiness, {})
    finally:
        await other.close()


async def test_a_look_compares_nothing(readiness: Readiness, store: Watched) -> None:
    """Where all services start at once, none would answer the other yet, and the log be taken for whole."""
    compared: list[str] = []

    async def compare() -> None:
        compared.append("compared")

    store.compare_first(compare)
    await becomes(readiness, {})
    assert compared == []
    await store.append(one_event(new_stream()))
    assert compared == ["compared"]


async def test_a_schema_for_other_software_is_told_and_nothing_runs_on_it(
    readiness: Readiness, url: str
) -> None:
    running: list[str] = []

    async def work() -> None:
        running.append("begun")
        try:
            await asyncio.Event().wait()
        finally:
            running.append("cancelled")

    async def is_at(*steps: str) -> None:
        async def it_is() -> bool:
            return running == list(steps)

        await until(it_is, what=f"the work was {steps}")

    tasks = [asyncio.create_task(readiness.while_it_fits(work)), asyncio.create_task(readiness.keep())]
    await is_at("begun")
    for column, other, back in (("oldest_code", "'9999'", "NULL"), ("version_num", "'0001'", "'9998'")):
        steps = list(running)
        await query(url, f"UPDATE alembic_version SET {column} = {other}")
        await is_at(*steps, "cancelled")
        assert readiness.waits_for.keys() == {"schema"}
        await query(url, f"UPDATE alembic_version SET {column} = {back}")
        await is_at(*steps, "cancelled", "begun")
        assert not readiness.waits_for
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_before_the_database_was_seen_nothing_runs_and_while_it_is_away_everything_goes_on(
    readiness: Readiness, store: Watched
) -> None:
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        await asyncio.Event().wait()

    store.is_stuck = True
    task = asyncio.create_task(readiness.while_it_fits(work))
    await readiness()
    assert not begun.is_set()
    assert dict(readiness.waits_for) == {"schema": "the database was not seen yet"}
    store.is_stuck = False
    await becomes(readiness, {})
    await begun.wait()
    store.is_stuck = True
    await becomes(readiness, {"database": "TimeoutError"})
    assert (task.done(), dict(readiness.waits_for)) == (False, {})
    task.cancel()
    await asyncio.wait([task])


async def test_a_task_that_ends_or_fails_does_so_for_good(readiness: Readiness) -> None:
    async def ends() -> None:
        return

    async def fails() -> None:
        raise LookupError

    await readiness()
    await readiness.while_it_fits(ends)
    with pytest.raises(LookupError):
        await readiness.while_it_fits(fails)
