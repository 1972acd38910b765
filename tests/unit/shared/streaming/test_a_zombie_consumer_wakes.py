"""A zombie consumer wakes.

A member is silent for longer than its session, in the middle of an event: its handler has decided, its
append has not been asked for. The group gives its partitions to another, which applies the same event and
all that follow. The zombie wakes and appends what it had decided, long ago.
"""

import asyncio

from shared.streaming.follower import Pace
from tests.unit.shared.streaming.engines import Ability
from tests.unit.shared.streaming.flow import PACE, TYPE, Flow, Listener, until
from tests.unit.shared.streaming.interference import SleepingBroker

PATIENT = Pace(regroup=PACE.regroup, heads=PACE.heads, stall=60, commit=PACE.commit, fetch=PACE.fetch)


async def test_what_a_zombie_decided_is_refused(flow: Flow) -> None:
    """The second one reads as another group: the store's cursors are what the two share."""
    flow.start(flow.relay().run())
    sleepy = Listener()
    subject = await flow.record()
    sleepy.gates[subject] = gate = asyncio.Event()
    zombie = flow.start(flow.follower(flow.inbox({(TYPE, 1): sleepy}), pace=PATIENT).run())
    await sleepy.reached.wait()

    flow.start(flow.follower(group=f"{flow.group}-2").run())
    for _ in range(5):
        await flow.record(subject)
    await flow.settled()
    heard = len(sleepy.heard)
    gate.set()
    await flow.record(subject)
    await flow.settled()
    await flow.kill(zombie)
    await flow.prove()
    assert heard == 1


async def test_a_member_that_was_expelled_applies_nothing_more(flow: Flow) -> None:
    flow.needs(Ability.SHARED_GROUPS)
    flow.start(flow.relay().run())
    sleepy, drowsy = Listener(), SleepingBroker(flow.engines.broker)
    subject = await flow.record()
    sleepy.gates[subject] = gate = asyncio.Event()
    zombie = flow.start(flow.follower(flow.inbox({(TYPE, 1): sleepy}), pace=PATIENT, broker=drowsy).run())
    await sleepy.reached.wait()
    drowsy.is_asleep = True

    flow.start(flow.follower().run())

    async def are_members(count: int) -> bool:
        return await flow.engines.members(flow.group) == count

    await until(lambda: are_members(2), "the second one has joined")
    await drowsy.expel()
    await until(lambda: are_members(1), "the first one is expelled")
    for _ in range(5):
        await flow.record(subject)
    await flow.record_many(subjects=20)
    await flow.settled()
    gate.set()
    await flow.record(subject)
    await flow.settled()
    await flow.kill(zombie)
    await flow.prove()
    assert len(sleepy.heard) == 1
