"""The broker port on Apache Kafka, by aiokafka; also on librdkafka's mock cluster of `make run`.

Raw aiokafka: frameworks above it acknowledge all assigned partitions at once or commit before the work.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    CorruptRecordException,
    IllegalStateError,
    KafkaError,
    RecordTooLargeError,
    UnsupportedCodecError,
)

from shared.contracts.envelope import MEDIA_TYPE
from shared.streaming.batches import BatchReader, Page
from shared.streaming.broker import BrokerUnavailable, Outgoing, Record
from shared.streaming.together import cancelled

METADATA_AGE_MS = 30_000
HEARTBEAT_MS = 500  # the default of 3 s is what a rebalance waits for: measured 2.8 s
SESSION_MS = 10_000
RECORD_LIMIT = 1024 * 1024
_HEADERS = [("content-type", MEDIA_TYPE.encode())]
"""By which readers of CloudEvents know structured mode."""
_ANSWER_SECONDS = 15.0
_STOP_SECONDS = 5.0
_SILENT_FETCHES = 10
"""After so many fetches without anything, it is looked whether something is there that cannot be read: where
the broker itself cannot read a batch, aiokafka asks again for ever and says nothing."""
_PAGE_RECORDS = 5000
# Of an unreadable batch; others of Kafka's are of the group or the broker. Decoders raise whatever else.
_UNREADABLE = (CorruptRecordException, RecordTooLargeError, UnsupportedCodecError)


class KafkaBroker:
    """
    Args:
        bootstrap: tells the brokers' addresses, asked at each connection: the embedded broker has another
            port after a restart.
        metadata_age_ms: how old what is known of a topic may become, added partitions for instance; tests
            make it short.
    """

    def __init__(self, bootstrap: Callable[[], str], metadata_age_ms: int = METADATA_AGE_MS) -> None:
        self._bootstrap, self._metadata_age_ms = bootstrap, metadata_age_ms

    @asynccontextmanager
    async def publisher(self, topic: str) -> AsyncIterator["KafkaPublisher"]:
        address = self._bootstrap()
        async with _translated():
            producer = AIOKafkaProducer(
                bootstrap_servers=address,
                enable_idempotence=True,
                acks="all",
                max_request_size=RECORD_LIMIT + 64 * 1024,
                max_batch_size=256 * 1024,
                metadata_max_age_ms=self._metadata_age_ms,
                request_timeout_ms=10_000,
            )
            reader = AIOKafkaConsumer(
                bootstrap_servers=address,
                enable_auto_commit=False,
                metadata_max_age_ms=self._metadata_age_ms,
                request_timeout_ms=10_000,
                max_partition_fetch_bytes=2 * RECORD_LIMIT,
            )
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    await producer.start()
                    await reader.start()
            except BaseException:
                await _stopped(producer, reader)
                raise
        try:
            yield KafkaPublisher(topic, producer, reader, lambda: self._bootstrap() == address)
        finally:
            await _stopped(producer, reader)

    async def everything(self, topic: str) -> AsyncGenerator[Record, None]:
        """All that the topic held on entering, page by page, those of a partition in their order."""
        async with _translated():
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self._bootstrap(), enable_auto_commit=False, request_timeout_ms=10_000
            )
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    await consumer.start()
                    batches = BatchReader(consumer, topic)
                    every = [TopicPartition(topic, number) for number in range(await batches.partitions())]
                    if not every:
                        raise BrokerUnavailable("the topic is not there: run `./hotline topics apply`")
                    ends = await consumer.end_offsets(every)
                    begins = await consumer.beginning_offsets(every)
                for at in every:
                    offset = begins[at]
                    while offset < ends[at]:
                        async with asyncio.timeout(_ANSWER_SECONDS):
                            page = await batches.page(at.partition, offset, _PAGE_RECORDS)
                        if page.next_offset == offset:
                            break
                        for record in page.records:
                            yield record
                        offset = page.next_offset
            finally:
                await _stopped(consumer)

    @asynccontextmanager
    async def subscription(self, topic: str, group: str) -> AsyncIterator["KafkaSubscription"]:
        address = self._bootstrap()
        async with _translated():
            consumer = AIOKafkaConsumer(
                bootstrap_servers=address,
                group_id=group,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                metadata_max_age_ms=self._metadata_age_ms,
                heartbeat_interval_ms=HEARTBEAT_MS,
                session_timeout_ms=SESSION_MS,
                max_poll_interval_ms=900_000,
                request_timeout_ms=10_000,
                fetch_max_wait_ms=250,
                # Of all partitions together, for one that is far behind would hold so much of each in memory.
                fetch_max_bytes=4 * RECORD_LIMIT,
                max_partition_fetch_bytes=2 * RECORD_LIMIT,
            )
            consumer.subscribe([topic])
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    await consumer.start()
            except BaseException:
                await _stopped(consumer)
                raise
        try:
            yield KafkaSubscription(topic, consumer, lambda: self._bootstrap() == address)
        finally:
            await _stopped(consumer)


class KafkaPublisher:
    def __init__(
        self,
        topic: str,
        producer: AIOKafkaProducer,
        reader: AIOKafkaConsumer,
        is_current: Callable[[], bool],
    ) -> None:
        self._topic, self._producer, self._reader, self._is_current = topic, producer, reader, is_current
        self._batches = BatchReader(reader, topic)

    async def partitions(self) -> int:
        async with _translated():
            _require(self._is_current())
            async with asyncio.timeout(_ANSWER_SECONDS):
                found = await self._producer.partitions_for(self._topic)
            if not found:
                raise BrokerUnavailable(f"topic {self._topic} is not there: run `./hotline topics apply`")
            return len(found)

    async def send(self, records: Sequence[Outgoing], day_ms: int) -> list[int]:
        async with _translated(), asyncio.timeout(_ANSWER_SECONDS):
            futures = [
                await self._producer.send(
                    self._topic,
                    record.value,
                    record.key,
                    partition=record.partition,
                    timestamp_ms=day_ms,
                    headers=_HEADERS,
                )
                for record in records
            ]
            acknowledged = await asyncio.gather(*futures)
        offsets = [metadata.offset for metadata in acknowledged]
        # aiokafka reports success with offset -1 where a retried idempotent batch was a duplicate.
        if min(offsets, default=0) < 0:
            raise BrokerUnavailable("the broker acknowledged without an offset")
        return offsets

    async def bounds(self, partition: int) -> tuple[int, int]:
        at = TopicPartition(self._topic, partition)
        async with _translated(), asyncio.timeout(_ANSWER_SECONDS):
            begin = await self._reader.beginning_offsets([at])
            end = await self._reader.end_offsets([at])
        return begin[at], end[at]

    async def read_at(self, partition: int, offset: int) -> Record | None:
        begin, end = await self.bounds(partition)
        at = max(offset, begin)
        while at < end:
            async with _translated(), asyncio.timeout(_ANSWER_SECONDS):
                page = await self._batches.page(partition, at, limit=1, most_bytes=1)
            if page.next_offset == at:
                break
            for record in page.records:
                if not record.fault:
                    return record
            at = page.next_offset
        return None


class KafkaSubscription:
    def __init__(self, topic: str, consumer: AIOKafkaConsumer, is_current: Callable[[], bool]) -> None:
        self._topic, self._consumer, self._is_current = topic, consumer, is_current
        self._batches = BatchReader(consumer, topic)
        self._silent: Counter[int] = Counter()  # partition -> fetches in a row that brought nothing
        self._behind: dict[int, int] = {}  # partition -> the offset behind what was fetched last

    async def assigned(self) -> Collection[int]:
        async with _translated():
            _require(self._is_current())
            return {at.partition for at in self._consumer.assignment()}

    async def partitions(self) -> int:
        async with _translated():
            return len(self._consumer.partitions_for_topic(self._topic) or ())

    async def fetch(self, partition: int, limit: int, wait_seconds: float) -> list[Record]:
        at = TopicPartition(self._topic, partition)
        async with _translated():
            try:
                fetched = await self._consumer.getmany(
                    at, timeout_ms=int(wait_seconds * 1000), max_records=limit
                )
            except IllegalStateError:  # revoked meanwhile
                return []
            except Exception as fault:  # of the group or the broker; or its decoder's, of whatever kind
                if isinstance(fault, KafkaError) and not isinstance(fault, _UNREADABLE):
                    raise
                return await self._read_past(at, limit, wait_seconds)
            messages = [message for messages in fetched.values() for message in messages]
            end = self._consumer.highwater(at) if messages else None
            if end and messages[-1].offset >= end:
                # Beyond the end: a batch's own offset is covered by no checksum.
                self._consumer.seek(at, await self._reached(at))
                return await self._read_past(at, limit, wait_seconds)
            self._silent[partition] = 0 if messages else self._silent[partition] + 1
            if self._silent[partition] >= _SILENT_FETCHES:
                self._silent[partition] = 0
                return await self._past_what_the_broker_cannot_read(at, limit)
            if messages:
                self._behind[partition] = messages[-1].offset + 1
        return [Record(partition, message.offset, message.value or b"") for message in messages]

    async def _read_past(self, at: TopicPartition, limit: int, wait_seconds: float) -> list[Record]:
        """The next records, where the consumer stumbles over one of their batches."""
        page = await self._page(at, limit)
        if not page.records:  # bytes beyond the partition's end, in a damaged segment
            await asyncio.sleep(wait_seconds)
        return self._moved(at, page)

    async def _past_what_the_broker_cannot_read(self, at: TopicPartition, limit: int) -> list[Record]:
        page = await self._page(at, limit)
        if page.records and page.records[0].fault:
            return self._moved(at, page)
        return []  # what can be read, the consumer will bring; a consumer that hangs is started anew

    async def _page(self, at: TopicPartition, limit: int) -> Page:
        """What lies behind the consumer's position."""
        async with asyncio.timeout(_ANSWER_SECONDS):
            try:
                position = await self._consumer.position(at)
            except IllegalStateError:  # revoked meanwhile
                return Page([], 0)
            if position >= (await self._consumer.end_offsets([at]))[at]:
                return Page([], position)
            return await self._batches.page(at.partition, position, limit)

    def _moved(self, at: TopicPartition, page: Page) -> list[Record]:
        """The page's records, with the position behind them."""
        if page.records:
            with suppress(IllegalStateError):  # revoked meanwhile
                self._consumer.seek(at, page.next_offset)
            self._behind[at.partition] = page.next_offset
        return page.records

    async def _reached(self, at: TopicPartition) -> int:
        """Where the last fetch began, or earlier."""
        async with asyncio.timeout(_ANSWER_SECONDS):
            begin = (await self._consumer.beginning_offsets([at]))[at]
            known = self._behind.get(at.partition) or await self._consumer.committed(at) or 0
        return max(int(begin), int(known))

    async def is_at_end(self, partition: int) -> bool:
        at = TopicPartition(self._topic, partition)
        async with _translated(), asyncio.timeout(_ANSWER_SECONDS):
            try:
                position = await self._consumer.position(at)
            except IllegalStateError:
                return False
            end = await self._consumer.end_offsets([at])
        return bool(position >= end[at])

    async def commit(self, offsets: dict[int, int]) -> None:
        # Losing a commit costs repetitions, which the cursors drop: not worth failing for.
        with suppress(KafkaError, TimeoutError, IllegalStateError):
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self._consumer.commit({TopicPartition(self._topic, p): at for p, at in offsets.items()})


def _require(is_current: bool) -> None:
    if not is_current:
        raise BrokerUnavailable("the broker has another address now")


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except (KafkaError, TimeoutError, OSError) as fault:
        raise BrokerUnavailable(f"the broker does not answer: {type(fault).__name__}") from fault


async def _stopped(*clients: AIOKafkaProducer | AIOKafkaConsumer) -> None:
    """Stop all of them, whatever happens to the caller.

    Who is cancelled meanwhile is cancelled when they are stopped: a consumer that is left half closed stays
    in its group, with partitions that nobody reads, and its connections stay open.
    """
    stopping = asyncio.gather(*(_stop(client) for client in clients))
    is_cancelled = False
    while not stopping.done():
        try:
            await asyncio.wait({stopping})
        except asyncio.CancelledError:
            is_cancelled = True
    stopping.result()
    if is_cancelled:
        raise asyncio.CancelledError


async def _stop(client: AIOKafkaProducer | AIOKafkaConsumer) -> None:
    """Stop without waiting for a broker that is gone: aiokafka's stop flushes, for ever if need be.

    In a task of its own: a consumer's stop lets the cancellation of its pending fetches out, and whoever
    waits for it would be cancelled in their place. What it leaves behind then is closed part by part, else
    it would go on asking the lost broker for metadata.
    """
    if not await _ended(client.stop()):
        for part in ("_coordinator", "_sender", "_fetcher", "_client", "client"):
            if (left := getattr(client, part, None)) is not None:
                await _ended(left.close())


async def _ended(closing: Coroutine[Any, Any, None]) -> bool:
    """Whether it did its work within its time."""
    task = asyncio.create_task(closing)
    try:
        await asyncio.wait({task}, timeout=_STOP_SECONDS)
        return task.done() and not task.cancelled() and task.exception() is None
    finally:
        await cancelled(task)
