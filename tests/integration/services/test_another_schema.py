"""The schema under a running service becomes one for other software: a contract came before all had gone.

It used to say that it was not ready, and went on writing, publishing and consuming all the same.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
from prometheus_client import generate_latest

from services.dedup import settings as dedup_settings
from services.dedup import wiring as dedup_wiring
from services.intake import settings as intake_settings
from services.intake import wiring as intake_wiring
from services.intake.wiring import PUBLIC
from shared.clock import today
from shared.contracts.events import CONTACT_CLOSED
from shared.sealing.events import sealed_event
from shared.store.events import stream_id
from shared.store.postgres import PostgresStore
from shared.store.requests import AppendRequest
from shared.streaming.kafka import KafkaBroker
from shared.streaming.topics import TOPICS
from tests.engines import Databases, EmbeddedBroker
from tests.integration.shared.store.waiting import until
from tests.running import Running, running_service

COMPLAINT = {"channel": "phone", "narrative": "He took money."}


async def query(url: str, statement: str) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@asynccontextmanager
async def for_other_software(url: str) -> AsyncIterator[None]:
    before = await query(url, "SELECT oldest_code FROM alembic_version")
    await query(url, "UPDATE alembic_version SET oldest_code = '9999'")
    try:
        yield
    finally:
        kept = f"'{before}'" if before else "NULL"
        await query(url, f"UPDATE alembic_version SET oldest_code = {kept}")


async def becomes(running: Running, series: str, value: int) -> None:
    async def it_has() -> bool:
        return f"\n{series} {float(value)}\n" in generate_latest(running.metrics.registry).decode()

    await until(it_has, what=f"{series} became {value}", seconds=60)


async def record_elsewhere(url: str) -> None:
    """As a replica of the software does that the schema is for."""
    clear = CONTACT_CLOSED.clear(channel="phone", disposition="abandoned", count=1)
    event = sealed_event(stream_id("contact", uuid4()), CONTACT_CLOSED, clear, None, None, today())
    async with PostgresStore(url, PUBLIC) as store:
        await store.append(AppendRequest(events=(event,)))


async def published(broker: EmbeddedBroker) -> int:
    records = KafkaBroker(lambda: broker.address).everything(TOPICS["intake"])
    return len([record async for record in records])


async def test_http_and_relay_wait_and_go_on_when_it_fits_again(
    database_url: str, tmp_path: Path, broker: EmbeddedBroker
) -> None:
    parts = frozenset({"http", "relay"})
    async with running_service(
        intake_settings.Settings,
        intake_wiring.wire,
        database_url,
        tmp_path,
        parts=parts,
        kafka=(broker.address,),
    ) as intake:
        await becomes(intake, "hotline_relay_leading", 1)
        assert (await intake.json("POST", "/v1/complaints", json=COMPLAINT))[0] == 201
        async with for_other_software(database_url):
            await becomes(intake, "hotline_ready", 0)
            await becomes(intake, "hotline_relay_leading", 0)
            status, problem = await intake.json("GET", "/healthz/ready", None)
            assert (status, problem["not_ready"].keys()) == (503, {"schema"})
            for method, path, body in (
                ("POST", "/v1/complaints", COMPLAINT),
                ("GET", "/v1/events/heads", None),
            ):
                async with intake.ask(method, path, json=body) as answer:
                    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
            for path in ("/healthz/live", "/openapi.json"):
                assert (await intake.json("GET", path, None))[0] == 200
            assert await query(database_url, "SELECT count(*) FROM events") == 1
            await record_elsewhere(database_url)
            assert await published(broker) <= 1

        async def both_are_published() -> bool:
            return await published(broker) == 2

        await until(both_are_published, what="both were published", seconds=60)
        await becomes(intake, "hotline_ready", 1)
        assert (await intake.json("POST", "/v1/complaints", json=COMPLAINT))[0] == 201


async def test_consumers_wait_and_go_on_when_it_fits_again(
    databases: Databases, tmp_path: Path, broker: EmbeddedBroker
) -> None:
    with databases.new("intake") as intake_url, databases.new("dedup") as url:
        async with (
            running_service(
                intake_settings.Settings,
                intake_wiring.wire,
                intake_url,
                tmp_path,
                parts=frozenset({"http", "relay"}),
                kafka=(broker.address,),
            ) as intake,
            running_service(
                dedup_settings.Settings,
                dedup_wiring.wire,
                url,
                tmp_path,
                parts=frozenset({"http", "consumer"}),
                kafka=(broker.address,),
            ) as dedup,
        ):
            connected = 'hotline_consumer_connected{source="intake"}'
            await becomes(dedup, connected, 1)
            async with for_other_software(url):
                await becomes(dedup, connected, 0)
                await becomes(dedup, "hotline_resolver_leading", 0)
                assert (await intake.json("POST", "/v1/complaints", json=COMPLAINT))[0] == 201

                async def is_published() -> bool:
                    return await published(broker) == 1

                await until(is_published, what="it was published", seconds=60)
                assert await query(url, "SELECT count(*) FROM inbox") == 0

            async def is_consumed() -> bool:
                return bool(await query(url, "SELECT count(*) = 1 FROM inbox WHERE state = 'applied'"))

            await until(is_consumed, what="it was consumed", seconds=60)
