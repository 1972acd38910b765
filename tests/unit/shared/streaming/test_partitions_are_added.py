"""Partitions are added.

With 24 instead of 12 half of the slots go to another partition. What was published stays in the old one:
the newer events of a subject may be read before its older ones, by another worker or another member.
"""

from tests.unit.shared.streaming.engines import Ability
from tests.unit.shared.streaming.flow import Flow, until


async def test_a_slot_that_changes_its_partition_stays_in_order(flow: Flow) -> None:
    flow.start(flow.relay().run())
    flow.start(flow.follower().run())
    subjects = await flow.record_many(subjects=60, each=2)
    await flow.engines.add_partitions(24)
    for _ in range(2):
        for subject in subjects:
            await flow.record(subject)

    async def reaches_the_new_ones() -> bool:
        await flow.record(subjects[0])
        await flow.record_many(subjects=12)
        return await _reaches_beyond_12(flow)

    await until(reaches_the_new_ones, "the relay publishes to the new partitions", seconds=40)
    for subject in subjects:
        await flow.record(subject)
    await flow.settled(seconds=40)
    await flow.prove()


async def test_a_follower_that_comes_after_the_growth_puts_both_together(flow: Flow) -> None:
    """The topic was never read; every subject's events lie in two partitions."""
    flow.needs(Ability.GROWTH)
    subjects = await flow.record_many(subjects=60, each=2)
    await flow.relayed()
    await flow.engines.add_partitions(24)
    for subject in subjects:
        await flow.record(subject)
    await flow.relayed()
    flow.start(flow.follower().run())
    await flow.settled()
    await flow.prove()
    assert await _reaches_beyond_12(flow)


async def _reaches_beyond_12(flow: Flow) -> bool:
    return any(record.partition >= 12 for record in await flow.engines.held())
