"""Relays that die, sleep and lie at the worst moment, and followers that hang and sleep, on whatever broker
and store."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from shared.store.leases import Lease, Leases
from shared.streaming.broker import Broker, BrokerUnavailable, Outgoing, Publisher, Record, Subscription
from shared.streaming.relay_state import Mark, RelayState


class StopsBeforeAdvancing:
    """A relay's state that never comes to note what was acknowledged; `reached` tells when it should have."""

    def __init__(self, state: RelayState) -> None:
        self._state = state
        self.reached = asyncio.Event()

    async def load(self, topic: str, epoch: int) -> tuple[int, dict[int, Mark]] | None:
        return await self._state.load(topic, epoch)

    async def advance(self, topic: str, epoch: int, position: int, marks: Mapping[int, Mark]) -> bool:
        self.reached.set()
        await asyncio.Event().wait()
        return False


class Asleep:
    """A stopped process's leases: none is renewed, and none is seen to be lost."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases

    async def take(self, name: str) -> Lease | None:
        return await self._leases.take(name)

    async def keep(self, lease: Lease) -> None:
        await asyncio.Event().wait()

    async def give_up(self, lease: Lease) -> None:
        await self._leases.give_up(lease)


class Advances:
    """A relay's state that keeps in `advanced` whether each of its moves was made."""

    def __init__(self, state: RelayState) -> None:
        self._state = state
        self.advanced: list[bool] = []

    async def load(self, topic: str, epoch: int) -> tuple[int, dict[int, Mark]] | None:
        return await self._state.load(topic, epoch)

    async def advance(self, topic: str, epoch: int, position: int, marks: Mapping[int, Mark]) -> bool:
        self.advanced.append(await self._state.advance(topic, epoch, position, marks))
        return self.advanced[-1]


class GatedBroker:
    """Sends wait at a gate: `reached` when the first does, `opened` lets them through.

    Attributes:
        loses_last: of each batch the last record is acknowledged and lost.
    """

    def __init__(self, broker: Broker, *, is_open: bool = False, loses_last: bool = False) -> None:
        self._broker, self.loses_last = broker, loses_last
        self.reached, self.opened = asyncio.Event(), asyncio.Event()
        if is_open:
            self.opened.set()

    @asynccontextmanager
    async def publisher(self, topic: str) -> AsyncIterator["_GatedPublisher"]:
        async with self._broker.publisher(topic) as publisher:
            yield _GatedPublisher(self, publisher)

    def subscription(self, topic: str, group: str) -> AbstractAsyncContextManager[Subscription]:
        return self._broker.subscription(topic, group)


class _GatedPublisher:
    def __init__(self, broker: GatedBroker, publisher: Publisher) -> None:
        self._broker, self._publisher = broker, publisher

    async def partitions(self) -> int:
        return await self._publisher.partitions()

    async def bounds(self, partition: int) -> tuple[int, int]:
        return await self._publisher.bounds(partition)

    async def read_at(self, partition: int, offset: int) -> Record | None:
        return await self._publisher.read_at(partition, offset)

    async def send(self, records: Sequence[Outgoing], day_ms: int) -> list[int]:
        self._broker.reached.set()
        await self._broker.opened.wait()
        if not self._broker.loses_last:
            return await self._publisher.send(records, day_ms)
        offsets = await self._publisher.send(records[:-1], day_ms)
        _, end = await self._publisher.bounds(records[-1].partition)
        return [*offsets, end]


class _PassedOn:
    """A subscription that does what another one does."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription

    async def assigned(self) -> Collection[int]:
        return await self._subscription.assigned()

    async def partitions(self) -> int:
        return await self._subscription.partitions()

    async def fetch(self, partition: int, limit: int, wait_seconds: float) -> list[Record]:
        return await self._subscription.fetch(partition, limit, wait_seconds)

    async def is_at_end(self, partition: int) -> bool:
        return await self._subscription.is_at_end(partition)

    async def commit(self, offsets: dict[int, int]) -> None:
        await self._subscription.commit(offsets)


class HangingBroker:
    """After `hang()` the members of that moment never get a record again."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._members: list[_Hanging] = []

    def hang(self) -> None:
        for member in self._members:
            member.hangs = True

    def publisher(self, topic: str) -> AbstractAsyncContextManager[Publisher]:
        return self._broker.publisher(topic)

    @asynccontextmanager
    async def subscription(self, topic: str, group: str) -> AsyncIterator[Subscription]:
        async with self._broker.subscription(topic, group) as subscription:
            self._members.append(_Hanging(subscription))
            yield self._members[-1]


class _Hanging(_PassedOn):
    hangs = False

    async def fetch(self, partition: int, limit: int, wait_seconds: float) -> list[Record]:
        if self.hangs:
            await asyncio.Event().wait()
        return await super().fetch(partition, limit, wait_seconds)


class SleepingBroker:
    """Its one member sleeps: it goes on believing what it last knew, and hears of nothing.

    Attributes:
        is_asleep: from now on.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._membership = AsyncExitStack()
        self.is_asleep = False

    async def expel(self) -> None:
        """The group gives its partitions to others, and it does not know."""
        assert self.is_asleep
        await self._membership.aclose()

    def publisher(self, topic: str) -> AbstractAsyncContextManager[Publisher]:
        return self._broker.publisher(topic)

    @asynccontextmanager
    async def subscription(self, topic: str, group: str) -> AsyncIterator[Subscription]:
        async with self._membership:
            entered = await self._membership.enter_async_context(self._broker.subscription(topic, group))
            yield _Sleeping(self, entered)


class _Sleeping(_PassedOn):
    def __init__(self, broker: SleepingBroker, subscription: Subscription) -> None:
        super().__init__(subscription)
        self._broker = broker
        self._believed: Collection[int] = ()

    async def assigned(self) -> Collection[int]:
        if not self._broker.is_asleep:
            self._believed = await super().assigned()
        return self._believed

    async def fetch(self, partition: int, limit: int, wait_seconds: float) -> list[Record]:
        records = [] if self._broker.is_asleep else await super().fetch(partition, limit, wait_seconds)
        if self._broker.is_asleep:  # also where it fell asleep over it
            await asyncio.Event().wait()
        return records

    async def is_at_end(self, partition: int) -> bool:
        return not self._broker.is_asleep and await super().is_at_end(partition)

    async def commit(self, offsets: dict[int, int]) -> None:
        if not self._broker.is_asleep:
            await super().commit(offsets)


class LeavingBroker:
    """Every subscription and every call of one fails while it is `away`."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.away = False

    async def answer(self) -> None:
        await asyncio.sleep(0)
        if self.away:
            raise BrokerUnavailable("the broker is away")

    def publisher(self, topic: str) -> AbstractAsyncContextManager[Publisher]:
        return self._broker.publisher(topic)

    @asynccontextmanager
    async def subscription(self, topic: str, group: str) -> AsyncIterator[Subscription]:
        await self.answer()
        async with self._broker.subscription(topic, group) as subscription:
            yield _Leaving(self, subscription)


class _Leaving(_PassedOn):
    def __init__(self, broker: LeavingBroker, subscription: Subscription) -> None:
        super().__init__(subscription)
        self._broker = broker

    async def assigned(self) -> Collection[int]:
        await self._broker.answer()
        return await super().assigned()

    async def fetch(self, partition: int, limit: int, wait_seconds: float) -> list[Record]:
        await self._broker.answer()
        return await super().fetch(partition, limit, wait_seconds)

    async def is_at_end(self, partition: int) -> bool:
        await self._broker.answer()
        return await super().is_at_end(partition)
