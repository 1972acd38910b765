"""What operators are told of a follower: how far it is behind, whether it follows at all, what it alarms."""

from shared.streaming.handling import SurroundingsFault
from tests.unit.shared.streaming.flow import Flow, subject_in, until


async def test_its_lag_is_what_the_owner_has_and_it_has_not_reached(flow: Flow) -> None:
    # Each in a slot of its own: behind one that waits, all of its slot do.
    subjects = [await flow.record(subject_in(slot)) for slot in range(5)]
    for subject in subjects[:2]:
        flow.listener.faults[subject] = SurroundingsFault("keys are away")
    follower = flow.follower()
    assert (follower.lag(), follower.is_connected) == (None, False)
    task = flow.start(follower.run())

    async def two_are_left() -> bool:
        return follower.lag() == 2

    await until(two_are_left, "all but two are reached")
    assert follower.is_connected
    flow.listener.faults.clear()

    async def none_is_left() -> bool:
        return follower.lag() == 0

    await until(none_is_left, "all are reached")
    await flow.kill(task)
    assert not follower.is_connected


async def test_it_tells_that_the_owner_does_not_have_what_it_published(flow: Flow) -> None:
    await flow.record_many(subjects=3)
    await flow.relayed()
    follower = flow.follower()
    flow.start(follower.run())
    await flow.settled()
    assert not follower.sees_lost_tail
    flow.owner.heads_are_unknown = True

    async def is_seen() -> bool:
        return follower.sees_lost_tail

    await until(is_seen, "the lost tail is seen")
