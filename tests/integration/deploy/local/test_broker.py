"""The embedded broker, spoken to by aiokafka as the services do; what it promises as Kafka does, it and the
run's Kafka are both held to."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from secrets import token_hex

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from deploy.local.broker import TOPICS
from deploy.local.data_directory import ROOT
from tests.engines import EmbeddedBroker
from tests.engines.choice import Choice
from tests.engines.topics import Topics

_TOPIC = TOPICS[0]


@dataclass(frozen=True)
class Place:
    """An empty topic of some broker."""

    address: str
    topic: str
    session_timeout_ms: int


@pytest.fixture(params=["embedded broker", "the run's Kafka"])
def place(request: pytest.FixtureRequest, choice: Choice) -> Iterator[Place]:
    if request.param == "embedded broker":
        broker: EmbeddedBroker = request.getfixturevalue("broker")
        # A member that comes back waits for the session of the one before (see deploy.local.broker).
        yield Place(broker.address, _TOPIC, session_timeout_ms=1000)
    elif address := choice.engines.kafka():
        topic, topics = f"test.{token_hex(8)}", Topics(address)
        topics.create(topic)
        yield Place(address, topic, session_timeout_ms=6000)  # Kafka takes no shorter one
        topics.delete(topic)
    else:
        pytest.skip("the engines of this run are the embedded ones: there is no Kafka")


async def _produce(address: str, values: list[bytes], topic: str = _TOPIC) -> list[int]:
    """One after the other to the first partition; their offsets."""
    producer = AIOKafkaProducer(bootstrap_servers=address, enable_idempotence=True, acks="all")
    await producer.start()
    try:
        return [(await producer.send_and_wait(topic, value, partition=0)).offset for value in values]
    finally:
        await producer.stop()


async def _consume(place: Place, count: int) -> list[bytes]:
    """As a member of a group, from its committed offset on; commits what it read."""
    consumer = AIOKafkaConsumer(
        place.topic,
        bootstrap_servers=place.address,
        group_id=f"readers-{place.topic}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        session_timeout_ms=place.session_timeout_ms,
        heartbeat_interval_ms=300,
    )
    await consumer.start()
    try:
        async with asyncio.timeout(20):
            values = [(await consumer.getone()).value for _ in range(count)]
        await consumer.commit()
    finally:
        await consumer.stop()
    return [value for value in values if value is not None]


async def test_records_are_written_once_in_order_and_a_group_goes_on_where_it_stopped(
    place: Place,
) -> None:
    assert await _produce(place.address, [b"1", b"2", b"3"], place.topic) == [0, 1, 2]
    assert await _consume(place, 2) == [b"1", b"2"]
    assert await _produce(place.address, [b"4"], place.topic) == [3]
    assert await _consume(place, 2) == [b"3", b"4"]


async def test_every_topic_has_the_partitions_asked_for(broker: EmbeddedBroker) -> None:
    broker.stop()
    broker.start(partitions=24)
    consumer = AIOKafkaConsumer(*TOPICS, bootstrap_servers=broker.address)
    await consumer.start()
    try:
        partitions = {topic: consumer.partitions_for_topic(topic) for topic in await consumer.topics()}
    finally:
        await consumer.stop()
    assert partitions == {topic: set(range(24)) for topic in TOPICS}


async def test_a_killed_broker_comes_back_empty(broker: EmbeddedBroker) -> None:
    await _produce(broker.address, [b"1", b"2"])
    broker.kill()
    broker.start()
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.address)
    await consumer.start()
    try:
        partition = TopicPartition(_TOPIC, 0)
        assert await consumer.end_offsets([partition]) == {partition: 0}
    finally:
        await consumer.stop()


def _start() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "deploy.local.broker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )


@pytest.mark.parametrize("end", ["its input closes", signal.SIGTERM, signal.SIGINT], ids=str)
def test_it_announces_its_address_in_one_line_and_ends_in_silence_when(end: str | signal.Signals) -> None:
    process = _start()
    assert process.stdout is not None
    announced = json.loads(process.stdout.readline())
    assert announced["broker"].startswith("127.0.0.1:")
    assert announced["partitions"] == 12
    if isinstance(end, signal.Signals):
        process.send_signal(end)
    out, error = process.communicate(timeout=10)
    assert (process.returncode, out, error) == (0, b"", b"")


def test_a_number_of_partitions_that_cuts_through_slots_is_refused() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "deploy.local.broker", "--partitions", "7"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert ran.returncode == 2
    assert "a divisor of 240" in ran.stderr
