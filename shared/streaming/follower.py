"""A follower: one service's consumer of another one's topic, with catch-up behind it.

Guarantee: every event of the source is received exactly once and in slot order, whatever the broker
forgets, repeats or regroups, and whatever dies. A worker a partition reads Kafka; one filler fetches what
Kafka does not have; one watch compares with the owner's heads and starts everything anew where nothing
moves. It stops for good, with an alarm, when 20 events in a row had to be parked: then something is wrong
that parking does not mend.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from shared.clock import today
from shared.store.events import SLOTS
from shared.store.inbox import UnreadableRecord
from shared.store.port import Store
from shared.store.requests import StoreUnavailable
from shared.streaming.broker import Broker, BrokerUnavailable, Record, Subscription
from shared.streaming.catchup import Owner
from shared.streaming.cloudevents import Envelope, UnreadableEnvelope, parse
from shared.streaming.handling import SurroundingsFault
from shared.streaming.inbox import Inbox
from shared.streaming.slots import Slots

FETCH_LIMIT = 500
FILL_AT_ONCE = 16
PARKED_IN_A_ROW = 20
LONGEST_PAUSE = 5.0
AWAY = (BrokerUnavailable, StoreUnavailable, SurroundingsFault)

log = structlog.get_logger(origin=__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """Intervals in seconds; tests make them short.

    Attributes:
        regroup: how often the assignment is looked at.
        heads: how old an owner's head is when it is compared; younger ones would take lag for loss.
        stall: without any movement for so long, with events waiting, the consumer is started anew.
        commit: at most so often offsets are committed.
    """

    regroup: float = 0.25
    heads: float = 15.0
    stall: float = 30.0
    commit: float = 1.0
    fetch: float = 1.0


class Stalled(BrokerUnavailable):
    """Events wait in the topic, none arrives: aiokafka's consumers can hang without an error."""


class FollowerStopped(Exception):
    """Too many events in a row had to be parked."""


class Follower:
    """`run` goes on until it is cancelled, or returns with `is_stopped` set."""

    def __init__(
        self,
        topic: str,
        group: str,
        store: Store,
        inbox: Inbox,
        owner: Owner,
        broker: Broker,
        pace: Pace | None = None,
    ) -> None:
        self._topic, self._group, self._store, self._inbox = topic, group, store, inbox
        self._owner, self._broker, self._pace = owner, broker, pace or Pace()
        self.slots = Slots(inbox, store, owner)
        self.is_stopped = False
        self.waiting_for: dict[int, str] = {}
        """partition -> the fault of the surroundings it waits for."""
        self._next: dict[int, int] = {}
        self._committed_at = 0.0

    async def run(self) -> None:
        pause = 0.1
        while True:
            started = time.monotonic()
            try:
                await self._follow()
            except* FollowerStopped:
                self.is_stopped = True
                log.critical("follower stopped", source=self._inbox.source, parked_in_a_row=PARKED_IN_A_ROW)
            except* AWAY as faults:
                names = sorted({type(fault).__name__ for fault in _leaves(faults)})
                log.warning("follower interrupted", source=self._inbox.source, reasons=names)
            except* Exception as faults:  # the loop's edge: a fault of ours must not end the following
                log.exception("follower failed", source=self._inbox.source, exc_info=faults)
            if self.is_stopped:
                return
            pause = 0.1 if time.monotonic() - started > 10 else min(pause * 2, LONGEST_PAUSE)
            await asyncio.sleep(pause)

    async def _follow(self) -> None:
        await self.slots.load()
        self._next.clear()
        self.waiting_for.clear()
        async with (
            self._broker.subscription(self._topic, self._group) as subscription,
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(self._work_assigned(subscription))
            tasks.create_task(self._fill())
            tasks.create_task(self._compare_heads(subscription))
            tasks.create_task(self._watch(subscription))

    # Kafka

    async def _work_assigned(self, subscription: Subscription) -> None:
        """A worker for each partition that is ours; those of partitions that went elsewhere end."""
        workers: dict[int, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as tasks:
            while True:
                assigned = await subscription.assigned()
                for partition in assigned - workers.keys():
                    workers[partition] = tasks.create_task(self._work(subscription, partition))
                for partition in workers.keys() - assigned:
                    workers.pop(partition).cancel()
                await asyncio.sleep(self._pace.regroup)

    async def _work(self, subscription: Subscription, partition: int) -> None:
        while True:
            records = await subscription.fetch(partition, FETCH_LIMIT, self._pace.fetch)
            if not records:
                await self._commit(subscription)
                continue
            by_slot: defaultdict[int, list[Envelope]] = defaultdict(list)
            for record in records:
                if (envelope := await self._read(record)) is not None:
                    by_slot[envelope.slot].append(envelope)
            async with asyncio.TaskGroup() as slots:
                for slot, envelopes in by_slot.items():
                    slots.create_task(self._receive(partition, slot, envelopes))
            self._next[partition] = records[-1].offset + 1
            await self._commit(subscription)

    async def _read(self, record: Record) -> Envelope | None:
        """The record's event; None, and the bytes kept, where it is not one of the followed service."""
        try:
            envelope = parse(record.value)
            if envelope.source == self._inbox.source:
                return envelope
            reason = "of another source"
        except UnreadableEnvelope as fault:
            reason = str(fault)
        log.warning("unreadable record", topic=self._topic, partition=record.partition, reason=reason)
        await self._store.keep_unreadable(
            UnreadableRecord(self._topic, record.partition, record.offset, reason, record.value, today())
        )
        return None

    async def _receive(self, partition: int, slot: int, envelopes: list[Envelope]) -> None:
        """Receive, waiting as long as the surroundings are at fault: only this partition stands still.

        What was received before the fault is dropped as a repetition by the next try.
        """
        pause = 0.05
        while True:
            try:
                await self.slots.receive(slot, envelopes)
            except (StoreUnavailable, SurroundingsFault) as fault:
                self.waiting_for[partition] = str(fault)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                self.waiting_for.pop(partition, None)
                break
        if self._inbox.parked_in_a_row >= PARKED_IN_A_ROW:
            raise FollowerStopped

    async def _commit(self, subscription: Subscription) -> None:
        if self._next and time.monotonic() - self._committed_at > self._pace.commit:
            self._committed_at = time.monotonic()
            offsets, self._next = self._next, {}
            await subscription.commit(offsets)

    # Catch-up

    async def _fill(self) -> None:
        """Fill slots that are behind. The owner being away delays this and stops nothing else."""
        pause = 0.1
        while True:
            await self.slots.gap_seen.wait()
            self.slots.gap_seen.clear()
            limit = asyncio.Semaphore(FILL_AT_ONCE)
            faults = await asyncio.gather(*(self._fill_slot(slot, limit) for slot in list(self.slots.behind)))
            if self._inbox.parked_in_a_row >= PARKED_IN_A_ROW:
                raise FollowerStopped
            if any(faults):
                log.warning("catch-up interrupted", source=self._inbox.source, reason=max(faults))
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                self.slots.gap_seen.set()
            else:
                pause = 0.1

    async def _fill_slot(self, slot: int, limit: asyncio.Semaphore) -> str:
        async with limit:
            try:
                await self.slots.fill(slot)
            except (StoreUnavailable, SurroundingsFault, UnreadableEnvelope) as fault:
                return str(fault)
            return ""

    async def _compare_heads(self, subscription: Subscription) -> None:
        """Find losses that no later number shows: where a partition is read to its end and a cursor is
        still behind what the owner's head was an interval ago."""
        while True:
            before = self.slots.cursors()
            try:
                heads = await self._owner.heads()
            except SurroundingsFault as fault:
                log.warning("heads of the owner unknown", source=self._inbox.source, reason=str(fault))
                heads = {}
            else:
                self._alarm_lost_tail(before, heads)
            await asyncio.sleep(self._pace.heads)
            partitions = await subscription.partitions()
            for partition in await subscription.assigned():
                if not await subscription.is_at_end(partition):
                    continue
                for slot in range(partition, SLOTS, max(partitions, 1)):
                    if self.slots.cursor(slot) < heads.get(slot, 0):
                        self.slots.note_gap(slot, heads[slot])

    def _alarm_lost_tail(self, before: dict[int, int], heads: dict[int, int]) -> None:
        lost = [slot for slot, at in before.items() if at > heads.get(slot, 0)]
        if lost:
            log.critical("the owner lost its tail", source=self._inbox.source, slots=len(lost))

    async def _watch(self, subscription: Subscription) -> None:
        """Start anew where the topic goes on and nothing moves, but for named faults of the surroundings."""
        moved, since = -1, time.monotonic()
        while True:
            await asyncio.sleep(self._pace.stall / 4)
            seen = self.slots.applied + self.slots.repetitions
            if seen != moved or self.waiting_for or self.slots.behind:
                moved, since = seen, time.monotonic()
                continue
            at_end = [await subscription.is_at_end(partition) for partition in await subscription.assigned()]
            if all(at_end):
                since = time.monotonic()
            elif time.monotonic() - since > self._pace.stall:
                raise Stalled("events wait in the topic and none arrives")


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterable[BaseException]:
    for fault in group.exceptions:
        if isinstance(fault, BaseExceptionGroup):
            yield from _leaves(fault)
        else:
            yield fault
