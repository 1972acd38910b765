"""A client cancels its caller.

When the broker goes, aiokafka's consumer cancels its pending fetches and, in `stop`, lets the
`CancelledError` of one out. To asyncio that looks as if the follower itself had been cancelled: its task
ended without an error, nobody noticed, and the service followed nobody any more. The other way round, a
task group that is cancelled in the moment in which one of its tasks fails tells of the failure alone, and a
loop that retries after failures would go on for ever in a process that wants to stop.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from shared.streaming.broker import Broker, BrokerUnavailable, Outgoing, Publisher, Record, Subscription
from shared.streaming.relay import Relay
from shared.streaming.together import StrayCancellation, all_together, stand_together
from tests.unit.shared.streaming.flow import Flow
from tests.unit.shared.streaming.interference import LeavingBroker


class Straying:
    """A broker whose first publisher and first subscription cancel whoever calls them: at `place`."""

    def __init__(self, broker: Broker, place: str) -> None:
        self._broker, self._place = broker, place
        self.strayed = asyncio.Event()

    def stray(self, place: str) -> None:
        if place == self._place and not self.strayed.is_set():
            self.strayed.set()
            raise asyncio.CancelledError

    @asynccontextmanager
    async def publisher(self, topic: str) -> AsyncIterator[Publisher]:
        async with self._broker.publisher(topic) as publisher:
            original = publisher.send

            async def send(records: Sequence[Outgoing], day_ms: int) -> list[int]:
                self.stray("send")
                return await original(records, day_ms)

            publisher.send = send  # type: ignore[method-assign]  # this one object alone
            yield publisher

    @asynccontextmanager
    async def subscription(self, topic: str, group: str) -> AsyncIterator[Subscription]:
        async with self._broker.subscription(topic, group) as subscription:
            original = subscription.fetch

            async def fetch(partition: int, limit: int, wait_seconds: float) -> list[Record]:
                self.stray("fetch")
                if self._place == "close" and not self.strayed.is_set():
                    raise BrokerUnavailable("gone")
                return await original(partition, limit, wait_seconds)

            subscription.fetch = fetch  # type: ignore[method-assign]
            try:
                yield subscription
            finally:
                self.stray("close")


@pytest.mark.parametrize("place", ["send", "fetch", "close"])
async def test_relay_and_follower_outlive_it(flow: Flow, place: str) -> None:
    broker = Straying(flow.engines.broker, place)
    relay = Relay(
        flow.topic, flow.engines.owner, flow.published, broker, flow.engines.relay_state, flow.engines.leases
    )
    follower = flow.follower(broker=broker)
    tasks = [flow.start(relay.run()), flow.start(follower.run())]
    flow.owner.heads_are_unknown = True  # catch-up would hide it
    await flow.record_many(subjects=30, each=2)
    await broker.strayed.wait()
    await flow.settled()
    await flow.prove()
    assert not any(task.done() for task in tasks)


# aiokafka leaves the connection of a start that is cancelled to the garbage collector, which warns of it.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_a_stop_in_the_moment_of_a_failure_is_a_stop(flow: Flow) -> None:
    """Many times, for the moment is short."""
    broker = LeavingBroker(flow.engines.broker)
    await flow.record_many(subjects=10)
    await flow.relayed()
    for steps in range(40):
        follower = asyncio.create_task(flow.follower(broker=broker).run())
        for _ in range(steps):
            await asyncio.sleep(0)
        broker.away = True
        for _ in range(steps % 4):
            await asyncio.sleep(0)
        follower.cancel()
        done, _ = await asyncio.wait([follower], timeout=15)
        assert done, f"it outlived its cancellation, {steps} steps after its start"
        assert follower.cancelled()
        broker.away = False
    gc.collect()


async def test_a_task_that_was_cancelled_from_within_is_a_failure() -> None:
    async def strays() -> None:
        raise asyncio.CancelledError

    async def goes_on() -> None:
        await asyncio.Event().wait()

    with pytest.raises(StrayCancellation):
        await stand_together(goes_on(), strays())
    with pytest.raises(StrayCancellation):
        await all_together(strays())


async def test_the_first_failure_ends_the_others_and_is_told() -> None:
    ended = []

    async def goes_on() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def fails() -> None:
        raise BrokerUnavailable("gone")

    for together in (stand_together, all_together):
        with pytest.raises(BrokerUnavailable, match="gone"):
            await together(goes_on(), fails(), goes_on())
    assert len(ended) == 4
    await all_together()
