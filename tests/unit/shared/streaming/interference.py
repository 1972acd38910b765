"""Relays that die, sleep and lie at the worst moment, on whatever broker and store."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from shared.store.leases import Lease
from shared.streaming.broker import Broker, Outgoing, Publisher, Record, Subscription
from shared.streaming.relay_state import Mark, RelayState


class StopsBeforeAdvancing:
    """A relay's state that never comes to note what was acknowledged; `reached` tells when it should have."""

    def __init__(self, state: RelayState) -> None:
        self._state = state
        self.reached = asyncio.Event()

    async def lead(self, topic: str) -> Lease | None:
        return await self._state.lead(topic)

    async def stay(self, lease: Lease) -> bool:
        return await self._state.stay(lease)

    async def give_up(self, lease: Lease) -> None:
        await self._state.give_up(lease)

    async def load(self, topic: str, epoch: int) -> tuple[int, dict[int, Mark]] | None:
        return await self._state.load(topic, epoch)

    async def advance(self, topic: str, epoch: int, position: int, marks: Mapping[int, Mark]) -> bool:
        self.reached.set()
        await asyncio.Event().wait()
        return False


class Asleep:
    """A stopped process's state: it does not renew its lease, and does not notice that it lost it."""

    def __init__(self, state: RelayState) -> None:
        self._state = state
        self.advanced: list[bool] = []

    async def lead(self, topic: str) -> Lease | None:
        return await self._state.lead(topic)

    async def stay(self, lease: Lease) -> bool:
        await asyncio.Event().wait()
        return False

    async def give_up(self, lease: Lease) -> None:
        await self._state.give_up(lease)

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
