"""The day of a complaint, and what is destroyed when a day is over, go by the database's clock.

A replica whose clock was three days ahead once destroyed the day's secret under everybody's hands, and a
repeated request became a second complaint. And a database that was set back to an older copy brought back
secrets that had been destroyed, and lost the present one: two replicas then gave two receipts for one call.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import TypeVar

import pytest

from deploy.local.keys import service_keys
from services.intake.day_secrets import DaySecrets
from services.intake.domain.releases import ReleasePolicies
from services.intake.recording import Recorded, Recorder
from services.intake.settings import Settings
from services.intake.wiring import PUBLIC, wire
from shared import clock
from shared.errors import Conflict
from shared.sealing.keys import ServiceKeys
from shared.service import Context
from shared.store.inbox import UnreadableRecord
from shared.store.migrate import migrate
from shared.store.postgres import PostgresStore
from shared.store.requests import AppendRequest, StoreUnavailable
from shared.vocabulary import load_vocabulary
from shared.web.metrics import Metrics
from shared.web.pages import Cursors
from tests.engines import Databases
from tests.running import running_service

BODY = b'{"channel": "phone", "narrative": "He took money."}'
POLICIES = ReleasePolicies("never", "never")
KEYS = ServiceKeys.model_validate(service_keys()["intake"])
AHEAD = timedelta(days=3)
T = TypeVar("T")


class Replica:
    """One of intake's, without HTTP."""

    def __init__(self, store: PostgresStore, today: date) -> None:
        cursors = Cursors(KEYS.digest("page cursors"))
        context = Context("intake", store, KEYS, cursors, Metrics(), lambda: today)
        self.store, self.secrets = store, DaySecrets(store, KEYS.kek, context.today)
        store.compare_first(self.secrets.compare)
        self._recorder = Recorder(context, load_vocabulary(), self.secrets, POLICIES)

    async def record(self, key: str) -> Recorded:
        return await self._recorder.record(BODY, "caller", key)


@asynccontextmanager
async def replica(url: str, ahead: timedelta = timedelta()) -> AsyncIterator[Replica]:
    """A replica that was just started, whose clock is `ahead` of the database's."""
    async with PostgresStore(url, PUBLIC) as store:
        yield Replica(store, await store.day() + ahead)


async def once_connected(attempt: Callable[[], Awaitable[T]]) -> T:
    """What it answers; it is tried again where the connection was one to the database before."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await attempt()
            except StoreUnavailable:
                await asyncio.sleep(0.005)


async def complaints(store: PostgresStore) -> int:
    count: int = await store.fetchval("SELECT count(*) FROM events")
    return count


async def secret_days(store: PostgresStore) -> list[date]:
    return [row["day"] for row in await store.fetch("SELECT day FROM day_secrets ORDER BY day")]


async def test_a_replica_that_is_days_ahead_destroys_no_secret_and_records_nothing_twice(
    database_url: str,
) -> None:
    async with replica(database_url) as right, replica(database_url, AHEAD) as ahead:
        first = await right.record("call-1")
        await ahead.secrets.tidy()
        assert await secret_days(right.store) == [first.recorded_on]
        again = await ahead.record("call-1")
        assert (again.complaint_id, again.receipt) == (first.complaint_id, first.receipt)
        async with replica(database_url) as restarted:
            again = await restarted.record("call-1")
            assert (again.complaint_id, again.receipt) == (first.complaint_id, first.receipt)
            assert await complaints(restarted.store) == 1


@pytest.mark.parametrize(("days", "is_repeated"), [(1, True), (2, False)])
async def test_a_request_can_be_repeated_until_the_end_of_the_next_day_of_the_database(
    database_url: str, days: int, *, is_repeated: bool
) -> None:
    async with replica(database_url, timedelta(days=-days)) as before:
        first = await before.record("call-1")
    async with replica(database_url) as now:
        again = await now.record("call-1")
        assert (again.complaint_id == first.complaint_id) == is_repeated
        assert (again.receipt == first.receipt) == is_repeated
        assert (first.recorded_on in await secret_days(now.store)) == is_repeated
        assert await complaints(now.store) == 2 - is_repeated


async def test_a_service_dates_a_complaint_by_the_day_of_its_database(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Ahead":
            moment = super().now(tz) + AHEAD
            return cls.fromtimestamp(moment.timestamp(), tz)

    monkeypatch.setattr(clock, "datetime", Ahead)
    async with running_service(Settings, wire, database_url, tmp_path) as intake:
        status, answer = await intake.json("POST", "/v1/complaints", data=BODY)
    async with PostgresStore(database_url, PUBLIC) as store:
        assert (status, answer["recorded_on"]) == (201, (await store.day()).isoformat())
        assert (await store.day()) + AHEAD == clock.today(), "the machine's clock says another day"


async def test_a_secret_that_a_set_back_database_lost_is_given_back(databases: Databases) -> None:
    with databases.new() as url:
        await migrate("intake", url)
        with databases.copy(url) as copied:
            async with replica(url) as running:
                await running.record("call-1")
                databases.set_back(url, copied)
                second = await once_connected(lambda: running.record("call-2"))
                async with replica(url) as started:
                    again = await started.record("call-2")
                    assert (again.complaint_id, again.receipt) == (second.complaint_id, second.receipt)


async def test_secrets_that_a_set_back_database_brings_back_are_destroyed_before_the_first_append(
    databases: Databases,
) -> None:
    with databases.new() as url:
        await migrate("intake", url)
        async with PostgresStore(url, PUBLIC) as store:
            today = await store.day()
            for days in (0, 1, 2, 9):
                old = "INSERT INTO day_secrets (day, kek_id, wrapped) VALUES ($1, 'old', '')"
                await store.fetch(old, today - timedelta(days=days))
        with databases.copy(url) as copied:
            async with replica(url) as running:
                await running.secrets.tidy()
                databases.set_back(url, copied)
                assert len(await once_connected(lambda: secret_days(running.store))) == 4
                await once_connected(lambda: running.store.append(AppendRequest()))
                assert await secret_days(running.store) == [today - timedelta(days=1), today]


async def test_a_receipt_whose_secret_is_lost_is_refused_and_nothing_is_recorded_twice(
    database_url: str,
) -> None:
    async with replica(database_url) as one, replica(database_url) as other:
        await one.record("call-1")
        await one.store.fetch("DELETE FROM day_secrets")
        for _ in range(2):
            with pytest.raises(Conflict, match="its receipt cannot be given again"):
                await other.record("call-1")
        assert await complaints(one.store) == 1


async def test_records_without_an_envelope_go_after_a_week_of_the_database(database_url: str) -> None:
    async with PostgresStore(database_url, PUBLIC) as store:
        for offset, days in ((1, 8), (2, 7), (3, 0)):
            await store.keep_unreadable(UnreadableRecord("t", 0, offset, "no envelope", b"x"))
            move = "UPDATE unreadable SET received_on = received_on - $1::int WHERE at_offset = $2"
            await store.fetch(move, days, offset)
        await store.destroy_unreadable()
        assert [row[0] for row in await store.fetch("SELECT at_offset FROM unreadable ORDER BY 1")] == [2, 3]
