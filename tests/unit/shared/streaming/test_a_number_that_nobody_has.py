"""A number that nobody has.

The topic lacks it, and its owner cannot serve it either. Waiting for it would stop its slot for ever; going
on silently would hide a loss. It is parked as missing, and the slot goes on.
"""

from typing import Any

from shared.store.port import Store
from shared.store.requests import AppendRequest, CursorMove
from shared.streaming.published import PublishedLog
from shared.streaming.slots import Slots
from tests.unit.shared.streaming.flow import OWNER, Flow, LogOwner, signed, subject_in


async def test_it_is_parked_as_missing_and_the_slot_goes_on(flow: Flow) -> None:
    subject = await flow.record(subject_in(slot=7))
    await flow.record(subject)
    await flow.record(subject_in(slot=7))
    first, _, third = [event for event in await flow.public_events() if event.slot == 7]
    await flow.publish([first, third])
    flow.owner.lacks.add((7, 2))
    flow.start(flow.follower().run())
    await flow.settled()
    rows = await flow.engines.inbox()
    assert [(row.state, row.reason) for row in rows] == [
        ("applied", ""),
        ("parked", "its owner does not have it"),
        ("applied", ""),
    ]
    parking = flow.parking()
    (missing,) = await parking.page(None, 10)
    assert await parking.retry(missing) == (0, "its owner does not have it")
    assert await parking.drop(missing) == (0, "")
    assert await parking.page(None, 10) == []


class GarblingOwner(LogOwner):
    """Serves one number in a form that this follower cannot read."""

    def __init__(self, store: Store, published: PublishedLog, garbled: int) -> None:
        super().__init__(store, published)
        self._garbled = garbled

    async def events(self, slot: int, after: int, limit: int) -> list[dict[str, Any]]:
        items = await super().events(slot, after, limit)
        return [
            signed(item, specversion="9") if item["slotsequence"] == self._garbled else item for item in items
        ]


async def test_so_is_one_that_its_owner_serves_unreadably(flow: Flow) -> None:
    for garbled in (1, 2, 3):
        slot = garbled * 10
        for _ in range(3):
            await flow.record(subject_in(slot))
        owner = GarblingOwner(flow.engines.owner, flow.published, garbled)
        slots = Slots(flow.inbox(), flow.engines.follower, owner)
        slots.note_gap(slot, 3)
        await slots.fill(slot)
        assert slots.cursor(slot) == 3
        rows = [row for row in await flow.engines.inbox() if row.slot == slot]
        assert [row.slot_sequence for row in rows if row.state == "parked"] == [garbled]


async def test_what_was_not_asked_for_is_not_missing(flow: Flow) -> None:
    """The follower's database was restored while a page was on its way: its cursor lies below the page. The
    numbers between are the owner's all right."""
    for _ in range(6):
        await flow.record(subject_in(slot=9))
    store = flow.engines.follower
    slots = Slots(flow.inbox(), store, flow.owner)
    slots.note_gap(9, 6)
    await store.append(AppendRequest(cursors=(CursorMove(OWNER, 9, 0, 4),)))
    await slots.load()
    await store.append(AppendRequest(cursors=(CursorMove(OWNER, 9, 4, 0),)))
    await slots.fill(9)
    await flow.prove()
