"""Referral's database was set back to an older copy, and something of what it consumed was parked or queued.

What waited in the lost time waits again, in the same state and for the same reason, and nothing of it is
told before it is retried.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from shared.sealing.jwe import SealingError, open_sealed
from shared.store.events import stream_id
from shared.store.requests import InboxState
from shared.streaming.cloudevents import Envelope, parse
from tests.integration.services.referral.feeding import Referral, complaint
from tests.integration.services.referral.losing import (
    History,
    assert_refused,
    beside,
    decide,
    nothing,
    public,
    shown,
)

pytestmark = pytest.mark.long

PARKED, QUEUED = InboxState.PARKED, InboxState.QUEUED


def unknown(event: Envelope) -> Envelope:
    """Of a version that only an upgrade knows."""
    return replace(event, schema_version=2)


async def waits(referral: Referral, event: Envelope) -> InboxState:
    return await referral.inboxes[event.source].receive(referral.feed.numbered(event))


async def dropped(referral: Referral, complaint_id: UUID) -> None:
    """By an operator; what queued behind it is applied."""
    subject = stream_id("complaint", complaint_id)
    first, *_ = await referral.store.waiting("intake", subject)
    await referral.inboxes["intake"].drop(first)
    await referral.inboxes["intake"].retry(subject)


async def inbox(referral: Referral) -> list[tuple[Any, ...]]:
    rows = await referral.read.fetch(
        "SELECT source, slot, slot_sequence, event_id, state, reason FROM inbox ORDER BY 1, 2, 3"
    )
    return [tuple(row) for row in rows]


async def test_what_waited_waits_again(history: History) -> None:
    feed, first, twice = history.feed, uuid4(), uuid4()

    async def then(referral: Referral) -> None:
        await referral.receive(feed.recorded(complaint("hate.racist"), first))
        assert await waits(referral, unknown(feed.followed_up(first, "He came back."))) is PARKED
        assert await waits(referral, feed.followed_up(first, "And again.")) is QUEUED
        await referral.receive(feed.recorded(complaint("hate.racist"), twice))
        assert await waits(referral, feed.recorded(complaint("hate.racist"), twice)) is PARKED
        for each in (first, twice):
            await referral.receive(feed.recorded(complaint("hate.racist"), beside(each)))
        await decide(referral, first)

    await history.lives(nothing, then)
    before = await history.published()
    async with history.referral() as referral:
        consumed = await inbox(referral)
    await history.recovered()
    async with history.referral() as referral:
        assert await inbox(referral) == consumed
        await history.assert_whole(referral, before)
        await history.assert_tells_nothing_new(referral, before)
        await dropped(referral, first)
        told = (await public(referral))[len(before) :]
        assert [event.type for event in told] == ["case.reopened", "case.assessed"]
        await history.assert_whole(referral, before)


async def test_what_waited_is_lost_with_its_complaint(history: History) -> None:
    """Kept under a key that dies with it."""
    feed, erased = history.feed, uuid4()

    async def then(referral: Referral) -> None:
        await referral.receive(feed.recorded(complaint("hate.racist"), erased))
        assert await waits(referral, unknown(feed.followed_up(erased, "He came back."))) is PARKED
        assert await waits(referral, feed.followed_up(erased, "And again.")) is QUEUED
        await referral.receive(feed.recorded(complaint("hate.racist"), beside(erased)))

    await history.lives(nothing, then)
    before = await history.published()
    await history.recovered()
    async with history.referral() as referral:
        await referral.receive(feed.erased(erased))
        await history.assert_whole(referral, before)
        kept = await referral.read.fetch("SELECT event FROM inbox WHERE state = 'dropped'")
        assert len(kept) == 2
        for envelope in (parse(orjson.loads(row["event"])) for row in kept):
            with pytest.raises(SealingError):
                open_sealed(envelope.sealed or {}, feed.keys.sources["intake"], envelope.id)


async def test_what_waited_was_erased_in_the_lost_time(history: History) -> None:
    """One that waited in the copy, and one that did not; and intake told it twice."""
    feed, erased = history.feed, uuid4()

    async def first(referral: Referral) -> None:
        await referral.receive(feed.recorded(complaint("hate.racist"), erased))
        assert await waits(referral, unknown(feed.followed_up(erased, "He came back."))) is PARKED

    async def then(referral: Referral) -> None:
        assert await waits(referral, feed.followed_up(erased, "And again.")) is QUEUED
        await referral.receive(feed.erased(erased), feed.erased(erased))
        await referral.receive(feed.recorded(complaint("hate.racist"), beside(erased)))

    await history.lives(first, then)
    before = await history.published()
    await history.recovered()
    async with history.referral() as referral:
        states = [row["state"] for row in await referral.read.fetch("SELECT state FROM inbox ORDER BY 1")]
        assert states == ["applied"] * 4 + ["dropped"] * 2
        await history.assert_whole(referral, before)
        await history.assert_tells_nothing_new(referral, before)


async def test_what_waited_in_the_copy_was_applied_and_told_nobody_anything(history: History) -> None:
    feed, waiting = history.feed, uuid4()

    async def first(referral: Referral) -> None:
        await referral.receive(feed.recorded(complaint("hate.racist"), waiting))
        assert await waits(referral, unknown(feed.followed_up(waiting, "He came back."))) is PARKED
        assert await waits(referral, feed.followed_up(waiting, "And again.")) is QUEUED

    async def then(referral: Referral) -> None:
        await dropped(referral, waiting)
        await referral.receive(feed.recorded(complaint("hate.racist")))

    await history.lives(first, then)
    before = await history.published()
    await history.recovered()
    async with history.referral() as referral:
        await history.assert_whole(referral, before)
        await dropped(referral, waiting)
        assert shown(await public(referral)) == shown(before)
        await history.assert_whole(referral, before)


@pytest.mark.parametrize("waited_in_copy", [True, False])
async def test_where_something_followed_from_what_waits_nothing_is_changed(
    history: History, *, waited_in_copy: bool
) -> None:
    """An operator dropped what it waited for: whoever has only the events cannot know of it."""
    feed, decided = history.feed, uuid4()

    async def both_wait(referral: Referral) -> None:
        assert await waits(referral, unknown(feed.followed_up(decided, "He came back."))) is PARKED
        assert await waits(referral, feed.followed_up(decided, "And again.")) is QUEUED

    async def first(referral: Referral) -> None:
        await referral.receive(feed.recorded(complaint("hate.racist"), decided))
        await decide(referral, decided)
        if waited_in_copy:
            await both_wait(referral)

    async def then(referral: Referral) -> None:
        if not waited_in_copy:
            await both_wait(referral)
        await dropped(referral, decided)

    await history.lives(first, then)
    await history.published()
    await assert_refused(history, "waited in the copy" if waited_in_copy else "has to wait")
