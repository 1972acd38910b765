"""Members come and go.

Replicas are added, die and are replaced in the middle of the load. At each of it all members of the group
stop, partitions change hands, and everybody reads on from what was committed last, which is older than what
was applied.
"""

import asyncio

from tests.unit.shared.streaming.engines import Ability
from tests.unit.shared.streaming.flow import Flow, until


async def test_under_load_everything_is_applied_once(flow: Flow) -> None:
    flow.needs(Ability.SHARED_GROUPS)
    flow.start(flow.relay().run())
    members = [flow.start(flow.follower().run())]
    load = asyncio.create_task(flow.record_many(subjects=40, each=5))
    for done in range(20, 181, 40):
        members.append(flow.start(flow.follower().run()))
        await flow.consumed(done)
        await flow.kill(members.pop(0))
    await load
    await flow.settled()
    await flow.prove()
    assert await flow.engines.members(flow.group) == 1


async def test_what_is_delivered_again_is_dropped(flow: Flow) -> None:
    broker = flow.fake_broker("delivering everything again")
    flow.start(flow.relay().run())
    flow.start(flow.follower().run())
    await flow.record_many(subjects=20, each=2)
    await flow.settled()
    heard = len(flow.listener.heard)
    broker.deliver_again(flow.topic)

    async def is_read_again() -> bool:
        return sum(broker.committed(flow.topic, flow.group).values()) == 40

    await until(is_read_again, "everything was read again")
    assert len(flow.listener.heard) == heard
    await flow.prove()


async def test_what_the_broker_forgot_comes_from_the_owner(flow: Flow) -> None:
    """A follower that was away for longer than the topic's retention."""
    broker = flow.fake_broker("forgetting all but the last records")
    broker.retention = 2
    await flow.record_many(subjects=60, each=3)
    await flow.relayed()
    assert len(broker.records(flow.topic)) <= 24
    flow.start(flow.follower().run())
    await flow.settled()
    await flow.prove()


async def test_nothing_published_tells_the_hour(flow: Flow) -> None:
    broker = flow.fake_broker("its timestamps looked at")
    await flow.record()
    await flow.relayed()
    assert all(day % 86_400_000 == 0 for day in broker.days)
    assert broker.days
