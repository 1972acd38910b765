"""A follower: one service's consumer of another one's topic, with catch-up behind it.

Guarantee: every event of the source is received exactly once and in slot order, whatever the broker
forgets, repeats or regroups, and whatever dies. A worker a partition reads Kafka; one filler fetches what
Kafka does not have; one watch compares with the owner's heads and starts everything anew where nothing
moves. It stops for good, with an alarm, when 20 events in a row had to be parked: then something is wrong
that parking does not mend. What a service's members of the group share is the cursors in their store.
"""

import asyncio
import math
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import structlog

from shared.clock import today
from shared.store.events import SLOTS
from shared.store.inbox import UnreadableRecord
from shared.store.port import Store
from shared.store.requests import StoreUnavailable
from shared.streaming.broker import Broker, BrokerUnavailable, Record, Subscription
from shared.streaming.catchup import Owner
from shared.streaming.cloudevents import Envelope, UnreadableEnvelope
from shared.streaming.handling import SurroundingsFault
from shared.streaming.inbox import PARKED_IN_A_ROW, FollowerStopped, Inbox
from shared.streaming.slots import Slots
from shared.streaming.together import all_together, cancelled, raise_failure, stand_together

FETCH_LIMIT = 500
FILL_AT_ONCE = 16
LONGEST_PAUSE = 5.0
AWAY = (BrokerUnavailable, StoreUnavailable, SurroundingsFault)

_NONE_IS_OURS = -1
_OLD_HEADS = 4  # intervals: the broker, asked in between, may take most of one to say that it is away

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
        self.is_connected = False
        self.sees_lost_tail = False
        """We hold numbers that the owner does not have."""
        self.waiting_for: dict[int, str] = {}
        """slot -> the fault of the surroundings that its partition waits for."""
        self._waiting_since: dict[int, date] = {}
        self._in_hand: dict[int, set[int]] = {}  # partition -> slots of records fetched and not consumed yet
        self._fetched: Counter[int] = Counter()  # partition -> batches
        self._next: dict[int, int] = {}
        self._committed_at = 0.0
        self._heads: dict[int, int] = {}
        self._heads_at = -math.inf
        self._assigned: set[int] = set()
        self._partitions = 1

    async def run(self) -> None:
        pause = 0.1
        while True:
            started = time.monotonic()
            try:
                await stand_together(self._follow())
            except* FollowerStopped:
                self.is_stopped = True
                log.critical("follower stopped", source=self._inbox.source, count=PARKED_IN_A_ROW)
            except* AWAY as faults:
                reasons = sorted({f"{type(fault).__name__}: {fault}" for fault in _leaves(faults)})
                log.warning("follower interrupted", source=self._inbox.source, reason="; ".join(reasons))
            except* Exception:  # the loop's edge: a fault of ours must not end the following
                log.exception("follower failed", source=self._inbox.source)
            if self.is_stopped:
                return
            pause = 0.1 if time.monotonic() - started > 10 else min(pause * 2, LONGEST_PAUSE)
            await asyncio.sleep(pause)

    def lag(self) -> int | None:
        """How many events of the slots that are ours now the owner had, when it was last asked, and we did
        not reach; None where that is unknown: without a subscription, or slots of ours, or an answer of the
        owner's that is not old."""
        is_old = time.monotonic() - self._heads_at > _OLD_HEADS * self._pace.heads
        if is_old or not self.is_connected or not self._assigned:
            return None
        ours = (slot for slot in self._heads if slot % self._partitions in self._assigned)
        return sum(max(self._heads[slot] - self.slots.cursor(slot), 0) for slot in ours)

    def waiting_before(self, day: date) -> int:
        """How many slots have waited for their surroundings since an earlier day."""
        return sum(since < day for since in self._waiting_since.values())

    async def _follow(self) -> None:
        self._heads, self._heads_at, self._assigned = {}, -math.inf, set()
        await self.slots.load()
        self._next.clear()
        self._in_hand.clear()
        self.waiting_for.clear()
        async with self._broker.subscription(self._topic, self._group) as subscription:
            self.is_connected = True
            try:
                await stand_together(
                    self._work_assigned(subscription),
                    self._fill(),
                    self._compare_heads(subscription),
                    self._watch(subscription),
                )
            finally:
                self.is_connected = False

    # Kafka

    async def _work_assigned(self, subscription: Subscription) -> None:
        """A worker for each partition that is ours; those of partitions that went elsewhere end."""
        workers: dict[int, asyncio.Task[None]] = {}
        try:
            while True:
                assigned = self._assigned = set(await subscription.assigned())
                for partition in workers.keys() - assigned:
                    await cancelled(workers.pop(partition))
                    self._next.pop(partition, None)
                for partition in assigned - workers.keys():
                    workers[partition] = asyncio.create_task(self._work(subscription, partition))
                await asyncio.sleep(self._pace.regroup)
                for worker in workers.values():
                    if worker.done():
                        raise_failure(worker)
        finally:
            await cancelled(*workers.values())

    async def _work(self, subscription: Subscription, partition: int) -> None:
        while True:
            records = await subscription.fetch(partition, FETCH_LIMIT, self._pace.fetch)
            if not records:
                await self._commit(subscription)
                continue
            self._fetched[partition] += 1
            self._in_hand[partition] = set()
            try:
                await self._consume(partition, records)
            finally:
                del self._in_hand[partition]
            self._next[partition] = records[-1].offset + 1
            await self._commit(subscription)

    async def _consume(self, partition: int, records: list[Record]) -> None:
        by_slot: defaultdict[int, list[Envelope]] = defaultdict(list)
        for record in records:
            if (envelope := await self._read(record)) is not None:
                by_slot[envelope.slot].append(envelope)
        self._in_hand[partition] |= by_slot.keys()
        await all_together(*(self._receive(slot, envelopes) for slot, envelopes in by_slot.items()))

    async def _read(self, record: Record) -> Envelope | None:
        """The record's event; None, and the bytes kept, where the followed service did not sign it for us."""
        reason = record.fault
        try:
            if not reason:
                return self._inbox.events.read(record.value)
        except UnreadableEnvelope as fault:
            reason = str(fault)
        log.warning(
            "unreadable record",
            topic=self._topic,
            partition=record.partition,
            offset=record.offset,
            reason=reason,
        )
        await self._store.keep_unreadable(
            UnreadableRecord(self._topic, record.partition, record.offset, reason, record.value)
        )
        return None

    async def _receive(self, slot: int, envelopes: list[Envelope]) -> None:
        """Receive, waiting as long as the surroundings are at fault: only this partition stands still.

        What was received before the fault is dropped as a repetition by the next try.
        """
        pause = 0.05
        try:
            while True:
                try:
                    await self.slots.receive(slot, envelopes)
                except (StoreUnavailable, SurroundingsFault) as fault:
                    self._wait_for(slot, str(fault))
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, LONGEST_PAUSE)
                else:
                    return
        finally:
            self.waiting_for.pop(slot, None)
            self._waiting_since.pop(slot, None)

    def _wait_for(self, slot: int, reason: str) -> None:
        if reason not in self.waiting_for.values():  # once, however many slots there are
            log.warning("events wait", source=self._inbox.source, reason=reason)
        self.waiting_for[slot] = reason
        self._waiting_since.setdefault(slot, today())

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
            limit, faults = asyncio.Semaphore(FILL_AT_ONCE), set[str]()
            await all_together(*(self._fill_slot(slot, limit, faults) for slot in list(self.slots.behind)))
            if faults:
                log.warning(
                    "catch-up interrupted", source=self._inbox.source, reason="; ".join(sorted(faults)[:3])
                )
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                self.slots.gap_seen.set()
            else:
                pause = 0.1

    async def _fill_slot(self, slot: int, limit: asyncio.Semaphore, faults: set[str]) -> None:
        async with limit:
            try:
                await self.slots.fill(slot)
            except (StoreUnavailable, SurroundingsFault) as fault:
                faults.add(str(fault))

    async def _compare_heads(self, subscription: Subscription) -> None:
        """Find losses that no later number shows: where a partition is read to its end, everything that was
        read is consumed, and a cursor is still behind what the owner's head was an interval ago."""
        self._partitions = max(await subscription.partitions(), 1)
        while True:
            await self.slots.believe_the_store()
            before = self.slots.cursors()
            try:
                self._heads = await self._owner.heads()
                self._heads_at = time.monotonic()
            except SurroundingsFault as fault:
                log.warning("heads of the owner unknown", source=self._inbox.source, reason=str(fault))
                self._heads, self._heads_at = {}, -math.inf
            else:
                self._alarm_lost_tail(before)
            await asyncio.sleep(self._pace.heads)
            partitions = self._partitions = max(await subscription.partitions(), 1)
            for partition in await subscription.assigned():
                if not await subscription.is_at_end(partition) or partition in self._in_hand:
                    continue
                for slot in range(partition, SLOTS, partitions):
                    if self.slots.cursor(slot) < self._heads.get(slot, 0):
                        self.slots.note_gap(slot, self._heads[slot])

    def _alarm_lost_tail(self, before: dict[int, int]) -> None:
        lost = [slot for slot, at in before.items() if at > self._heads.get(slot, 0)]
        self.sees_lost_tail = bool(lost)
        if lost:
            log.critical("the owner lost its tail", source=self._inbox.source, count=len(lost))

    async def _watch(self, subscription: Subscription) -> None:
        """Start anew where a partition of ours has something and does not move, but for named faults of the
        surroundings; or where none is ours, and nobody else of the group gets on either."""
        seen: dict[int, tuple[int, float]] = {}  # partition -> its moves, and since when
        while True:
            await asyncio.sleep(self._pace.stall / 4)
            moves = await self._moves(subscription)
            now = time.monotonic()
            seen = {
                partition: seen[partition] if seen.get(partition, (-1,))[0] == count else (count, now)
                for partition, count in moves.items()
            }
            if any(now - since > self._pace.stall for _, since in seen.values()):
                raise Stalled("events wait in the topic and none arrives")

    async def _moves(self, subscription: Subscription) -> dict[int, int]:
        """How much each partition has moved in which something waits for us."""
        moves: dict[int, int] = {}
        assigned = await subscription.assigned()
        for partition in assigned:
            if partition not in self._in_hand and await subscription.is_at_end(partition):
                continue
            slots = self._in_hand.get(partition, set())
            if not slots & self.waiting_for.keys():
                moves[partition] = self._fetched[partition] + sum(self.slots.seen[slot] for slot in slots)
        if not assigned:
            cursors = await self._store.cursors(self._inbox.source)
            if any(cursors.get(slot, 0) < head for slot, head in self._heads.items()):
                moves[_NONE_IS_OURS] = sum(cursors.values())
        return moves


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterable[BaseException]:
    for fault in group.exceptions:
        if isinstance(fault, BaseExceptionGroup):
            yield from _leaves(fault)
        else:
            yield fault
