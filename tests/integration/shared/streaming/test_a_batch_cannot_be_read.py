"""Compressed and garbled batches on a real broker: their partition is read on, and nothing is lost."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import orjson
import pytest
from aiokafka.errors import KafkaError
from confluent_kafka import Producer

from shared.store.events import slot_of
from shared.store.postgres import PostgresStore
from tests.engines import KafkaNode, own_kafka
from tests.engines.batches import BASE_BYTES, CRC, VERSION, built, checked, flipped, produce
from tests.engines.choice import Choice, Kind
from tests.integration.shared.streaming.engines import OverTheProtocol, PostgresAndKafka
from tests.unit.shared.streaming.flow import Flow


def over_the_protocol(flow: Flow) -> OverTheProtocol:
    if not isinstance(flow.engines, OverTheProtocol):
        pytest.skip("the broker in memory has no batches")
    return flow.engines


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_records_of_every_codec_are_read_from_kafka_itself(flow: Flow, codec: str) -> None:
    """The owner is away: nobody fills a gap."""
    engines = over_the_protocol(flow)
    subjects = [await flow.record() for _ in range(20)]
    producer = Producer({"bootstrap.servers": engines.address(), "compression.type": codec, "linger.ms": 100})
    for subject in subjects:
        (record,) = await flow.published.records(await flow.events_of(subject))
        producer.produce(engines.topic, orjson.dumps(record), partition=slot_of(subject) % 12)
    await asyncio.to_thread(producer.flush, 20)
    flow.owner.is_away = True
    flow.start(flow.follower().run())
    await flow.settled()
    await flow.prove()


@pytest.mark.parametrize("fault", ["the checksum", "a header that is no text", "the codec"])
async def test_what_a_producer_garbled_is_passed_over(flow: Flow, fault: str) -> None:
    engines = over_the_protocol(flow)
    subject = await flow.record()
    for _ in range(3):
        await flow.record(subject)
    first, second, *rest = await flow.events_of(subject)
    partition = slot_of(subject) % 12
    await flow.publish([first])
    (record,) = await flow.published.records([second])
    batch = built([orjson.dumps(record)])
    garbled = {
        "the checksum": flipped(batch, -1),
        "a header that is no text": checked(batch.replace(b"content-type", b"content\xfftype")),
        "the codec": checked(flipped(batch, 22, by=0x07)),
    }[fault]
    try:
        await produce(engines.address(), engines.topic, partition, garbled)
    except KafkaError as refused:
        pytest.skip(f"this broker takes no such batch: {type(refused).__name__}")
    await flow.publish(rest)
    flow.start(flow.follower().run())
    await flow.settled()
    await flow.prove()
    ((at, reason, _),) = await engines.unreadable()
    assert at == partition
    assert reason.startswith("of a batch from offset 1 on: ")


@pytest.fixture(scope="module")
def node(choice: Choice) -> Iterator[KafkaNode]:
    """A node of this module's own, whose disk is garbled."""
    if choice.kind is not Kind.JARS:
        pytest.skip(f"the engines of this run are {choice.kind}: it may have no Java and no jars")
    with own_kafka() as running:
        yield running


@pytest.fixture
async def on_node(stores: tuple[PostgresStore, PostgresStore], node: KafkaNode) -> AsyncIterator[Flow]:
    engines = PostgresAndKafka(*stores, node.address)
    await engines.open()
    flow = Flow(engines)
    yield flow
    await flow.close()
    await engines.close()


def of_an_old_version(batch: bytes) -> bytes:
    """In an old version's place for the codec stands a byte of the checksum, and Kafka does not start on a
    codec that it does not know: none."""
    batch = flipped(batch, VERSION)
    return flipped(batch, CRC, by=batch[CRC])


@pytest.mark.parametrize(
    "turned",
    [
        pytest.param(lambda batch: flipped(batch, -1), id="a payload"),
        pytest.param(lambda batch: flipped(batch, BASE_BYTES), id="a length"),
        pytest.param(lambda batch: flipped(batch, 0), id="an offset"),
        pytest.param(of_an_old_version, id="an old version"),
        pytest.param(lambda batch: flipped(batch, VERSION, by=0x01), id="a version to come"),
        pytest.param(lambda batch: flipped(batch, CRC), id="a checksum"),
    ],
)
async def test_a_byte_that_turned_on_a_brokers_disk_loses_nothing(
    on_node: Flow, node: KafkaNode, turned: Callable[[bytes], bytes]
) -> None:
    """Whatever it is of, the broker serves what it can, or has lost the rest; relay and follower go on."""
    subject = await on_node.record()
    # Each in a batch of its own, and enough of them that Kafka's index has an entry behind the one that is
    # garbled: without it Kafka reads the whole segment to find its end, and does not start.
    for _ in range(15):
        await on_node.record(subject)
        await on_node.relayed()
    others = await on_node.record_many(subjects=24)
    await on_node.relayed()
    node.stop()
    garble(segment(node, on_node.topic, slot_of(subject) % 12), number=2, turned=turned)
    node.start()  # not in a thread that ends: the node would end with it
    on_node.start(on_node.follower().run())
    on_node.start(on_node.relay().run())
    await on_node.record_many(subjects=24)
    await on_node.settled(seconds=60)
    rows = await on_node.prove()
    assert {row.subject for row in rows} > {subject, *others}


def segment(node: KafkaNode, topic: str, partition: int) -> Path:
    (found,) = node.directory.glob(f"kafka-data/{topic}-{partition}/*.log")
    return found


def garble(path: Path, number: int, turned: Callable[[bytes], bytes]) -> None:
    """Put another batch in the place of the segment's batch `number`."""
    data = path.read_bytes()
    begin = 0
    for _ in range(number):
        begin = end_of(data, begin)
    end = end_of(data, begin)
    path.write_bytes(data[:begin] + turned(data[begin:end]) + data[end:])


def end_of(data: bytes, begin: int) -> int:
    return begin + BASE_BYTES + 4 + int.from_bytes(data[begin + BASE_BYTES : begin + BASE_BYTES + 4], "big")
