"""A page of events ends where it has its bytes, however many were asked for, and loads no more than those.

Once a page of the thousand largest complaints cost a service more than a gigabyte. The events that a page
leaves out are on the next one.
"""

import json
from collections.abc import Awaitable, Callable
from uuid import UUID

import asyncpg
import pytest

from shared.store.events import RecordedEvent
from shared.store.history import History, now
from shared.store.postgres import PostgresStore
from shared.store.sql import PAGE_BYTES

LARGE = 340_000
COUNT = 40
SLOT = 7
DATA = json.dumps({"clear": {}, "sealed": "x" * LARGE})

FILL_LOG = """
INSERT INTO events SELECT n, 'complaint-' || gen_random_uuid(), 1, gen_random_uuid(), 'complaint.recorded', 1,
                          $1::int, n, $2::text::json, '{}', date '2026-11-23'
FROM generate_series(1, $3::int) AS n
"""
FILL_INBOX = """
INSERT INTO inbox SELECT 'intake', $1::int, n, gen_random_uuid(), 'complaint-' || n, 'told', $2::text::json,
                         'applied', '', n, $3::int
FROM generate_series(1, $3::int) AS n
"""


@pytest.fixture
async def store(postgres_store: PostgresStore) -> PostgresStore:
    for statement in (FILL_LOG, FILL_INBOX):
        await postgres_store.fetch(statement, SLOT, DATA, COUNT)
    return postgres_store


async def pages(read: Callable[[int], Awaitable[list[RecordedEvent]]]) -> list[list[RecordedEvent]]:
    """All pages, each asked for above the one before."""
    found: list[list[RecordedEvent]] = []
    while page := await read(found[-1][-1].position if found else 0):
        found.append(page)
    return found


def bounded(found: list[list[RecordedEvent]]) -> bool:
    """Whether each has about a page's bytes, and together they have everything once."""
    most = PAGE_BYTES // LARGE + 1
    numbers = [event.position for page in found for event in page]
    return numbers == list(range(1, COUNT + 1)) and all(len(page) <= most for page in found)


async def test_a_slot_is_read_in_pages(store: PostgresStore) -> None:
    assert bounded(await pages(lambda after: store.read_slot(SLOT, after, 1000)))


async def test_the_log_is_read_in_pages(store: PostgresStore) -> None:
    assert bounded(await pages(lambda after: store.read_log(after, 1000)))


async def test_public_events_are_read_in_pages_that_tell_how_far_they_reach(store: PostgresStore) -> None:
    found, at = [], 0
    while at < COUNT:
        page, at = await store.read_public(at, 1000)
        assert page[-1].position == at
        found.append(page)
    assert bounded(found)
    assert await store.read_public(at, 1000) == ([], COUNT)


async def test_what_was_consumed_is_returned_in_pages(store: PostgresStore) -> None:
    numbers: list[int] = []
    while page := await store.consumed("intake", SLOT, numbers[-1] if numbers else 0, 1000):
        assert sum(len(event or "") for _, event in page) < PAGE_BYTES + LARGE + 1000
        numbers += [number for number, _ in page]
    assert numbers == list(range(1, COUNT + 1))


async def test_the_history_is_read_in_pages_and_in_its_order(store: PostgresStore, store_url: str) -> None:
    connection = await asyncpg.connect(store_url)
    try:
        upto, history = await now(connection), History(connection, ["told"])
        seen: list[UUID] = []
        while happened := await history.next(upto):
            assert len(happened) <= 2 * (PAGE_BYTES // LARGE + 1)
            seen += [one.event_id for one in happened]
        assert history.at == upto
        assert len(set(seen)) == len(seen) == 2 * COUNT
    finally:
        await connection.close()


async def test_an_event_larger_than_a_page_is_one_of_its_own(postgres_store: PostgresStore) -> None:
    large = json.dumps({"clear": {}, "sealed": "x" * (PAGE_BYTES + 1)})
    await postgres_store.fetch(FILL_LOG, SLOT, large, 3)
    found = await pages(lambda after: postgres_store.read_slot(SLOT, after, 1000))
    assert [len(page) for page in found] == [1, 1, 1]
