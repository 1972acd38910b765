"""The flow on PostgreSQL: over the broker in memory, and over the real one that the run has chosen."""

from collections.abc import AsyncIterator, Iterator

import pytest

from shared.store.postgres import PostgresStore
from tests.engines import Databases
from tests.engines.choice import Choice
from tests.integration.shared.store.conftest import lay_tables
from tests.integration.shared.streaming.engines import (
    PostgresAndEmbeddedBroker,
    PostgresAndFakeBroker,
    PostgresAndKafka,
)
from tests.unit.shared.streaming.engines import PUBLIC
from tests.unit.shared.streaming.flow import Flow


@pytest.fixture(scope="module")
def module_urls(databases: Databases) -> Iterator[tuple[str, str]]:
    with databases.new("intake") as owner, databases.new("dedup") as follower:
        yield owner, follower


@pytest.fixture
async def stores(module_urls: tuple[str, str]) -> AsyncIterator[tuple[PostgresStore, PostgresStore]]:
    """The owner's and the follower's, empty."""
    owner_url, follower_url = module_urls
    await lay_tables(owner_url)
    await lay_tables(follower_url)
    async with (
        PostgresStore(owner_url, PUBLIC) as owner,
        PostgresStore(follower_url, frozenset()) as follower,
    ):
        yield owner, follower


@pytest.fixture(params=["broker in memory", "real broker"])
async def flow(
    request: pytest.FixtureRequest, stores: tuple[PostgresStore, PostgresStore], choice: Choice
) -> AsyncIterator[Flow]:
    if request.param == "broker in memory":
        flow = Flow(PostgresAndFakeBroker(*stores))
        yield flow
        await flow.close()
    elif address := choice.engines.kafka():
        kafka = PostgresAndKafka(*stores, address)
        await kafka.open()
        flow = Flow(kafka)
        yield flow
        await flow.close()
        await kafka.close()
    else:
        flow = Flow(PostgresAndEmbeddedBroker(*stores, request.getfixturevalue("broker")))
        yield flow
        await flow.close()
