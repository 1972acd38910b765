"""A long queue is retried.

A subject whose first event was parked gathers all that follows. The retry used to read the whole queue anew
for each event that it applied, and the store counted all of it at each append: quadratic, so that a thousand
events took four times as long as five hundred, and a queue that had grown for a day was never retried.
"""

from uuid import UUID

import pytest

from shared.store.inbox import WaitingEntry
from shared.store.numbering import waiting_limits
from shared.store.requests import AppendRequest, InboxEntry, InboxState, InboxTransition
from shared.streaming.handling import RecordFault
from shared.streaming.inbox import PAGE
from tests.unit.shared.streaming.flow import Flow

_ID = UUID(int=1)


@pytest.mark.parametrize("queued", [1, PAGE - 1, PAGE, PAGE + 1, 4 * PAGE])
async def test_each_waiting_event_is_read_about_once(
    queued: int, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow.start(flow.relay().run())
    subject = await flow.record()
    flow.listener.faults[subject] = RecordFault("not yet")
    flow.start(flow.follower().run())
    for _ in range(queued - 1):
        await flow.record(subject)
    await flow.settled()
    flow.listener.faults.clear()
    parking, waiting = flow.parking(), flow.engines.follower.waiting
    (parked,) = await parking.page(None, 10)
    read = 0

    async def counted(source: str, subject: str, limit: int | None = None) -> list[WaitingEntry]:
        nonlocal read
        found = await waiting(source, subject, limit)
        read += len(found)
        return found

    monkeypatch.setattr(flow.engines.follower, "waiting", counted)
    assert await parking.retry(parked) == (queued, "")
    # The last one of a page is read again, to see what comes after it.
    assert read <= queued + queued // (PAGE - 1) + 1
    assert len(await flow.prove()) == queued


def test_of_a_queue_no_more_is_counted_than_leaves_it() -> None:
    """However many wait, for the store's lock is held meanwhile."""
    arriving = InboxEntry("intake", 7, 9, _ID, "s", "t", "{}", InboxState.QUEUED)
    leaving = InboxTransition("intake", 7, 1, "s", InboxState.PARKED, InboxState.APPLIED)
    next_one = InboxTransition("intake", 7, 2, "s", InboxState.QUEUED, InboxState.PARKED)
    assert waiting_limits([AppendRequest(inbox=(arriving,))] * 3) == {("intake", "s"): 1}
    retried = AppendRequest(transitions=(leaving, next_one))
    assert waiting_limits([retried, AppendRequest(inbox=(arriving,))]) == {("intake", "s"): 2}
