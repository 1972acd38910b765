"""The relay: one leader per service publishes the public log to its topic, in position order.

Guarantee: every public event reaches the topic at least once, whatever dies; repetitions carry the same
id and slot number. The position moves only after all acknowledgements, and only under the leader's own
epoch. A wiped or restored topic is noticed by reading the last acknowledged records back, and published to
again from the lowest that survived. A number in the topic that the log does not have means that the log
lost its tail: the store is halted, nothing is appended until `./hotline recover`.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from uuid import UUID

import orjson
import structlog

from shared.clock import today
from shared.store.events import RecordedEvent
from shared.store.leases import Lease, Leases
from shared.store.port import Store
from shared.streaming.broker import Broker, BrokerUnavailable, Outgoing, Publisher
from shared.streaming.cloudevents import Envelope, UnreadableEnvelope, parse
from shared.streaming.leader import Leader
from shared.streaming.published import PublishedLog
from shared.streaming.relay_state import Mark, RelayState
from shared.streaming.tail import has, last_published, published_and_lost

BATCH = 500
POLL_SECONDS = 1.0
SIGNED_AGAIN = 100_000
"""How many of the newest events are published once more where a version published them that did not sign: no
others are evidence of a lost tail, and an upgrade may end with a copy of the database from before it."""

log = structlog.get_logger(origin=__name__)


class Relay:
    """Publishes one service's public events. `run` goes on until it is cancelled."""

    def __init__(
        self,
        topic: str,
        store: Store,
        published: PublishedLog,
        broker: Broker,
        state: RelayState,
        leases: Leases,
        today: Callable[[], date] = today,
    ) -> None:
        self._topic, self._store, self._published = topic, store, published
        self._broker, self._state, self._today = broker, state, today
        self._leader = Leader(f"relay {topic}", leases)
        self.position = 0

    @property
    def is_leader(self) -> bool:
        """Whether it is this process that publishes."""
        return self._leader.is_leading

    async def run(self) -> None:
        await self._leader.run(self._publish)

    async def _publish(self, lease: Lease) -> None:
        async with self._broker.publisher(self._topic) as publisher:
            if (known := await self._state.load(self._topic, lease.epoch)) is None:
                log.info("relay superseded")
                return
            position, marks = known
            self.position = await self._verified(publisher, position, marks)
            looked_back = time.monotonic()
            while True:
                news = self._store.news()
                events, up_to = await self._store.read_public(self.position, BATCH)
                if up_to == self.position:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(POLL_SECONDS):  # `wait_for` may swallow a cancellation
                            await news.wait()
                    # Asks the broker twice; on a busy day every pause is a short one.
                    if time.monotonic() - looked_back >= POLL_SECONDS:
                        await self._look_back(publisher, marks)
                        looked_back = time.monotonic()
                    continue
                moved = await self._send(publisher, events)
                if any(p in marks and mark.offset <= marks[p].offset for p, mark in moved.items()):
                    # Offsets went back: the topic was made anew under us. What was published before these
                    # records is gone with the old one.
                    log.warning("topic is a new one", topic=self._topic)
                    up_to, marks = 0, {}
                if not await self._state.advance(self._topic, lease.epoch, up_to, moved):
                    log.info("relay superseded")
                    return
                marks |= moved
                self.position = up_to

    async def _look_back(self, publisher: Publisher, marks: dict[int, Mark]) -> None:
        """With nothing to publish: see that the newest record is still there.

        Raises:
            BrokerUnavailable: it is not, or the broker has moved. Leading anew reads all of them back.
        """
        await publisher.partitions()
        if not marks:
            return
        partition, newest = max(marks.items(), key=lambda mark: mark[1].position)
        if (await publisher.bounds(partition))[1] <= newest.offset:
            raise BrokerUnavailable(f"{self._topic} lost its newest record")

    async def _send(self, publisher: Publisher, events: list[RecordedEvent]) -> dict[int, Mark]:
        """Publish a batch; the last record of each partition as its mark."""
        if not events:
            return {}
        partitions = await publisher.partitions()
        records = await self._published.records(events)
        outgoing = [
            Outgoing(record["slot"] % partitions, record["partitionkey"].encode(), orjson.dumps(record))
            for record in records
        ]
        offsets = await publisher.send(outgoing, midnight_ms(self._today()))
        return {
            sent.partition: Mark(offset, event.event_id, event.position)
            for sent, offset, event in zip(outgoing, offsets, events, strict=True)
        }

    async def _verified(self, publisher: Publisher, position: int, marks: dict[int, Mark]) -> int:
        """Where to publish from: `position`, or less where the topic lost acknowledged records; their
        marks are forgotten."""
        survived = [position]
        partitions = await publisher.partitions()
        for partition in range(partitions):
            last = await self._last_of_ours(publisher, partition)
            if (mark := marks.get(partition)) is None:
                continue
            begin, end = await publisher.bounds(partition)
            # Below `begin` retention took it: the topic goes on. A new topic begins at 0.
            if begin > mark.offset and end > mark.offset:
                continue
            if end > mark.offset:
                event_id, is_signed = await self._event_at(publisher, partition, mark.offset)
                if event_id == mark.event_id:
                    if not is_signed:
                        log.info("published again, for it was not signed", topic=self._topic)
                        survived.append(max(mark.position - SIGNED_AGAIN, 0))
                    elif last is None:  # others wrote behind it and hide it from the look at our tail
                        survived.append(mark.position - 1)
                    continue
            log.warning("topic lost records", topic=self._topic, partition=partition)
            # What stands above the mark was sent after the loss: of what was before it tells nothing.
            survived.append(last.position if last and last.position < mark.position else 0)
            del marks[partition]
        # No topic shrinks: it was made anew. Marks beyond it stay in the database; beside one within it,
        # which was read back, they say nothing.
        if beyond := [partition for partition in marks if partition >= partitions]:
            if len(beyond) == len(marks):
                log.warning("topic is a new one with fewer partitions", topic=self._topic)
                survived.append(0)
            for partition in beyond:
                del marks[partition]
        return min(survived)

    async def _event_at(self, publisher: Publisher, partition: int, offset: int) -> tuple[UUID | None, bool]:
        """The id of the event at an offset, and whether we have signed it for ourselves."""
        if (record := await publisher.read_at(partition, offset)) is None:
            return None, False
        with suppress(UnreadableEnvelope):
            return self._published.own.read(record.value).id, True
        with suppress(UnreadableEnvelope):
            return parse(record.value).id, False
        return None, False

    async def _last_of_ours(self, publisher: Publisher, partition: int) -> Envelope | None:
        """The last record of a partition if it is ours and in the log; halts the store where it is ours
        and the log does not know it."""
        last = await last_published(publisher, partition, self._published.own)
        if last is None or await has(self._store, last.slot, last.slot_sequence, last.id):
            return last
        await self._store.halt(published_and_lost(self._topic, last))
        log.error("lost tail", topic=self._topic, slot=last.slot)
        return None


def midnight_ms(day: date) -> int:
    """A day as a Kafka timestamp: its midnight UTC, in milliseconds."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
