"""Ten people read slowly at once.

HTTP, consumers and leases used to share ten connections, and to wait for one without a time limit: ten slow
statements cost the leader its lease and stopped the consumers, and whoever asked next waited for as long as
those did.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from fastapi import FastAPI

from shared.store.leases import LEASE_SECONDS, renew_lease, take_lease
from shared.store.pools import PoolLimits
from shared.store.postgres import PostgresStore
from shared.store.requests import AppendRequest, StoreBusy
from shared.web import problems
from tests.integration.shared.web.serving import client_of
from tests.unit.shared.store.examples import PUBLIC, new_event, new_stream

CONNECTIONS = 10
WAIT, STATEMENT = 0.5, 30.0
SLOW = "SELECT pg_sleep(8)"


@asynccontextmanager
async def _busy(url: str, statement_seconds: float = STATEMENT) -> AsyncIterator[PostgresStore]:
    """A store all of whose connections for HTTP are in use."""
    limits = PoolLimits(CONNECTIONS, WAIT, statement_seconds)
    async with PostgresStore(url, PUBLIC, http=limits) as store:
        reads = [asyncio.create_task(store.for_http().fetch(SLOW)) for _ in range(CONNECTIONS)]
        try:
            async with asyncio.timeout(20):
                while await store.fetchval(_SLEEPING) < CONNECTIONS:
                    await asyncio.sleep(0.01)
            yield store
        finally:
            for read in reads:
                read.cancel()
            await asyncio.gather(*reads, return_exceptions=True)


_SLEEPING = f"""
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND state = 'active' AND query = '{SLOW}'
"""


async def test_leases_and_consumers_go_on_while_all_of_http_reads_slowly(store_url: str) -> None:
    async with _busy(store_url) as store:
        begin = time.monotonic()
        lease = await take_lease(store.pool, "relay", uuid4())
        assert lease is not None
        assert await renew_lease(store.pool, lease)
        await store.append(AppendRequest((new_event(new_stream()),)))
        assert await store.head() == 1
        assert await store.for_control().slot_heads()
        assert time.monotonic() - begin < LEASE_SECONDS / 2


async def test_the_next_request_is_told_to_come_again(store_url: str) -> None:
    """With 503, after a limit of its own, not after what the slow ones take."""
    app = FastAPI()
    problems.install(app)
    async with _busy(store_url) as store:
        web = store.for_http()

        @app.get("/head")
        async def head() -> int:
            return await web.head()

        async with client_of(app) as client:
            begin = time.monotonic()
            async with client.get("/head") as answer:
                document = await answer.json()
            assert WAIT <= time.monotonic() - begin < 4
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        assert answer.content_type == problems.MEDIA_TYPE
        assert document["type"] == "urn:hotline:problem:unavailable"


async def test_a_statement_of_http_is_broken_off_after_its_limit(store_url: str) -> None:
    async with PostgresStore(store_url, PUBLIC, http=PoolLimits(1, WAIT, 0.2)) as store:
        with pytest.raises(StoreBusy):
            await store.for_http().fetch(SLOW)
        assert await store.for_http().head() == 0, "its connection is free again"


async def test_who_gives_up_waiting_takes_no_connection_along(store_url: str) -> None:
    async with PostgresStore(store_url, PUBLIC, http=PoolLimits(1, WAIT, STATEMENT)) as store:
        web = store.for_http()
        reading = asyncio.create_task(web.fetch("SELECT pg_sleep(0.2)"))
        await asyncio.sleep(0)
        waiting = asyncio.create_task(web.head())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(reading, waiting, return_exceptions=True)
        assert await web.head() == 0


async def test_all_views_hear_of_news(store_url: str) -> None:
    async with PostgresStore(store_url, PUBLIC) as store:
        for view in (store, store.for_http(), store.for_control()):
            async with asyncio.timeout(10):
                while True:
                    news = view.news()
                    await store.append(AppendRequest((new_event(new_stream()),)))
                    try:
                        async with asyncio.timeout(1):  # the listener may not be there yet
                            await news.wait()
                    except TimeoutError:
                        continue
                    break
