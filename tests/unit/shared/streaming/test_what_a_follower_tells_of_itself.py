"""What operators are told of a follower: how far it is behind, whether it follows at all, what it alarms."""

import asyncio
from datetime import timedelta

from shared.clock import today
from shared.streaming.follower import Follower
from shared.streaming.handling import SurroundingsFault
from shared.streaming.inbox import PARKED_IN_A_ROW
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


async def lag_is(follower: Follower, number: int | None) -> None:
    async def it_is() -> bool:
        return follower.lag() == number

    await until(it_is, f"its lag is {number}")


async def test_while_it_is_not_connected_its_lag_is_unknown(flow: Flow) -> None:
    """It had reached everything. What the owner has recorded since, it cannot know."""
    await flow.record_many(subjects=3)
    await flow.relayed()
    follower = flow.follower()
    task = flow.start(follower.run())
    await lag_is(follower, 0)
    await flow.kill(task)
    await flow.record_many(subjects=3)
    assert follower.lag() is None


async def test_while_the_broker_is_away_its_lag_is_unknown(flow: Flow) -> None:
    broker = flow.fake_broker("being away at the same address")
    await flow.record_many(subjects=3)
    await flow.relayed()
    follower = flow.follower()
    flow.start(follower.run())
    await lag_is(follower, 0)
    broker.away = True
    await lag_is(follower, None)
    broker.away = False
    await lag_is(follower, 0)


async def test_while_the_owner_does_not_answer_its_lag_is_unknown(flow: Flow) -> None:
    await flow.record_many(subjects=3)
    await flow.relayed()
    follower = flow.follower()
    flow.start(follower.run())
    await lag_is(follower, 0)
    flow.owner.is_away = True
    await lag_is(follower, None)


async def test_an_answer_of_the_owner_grows_old(flow: Flow) -> None:
    """Whatever it is that keeps the follower from asking again: it hangs, and reports nothing for nought."""
    await flow.record_many(subjects=3)
    await flow.relayed()
    follower = flow.follower()
    flow.start(follower.run())
    await lag_is(follower, 0)
    flow.owner.hangs = True
    await lag_is(follower, None)


async def test_after_too_many_parked_events_its_lag_is_unknown(flow: Flow) -> None:
    follower = flow.follower()
    running = flow.start(follower.run())
    await flow.record_many(subjects=3)
    await flow.relayed()
    await lag_is(follower, 0)
    for _ in range(PARKED_IN_A_ROW):
        await flow.record(type_="complaint.sung")
    await flow.relayed()
    await asyncio.wait([running], timeout=20)
    assert (follower.is_stopped, follower.lag()) == (True, None)


async def test_a_slot_that_waits_is_told_from_the_next_day_on(flow: Flow) -> None:
    """A contact begins the wait: on the same day it would tell of one."""
    subject = await flow.record()
    flow.listener.faults[subject] = SurroundingsFault("keys are away")
    await flow.relayed()
    follower = flow.follower()
    flow.start(follower.run())

    async def it_waits() -> bool:
        return bool(follower.waiting_for)

    await until(it_waits, "it waits")
    assert follower.waiting_before(today()) == 0
    assert follower.waiting_before(today() + timedelta(days=1)) == 1
    flow.listener.faults.clear()
    await flow.settled()
    assert follower.waiting_before(today() + timedelta(days=1)) == 0


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
