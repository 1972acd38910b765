"""A lease is kept while its process is busy, and freed when its holder is gone, whatever the clock says.

Renewals once shared the event loop with the work and the pool with HTTP: a computation of eight seconds, or
ten slow reads, cost a lease of five, and the work that was lost with it was begun again for ever. And a lease
that was written on a clock an hour ahead kept everybody from leading for an hour.
"""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from shared.store import leases
from shared.store.leases import Lease, PostgresLeases
from shared.store.postgres import PostgresStore
from shared.streaming.leader import Leader
from tests.integration.shared.store.waiting import until

SECONDS = 0.6


@pytest.fixture
async def short(store_url: str, postgres_store: PostgresStore) -> AsyncIterator[PostgresLeases]:
    """Leases of a process that run out soon; the tables are empty."""
    del postgres_store
    one = PostgresLeases(store_url, SECONDS)
    yield one
    await one.close()


@pytest.fixture
async def others(store_url: str) -> AsyncIterator[PostgresLeases]:
    """Those of another process."""
    one = PostgresLeases(store_url, SECONDS)
    yield one
    await one.close()


async def test_ten_slow_reads_do_not_cost_the_lease(
    postgres_store: PostgresStore, store_url: str, others: PostgresLeases
) -> None:
    lease = await postgres_store.leases.take("relay")
    assert lease is not None
    keeping = asyncio.create_task(postgres_store.leases.keep(lease))
    slow = [asyncio.create_task(postgres_store.fetch("SELECT pg_sleep(7)")) for _ in range(10)]
    await asyncio.gather(*slow)
    assert not keeping.done()
    assert await others.take("relay") is None
    keeping.cancel()


async def test_a_computation_that_stops_the_event_loop_does_not_cost_the_lease(
    short: PostgresLeases, others: PostgresLeases
) -> None:
    lease = await short.take("resolver")
    assert lease is not None
    keeping = asyncio.create_task(short.keep(lease))
    await asyncio.sleep(0)
    end = time.monotonic() + 4 * SECONDS
    while time.monotonic() < end:  # nothing else runs on the loop
        sum(range(1000))
    assert await others.take("resolver") is None
    assert not keeping.done()
    keeping.cancel()


async def test_a_loop_that_never_turns_again_leads_no_more(
    short: PostgresLeases, others: PostgresLeases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "STUCK_SECONDS", SECONDS)
    lease = await short.take("resolver")
    assert lease is not None
    keeping = asyncio.create_task(short.keep(lease))
    await asyncio.sleep(0)
    end = time.monotonic() + 4 * SECONDS
    while time.monotonic() < end:
        sum(range(1000))
    assert await others.take("resolver") is not None
    await keeping


async def test_a_lease_of_a_clock_an_hour_ahead_frees_after_one_period(
    postgres_store: PostgresStore, short: PostgresLeases, others: PostgresLeases
) -> None:
    assert await short.take("relay") is not None
    await postgres_store.pool.execute("UPDATE leases SET expires = clock_timestamp() + interval '1 hour'")
    assert await others.take("relay") is None, "its holder may live"

    async def takeover() -> bool:
        return await others.take("relay") is not None

    await until(takeover, what="the lease of the other clock ran out", seconds=10)


async def test_a_holder_that_lives_keeps_the_lease_when_the_clock_is_set_back(
    postgres_store: PostgresStore, short: PostgresLeases, others: PostgresLeases
) -> None:
    lease = await short.take("relay")
    assert lease is not None
    keeping = asyncio.create_task(short.keep(lease))
    await postgres_store.pool.execute("UPDATE leases SET expires = clock_timestamp() + interval '1 hour'")
    end = time.monotonic() + 3 * SECONDS
    while time.monotonic() < end:
        assert await others.take("relay") is None
    assert not keeping.done()
    keeping.cancel()


async def test_a_leader_whose_lease_is_taken_stops_its_work_and_leads_again_when_it_is_free(
    postgres_store: PostgresStore, short: PostgresLeases, others: PostgresLeases
) -> None:
    terms: list[str] = []

    async def work(lease: Lease) -> None:
        terms.append(f"epoch {lease.epoch}")
        try:
            await asyncio.Event().wait()
        finally:
            terms.append("stopped")

    leader = Leader("resolver", short)
    running = asyncio.create_task(leader.run(work))

    async def leads() -> bool:
        return leader.is_leading

    await until(leads, what="it leads")
    await postgres_store.pool.execute("UPDATE leases SET expires = clock_timestamp()")
    taken: list[Lease] = []

    async def lost() -> bool:
        if lease := await others.take("resolver"):
            taken.append(lease)
        return bool(taken) and not leader.is_leading

    await until(lost, what="another leads, and it knows", seconds=10)
    assert terms == ["epoch 1", "stopped"]
    await others.give_up(taken[0])
    await until(leads, what="it leads again", seconds=10)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert terms[2:] == [f"epoch {taken[0].epoch + 1}", "stopped"]
    assert await others.take("resolver") is not None, "it gave up what it led"
