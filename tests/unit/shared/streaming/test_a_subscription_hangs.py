"""A subscription hangs.

aiokafka's consumers can stop delivering without any error: the member is in its group, the topic goes on,
`fetch` answers nothing. Nothing fails, so nothing is retried; only somebody who looks at the topic's end can
tell.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from shared.streaming.broker import Publisher, Subscription
from shared.streaming.follower import Pace
from tests.fakes.broker import FakeBroker
from tests.unit.shared.streaming.flow import PACE, Flow, until
from tests.unit.shared.streaming.interference import HangingBroker

WATCHFUL = Pace(regroup=PACE.regroup, heads=PACE.heads, stall=0.2, commit=PACE.commit, fetch=PACE.fetch)


async def test_it_is_started_anew(flow: Flow) -> None:
    broker = HangingBroker(flow.engines.broker)
    flow.start(flow.relay().run())
    flow.start(flow.follower(broker=broker).run())
    await flow.record_many(subjects=10)
    await flow.settled()
    broker.hang()
    flow.owner.heads_are_unknown = True  # catch-up would hide it, one event at a time
    await flow.record_many(subjects=10)
    await flow.settled(seconds=40)
    await flow.prove()


class Unassigning:
    """A broker of which the first subscription is never assigned anything."""

    def __init__(self, broker: FakeBroker) -> None:
        self._broker = broker
        self.subscriptions = 0

    def publisher(self, topic: str) -> AbstractAsyncContextManager[Publisher]:
        return self._broker.publisher(topic)

    @asynccontextmanager
    async def subscription(self, topic: str, group: str) -> AsyncIterator[Subscription]:
        self.subscriptions += 1
        async with self._broker.subscription(topic, group) as subscription:
            if self.subscriptions == 1:
                subscription.positions = {}
            yield subscription


async def test_one_that_is_never_assigned_a_partition_is_started_anew_too(flow: Flow) -> None:
    """Where others of its group get on, it is merely one too many."""
    broker = Unassigning(flow.fake_broker("a member without partitions"))
    await flow.record_many(subjects=10)
    await flow.relayed()
    follower = flow.follower(pace=WATCHFUL, broker=broker)
    flow.start(follower.run())
    await flow.settled()
    await flow.prove()
    assert broker.subscriptions == 2


async def test_one_without_partitions_whose_group_has_read_everything_is_left_alone(flow: Flow) -> None:
    broker = Unassigning(flow.fake_broker("a member without partitions"))
    await flow.record_many(subjects=10)
    await flow.relayed()
    running = flow.start(flow.follower(pace=WATCHFUL).run())
    await flow.settled()
    await flow.kill(running)
    follower = flow.follower(pace=WATCHFUL, broker=broker)
    flow.start(follower.run())
    await flow.looked_at_heads(flow.owner.heads_asked + 8)  # 0.8 s, four times its patience
    assert broker.subscriptions == 1


async def test_a_named_fault_of_the_surroundings_is_no_hanging(flow: Flow) -> None:
    broker = flow.fake_broker("its members counted")
    subject = await flow.record()
    await flow.relayed()
    without_key = flow.follower(pace=WATCHFUL)
    flow.listener.faults[subject] = TimeoutError("the model does not answer")
    flow.start(without_key.run())

    async def waits() -> bool:
        return bool(without_key.waiting_for)

    await until(waits, "it waits for its surroundings")
    (member,) = broker.members(flow.topic, flow.group)
    await flow.looked_at_heads(flow.owner.heads_asked + 8)
    assert broker.members(flow.topic, flow.group) == [member]
