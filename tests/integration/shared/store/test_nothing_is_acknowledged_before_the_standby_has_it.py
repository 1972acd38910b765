"""With a synchronous standby, nothing is acknowledged that the standby does not have.

A COMMIT that waits for a standby and is cancelled, by a time limit or by a person, is done all the same on
the primary alone, and PostgreSQL answers that it was: with a warning that nobody read. A primary that
restarts, or whose session is ended, has committed as well; and looking the event up found it. Once such an
append was acknowledged, and the next failover lost it.
"""

import asyncio
from collections.abc import Iterator

import pytest

from deploy.local.postgres import Postgres
from shared.store.events import RecordedEvent
from shared.store.postgres import PostgresStore
from shared.store.requests import (
    Appended,
    AppendRequest,
    Claim,
    ClaimTaken,
    OutcomeUnknown,
    StoreUnavailable,
)
from tests.engines.standby import DATABASE, Standby, address, primary_and_standby
from tests.integration.shared.store.conftest import lay_tables
from tests.integration.shared.store.waiting import until
from tests.unit.shared.store.examples import PUBLIC, new_event, new_stream, one_event

PAUSE_SECONDS = 40.0
"""More than any time limit of the store's own."""

WAITING = "SELECT {} FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query = 'COMMIT'"


def a_call() -> AppendRequest:
    """The same request each time."""
    return AppendRequest((new_event(new_stream()),), claims=(Claim("idempotency", b"key", "taken"),))


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Postgres, Standby]]:
    with primary_and_standby(synchronous=True) as pair:
        yield pair


async def is_waiting(primary: Postgres, done_to_it: str = "true") -> bool:
    """Whether a COMMIT waits for the standby; `done_to_it` is an expression that is true."""
    return "t" in await asyncio.to_thread(primary.query, WAITING.format(done_to_it))


async def breaks_off(primary: Postgres, function: str) -> bool:
    """Whether a COMMIT waited for the standby, and its wait was ended."""
    return await is_waiting(primary, f"{function}(pid)")


async def is_committed(primary: Postgres) -> bool:
    """Whether the primary shows an event."""
    return "1" in (await asyncio.to_thread(primary.query, "SELECT count(*) FROM events", DATABASE)).split()


@pytest.mark.parametrize("function", ["pg_cancel_backend", "pg_terminate_backend"])
async def test_a_commit_whose_wait_was_broken_off_is_acknowledged_when_the_standby_has_it(
    servers: tuple[Postgres, Standby], function: str
) -> None:
    primary, standby = servers
    await lay_tables(address(primary))
    async with PostgresStore(address(primary), PUBLIC, outcome_limit=3600) as store:
        await store.head()
        with standby.paused():
            appending = asyncio.create_task(store.append(a_call()))
            await until(lambda: breaks_off(primary, function), what="the wait was broken off")
            await until(lambda: is_committed(primary), what="the primary has it")

            # A repetition at another replica: that it is taken tells its caller that it was recorded.
            async with PostgresStore(address(primary), PUBLIC, outcome_limit=3600) as other:
                with pytest.raises(StoreUnavailable):
                    await other.append(a_call())
            assert not appending.done()
        assert await appending == Appended((1,), (1,))
        with pytest.raises(ClaimTaken):
            await store.append(a_call())


async def test_a_repetition_is_not_answered_from_what_the_standby_does_not_have(
    servers: tuple[Postgres, Standby],
) -> None:
    """Nobody looks up the outcome any more: the process that appended has ended."""
    primary, standby = servers
    url = address(primary)
    await lay_tables(url)
    async with PostgresStore(url, PUBLIC, outcome_limit=0) as store, PostgresStore(url, PUBLIC) as other:
        await other.append(AppendRequest())
        with standby.paused():
            appending = asyncio.create_task(store.append(a_call()))
            await until(lambda: breaks_off(primary, "pg_terminate_backend"), what="the session was ended")
            with pytest.raises(OutcomeUnknown):
                await appending
            await until(lambda: breaks_off(primary, "pg_terminate_backend"), what="the look-up was ended")
            answer = asyncio.create_task(other.append(a_call()))
            done, _ = await asyncio.wait([answer], timeout=2)
            assert not done
        with pytest.raises(ClaimTaken):
            await answer


@pytest.mark.long
@pytest.mark.parametrize("goes_on", [True, False])
async def test_a_standby_that_is_paused_for_longer_than_any_limit_loses_nothing(goes_on: bool) -> None:
    acknowledged: list[int] = []
    refused = 0

    async def call(store: PostgresStore, while_: asyncio.Event) -> None:
        nonlocal refused
        while not while_.is_set():
            try:
                acknowledged.extend((await store.append(one_event(new_stream()))).positions)
            except StoreUnavailable:
                refused += 1
                await asyncio.sleep(0.1)

    with primary_and_standby(synchronous=True) as (primary, standby):
        url = address(primary, standby)
        await lay_tables(url)
        ended = asyncio.Event()
        async with PostgresStore(url, PUBLIC) as one, PostgresStore(url, PUBLIC) as other:
            callers = [asyncio.create_task(call(store, ended)) for store in (one, other) for _ in range(20)]

            async def has_appended(more: int) -> bool:
                return len(acknowledged) > more

            await until(lambda: has_appended(100), what="it appends")
            with standby.paused():
                await until(lambda: is_waiting(primary), what="a commit waits for it")
                before = len(acknowledged)
                await asyncio.sleep(PAUSE_SECONDS)  # the time limits are what is tried
                assert len(acknowledged) == before
                if not goes_on:
                    await asyncio.to_thread(primary.kill)
            if not goes_on:
                await asyncio.to_thread(standby.promote)
            await until(lambda: has_appended(before + 100), what="it appends again", seconds=60)
            ended.set()
            await asyncio.gather(*callers)
            log = [event.position for event in await _whole_log(one)]
        print(f"{len(acknowledged):,} acknowledged, {refused:,} refused, {len(log):,} in the log")
        assert set(acknowledged) <= set(log)
        assert len(set(acknowledged)) == len(acknowledged), "no number twice"
        assert log == list(range(1, len(log) + 1))


async def _whole_log(store: PostgresStore) -> list[RecordedEvent]:
    found: list[RecordedEvent] = []
    while events := await store.read_log(len(found)):
        found.extend(events)
    return found
