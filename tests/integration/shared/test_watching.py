"""The figures of running services as a scrape gets them: a single contact changes nothing in them."""

from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from prometheus_client import generate_latest

from services.dedup import settings as dedup_settings
from services.dedup import wiring as dedup_wiring
from services.intake import settings as intake_settings
from services.intake import wiring as intake_wiring
from shared import watching
from shared.clock import today
from shared.store.postgres import PostgresStore
from tests.engines import Databases
from tests.integration.shared.store.waiting import until
from tests.running import Running, running_service


async def asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service in this process has asked its database for the figures twice since."""
    answers: list[int] = []
    unpublished = PostgresStore.unpublished

    async def counted(store: PostgresStore, topic: str) -> int:
        answers.append(await unpublished(store, topic))
        return answers[-1]

    monkeypatch.setattr(PostgresStore, "unpublished", counted)

    async def twice() -> bool:
        return len(answers) >= 2

    await until(twice, what="the figures were asked for again")


CONTACT = {"channel": "phone", "disposition": "abandoned", "count": 1}


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "INTERVAL_SECONDS", 0.02)


def told(running: Running) -> dict[str, float]:
    """Each series with its value."""
    lines = generate_latest(running.metrics.registry).decode().splitlines()
    return {
        name: float(value)
        for name, _, value in (line.rpartition(" ") for line in lines if not line.startswith("#"))
    }


async def becomes(running: Running, series: str, value: float) -> None:
    async def it_has() -> bool:
        return told(running).get(series) == value

    await until(it_has, what=f"{series} became {value}")


async def test_with_kafka_away_no_contact_shows_before_the_fiftieth(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = frozenset({"http", "relay"})
    async with running_service(
        intake_settings.Settings, intake_wiring.wire, database_url, tmp_path, parts=parts
    ) as intake:
        await becomes(intake, "hotline_relay_lag_events", 0)
        before = told(intake)
        assert before["hotline_store_halted"] == 0
        assert before["hotline_commit_batch_requests_count"] == 0
        for _ in range(49):
            assert (await intake.json("POST", "/v1/contacts", json=CONTACT))[0] == 201
        await asked_again(monkeypatch)
        # Who leads changes with the attempts to reach a broker, and with nothing else.
        assert told(intake) == {**before, "hotline_relay_leading": told(intake)["hotline_relay_leading"]}
        await intake.json("POST", "/v1/contacts", json=CONTACT)
        await becomes(intake, "hotline_relay_lag_events", 50)
        assert told(intake)["hotline_commit_batch_requests_count"] == 50


async def test_parked_events_of_earlier_days_are_told_exactly_and_todays_are_not(
    databases: Databases, tmp_path: Path
) -> None:
    day = today()
    with databases.new("dedup") as url:
        async with running_service(
            dedup_settings.Settings, dedup_wiring.wire, url, tmp_path, parts=frozenset({"http", "consumer"})
        ) as dedup:
            await becomes(dedup, "hotline_resolver_leading", 1)
            earlier = 'hotline_parked_events_before_today{source="intake"}'
            await becomes(dedup, earlier, 0)
            connection = await asyncpg.connect(url)
            times = [day, day - timedelta(days=1), day - timedelta(days=30), None]
            for number, time in enumerate(times, 1):
                # As `json` takes it, and its operators do not.
                event = f'{{"time":"{time.isoformat()}T00:00:00Z","clear":"\\u0000"}}' if time else "null"
                await connection.execute(
                    "INSERT INTO inbox (source, slot, slot_sequence, event_id, subject, type, event, state, "
                    "reason) VALUES ('intake', 1, $1, gen_random_uuid(), 's', 't', $2, 'parked', 'r')",
                    number,
                    event,
                )
            await connection.close()
            await becomes(dedup, earlier, 3)
            assert told(dedup)['hotline_parked_events{source="intake"}'] == 0
            assert told(dedup)['hotline_consumer_stopped{source="intake"}'] == 0
            assert told(dedup)['hotline_consumer_connected{source="intake"}'] == 0
