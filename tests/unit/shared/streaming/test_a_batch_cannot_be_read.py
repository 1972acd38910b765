"""A batch cannot be read.

A bit turns on a broker's disk, a codec is missing, a record's header is no UTF-8: aiokafka's decoder raises
whatever it stumbled over, before the batch, each time anew. Its partition stood still for ever, as if the
broker were away. The batch alone is passed over, and what it held comes from its owner.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CorruptRecordException, KafkaError
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.store.events import slot_of
from shared.streaming.batches import BatchReader
from shared.streaming.broker import Record
from tests.engines.batches import (
    ATTRIBUTES,
    BASE_BYTES,
    GZIP,
    LZ4,
    PLAIN,
    SNAPPY,
    ZSTD,
    built,
    checked,
    flipped,
)
from tests.unit.shared.streaming.flow import Flow, until

TOPIC = "hotline.complaints.v1"
_UNKNOWN_CODEC = 7


def batch_of(base: int, count: int, codec: int = PLAIN) -> bytes:
    """Records whose values are their offsets."""
    return built([b"%d" % number + b" " * 40 for number in range(base, base + count)], base=base, codec=codec)


@dataclass(frozen=True, slots=True)
class _Response:
    topics: list[Any]


class Partition:
    """A partition as a broker serves it: whole batches from the one that holds the offset on. It is
    consumer, client and metadata in one.

    Attributes:
        damaged: offsets that the broker cannot read itself.
    """

    def __init__(self, batches: Sequence[tuple[int, int, bytes]]) -> None:
        self._batches = batches  # (first offset, offset behind, bytes)
        self.end = batches[-1][1]
        self.damaged: set[int] = set()
        self.asked = 0
        self.cluster = self._client = self

    def leader_for_partition(self, _: TopicPartition) -> int:
        return 1

    async def end_offsets(self, asked: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(asked, self.end)

    async def send(self, _: int, request: Any) -> _Response:
        ((topic, ((partition, offset, most),)),) = request.topics
        self.asked += 1
        if offset in self.damaged:
            return _Response([(topic, [(partition, CorruptRecordException.errno, -1, None)])])
        data = b""
        for _, behind, batch in self._batches:
            if behind > offset and (not data or len(data) < most):
                data += batch
        # The last batch may be cut, and the first never is.
        first = next((len(batch) for _, behind, batch in self._batches if behind > offset), 0)
        return _Response([(topic, [(partition, 0, self.end, data[: max(first, most)])])])

    async def read(self, limit: int = 500, most_bytes: int = 1 << 20) -> list[Record]:
        """Everything, page by page."""
        reader, records, offset = BatchReader(self, TOPIC), list[Record](), 0
        while offset < self.end:
            page = await reader.page(0, offset, limit, most_bytes)
            assert page.next_offset > offset
            records += page.records
            offset = page.next_offset
        assert offset == self.end
        return records


def partition(*batches: bytes, counts: Sequence[int]) -> Partition:
    ends = [sum(counts[:number]) for number in range(len(counts) + 1)]
    return Partition([(*span, data) for span, data in zip(pairwise(ends), batches, strict=True)])


def values(records: Sequence[Record]) -> list[int]:
    return [int(record.value) for record in records if not record.fault]


def faults(records: Sequence[Record]) -> list[tuple[int, str]]:
    return [(record.offset, record.fault) for record in records if record.fault]


@pytest.mark.parametrize("codec", [PLAIN, GZIP, SNAPPY, LZ4, ZSTD])
async def test_every_codec_of_kafka_is_read(codec: int) -> None:
    assert values(
        await partition(batch_of(0, 5, codec), batch_of(5, 5, codec), counts=(5, 5)).read()
    ) == list(range(10))


@pytest.mark.parametrize(
    ("place", "fault"),
    [
        (-1, "its checksum is wrong"),
        (20, "its checksum is wrong"),
        (8, "its length is wrong"),
        (0, "its offsets are wrong"),
        (6, "its offsets are wrong"),
    ],
    ids=["a bit", "the checksum", "the length", "a negative offset", "an offset beyond the end"],
)
async def test_exactly_the_garbled_batch_is_passed_over(place: int, fault: str) -> None:
    bad = batch_of(3, 4)
    bad = flipped(bad, place)
    found = await partition(batch_of(0, 3), bad, batch_of(7, 2), counts=(3, 4, 2)).read()
    assert values(found) == [0, 1, 2, 7, 8]
    assert faults(found) == [(6, f"of a batch from offset 3 on: {fault}")]
    assert found[3].value[:61] == bad[:61]


async def test_an_unknown_codec_is_passed_over() -> None:
    bad = checked(flipped(batch_of(0, 2), ATTRIBUTES + 1, by=_UNKNOWN_CODEC))
    found = await partition(bad, batch_of(2, 2), counts=(2, 2)).read()
    assert values(found) == [2, 3]
    assert faults(found) == [(1, "of a batch from offset 0 on: it does not decode: UnsupportedCodecError")]


async def test_a_header_that_is_no_text_is_passed_over() -> None:
    """Any producer can send one: the checksum is right, and a Java broker takes it."""
    bad = checked(batch_of(0, 1).replace(b"content-type", b"content\xfftype"))
    found = await partition(bad, batch_of(1, 1), counts=(1, 1)).read()
    assert values(found) == [1]
    assert faults(found) == [(0, "of a batch from offset 0 on: it does not decode: UnicodeDecodeError")]


async def test_the_end_of_a_batch_whose_header_is_garbled_is_found_in_a_few_steps() -> None:
    """Nothing that it says of itself can be believed, and it is the last one that is there."""
    topic = partition(batch_of(0, 1), b"\xff" * 300, counts=(1, 1000))
    assert values(await topic.read()) == [0]
    assert topic.asked < 30


async def test_an_offset_that_the_broker_itself_cannot_read_is_passed_over() -> None:
    topic = partition(batch_of(0, 3), batch_of(3, 4), batch_of(7, 2), counts=(3, 4, 2))
    topic.damaged = {3, 4, 5, 6}
    found = await topic.read(limit=3)
    assert values(found) == [0, 1, 2, 7, 8]
    assert faults(found) == [
        (6, "of a batch from offset 3 on: the broker cannot read it: CorruptRecordException")
    ]


async def test_a_broker_that_can_read_nothing_at_all_is_at_fault_itself() -> None:
    topic = partition(batch_of(0, 3), counts=(3,))
    topic.damaged = set(range(10))
    with pytest.raises(KafkaError):
        await topic.read()


@given(
    counts=st.lists(st.integers(1, 20), min_size=1, max_size=8),
    codecs=st.lists(st.sampled_from([PLAIN, GZIP, SNAPPY, LZ4, ZSTD]), min_size=8, max_size=8),
    damage=st.dictionaries(
        st.integers(0, 7),
        st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 255)), min_size=1, max_size=4),
        max_size=4,
    ),
    limit=st.integers(1, 40),
    most_bytes=st.integers(1, 3000),
)
@settings(max_examples=300, deadline=None)
async def test_whatever_is_garbled_the_sound_batches_are_read_once_and_in_order(
    counts: list[int],
    codecs: list[int],
    damage: dict[int, list[tuple[int, int]]],
    limit: int,
    most_bytes: int,
) -> None:
    batches, sound, base = [], set[int](), 0
    for number, (count, codec) in enumerate(zip(counts, codecs, strict=False)):
        batch = whole = batch_of(base, count, codec)
        for place, by in damage.get(number, []):
            batch = flipped(batch, BASE_BYTES + place % (len(batch) - BASE_BYTES), by)
        if batch == whole:
            sound |= set(range(base, base + count))
        batches.append(batch)
        base += count
    found = await partition(*batches, counts=counts).read(limit, most_bytes)
    read = [record.offset for record in found if not record.fault]
    # No checksum covers the leader's epoch in a batch: it may be garbled, and the records are sound.
    assert [offset for offset in read if offset in sound] == sorted(sound)
    assert all(int(record.value) == record.offset for record in found if record.offset in sound)


async def test_its_events_come_from_their_owner_and_what_follows_is_read_on(flow: Flow) -> None:
    broker = flow.fake_broker("a record that it cannot read back")
    subject = await flow.record()
    for _ in range(4):
        await flow.record(subject)
    partition = slot_of(subject) % 12
    await flow.relayed()
    broker.garble(flow.topic, partition, 1)
    broker.garble(flow.topic, partition, 2)
    flow.start(flow.follower().run())
    await flow.settled()
    await flow.prove()
    assert [(at, reason) for at, reason, _ in await flow.engines.unreadable()] == [
        (partition, "its checksum is wrong")
    ] * 2


async def test_the_last_event_of_a_slot_in_it_is_found_by_the_owners_heads(flow: Flow) -> None:
    broker = flow.fake_broker("a record that it cannot read back")
    subject = await flow.record()
    await flow.record(subject)
    await flow.relayed()
    broker.garble(flow.topic, slot_of(subject) % 12, 1)
    flow.start(flow.follower().run())
    await flow.settled()
    await flow.prove()


async def test_a_relay_whose_last_record_it_is_goes_on_from_the_one_before(flow: Flow) -> None:
    """Nothing is published again but what stands at its mark, and the store is not halted."""
    broker = flow.fake_broker("a record that it cannot read back")
    subject = await flow.record()
    for _ in range(2):
        await flow.record(subject)
    partition = slot_of(subject) % 12
    await flow.relayed()
    broker.garble(flow.topic, partition, 2)
    relay = flow.relay()
    flow.start(relay.run())
    await flow.record(subject)

    async def has_published() -> bool:
        return len([r for r in await flow.engines.held() if r.partition == partition]) >= 5

    await until(has_published, "the relay publishes on")
    assert len([r for r in await flow.engines.held() if r.partition == partition]) == 5
