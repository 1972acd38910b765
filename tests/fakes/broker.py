"""A broker in memory, for tests of relay and followers that need no Kafka.

It has the `Broker` port and the weaknesses of a real one, on demand: it can be away, wiped under its
clients' hands, restarted (every client has to come anew), grown by partitions; it forgets what is older than
its retention, delivers again, loses the last record, acknowledges records and loses them. Several members
of a group share the partitions; whenever one comes or goes, all of them read on from the committed offsets.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from shared.streaming.broker import BrokerUnavailable, Outgoing, Record


@dataclass
class _Partition:
    """`kept` are the records from offset `begin` on, `garbled` the offsets of those that cannot be read."""

    begin: int = 0
    kept: list[bytes] = field(default_factory=list)
    garbled: set[int] = field(default_factory=set)

    @property
    def end(self) -> int:
        return self.begin + len(self.kept)

    def record(self, number: int, offset: int) -> Record:
        value = self.kept[offset - self.begin]
        return Record(number, offset, value, "its checksum is wrong" if offset in self.garbled else "")

    def forget(self, retention: int | None) -> None:
        if retention is not None and len(self.kept) > retention:
            self.begin += len(self.kept) - retention
            del self.kept[: len(self.kept) - retention]


class FakeBroker:
    """
    Attributes:
        away: nothing answers; every call raises `BrokerUnavailable`.
        retention: how many records a partition keeps; None for all.
        loses_what_it_acknowledges: `send` answers with offsets and keeps nothing.
        days: the timestamps that records were sent with.
    """

    def __init__(self, partitions: int = 12, retention: int | None = None) -> None:
        self.away = False
        self.retention = retention
        self.loses_what_it_acknowledges = False
        self.days: set[int] = set()
        self._count = partitions
        self._topics: dict[str, list[_Partition]] = {}
        self._groups: dict[tuple[str, str], _Group] = {}
        self.incarnation = 0
        self._changed = asyncio.Event()

    # The port

    @asynccontextmanager
    async def publisher(self, topic: str) -> AsyncIterator["FakePublisher"]:
        await self.answer(self.incarnation)
        yield FakePublisher(self, topic, self.incarnation)

    async def everything(self, topic: str) -> AsyncGenerator[Record, None]:
        await self.answer(self.incarnation)
        for number, partition in enumerate(self.topic(topic)):
            for place in range(len(partition.kept)):
                yield partition.record(number, partition.begin + place)

    @asynccontextmanager
    async def subscription(self, topic: str, group: str) -> AsyncIterator["FakeSubscription"]:
        await self.answer(self.incarnation)
        of = self._groups.setdefault((topic, group), _Group())
        member = FakeSubscription(self, topic, of, self.incarnation)
        of.members.append(member)
        of.rebalance(self.count(topic))
        try:
            yield member
        finally:
            if member in of.members:
                of.members.remove(member)
                of.rebalance(self.count(topic))
                self.wake()

    # What its clients need of it

    async def answer(self, incarnation: int) -> None:
        await asyncio.sleep(0)
        if self.away or incarnation != self.incarnation:
            raise BrokerUnavailable("the broker is away")

    def count(self, topic: str) -> int:
        return len(self.topic(topic))

    def topic(self, name: str) -> list[_Partition]:
        return self._topics.setdefault(name, [_Partition() for _ in range(self._count)])

    def append(self, topic: str, partition: int, value: bytes) -> int:
        of = self.topic(topic)[partition]
        if self.loses_what_it_acknowledges:
            return of.end
        of.kept.append(value)
        of.forget(self.retention)
        return of.end - 1

    def wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def change(self, seconds: float) -> bool:
        """Waits until something happens at the broker; False where nothing did."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True

    # For tests alone

    def records(self, topic: str) -> list[Record]:
        """Everything that is kept, partition by partition."""
        return [
            Record(number, of.begin + n, value)
            for number, of in enumerate(self.topic(topic))
            for n, value in enumerate(of.kept)
        ]

    def put(self, topic: str, partition: int, value: bytes) -> None:
        """A record that no relay sent, or one of it once more."""
        self.append(topic, partition, value)
        self.wake()

    def garble(self, topic: str, partition: int, offset: int) -> None:
        """A bit of the record has turned on the broker's disk."""
        self.topic(topic)[partition].garbled.add(offset)

    def wipe(self) -> None:
        """All records and committed offsets are gone; the clients are not told."""
        self._topics = {name: [_Partition() for _ in of] for name, of in self._topics.items()}
        for group in self._groups.values():
            group.committed.clear()
        self.wake()

    def restart(self, partitions: int | None = None) -> None:
        """Wiped, and at another address: every client has to come anew."""
        self.incarnation += 1
        self._count = partitions or self._count
        self._topics, self._groups = {}, {}
        self.wake()

    def add_partitions(self, topic: str, total: int) -> None:
        """The topic grows, as Kafka lets it: what was published stays where it is."""
        of = self.topic(topic)
        of += [_Partition() for _ in range(total - len(of))]
        for (name, _), group in self._groups.items():
            if name == topic:
                group.rebalance(total)
        self.wake()

    def lose_last(self, topic: str, partition: int, count: int = 1) -> None:
        """An election of a replica that was behind: the end goes back."""
        of = self.topic(topic)[partition]
        del of.kept[len(of.kept) - count :]

    def deliver_again(self, topic: str) -> None:
        """All groups read from the beginning."""
        for (name, _), group in self._groups.items():
            if name == topic:
                group.committed.clear()
                group.rebalance(self.count(topic))
        self.wake()

    def members(self, topic: str, group: str) -> list["FakeSubscription"]:
        known = self._groups.get((topic, group))
        return list(known.members) if known else []

    def committed(self, topic: str, group: str) -> dict[int, int]:
        return dict(self._groups[topic, group].committed)


class _Group:
    def __init__(self) -> None:
        self.members: list[FakeSubscription] = []
        self.committed: dict[int, int] = {}

    def rebalance(self, partitions: int) -> None:
        """Everybody stops, and reads on from what was committed."""
        shares: defaultdict[int, set[int]] = defaultdict(set)
        for partition in range(partitions):
            if self.members:
                shares[partition % len(self.members)].add(partition)
        for number, member in enumerate(self.members):
            member.positions = {partition: self.committed.get(partition, 0) for partition in shares[number]}


class FakePublisher:
    def __init__(self, broker: FakeBroker, topic: str, incarnation: int) -> None:
        self._broker, self._topic, self._incarnation = broker, topic, incarnation

    async def partitions(self) -> int:
        await self._broker.answer(self._incarnation)
        return self._broker.count(self._topic)

    async def send(self, records: Sequence[Outgoing], day_ms: int) -> list[int]:
        await self._broker.answer(self._incarnation)
        offsets = [self._broker.append(self._topic, record.partition, record.value) for record in records]
        self._broker.days.add(day_ms)
        self._broker.wake()
        await self._broker.answer(self._incarnation)  # they may be kept, and the acknowledgement lost
        return offsets

    async def bounds(self, partition: int) -> tuple[int, int]:
        await self._broker.answer(self._incarnation)
        of = self._broker.topic(self._topic)[partition]
        return of.begin, of.end

    async def read_at(self, partition: int, offset: int) -> Record | None:
        await self._broker.answer(self._incarnation)
        of = self._broker.topic(self._topic)[partition]
        kept = (of.record(partition, at) for at in range(max(offset, of.begin), of.end))
        return next((record for record in kept if not record.fault), None)


class FakeSubscription:
    """`positions`: the partitions that are its, and where it reads on."""

    def __init__(self, broker: FakeBroker, topic: str, group: _Group, incarnation: int) -> None:
        self._broker, self._topic, self._group, self._incarnation = broker, topic, group, incarnation
        self.positions: dict[int, int] = {}

    async def assigned(self) -> set[int]:
        await self._broker.answer(self._incarnation)
        return set(self.positions)

    async def partitions(self) -> int:
        await self._broker.answer(self._incarnation)
        return self._broker.count(self._topic)

    async def fetch(self, partition: int, limit: int, wait_seconds: float) -> list[Record]:
        while True:
            await self._broker.answer(self._incarnation)
            records = self._next(partition, limit)
            if records or not await self._broker.change(wait_seconds):
                return records

    def _next(self, partition: int, limit: int) -> list[Record]:
        if partition not in self.positions:
            return []
        of = self._broker.topic(self._topic)[partition]
        at = self.positions[partition]
        if not of.begin <= at <= of.end:
            at = of.begin  # auto_offset_reset=earliest
        self.positions[partition] = min(at + limit, of.end)
        return [of.record(partition, offset) for offset in range(at, self.positions[partition])]

    async def is_at_end(self, partition: int) -> bool:
        await self._broker.answer(self._incarnation)
        at = self.positions.get(partition)
        return at is not None and at >= self._broker.topic(self._topic)[partition].end

    async def commit(self, offsets: dict[int, int]) -> None:
        # Best effort, as on Kafka: not at all where one of the partitions is not its own any more.
        await asyncio.sleep(0)
        known = not self._broker.away and self._incarnation == self._broker.incarnation
        if known and offsets.keys() <= self.positions.keys():
            self._group.committed |= offsets
