"""Partitions are added.

With 24 instead of 12 half of the slots go to another partition. What was published stays in the old one:
the newer events of a subject may be read before its older ones, by another worker or another member.
"""

from tests.unit.shared.streaming.engines import TOPIC
from tests.unit.shared.streaming.flow import Flow


async def test_a_slot_that_changes_its_partition_stays_in_order(flow: Flow) -> None:
    flow.start(flow.relay().run())
    flow.start(flow.follower().run())
    subjects = await flow.record_many(subjects=60, each=2)
    await flow.engines.add_partitions(24)
    for _ in range(2):
        for subject in subjects:
            await flow.record(subject)
    await flow.settled(seconds=40)
    rows = await flow.prove()
    assert {row.slot % 24 >= 12 for row in rows} == {True, False}


async def test_a_follower_that_comes_after_the_growth_puts_both_together(flow: Flow) -> None:
    """The topic was never read; every subject's events lie in two partitions."""
    broker = flow.fake_broker("growing a topic that keeps its records")
    subjects = await flow.record_many(subjects=60, each=2)
    await flow.relayed()
    broker.add_partitions(TOPIC, 24)
    for subject in subjects:
        await flow.record(subject)
    await flow.relayed()
    flow.start(flow.follower().run())
    await flow.settled()
    await flow.prove()
    ends = [record.partition for record in broker.records(TOPIC)]
    assert max(ends) >= 12
