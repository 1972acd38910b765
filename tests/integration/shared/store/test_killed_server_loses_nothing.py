"""PostgreSQL gets kill -9 under eight writers, twice, and comes back.

Every append that returned is in the log once, under the numbers that it returned; none that was refused is
there; the numbers have no gaps. Only where the server stays away does an append end as `OutcomeUnknown`.
"""

import asyncio
import random
import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from deploy.local.postgres import OWNERS, Postgres
from shared.store.postgres import PostgresStore
from shared.store.requests import (
    AppendRequest,
    OutcomeUnknown,
    StoreUnavailable,
    VersionConflict,
)
from tests.conditions import wait_until
from tests.engines import running_postgres
from tests.integration.shared.store.conftest import lay_tables
from tests.integration.shared.store.interposed import InterposedStore
from tests.unit.shared.store.examples import PUBLIC, new_event, new_stream, one_event

WRITERS = 8


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[Postgres]:
    """A server of this module's own: the tests kill it."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def own_url(own_postgres: Postgres) -> str:
    url = own_postgres.dsn("intake", OWNERS["intake"])
    with ThreadPoolExecutor(1) as thread:  # this one's event loop belongs to pytest
        thread.submit(asyncio.run, lay_tables(url)).result()
    return url


class Writers:
    """Append until told to stop, and remember what became of each event."""

    def __init__(self, url: str, seed: int) -> None:
        self._url, self._random = url, random.Random(seed)
        self._streams = [new_stream() for _ in range(4)]
        self.numbered: dict[str, int] = {}
        self.refused: set[str] = set()
        self.refusals: dict[str, int] = {}
        self.stop, self.is_up = threading.Event(), threading.Event()
        self.is_up.set()

    async def run(self) -> None:
        async with PostgresStore(self._url, PUBLIC, outcome_limit=60) as store:
            await asyncio.gather(*(self._write(store) for _ in range(WRITERS)))

    async def _write(self, store: PostgresStore) -> None:
        while not self.stop.is_set():
            stream = self._random.choice(self._streams)
            events = tuple(new_event(stream) for _ in range(self._random.randint(1, 3)))
            # Some are refused by their version, so that batches of both kinds break in the middle.
            expected: dict[str, int] = {}
            if self._random.random() < 0.2:
                expected[stream] = self._random.randint(0, 3)
            ids = [str(event.event_id) for event in events]
            try:
                outcome = await store.append(AppendRequest(events, expected))
            except (VersionConflict, StoreUnavailable) as refused:
                self.refused.update(ids)
                kind = type(refused).__name__
                self.refusals[kind] = self.refusals.get(kind, 0) + 1
                while not (self.is_up.is_set() or self.stop.is_set()):
                    await asyncio.sleep(0.01)
            else:
                self.numbered.update(zip(ids, outcome.positions, strict=True))


# Not async: PostgreSQL is the child of the thread that starts it, which must be the main one.
def test_what_was_appended_is_there_once_and_what_was_refused_is_not(
    own_postgres: Postgres, own_url: str
) -> None:
    seed = secrets.randbelow(10**6)
    print(f"seed {seed}")
    chosen = random.Random(seed)
    writers = Writers(own_url, seed)
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(asyncio.run, writers.run())
        try:
            for _ in range(2):
                _wait_for_more(writers, running, chosen.randint(50, 400))
                writers.is_up.clear()
                own_postgres.kill()
                own_postgres.start()
                writers.is_up.set()
            _wait_for_more(writers, running, 50)
        finally:
            writers.stop.set()
        running.result(60)
        log = thread.submit(asyncio.run, _read_all(own_url)).result()
    print(f"{len(log)} events, refused {writers.refusals}")
    assert "OutcomeUnknown" not in writers.refusals
    assert writers.refusals["VersionConflict"] > 0
    assert [position for _, position in log] == list(range(1, len(log) + 1))
    assert dict(log) == writers.numbered
    assert len(log) == len(writers.numbered), "none twice"
    assert writers.refused.isdisjoint(dict(log))


def _wait_for_more(writers: Writers, running: Future[None], events: int) -> None:
    enough = len(writers.numbered) + events
    wait_until(lambda: len(writers.numbered) >= enough or running.done(), what="appends went on")


async def _read_all(url: str) -> list[tuple[str, int]]:
    async with PostgresStore(url, PUBLIC) as store:
        found: list[tuple[str, int]] = []
        while events := await store.read_log(len(found)):
            found += [(str(event.event_id), event.position) for event in events]
        return found


def test_only_where_the_server_stays_away_the_outcome_is_unknown(
    own_postgres: Postgres, own_url: str
) -> None:
    killed = threading.Event()

    async def append() -> list[str]:
        async def kill(_: object) -> None:
            asking.set()
            await asyncio.to_thread(killed.wait, 20)

        async with InterposedStore(own_url, before=kill, outcome_limit=0.3) as store:
            outcomes = []
            for _ in range(2):  # the second finds no server to begin with: nothing of it can be written
                try:
                    await store.append(one_event(new_stream()))
                except StoreUnavailable as fault:
                    outcomes.append(type(fault).__name__)
            return outcomes

    asking = threading.Event()
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(asyncio.run, append())
        try:
            wait_until(asking.is_set, what="the append came to its COMMIT")
            own_postgres.kill()
            killed.set()
            assert running.result(20) == [OutcomeUnknown.__name__, StoreUnavailable.__name__]
        finally:
            killed.set()
            own_postgres.start()
        assert thread.submit(asyncio.run, _read_all(own_url)).result() == []
