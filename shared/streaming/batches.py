"""Record batches of a topic, read one by one, past those that cannot be read.

`BatchReader.page` returns the records that the broker holds from an offset on. A batch whose checksum is
wrong, whose codec is unknown, which is cut short or garbled in itself, or which the broker itself cannot
read, is one `Record` with its bytes and its `fault`: the caller logs it or keeps it, and reads on behind it.
aiokafka's own consumer raises at such a batch, with whatever its decoder stumbled over, and stays before it;
where the broker refuses the offset, it asks again for ever and says nothing.

How it fails: `aiokafka.errors.KafkaError`, `OSError` where the broker does not answer.
"""

import asyncio
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import (
    CorruptRecordException,
    KafkaError,
    LeaderNotAvailableError,
    UnknownError,
    for_code,
)
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.memory_records import MemoryRecords

from shared.streaming.broker import Record

PAGE_BYTES = 2 * 1024 * 1024
"""Of a page, beside which the broker sends the first batch whole, however long it is."""

_WAIT_MS = 100
_RETRY_SECONDS = 0.1
# The form of a batch, https://kafka.apache.org/documentation/#recordbatch: its base offset and the length of
# the rest are where they were in the older forms; the offset of its last record, from the base, is in
# version 2 alone.
_PREFIX = struct.Struct(">qi")
_HEADER = struct.Struct(">qiibIhi")
_HEADER_BYTES = 61
_VERSION_2 = 2
# A broker that reads a damaged segment answers with the one or the other, as long as it is there.
_DAMAGED = (CorruptRecordException, UnknownError)

log = structlog.get_logger(origin=__name__)


@dataclass(frozen=True, slots=True)
class Page:
    """`next_offset` is where to read on; it equals the offset asked for where nothing was there."""

    records: list[Record]
    next_offset: int


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the broker sent: whole batches, the last of which may be cut, and the partition's end. `damage` is
    why it could not read them itself."""

    data: bytes
    end: int
    damage: str = ""


@dataclass(frozen=True, slots=True)
class _Batch:
    """A batch of an answer. `records` are (offset, value), None where it cannot be read, for `fault`.
    `next_offset` is the one behind it, None where it is not known."""

    data: bytes
    records: list[tuple[int, bytes]] | None
    next_offset: int | None
    fault: str = ""


class BatchReader:
    """Reads a topic over the connections of `consumer`, whose own position it neither uses nor moves."""

    def __init__(self, consumer: AIOKafkaConsumer, topic: str) -> None:
        self._consumer, self._topic = consumer, topic
        self._client = consumer._client  # the consumer itself shows no batches

    async def partitions(self) -> int:
        """How many the topic has; 0 where it is not there."""
        if not self._client.cluster.partitions_for_topic(self._topic):
            self._client.add_topic(self._topic)
            await self._client.force_metadata_update()
        return len(self._client.cluster.partitions_for_topic(self._topic) or ())

    async def page(self, partition: int, offset: int, limit: int, most_bytes: int = PAGE_BYTES) -> Page:
        """At most `limit` records from `offset` on.

        Raises:
            KafkaError: the broker does not answer, or has nothing at this offset any more.
        """
        answer = await self._fetch(partition, offset, most_bytes)
        if answer.damage:  # twice, for it may have been a fault of the moment
            await asyncio.sleep(_RETRY_SECONDS)
            answer = await self._fetch(partition, offset, most_bytes)
        if answer.damage:
            beyond = await self._beyond(partition, offset, answer)
            return Page([_unreadable(partition, offset, beyond, answer.damage)], beyond)
        records: list[Record] = []
        for batch in _batches(answer, offset):
            if batch.records is None:
                if (behind := batch.next_offset) is None:
                    behind = await self._beyond(partition, offset, _Answer(batch.data, answer.end))
                records.append(_unreadable(partition, offset, behind, batch.fault, batch.data))
                offset = behind
            else:
                for at, value in batch.records:
                    if at >= offset:
                        records.append(Record(partition, at, value))
                        offset = at + 1
                    if len(records) == limit:
                        return Page(records, offset)
                offset = max(offset, batch.next_offset or 0)
            if len(records) == limit or batch.next_offset is None:
                break
        return Page(records, offset)

    async def _beyond(self, partition: int, offset: int, bad: _Answer) -> int:
        """The first offset at which the broker sends another batch than the unreadable one at `offset`.

        Tried with a growing step, then by halves: some 2 log2 of the batch's length. At the partition's end
        there is nothing more to send, which is as good.

        Raises:
            KafkaError: not even the end can be read: it is no batch that is at fault.
        """

        async def is_behind(candidate: int) -> bool:
            found = await self._fetch(partition, candidate, 1)
            return not found.damage and (candidate >= bad.end or _first(found) != _first(bad))

        unreadable, readable, step = offset, offset + 1, 1
        while not await is_behind(readable):
            if readable >= bad.end:
                raise CorruptRecordException(f"{self._topic} {partition}: nothing from {offset} on")
            unreadable, step = readable, step * 2
            readable = min(readable + step, bad.end)
        while readable - unreadable > 1:
            middle = (readable + unreadable) // 2
            if await is_behind(middle):
                readable = middle
            else:
                unreadable = middle
        return readable

    async def _fetch(self, partition: int, offset: int, most_bytes: int) -> _Answer:
        at = TopicPartition(self._topic, partition)
        while True:
            try:
                return await self._fetch_once(at, offset, most_bytes)
            except KafkaError as fault:
                # Another broker leads by now; the caller's time limit ends the waiting for it.
                if not fault.retriable:
                    raise
            self._client.force_metadata_update()
            await asyncio.sleep(_RETRY_SECONDS)

    async def _fetch_once(self, at: TopicPartition, offset: int, most_bytes: int) -> _Answer:
        leader = self._client.cluster.leader_for_partition(at)
        if leader is None or leader < 0:
            self._client.add_topic(self._topic)
            raise LeaderNotAvailableError(at)
        wanted = [(self._topic, [(at.partition, offset, most_bytes)])]
        request = FetchRequest(_WAIT_MS, 1, most_bytes, 0, wanted)
        response = await self._client.send(leader, request)
        for _, partitions in response.topics:
            for partition, code, end, *_, data in partitions:
                if partition == at.partition:
                    fault = for_code(code)
                    if fault in _DAMAGED:
                        behind = (await self._consumer.end_offsets([at]))[at]
                        return _Answer(b"", behind, f"the broker cannot read it: {fault.__name__}")
                    if code:
                        raise fault(at)
                    return _Answer(bytes(data or b""), end)
        raise UnknownError(at)


def _batches(answer: _Answer, offset: int) -> Iterator[_Batch]:
    """The batches of an answer to a request from `offset` on, up to the first whose end is not known."""
    data, place = answer.data, 0
    while place + _PREFIX.size <= len(data):
        behind = place + _PREFIX.size + _PREFIX.unpack_from(data, place)[1]
        if not place + _PREFIX.size < behind <= len(data):
            # The last one of an answer may be cut. The first is sent whole: its length is garbled.
            if place == 0:
                yield _Batch(data, None, None, "its length is wrong")
            return
        base = _PREFIX.unpack_from(data, place)[0]
        following = _PREFIX.unpack_from(data, behind)[0] if behind + _PREFIX.size <= len(data) else answer.end
        # Of all that a batch says of its offsets the checksum covers nothing but their number.
        batch = _decoded(data[place:behind], offset, answer.end if base <= offset else following)
        if batch.records is None and behind + _PREFIX.size <= len(data):
            batch = replace(batch, next_offset=_agreed(data[place:behind], following, offset))
        yield batch
        if batch.next_offset is None:
            return
        place, offset = behind, max(offset, batch.next_offset)


def _decoded(data: bytes, offset: int, most: int) -> _Batch:
    try:
        batch = MemoryRecords(data).next_batch()
        if not batch.validate_crc():
            return _Batch(data, None, None, "its checksum is wrong")
        # Control batches mark the ends of transactions.
        records = [] if batch.is_control_batch else [(at.offset, at.value or b"") for at in batch]
        behind = int(batch.next_offset)
    except Exception as fault:  # noqa: BLE001  (zlib.error, SystemError, UnicodeDecodeError, a codec's own...)
        return _Batch(data, None, None, f"it does not decode: {type(fault).__name__}")
    if not offset < behind <= most:
        return _Batch(data, None, None, "its offsets are wrong")
    return _Batch(data, records, behind)


def _agreed(data: bytes, following: int, offset: int) -> int | None:
    """The offset behind an unreadable batch, where its own header and that of the batch which follows it
    say the same. Either may be garbled."""
    if len(data) < _HEADER_BYTES:
        return None
    base, _, _, version, _, _, last = _HEADER.unpack_from(data)
    return following if version == _VERSION_2 and base + last + 1 == following > offset else None


def _first(answer: _Answer) -> bytes:
    """By which its first batch is known again."""
    return answer.data[:_HEADER_BYTES]


def _unreadable(partition: int, offset: int, beyond: int, fault: str, data: bytes = b"") -> Record:
    log.error("unreadable batch", partition=partition, offset=offset, up_to=beyond - 1, reason=fault)
    return Record(partition, beyond - 1, data, f"of a batch from offset {offset} on: {fault}")
