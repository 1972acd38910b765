"""Referral's database was set back to an older copy, and its topic has only a part of what it told.

A relay that dies leaves some slots further than others. What it did not come to is done now, once; where what
that was is nowhere, nothing is changed.
"""

from collections.abc import Mapping
from uuid import UUID, uuid4

import pytest

from shared.contracts.case_events import Disposition
from shared.store.events import RecordedEvent
from shared.streaming.topics import TOPICS
from tests.integration.services.referral.feeding import Referral, complaint
from tests.integration.services.referral.losing import (
    HELD,
    History,
    approve,
    assert_refused,
    beside,
    decide,
    nothing,
    public,
    shown,
)

pytestmark = pytest.mark.long


async def first_of(history: History, type_: str) -> RecordedEvent:
    async with history.referral() as referral:
        return next(event for event in await public(referral) if event.type == type_)


async def types(referral: Referral) -> list[str]:
    return [event.type for event in await public(referral)]


async def status(referral: Referral, complaint_id: UUID) -> str:
    case_id = await referral.case_of(complaint_id)
    return (await referral.read.cases([case_id]))[case_id].status


def until(event: RecordedEvent) -> Mapping[int | None, int]:
    """The slot of the event alone breaks off, right before it."""
    return {event.slot: event.position - 1}


async def test_where_one_request_was_published_in_part_nothing_is_changed(history: History) -> None:
    """The case that a complaint came to is known, and the one that it left is not."""
    ids = [uuid4(), uuid4()]

    async def first(referral: Referral) -> None:
        for each in ids:
            await referral.receive(history.feed.recorded(complaint("hate.racist"), each))

    async def then(referral: Referral) -> None:
        await referral.receive(history.feed.incident(uuid4(), ids))

    await history.lives(first, then)
    async with history.referral() as referral:
        merged = [e.position for e in await public(referral) if e.type == "case.merged"]
    await history.published(upto=merged[0] - 1)
    await assert_refused(history, "is in two cases")


async def test_who_has_not_been_told_where_the_tail_breaks_off_is_told(history: History) -> None:
    """A complaint opens its case, and then again the decided one of its fellow."""
    feed, decided, came = history.feed, uuid4(), uuid4()

    async def first(referral: Referral) -> None:
        await referral.receive(
            feed.recorded(complaint("hate.racist"), decided), feed.pattern(uuid4(), [decided, came])
        )
        await decide(referral, decided)

    async def then(referral: Referral) -> None:
        await referral.receive(feed.recorded(complaint("hate.racist"), came))

    await history.lives(first, then)
    async with history.referral() as referral:
        types = [e.type for e in await public(referral)]
        (reopened,) = [e.position for e in await public(referral) if e.type == "case.reopened"]
    before = await history.published(upto=reopened - 1)
    await history.recovered()
    async with history.referral() as referral:
        assert [e.type for e in await public(referral)] == types
        await history.assert_whole(referral, before)


@pytest.mark.parametrize("is_torn", [False, True])
async def test_where_a_case_breaks_off_at_its_reopening_nothing_is_changed(
    history: History, *, is_torn: bool
) -> None:
    decided = uuid4()

    async def first(referral: Referral) -> None:
        await referral.receive(history.feed.recorded(complaint("hate.racist"), decided))
        await decide(referral, decided)

    async def then(referral: Referral) -> None:
        await referral.receive(history.feed.followed_up(decided, "He came back."))
        await referral.receive(history.feed.recorded(complaint("hate.racist")))

    await history.lives(first, then)
    reopened = await first_of(history, "case.reopened")
    if is_torn:
        await history.published(torn={reopened.slot: reopened.position})
    else:
        await history.published(upto=reopened.position)
    await assert_refused(history, "breaks off")


@pytest.mark.parametrize("is_torn", [False, True])
async def test_a_split_that_broke_off_is_assessed(history: History, *, is_torn: bool) -> None:
    feed, stays, leaves = history.feed, uuid4(), uuid4()

    async def first(referral: Referral) -> None:
        await referral.receive(
            feed.recorded(complaint("hate.racist"), stays),
            feed.recorded(complaint("sexual.images"), leaves),
            feed.incident(uuid4(), [stays, leaves]),
        )

    async def then(referral: Referral) -> None:
        await referral.receive(feed.incident(uuid4(), [leaves]))
        if is_torn:
            await referral.receive(feed.recorded(complaint("hate.racist")))

    await history.lives(first, then)
    async with history.referral() as referral:
        told, together = sorted(await types(referral)), await referral.partition()
    split = await first_of(history, "case.split")
    if is_torn:
        before = await history.published(torn={split.slot: split.position})
    else:
        before = await history.published(upto=split.position)
    await history.recovered()
    async with history.referral() as referral:
        for _ in range(2):
            assert sorted(await types(referral)) == told
            assert await referral.partition() == together
            case_id = await referral.case_of(stays)
            case = (await referral.docket.cases([case_id]))[case_id].case
            assert {each.complaint_id for each in case.recommendation.criteria} == {stays}
            await history.assert_whole(referral, before)
            await history.consumed_again(referral)


@pytest.mark.parametrize("last", ["case.approved", "case.referred"])
async def test_what_was_approved_is_referred(history: History, last: str) -> None:
    """To two bodies, one of which is not the recommended one."""
    feed, ids, recipients = history.feed, [uuid4(), uuid4()], ["iopc", "professional_standards:hampshire"]

    def dispositions() -> list[Disposition]:
        return [
            Disposition(complaint_id=each, outcome="refer", recipient=body, reason_code="criteria")
            for each, body in zip(ids, recipients, strict=True)
        ]

    async def first(referral: Referral) -> None:
        for each in ids:
            await referral.receive(feed.recorded(complaint("hate.racist"), each))
        await referral.receive(feed.incident(uuid4(), ids))

    async def then(referral: Referral) -> None:
        await decide(referral, ids[0], dispositions())
        await approve(referral, ids[0])

    await history.lives(first, then)
    async with history.referral() as referral:
        told = await types(referral)
        referred = await referral.read.fetch("SELECT referrals FROM cases ORDER BY case_id")
    before = await history.published(upto=(await first_of(history, last)).position)
    await history.recovered()
    async with history.referral() as referral:
        assert await types(referral) == told
        assert await referral.read.fetch("SELECT referrals FROM cases ORDER BY case_id") == referred
        await history.assert_whole(referral, before)


async def test_whom_a_pattern_released_is_told_of_when_it_comes_again(history: History) -> None:
    """It lets one go, and then opens the decided case of his fellow again: a step of its own."""
    feed, decided, held, pattern = history.feed, uuid4(), uuid4(), uuid4()

    async def first(referral: Referral) -> None:
        await referral.receive(
            feed.recorded(complaint("hate.racist"), decided),
            feed.recorded(complaint("hate.racist", **HELD), held),
            feed.pattern(pattern, [decided, held]),
        )
        await decide(referral, decided)

    async def then(referral: Referral) -> None:
        await referral.receive(feed.pattern(pattern, [decided, held], released=[held]))

    await history.lives(first, then)
    async with history.referral() as referral:
        told = await types(referral)
    reopened = await first_of(history, "case.reopened")
    before = await history.published(upto=reopened.position - 1)
    await history.recovered()
    async with history.referral() as referral:
        await history.assert_whole(referral, before)
        await history.consumed_again(referral)
        assert await types(referral) == told
        await history.assert_whole(referral, before)


@pytest.mark.parametrize("news", ["a follow-up", "a complaint", "a pattern"])
async def test_a_decided_case_whose_slot_broke_off_is_told_what_is_new(history: History, news: str) -> None:
    """That the news were consumed is told by other slots, which go on."""
    feed, decided, other, came = history.feed, uuid4(), uuid4(), uuid4()

    async def first(referral: Referral) -> None:
        for each in (decided, other):
            await referral.receive(feed.recorded(complaint("hate.racist"), each))
        if news == "a complaint":
            await referral.receive(feed.pattern(uuid4(), [decided, came]))
        for each in (decided, other):
            await decide(referral, each)

    async def then(referral: Referral) -> None:
        if news == "a follow-up":
            await referral.receive(
                feed.followed_up(decided, "He came back."),
                feed.recorded(complaint("hate.racist"), beside(decided)),
            )
        elif news == "a complaint":
            await referral.receive(feed.recorded(complaint("hate.racist"), came))
        else:
            await referral.receive(feed.pattern(uuid4(), [decided, other]))
        await referral.receive(feed.recorded(complaint("hate.racist")))

    await history.lives(first, then)
    reopened = await first_of(history, "case.reopened")
    before = await history.published(torn=until(reopened))
    await history.recovered()
    async with history.referral() as referral:
        for _ in range(2):
            assert await status(referral, decided) == "open"
            assert (await types(referral)).count("case.reopened") == (2 if news == "a pattern" else 1)
            await history.assert_whole(referral, before)
            await history.consumed_again(referral)


async def test_a_case_that_was_decided_with_the_news_stays_decided(history: History) -> None:
    feed, decided = history.feed, uuid4()

    async def then(referral: Referral) -> None:
        await referral.receive(
            feed.recorded(complaint("hate.racist"), decided),
            feed.followed_up(decided, "He came back."),
            feed.recorded(complaint("hate.racist"), beside(decided)),
        )
        await decide(referral, decided)

    await history.lives(nothing, then)
    before = await history.published()
    await history.recovered()
    async with history.referral() as referral:
        await history.assert_tells_nothing_new(referral, before)


async def test_what_the_topic_has_forgotten_is_not_passed_over(history: History) -> None:
    """Its retention took the beginning of the tail."""
    feed, decided = history.feed, uuid4()

    async def then(referral: Referral) -> None:
        await referral.receive(feed.recorded(complaint("hate.racist"), decided))
        await decide(referral, decided)

    await history.lives(nothing, then)
    await history.published()
    for partition in history.broker.topic(TOPICS["referral"]):
        partition.forget(2)
    await assert_refused(history, "is nowhere, and later ones are")


async def test_what_was_recovered_is_recovered_again(history: History) -> None:
    """From the same copy, after the service went on: also what the recovery itself told."""
    feed, stays, leaves = history.feed, uuid4(), uuid4()

    async def first(referral: Referral) -> None:
        await referral.receive(feed.recorded(complaint("hate.racist"), stays))

    async def then(referral: Referral) -> None:
        await referral.receive(
            feed.recorded(complaint("sexual.images"), leaves),
            feed.incident(uuid4(), [stays, leaves]),
            feed.incident(uuid4(), [leaves]),
        )

    await history.lives(first, then)
    await history.published(upto=(await first_of(history, "case.split")).position)
    older = history.copy(history.copied)
    await history.recovered()
    history.copied = history.url
    assert not (await history.recovered()).adopted
    async with history.referral() as referral:
        await history.consumed_again(referral)
        await referral.receive(feed.followed_up(leaves, "He came back."))
        await decide(referral, leaves)
    before = await history.published()
    history.copied = older
    assert (await history.recovered()).adopted
    async with history.referral() as referral:
        await history.assert_whole(referral, before)
        await history.consumed_again(referral)
        assert shown(await public(referral))[: len(before)] == shown(before)
        await history.assert_whole(referral, before)
