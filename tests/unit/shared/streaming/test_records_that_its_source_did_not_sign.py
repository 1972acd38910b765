"""Records that their source did not sign.

Anybody who reaches the broker may write one: with a number that nobody gave, as erased, or with another's
payload. A follower may show its owner an event that never was. None of it has any effect; it is kept for a
look, and what it claimed to be comes as its owner published it.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from shared.store.events import RecordedEvent, slot_of
from shared.store.requests import InboxState, StoreHalted
from shared.streaming.authentication import NotAuthentic, OwnEvents, Signer
from shared.streaming.handling import SurroundingsFault
from shared.streaming.published import PublishedLog
from shared.streaming.returning import ConsumedPage, Reached
from shared.streaming.slots import Slots
from shared.streaming.tail import LOOK_BACK, Tail
from tests.unit.shared.streaming.flow import (
    FOLLOWER_KEYS,
    OWNER,
    OWNER_KEYS,
    Flow,
    LogOwner,
    subject_in,
    until,
)

Record = dict[str, Any]


async def record_of(flow: Flow, subject: str) -> Record:
    """Of the subject's last event, as it is published."""
    (record,) = await flow.published.records((await flow.events_of(subject))[-1:])
    return record


def unsigned(record: Mapping[str, Any]) -> Record:
    """As the version published it that did not sign."""
    signatures = {"authentication", "proof"}
    data = {name: value for name, value in record["data"].items() if name not in signatures}
    return {**record, "data": data}


def changed(record: Record, data: Mapping[str, Any] | None = None, **attributes: Any) -> Record:
    return {**record, **attributes, "data": {**record["data"], **(data or {})}}


def tail(flow: Flow, followers: Mapping[str, Any] | None = None) -> Tail:
    return Tail(
        OwnEvents(OWNER, OWNER_KEYS), flow.topic, flow.engines.owner, flow.engines.broker, followers or {}
    )


async def put(flow: Flow, *records: Record) -> None:
    for record in records:
        await flow.engines.put([orjson.dumps(record)], record["slot"] % 12)


# At a follower


async def test_one_that_says_that_it_was_erased_drops_nothing(flow: Flow) -> None:
    record = await record_of(flow, await flow.record())
    await put(flow, changed(record, {"sealed": None, "erased": True}, id=str(uuid4())))
    await put(flow, changed(record, {"sealed": None, "erased": True}))
    flow.start(flow.relay().run())
    flow.start(flow.follower().run())
    await flow.settled()
    (row,) = await flow.prove()
    assert (row.state, str(row.event_id)) == ("applied", record["id"])
    assert [reason for _, reason, _ in await flow.engines.unreadable()] == ["not authentic"] * 2


async def test_a_payload_under_another_subject_is_refused(flow: Flow) -> None:
    subject = await flow.record(subject_in(slot=3))
    record, other = await record_of(flow, subject), subject_in(slot=3)
    await put(flow, changed(record, subject=other, partitionkey=other))
    flow.start(flow.relay().run())
    flow.start(flow.follower().run())
    await flow.settled()
    assert [row.subject for row in await flow.prove()] == [subject]


async def test_a_number_that_nobody_gave_makes_no_gap(flow: Flow) -> None:
    subject = await flow.record(subject_in(slot=3))
    await flow.record(subject_in(slot=15))
    record = await record_of(flow, subject)
    await put(flow, changed(record, slotsequence=999), changed(record, slotsequence=2, id=str(uuid4())))
    follower = flow.follower()
    flow.start(follower.run())
    flow.start(flow.relay().run())
    await flow.settled()
    await flow.prove()
    assert follower.slots.behind == {}
    assert flow.owner.asked == 0


async def test_an_owner_that_serves_what_is_not_authentic_is_asked_again_and_nothing_is_missed(
    flow: Flow,
) -> None:
    """Somebody may stand between, or a replica of the version before: what it left out may be there all the
    same."""

    class Between(LogOwner):
        is_between = True

        async def events(self, slot: int, after: int, limit: int) -> list[Record]:
            items = await super().events(slot, after, limit)
            return [
                changed(item, streamversion=9) if self.is_between and item["slotsequence"] == 2 else item
                for item in items
            ]

    for _ in range(3):
        await flow.record(subject_in(slot=5))
    owner = Between(flow.engines.owner, flow.published)
    slots = Slots(flow.inbox(), flow.engines.follower, owner)
    slots.note_gap(5, 3)
    for _ in range(2):
        with pytest.raises(SurroundingsFault, match="not authentic"):
            await slots.fill(5)
        assert slots.cursor(5) == 1
    owner.is_between = False
    await slots.fill(5)
    await flow.prove()


async def test_what_was_published_before_events_were_signed_comes_from_the_owner_once_that_signs(
    flow: Flow,
) -> None:
    """A rolling upgrade, followers first: the owner's old relay and replicas go on without signatures.
    Nothing is parked or lost meanwhile; with the owner's last old replica gone everything comes."""

    class Old(LogOwner):
        is_old = True

        async def events(self, slot: int, after: int, limit: int) -> list[Record]:
            items = await super().events(slot, after, limit)
            return list(map(unsigned, items)) if self.is_old else items

    subjects = await flow.record_many(subjects=10, each=2)
    owner = Old(flow.engines.owner, flow.published)
    flow.start(flow.follower(owner=owner).run())
    for subject in subjects:
        for record in await flow.published.records(await flow.events_of(subject)):
            await put(flow, unsigned(record))

    async def is_asked() -> bool:
        return owner.asked > 20

    await until(is_asked, "the follower finds out that it is behind, and asks the owner")
    assert await flow.engines.inbox() == []
    owner.is_old = False
    await flow.settled()
    await flow.prove()


# At the owner


async def test_neither_the_check_nor_the_relay_takes_one_for_a_lost_tail(flow: Flow) -> None:
    subject = await flow.record()
    await flow.relayed()
    record = await record_of(flow, subject)
    by_follower = Signer(OWNER, FOLLOWER_KEYS.sources[OWNER], FOLLOWER_KEYS.hmac)
    for forged in (
        changed(record, slotsequence=999, id=str(uuid4())),
        changed(record, slotsequence=999, sequence="5000"),
        changed(record, id=str(uuid4())),
        by_follower.signed(unsigned(changed(record, slotsequence=999, id=str(uuid4())))),
        unsigned(changed(record, slotsequence=999, id=str(uuid4()))),
    ):
        await put(flow, forged)
        await tail(flow).compare()
        await flow.relayed()
        await flow.record()


async def test_records_of_others_behind_it_do_not_hide_a_lost_tail(flow: Flow) -> None:
    subject = await flow.record()
    lost = await record_of(flow, subject)
    await put(flow, signed_as_lost(lost), *[unsigned(lost)] * 3, changed(lost, slotsequence=7))
    await tail(flow).compare()
    with pytest.raises(StoreHalted):
        await flow.record()


def signed_as_lost(record: Record) -> Record:
    """Published by the owner under a number that its log does not have."""
    signer = Signer(OWNER, OWNER_KEYS.follower_keys, OWNER_KEYS.hmac)
    return signer.signed(unsigned(changed(record, slotsequence=2, id=str(uuid4()))))


class Claiming:
    """A follower that names an event, and shows what it has for it."""

    def __init__(self, slot: int, reached: Reached, *shown: Record) -> None:
        self._slot, self._reached, self._shown = slot, reached, list(shown)

    async def reached(self, source: str) -> Mapping[int, Reached]:
        return {self._slot: self._reached}

    async def consumed(self, source: str, slot: int, after: int, limit: int) -> ConsumedPage:
        return ConsumedPage([item for item in self._shown if item["slotsequence"] > after][:limit], [])


async def test_a_followers_word_alone_halts_nothing(flow: Flow) -> None:
    subject = await flow.record()
    record = await record_of(flow, subject)
    slot, by_follower = slot_of(subject), Signer(OWNER, FOLLOWER_KEYS.sources[OWNER], FOLLOWER_KEYS.hmac)
    claimed = Reached(999, uuid4())
    forged = by_follower.signed(unsigned(changed(record, slotsequence=999, id=str(claimed.event_id))))
    for follower in (
        Claiming(slot, claimed),
        Claiming(slot, claimed, forged),
        Claiming(slot, claimed, record),
        Claiming(slot, Reached(1, uuid4()), record),
        Claiming(slot, claimed, {"slotsequence": 1000}),
    ):
        await tail(flow, {"dedup": follower}).compare()
        await flow.record()


async def test_an_event_that_a_follower_shows_is_a_lost_tail(flow: Flow) -> None:
    subject = await flow.record()
    lost = signed_as_lost(await record_of(flow, subject))
    follower = Claiming(slot_of(subject), Reached(2, UUID(lost["id"])), lost)
    await tail(flow, {"dedup": follower}).compare()
    with pytest.raises(StoreHalted, match="dedup has consumed number 2"):
        await flow.record()


class Unsigned(PublishedLog):
    """As of the version that did not sign."""

    async def records(self, events: Sequence[RecordedEvent]) -> list[Record]:
        return list(map(unsigned, await super().records(events)))


async def test_the_first_relay_that_signs_publishes_what_is_no_evidence_yet_again(flow: Flow) -> None:
    await flow.record_many(subjects=30)
    flow.published, now = Unsigned(OWNER, flow.engines.owner, OWNER_KEYS), flow.published
    await flow.relayed()
    own = OwnEvents(OWNER, OWNER_KEYS)
    before = await flow.engines.held()
    for record in before:
        with pytest.raises(NotAuthentic):
            own.read(record.value)
    flow.published = now
    for _ in range(2):  # the second one finds all as it should be
        await flow.relayed()
        held = await flow.engines.held()
        assert len(held) == 60
    known = set(before)
    again = [own.read(record.value) for record in held if record not in known]
    assert {one.id for one in again} == {event.event_id for event in await flow.public_events()}
    flow.start(flow.follower().run())
    await flow.settled()
    assert {row.state for row in await flow.prove()} == {InboxState.APPLIED}


async def test_a_relay_that_others_wrote_behind_shows_the_end_of_its_tail_once_more(flow: Flow) -> None:
    subject = await flow.record()
    await flow.relayed()
    stray = unsigned(await record_of(flow, subject))
    await put(flow, *[stray] * (LOOK_BACK + 1))
    await flow.relayed()
    last = (await flow.engines.held())[-1]
    assert OwnEvents(OWNER, OWNER_KEYS).read(last.value).subject == subject
    await flow.relayed()
    assert (await flow.engines.held())[-1] == last
