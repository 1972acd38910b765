"""The broker is wiped.

Its data are deleted, or it comes back as a new one, in the middle of the load. Offsets mean something else
from then on: those that the group committed point past the end or to other events, those that the relay
remembers too. What was acknowledged and not yet read is in the log alone.
"""

import asyncio

from shared.streaming.relay import Relay
from tests.unit.shared.streaming.flow import Flow, subject_in, until
from tests.unit.shared.streaming.interference import GatedBroker, StopsBeforeAdvancing


async def test_under_load_everything_arrives_all_the_same(flow: Flow) -> None:
    flow.start(flow.relay().run())
    flow.start(flow.follower().run())
    for round_ in range(2):
        load = asyncio.create_task(flow.record_many(subjects=30, each=2))
        await flow.consumed(60 * round_ + 10)
        await flow.engines.wipe_broker()
        await load
    await flow.settled(seconds=40)
    await flow.prove()


async def test_the_relay_publishes_again_what_the_new_topic_lacks(flow: Flow) -> None:
    await flow.record_many(subjects=30, each=2)
    await flow.relayed()
    await flow.engines.wipe_broker()
    flow.start(flow.relay().run())
    await flow.all_is_published()
    flow.start(flow.follower().run())
    await flow.settled()
    await flow.prove()


async def test_a_running_relay_notices_by_the_next_offset(flow: Flow) -> None:
    flow.start(flow.relay().run())
    subject, *_ = await flow.record_many(subjects=30, each=2)
    await flow.all_is_published()
    await flow.engines.wipe_broker()
    await flow.record(subject)  # in a partition that it remembers
    await flow.all_is_published()


async def test_an_idle_relay_notices_too(flow: Flow) -> None:
    flow.start(flow.relay().run())
    await flow.record_many(subjects=30, each=2)
    await flow.all_is_published()
    await flow.engines.wipe_broker()
    await flow.all_is_published()


async def test_a_relay_that_died_on_the_new_topic_does_not_hide_the_loss(flow: Flow) -> None:
    """It sent one record to the new topic and died before it noted that: the topic is not empty any more,
    and its last record is the newest of the log."""
    subject = await flow.record()
    for _ in range(10):
        await flow.record(subject)
    await flow.relayed()
    gated, dying = GatedBroker(flow.engines.broker), StopsBeforeAdvancing(flow.engines.relay_state)
    relay = Relay(flow.topic, flow.engines.owner, flow.published, gated, dying, flow.engines.leases)
    running = flow.start(relay.run())
    await flow.record(subject)
    await gated.reached.wait()
    await flow.engines.wipe_broker()
    gated.opened.set()
    await dying.reached.wait()
    await flow.kill(running)
    flow.start(flow.relay().run())
    await flow.all_is_published()


async def test_a_relay_that_died_when_it_had_noticed_goes_on_publishing_again(flow: Flow) -> None:
    await flow.record_many(subjects=40, each=2)
    await flow.relayed()
    state = flow.engines.relay_state
    relay = flow.relay(state)
    running = flow.start(relay.run())

    async def leads() -> bool:
        return relay.position > 0

    await until(leads, "it leads")
    await flow.engines.wipe_broker()
    # In every partition at once, so that every mark is one of the new topic.
    await asyncio.gather(*(flow.record() for _ in range(120)))
    while relay.position > 0:
        await asyncio.sleep(0)
    await flow.kill(running)
    flow.start(flow.relay().run())
    await flow.all_is_published()


async def test_an_acknowledgement_that_was_worth_nothing_is_noticed(flow: Flow) -> None:
    broker = flow.fake_broker("losing what it acknowledged")
    subject = await flow.record()
    await flow.relayed()
    broker.loses_what_it_acknowledges = True
    await flow.record(subject)
    await flow.relayed()
    broker.loses_what_it_acknowledges = False
    await flow.record(subject)
    flow.start(flow.relay().run())
    await flow.all_is_published()


async def test_a_topic_made_anew_with_fewer_partitions_is_published_again(flow: Flow) -> None:
    await flow.engines.wipe_broker(24)
    for slot in (15, 39, 63):  # in partition 15 of 24
        await flow.record(subject_in(slot))
    await flow.relayed()
    await flow.engines.wipe_broker(12)
    await flow.relayed()
    await flow.all_is_published()
    held = len(await flow.engines.held())
    await flow.relayed()
    assert len(await flow.engines.held()) == held  # it is known from now on
