"""`deploy.topics` against Apache Kafka, and against the embedded broker."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from deploy.topics import EMBEDDED, Shape, TopicsFailed, apply, main
from tests.engines import EmbeddedBroker
from tests.engines.batches import ZSTD, built, produce
from tests.engines.choice import Choice
from tests.integration.shared.store.waiting import until

ALONE = Shape(replication=1, min_insync=1)


@pytest.fixture
def kafka(choice: Choice) -> str:
    if not (address := choice.engines.kafka()):
        pytest.skip("the embedded broker cannot do it: making topics")
    return address


@pytest.fixture
async def topics(kafka: str) -> AsyncIterator[list[str]]:
    """Names that nobody else has; gone afterwards."""
    names = [f"test.{uuid4()}", f"test.{uuid4()}"]
    yield names
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.delete_topics(names)
    await admin.close()


async def test_topics_are_made_and_made_again_nothing_changes(kafka: str, topics: list[str]) -> None:
    assert await apply(kafka, ALONE, topics=topics) == [
        f"{topic}: created with 12 partitions and 1 replicas" for topic in topics
    ]
    assert await apply(kafka, ALONE, topics=topics) == []


async def test_a_check_tells_what_would_change_and_changes_nothing(kafka: str, topics: list[str]) -> None:
    told = await apply(kafka, ALONE, topics=topics, is_check=True)
    assert len(told) == len(topics)
    assert await apply(kafka, ALONE, topics=topics, is_check=True) == told


async def test_a_topic_grows_and_is_set_otherwise_and_never_shrinks(kafka: str, topics: list[str]) -> None:
    await apply(kafka, ALONE, topics=topics[:1])
    larger = Shape(partitions=24, replication=1, min_insync=1, retention_days=8)
    assert await apply(kafka, larger, topics=topics) == [
        f"{topics[0]}: partitions from 12 to 24",
        f"{topics[0]}: retention.ms from 604800000 to 691200000",
        f"{topics[1]}: created with 24 partitions and 1 replicas",
    ]
    assert await apply(kafka, larger, topics=topics) == []
    with pytest.raises(TopicsFailed, match="no topic can shrink to 12"):
        await apply(kafka, ALONE, topics=topics)
    assert await apply(kafka, larger, topics=topics, is_check=True) == []


async def test_what_an_operator_set_beside_it_stays(kafka: str, topics: list[str]) -> None:
    await apply(kafka, ALONE, topics=topics[:1])
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        own = {**ALONE.settings, "segment.bytes": "123456789", "retention.ms": "1000"}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topics[0], own)])
        changed = [f"{topics[0]}: retention.ms from 1000 to 604800000"]

        async def is_shown() -> bool:
            return await apply(kafka, ALONE, topics=topics[:1], is_check=True) == changed

        await until(is_shown, what="the broker shows what was set")
        assert await apply(kafka, ALONE, topics=topics[:1]) == changed
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topics[0])])
        in_force = {name: value for name, value, *_ in answer.resources[0][4]}
        assert in_force["segment.bytes"] == "123456789"
    finally:
        await admin.close()


async def test_the_midnight_of_a_day_that_has_not_begun_for_the_broker_is_taken(
    kafka: str, topics: list[str]
) -> None:
    """Two hours ahead: Kafka's own limit is one, which London's summer time would use up."""
    await apply(kafka, ALONE, topics=topics[:1])
    ahead = datetime.now(UTC) + timedelta(hours=2)
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all") as producer:
        sent = await producer.send_and_wait(
            topics[0], b"x", partition=0, timestamp_ms=int(ahead.timestamp() * 1000)
        )
    assert sent.offset == 0


async def test_the_broker_says_why_it_refuses(kafka: str, topics: list[str]) -> None:
    with pytest.raises(TopicsFailed, match=r"the broker refuses \(InvalidReplicationFactorError\)"):
        await apply(kafka, Shape(replication=99), topics=topics)


def test_the_embedded_broker_has_its_topics_already(
    broker: EmbeddedBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["apply", "--bootstrap", broker.address]) == 0
    assert capsys.readouterr().out == EMBEDDED + "\n"


def test_without_a_broker_it_says_so_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["apply", "--bootstrap", "127.0.0.1:1", "--wait", "0"]) == 1
    assert "no broker answers at 127.0.0.1:1" in capsys.readouterr().err


async def test_a_batch_that_is_small_only_while_it_is_packed_is_refused(
    kafka: str, topics: list[str]
) -> None:
    """90 MB of nothing in some kilobytes would be unpacked in the memory of every follower."""
    await apply(kafka, ALONE, topics=topics[:1])
    await produce(kafka, topics[0], 0, built([bytes(1000)] * 20, codec=ZSTD))
    with pytest.raises(KafkaError, match="MessageSizeTooLarge"):
        await produce(kafka, topics[0], 0, built([bytes(900_000)] * 100, codec=ZSTD, most=100_000_000))
