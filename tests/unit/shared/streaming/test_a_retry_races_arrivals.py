"""A retry races arrivals.

An operator retries a parked event while new events of its subject arrive. Those have to queue as long as
one waits, and not to queue behind nothing; the retry has to go on until the queue is empty. If either looks
before it acts, an event overtakes another, or waits for a retry that is over.
"""

import asyncio

import pytest

from shared.store.requests import Appended, AppendRequest, InboxState, InboxStateChanged
from shared.streaming.handling import RecordFault
from tests.unit.shared.streaming.flow import OWNER, Flow, until


async def test_the_queue_drains_and_the_order_holds(flow: Flow) -> None:
    flow.start(flow.relay().run())
    subject = await flow.record()
    flow.listener.faults[subject] = RecordFault("not yet")
    flow.start(flow.follower().run())
    for _ in range(5):
        await flow.record(subject)
    await flow.settled()
    flow.listener.faults.clear()
    parking = flow.parking()

    async def arrivals() -> None:
        for _ in range(30):
            await flow.record(subject)

    arriving = asyncio.create_task(arrivals())
    while not arriving.done():
        for entry in await parking.page(None, 10):
            await asyncio.gather(parking.retry(entry), parking.retry(entry))
        await asyncio.sleep(0)
    await arriving
    await flow.settled()

    async def nothing_waits() -> bool:
        for entry in await parking.page(None, 10):
            await parking.retry(entry)
        return not await flow.engines.follower.waiting(OWNER, subject)

    await until(nothing_waits, "the queue is empty")
    rows = await flow.prove()
    assert len(rows) == 36


async def test_a_retry_that_always_comes_second_does_not_give_up(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two operators retry one long queue. That the other one was there first is progress, not a fault."""
    flow.start(flow.relay().run())
    subject = await flow.record()
    flow.listener.faults[subject] = RecordFault("not yet")
    following = flow.start(flow.follower().run())
    for _ in range(2):
        await flow.record(subject)
    await flow.settled()
    await flow.kill(following)
    flow.listener.faults.clear()
    parking, append = flow.parking(), flow.engines.follower.append
    (parked,) = await parking.page(None, 10)
    quicker = iter(range(60))

    async def overtaken(request: AppendRequest) -> Appended:
        if request.transitions and next(quicker, None) is not None:
            step = request.transitions[0]
            raise InboxStateChanged(step.source, step.slot, step.slot_sequence, InboxState.APPLIED)
        return await append(request)

    monkeypatch.setattr(flow.engines.follower, "append", overtaken)
    assert await parking.retry(parked) == (3, "")
    await flow.prove()


async def test_a_retry_that_dies_in_the_middle_leaves_nothing_unseen(flow: Flow) -> None:
    """It applied the first of the queue. The next one must be seen by operators and by the next start, or it
    would wait, and all that queues behind it, for ever."""
    flow.start(flow.relay().run())
    subject = await flow.record()
    flow.listener.faults[subject] = RecordFault("not yet")
    flow.start(flow.follower().run())
    for _ in range(3):
        await flow.record(subject)
    await flow.settled()
    flow.listener.faults.clear()
    parking = flow.parking()
    (parked,) = await parking.page(None, 10)

    gates = [asyncio.Event(), asyncio.Event()]
    gates[0].set()
    flow.listener.turns[subject] = iter(gates)
    retry = asyncio.create_task(flow.parking().retry(parked))
    await flow.listener.reached.wait()
    retry.cancel()
    await asyncio.wait([retry])
    flow.listener.turns.clear()

    (left,) = await parking.page(None, 10)
    assert left.slot_sequence == parked.slot_sequence + 1
    assert await parking.retry_known({OWNER: flow.handlers}) == 3
    await flow.prove()


async def test_dropping_one_applies_what_queued_behind_it(flow: Flow) -> None:
    flow.start(flow.relay().run())
    subject = await flow.record(type_="complaint.misheard")
    flow.start(flow.follower().run())
    for _ in range(3):
        await flow.record(subject)
    await flow.settled()
    parking = flow.parking()
    (parked,) = await parking.page(None, 10)
    assert await parking.drop(parked) == (3, "")
    rows = await flow.engines.inbox()
    assert [row.state for row in rows] == ["dropped", "applied", "applied", "applied"]
