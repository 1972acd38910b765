"""The Kafka node that stories kill, freeze and wipe does what its name says, and never more."""

import asyncio
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from tests.conditions import wait_until
from tests.engines import KafkaNode, own_kafka
from tests.engines.choice import Choice, Kind

pytestmark = pytest.mark.long

FIRST = TopicPartition("stories", 0)


@pytest.fixture(scope="module")
def started(choice: Choice) -> Iterator[KafkaNode]:
    """A node of this module's own, for a node takes seconds to start."""
    if choice.kind is not Kind.JARS:
        pytest.skip(f"the engines of this run are {choice.kind}: it may have no Java and no jars")
    with own_kafka() as node:
        yield node


@pytest.fixture
def node(started: KafkaNode) -> KafkaNode:
    """Running, with one empty topic."""
    if not started.is_running:
        started.start()
    if started.topics.partitions(FIRST.topic):
        started.topics.delete(FIRST.topic)
    started.create_topics(FIRST.topic, partitions=1)
    return started


def _write(node: KafkaNode, value: bytes) -> int:
    """The record's offset."""

    async def write() -> int:
        async with AIOKafkaProducer(bootstrap_servers=node.address, acks="all") as producer:
            return int((await producer.send_and_wait(FIRST.topic, value, partition=0)).offset)

    return asyncio.run(write())


def _read(node: KafkaNode, count: int) -> list[bytes | None]:
    async def read() -> list[bytes | None]:
        async with AIOKafkaConsumer(bootstrap_servers=node.address) as consumer:
            consumer.assign([FIRST])
            consumer.seek(FIRST, 0)
            async with asyncio.timeout(30):
                return [(await consumer.getone()).value for _ in range(count)]

    return asyncio.run(read())


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_what_it_acknowledged_is_there_again_at_the_same_address_after(node: KafkaNode, end: str) -> None:
    address = node.address
    _write(node, b"kept")
    getattr(node, end)()
    assert not node.is_running
    assert not node.topics.answers(0.2)
    node.start()
    assert node.address == address
    assert _read(node, 1) == [b"kept"]


def test_a_wiped_one_is_the_same_cluster_without_its_topics(node: KafkaNode) -> None:
    cluster = node.topics.cluster_id()
    _write(node, b"gone")
    address = node.address
    node.wipe()
    node.start()
    assert (node.address, node.topics.cluster_id()) == (address, cluster)
    assert node.topics.partitions(FIRST.topic) == 0


def test_a_frozen_one_answers_nobody_until_it_goes_on(node: KafkaNode) -> None:
    _write(node, b"before")
    node.pause()
    try:
        assert node.is_running
        assert not node.topics.answers(0.5)
    finally:
        node.resume()
    wait_until(lambda: node.topics.answers(1.0), what="it answers again")
    assert _read(node, 1) == [b"before"]


def test_a_frozen_one_can_be_killed(node: KafkaNode) -> None:
    node.pause()
    node.kill()
    assert not node.is_running


def test_added_partitions_leave_the_records_where_they_are(node: KafkaNode) -> None:
    assert _write(node, b"first") == 0
    node.add_partitions(FIRST.topic, 4)
    assert node.topics.partitions(FIRST.topic) == 4
    assert _write(node, b"second") == 1
    assert _read(node, 2) == [b"first", b"second"]


def test_no_topic_is_made_by_asking_for_it(node: KafkaNode) -> None:
    assert node.topics.partitions("never-made") == 0
    assert node.topics.partitions("never-made") == 0


def test_its_cluster_id_may_begin_with_a_hyphen(node: KafkaNode) -> None:
    """As one in 64 random ones does."""
    node.wipe()
    node.cluster_id = "-" + 21 * "A"
    node.start()
    assert node.topics.cluster_id() == node.cluster_id
