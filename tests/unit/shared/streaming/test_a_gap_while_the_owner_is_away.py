"""A gap while the owner is away.

Kafka lost an event in the middle of a slot, and the only one who has it does not answer. That slot has to
wait, for what lies above the gap must not be applied before it; nothing else has to.
"""

from shared.streaming.slots import Slots
from tests.unit.shared.streaming.flow import OWNER, Flow, subject_in


async def test_it_delays_its_slot_and_stops_nothing_else(flow: Flow) -> None:
    gapped = await flow.record(subject_in(slot=5))
    for _ in range(2):
        await flow.record(gapped)
    await flow.record(subject_in(slot=17))  # in the same partition
    await flow.record_many(subjects=20, each=2)
    lost, *_ = await flow.events_of(gapped)
    await flow.publish(event for event in await flow.public_events() if event != lost)

    flow.owner.is_away = True
    flow.start(flow.follower().run())
    behind = len([e for e in await flow.public_events() if e.slot == lost.slot])
    await flow.consumed(len(await flow.public_events()) - behind)
    assert (await flow.engines.follower.cursors(OWNER)).get(5, 0) == 0

    flow.owner.is_away = False
    await flow.settled()
    await flow.prove()


async def test_a_gap_that_was_being_filled_when_all_was_interrupted_is_filled(flow: Flow) -> None:
    """The wake-up for the filler was taken, and then it was cancelled."""
    gapped = await flow.record(subject_in(slot=5))
    await flow.record(gapped)
    follower = flow.follower()
    follower.slots.note_gap(5, 2)
    follower.slots.gap_seen.clear()
    flow.owner.heads_are_unknown = True  # so that no comparison wakes it either
    flow.start(follower.run())
    await flow.settled()
    await flow.prove()


async def test_a_cursor_that_another_member_moved_is_no_gap(flow: Flow) -> None:
    """A member that gets a partition knows its cursors from long ago. What it takes for a gap is done."""
    subject = await flow.record()
    for _ in range(5):
        await flow.record(subject)
    envelopes = await flow.envelopes_of(subject)
    idle = Slots(flow.inbox(), flow.engines.follower, flow.owner)
    await idle.load()
    busy = Slots(flow.inbox(), flow.engines.follower, flow.owner)
    await busy.load()
    slot = envelopes[0].slot
    await busy.receive(slot, envelopes[:5])

    flow.owner.is_away = True
    await idle.receive(slot, envelopes[5:])
    assert not idle.behind
    await flow.prove()
