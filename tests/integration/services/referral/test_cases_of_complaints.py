"""A case opens with the complaint itself; what is told later joins, re-opens or ends it."""

import asyncio
from datetime import timedelta
from uuid import uuid4

from shared.store.events import identity_of
from shared.store.requests import InboxState
from shared.streaming.inbox import TOMBSTONE
from tests.integration.services.referral.feeding import DAY, Referral, complaint


async def test_a_complaint_opens_a_case_with_a_recommendation(referral: Referral) -> None:
    event = referral.feed.recorded(
        complaint("sexual.abuse_of_position", subjects=[{"force": "hampshire", "name": "DC"}])
    )
    await referral.receive(event)
    case_id = await referral.case_of(identity_of(event.subject))
    row = (await referral.read.cases([case_id]))[case_id]
    assert (row.status, row.force, row.version, row.opened_on) == ("open", "hampshire", 1, DAY)
    assert row.due_on is not None
    assert (row.due_on - DAY).days == 1
    assert row.criteria == ["SERIOUS_CORRUPTION", "SERIOUS_SEXUAL", "VETTING"]
    await referral.check()


async def test_the_clock_of_a_complaint_that_waited_for_its_release_began_at_its_recording(
    referral: Referral,
) -> None:
    """Intake dates the event by the day of the contact, however late it publishes it."""
    referral.feed.day = DAY - timedelta(days=9)
    event = referral.feed.recorded(complaint("sexual.abuse_of_position"))
    await referral.receive(event)
    case_id = await referral.case_of(identity_of(event.subject))
    row = (await referral.read.cases([case_id]))[case_id]
    assert row.due_on == DAY - timedelta(days=8)
    await referral.check()


async def test_what_stands_in_clear_is_ids_and_status_alone(referral: Referral) -> None:
    await referral.receive(referral.feed.recorded(complaint("hate.racist", narrative="Zebra.")))
    (opened,) = [e for e in await referral.store.read_log(0) if e.type == "case.opened"]
    assert opened.data["clear"].keys() == {"case_id", "complaint_ids", "status"}
    assert "DISCRIMINATION" not in str(opened.data)
    assert "hate.racist" not in str([e.data for e in await referral.store.read_log(0)])


async def test_only_with_another_opens_no_case_before_its_release(referral: Referral) -> None:
    feed, held, other = referral.feed, uuid4(), uuid4()
    await referral.receive(
        feed.recorded(complaint("hate.racist", wish="only_with_another"), held),
        feed.recorded(complaint("hate.racist"), other),
    )
    assert await referral.partition() == {frozenset({other})}
    pattern = uuid4()
    await referral.receive(feed.pattern(pattern, [held, other]))
    assert await referral.partition() == {frozenset({other})}
    assert await referral.read.pattern_fellows([other]) == set()  # nobody is told of it
    await referral.receive(feed.pattern(pattern, [held, other], released=[held]))
    assert await referral.partition() == {frozenset({other}), frozenset({held})}
    assert await referral.read.pattern_fellows([other]) == {held}
    await referral.check()


async def test_a_release_that_comes_before_the_complaint_counts(referral: Referral) -> None:
    feed, held, other = referral.feed, uuid4(), uuid4()
    await referral.receive(
        feed.recorded(complaint(), other),
        feed.pattern(uuid4(), [held, other], released=[held]),
        feed.recorded(complaint("hate.racist", wish="only_with_another"), held),
    )
    assert await referral.partition() == {frozenset({other}), frozenset({held})}
    await referral.check()


async def test_two_of_one_incident_that_are_released_together_share_a_case(referral: Referral) -> None:
    feed, one, two, incident = referral.feed, uuid4(), uuid4(), uuid4()
    for each in (one, two):
        await referral.receive(feed.recorded(complaint(wish="only_with_another"), each))
    await referral.receive(
        feed.incident(incident, [one, two]), feed.pattern(uuid4(), [one, two], released=[one, two])
    )
    assert await referral.partition() == {frozenset({one, two})}
    await referral.check()


async def test_simultaneous_arrivals_of_one_known_incident_share_a_case(referral: Referral) -> None:
    """Each reads that the incident has no case yet; one of them is refused and reads again."""
    feed, incident = referral.feed, uuid4()
    ids = [uuid4() for _ in range(12)]
    await referral.receive(feed.incident(incident, ids))
    arrivals = [feed.numbered(feed.recorded(complaint("hate.racist"), each)) for each in ids]
    by_slot: dict[int, list[int]] = {}
    for at, event in enumerate(arrivals):
        by_slot.setdefault(event.slot, []).append(at)

    async def arrive(numbers: list[int]) -> None:
        for number in numbers:
            state = await referral.inboxes["intake"].receive(arrivals[number])
            assert state is InboxState.APPLIED

    await asyncio.gather(*map(arrive, by_slot.values()))
    assert await referral.partition() == {frozenset(ids)}
    await referral.check()


async def test_an_erasure_takes_the_complaint_out_and_leaves_a_tombstone(referral: Referral) -> None:
    feed, gone, stays, incident = referral.feed, uuid4(), uuid4(), uuid4()
    await referral.receive(
        feed.recorded(complaint("sexual.rape_or_assault"), gone),
        feed.recorded(complaint("other.incivility"), stays),
        feed.incident(incident, [gone, stays]),
    )
    case_id = await referral.case_of(stays)
    assert "SERIOUS_SEXUAL" in (await referral.read.cases([case_id]))[case_id].criteria
    await referral.receive(feed.erased(gone))
    assert await referral.partition() == {frozenset({stays})}
    assert "SERIOUS_SEXUAL" not in (await referral.read.cases([case_id]))[case_id].criteria
    assert await referral.store.claimed(TOMBSTONE, gone.bytes) is not None
    assert await referral.store.data_keys([gone]) == []
    # What dedup still says of it brings nothing back.
    await referral.receive(feed.incident(incident, [gone, stays]), feed.pattern(uuid4(), [gone, stays]))
    assert await referral.partition() == {frozenset({stays})}
    assert await referral.read.fetch("SELECT FROM pattern_members WHERE complaint_id = $1", gone) == []
    await referral.check()


async def test_the_keys_of_all_cases_that_held_it_alone_die_with_the_complaint(referral: Referral) -> None:
    feed, one, two, incident = referral.feed, uuid4(), uuid4(), uuid4()
    await referral.receive(feed.recorded(complaint("hate.racist"), one))
    first = await referral.case_of(one)
    await referral.receive(feed.recorded(complaint("hate.racist"), two))
    second = await referral.case_of(two)
    await referral.receive(feed.incident(incident, [one, two]))
    survivor, merged = (first, second) if await referral.case_of(one) == first else (second, first)
    alone = two if merged == second else one
    await referral.receive(feed.erased(alone))
    assert await referral.store.data_keys([merged]) == []
    assert len(await referral.store.data_keys([survivor])) == 1
    await referral.receive(feed.erased(one if alone == two else two))
    assert await referral.store.data_keys([survivor]) == []
    assert await referral.read.fetch("SELECT FROM cases") == []
    # Another complaint of that incident begins anew.
    third = uuid4()
    await referral.receive(feed.incident(incident, [third]), feed.recorded(complaint(), third))
    assert await referral.partition() == {frozenset({third})}
    await referral.check()


async def test_a_follow_up_is_kept_with_the_case(referral: Referral) -> None:
    feed, one = referral.feed, uuid4()
    await referral.receive(feed.recorded(complaint(), one), feed.followed_up(one, "There is more."))
    (kept,) = await referral.read.kept_follow_ups([one])
    assert referral.docket.added(kept) == "There is more."


async def test_contacts_are_counted_by_the_day(referral: Referral) -> None:
    await referral.receive(referral.feed.contact(3), referral.feed.contact())
    (row,) = await referral.read.fetch("SELECT sum(count) AS count, max(on_day) AS day FROM contacts")
    assert (row["count"], row["day"]) == (4, DAY)


async def test_a_merged_case_keeps_the_earliest_deadline(referral: Referral) -> None:
    feed, one, two = referral.feed, uuid4(), uuid4()
    await referral.receive(feed.recorded(complaint("hate.racist"), one))
    earlier = (await referral.read.cases([await referral.case_of(one)])).popitem()[1].due_on
    feed.day = DAY + timedelta(days=3)
    await referral.receive(feed.recorded(complaint("hate.racist"), two), feed.incident(uuid4(), [one, two]))
    case_id = await referral.case_of(two)
    assert (await referral.read.cases([case_id]))[case_id].due_on == earlier
    opened = (await referral.docket.cases([case_id]))[case_id]
    assert opened.case.complaint_ids == tuple(sorted((one, two)))
