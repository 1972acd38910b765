"""Poison.

A record that cannot be applied, however often it is tried: no envelope, foreign, of an unknown type or
version, breaking its schema or its seal, or failing its handler. Retried in place it would stop its
partition for ever; skipped, its subject's later events would be applied without it. What can be named is
parked with its reason, its subject's later events queue behind it, and everything else goes on.
"""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from pydantic import BaseModel, Field

from shared.store.events import NewEvent, identity_of, slot_of
from shared.store.requests import EVENT_LIMIT, AppendRequest, Claim, merged
from shared.streaming.handling import Handler, Incoming, RecordFault
from shared.streaming.inbox import PARKED_IN_A_ROW
from tests.unit.shared.streaming.engines import InMemory
from tests.unit.shared.streaming.flow import DAY, OWNER, TYPE, Flow, signed, until


async def parked(flow: Flow) -> list[tuple[str, str]]:
    """(subject, reason)"""
    return [(entry.subject, entry.reason) for entry in await flow.parking().page(None, 100)]


async def test_bytes_that_are_no_envelope_are_kept_for_a_look_and_the_event_comes_from_its_owner(
    flow: Flow,
) -> None:
    subject = await flow.record()
    for _ in range(2):
        await flow.record(subject)
    first, _, third = await flow.events_of(subject)
    partition = slot_of(subject) % 12
    await flow.publish([first])
    await flow.engines.put([b"\xff\x00 no envelope", b"", b"[]", b"{}"], partition)
    await flow.publish([third])
    flow.start(flow.follower().run())
    await flow.settled()
    await flow.prove()
    assert sorted(await flow.engines.unreadable()) == [
        (partition, "an attribute has the wrong form", 2),
        (partition, "not JSON", 0),
        (partition, "not JSON", 14),
        (partition, "specversion is missing", 2),
    ]


async def test_of_ten_megabytes_a_quarter_of_one_is_kept(flow: Flow) -> None:
    broker = flow.fake_broker("a record of 10 MB")
    broker.put("hotline.complaints.v1", 3, b"x" * 10_000_000)
    await flow.record()
    await flow.relayed()
    flow.start(flow.follower().run())
    await flow.settled()
    await flow.prove()
    await until(lambda: _is_kept(flow), "it is kept")
    assert await flow.engines.unreadable() == [(3, "not JSON", 256 * 1024)]


async def _is_kept(flow: Flow) -> bool:
    return bool(await flow.engines.unreadable())


async def test_a_foreign_record_is_kept_and_applied_nowhere(flow: Flow) -> None:
    subject = await flow.record()
    (record,) = await flow.published.records(await flow.events_of(subject))
    partition = slot_of(subject) % 12
    await flow.engines.put([orjson.dumps({**record, "source": "/hotline/referral"})], partition)
    await flow.publish(await flow.events_of(subject))
    flow.start(flow.follower().run())
    await flow.settled()
    await flow.prove()
    assert [(at, reason) for at, reason, _ in await flow.engines.unreadable()] == [
        (partition, "of another source")
    ]


@pytest.mark.parametrize(
    "attribute",
    [
        {"subject": "complaint-\0" + "0" * 35},
        {"subject": "c" * 5000 + "-00000000-0000-0000-0000-000000000000"},
        {"type": "hotline.complaint.\0.v1"},
        {"type": "hotline." + "a" * 5000 + ".v1"},
        {"slotsequence": 2**63},
        {"streamversion": 2**64 - 1},
    ],
    ids=["NUL", "long subject", "NUL in type", "long type", "beyond bigint", "beyond bigint too"],
)
async def test_an_attribute_that_no_table_takes_makes_no_envelope(
    flow: Flow, attribute: dict[str, Any]
) -> None:
    """It could be neither applied nor parked: its partition would wait for ever."""
    subject = await flow.record()
    (record,) = await flow.published.records(await flow.events_of(subject))
    await flow.engines.put([orjson.dumps({**record, **attribute})], slot_of(subject) % 12)
    await flow.publish(await flow.events_of(subject))
    flow.start(flow.follower().run())
    await flow.settled()
    await flow.prove()
    assert len(await flow.engines.unreadable()) == 1


@pytest.mark.parametrize(
    ("type_", "version"), [("complaint.sung", 1), (TYPE, 2)], ids=["unknown type", "unknown version"]
)
async def test_what_an_upgrade_makes_known_retries_itself(flow: Flow, type_: str, version: int) -> None:
    flow.start(flow.relay().run())
    running = flow.start(flow.follower().run())
    subject = await flow.record(type_=type_, schema_version=version)
    await flow.record(subject)
    await flow.record_many(subjects=10, each=2)
    await flow.settled()
    rows = await flow.prove(unapplied=[subject])
    assert [row.state for row in rows if row.subject == subject] == ["parked", "queued"]
    assert await parked(flow) == [(subject, f"unknown type or version: hotline.{type_}.v{version}")]
    assert await flow.parking().retry_known({OWNER: flow.handlers}) == 0

    await flow.kill(running)  # the upgrade
    flow.handlers = {**flow.handlers, (type_, version): flow.listener}
    assert await flow.parking().retry_known({OWNER: flow.handlers}) == 2
    flow.start(flow.follower().run())
    await flow.record(subject)
    await flow.settled()
    await flow.prove()


async def test_the_retry_at_start_waits_for_the_database(flow: Flow, memory: InMemory) -> None:
    flow.start(flow.relay().run())
    running = flow.start(flow.follower().run())
    await flow.record(type_="complaint.sung")
    await flow.settled()
    await flow.kill(running)
    flow.handlers = {**flow.handlers, ("complaint.sung", 1): flow.listener}
    memory.follower.away = True
    starting = flow.start(flow.parking().retry_at_start({OWNER: flow.handlers}))
    await asyncio.wait([starting], timeout=0.1)
    assert not starting.done()
    memory.follower.away = False
    await starting
    await flow.prove()


class Body(BaseModel):
    day: int = Field(ge=1)


async def test_a_body_that_breaks_its_schema_is_parked_without_a_word_of_it(flow: Flow) -> None:
    async def validating(incoming: Incoming) -> AppendRequest:
        Body.model_validate(incoming.envelope.clear)
        return await flow.listener(incoming)

    flow.handlers = {(TYPE, 1): validating}
    flow.start(flow.relay().run())
    flow.start(flow.follower().run())
    subject = await flow.record(clear={"day": "the eleventh, at noon"})
    await flow.record(clear={"day": 11})
    await flow.settled()
    await flow.prove(unapplied=[subject])
    assert await parked(flow) == [(subject, "breaks its schema: day (int_parsing)")]


@pytest.mark.parametrize("part", ["ciphertext", "tag", "recipients", "aad", "protected"])
async def test_a_broken_seal_is_parked_and_stays_so_when_retried(flow: Flow, part: str) -> None:
    subject = await flow.record()
    (record,) = await flow.published.records(await flow.events_of(subject))
    record["data"]["sealed"][part] = "AAAA"
    await flow.engines.put([orjson.dumps(signed(record))], slot_of(subject) % 12)
    await flow.record(subject)
    await flow.publish((await flow.events_of(subject))[1:])
    flow.start(flow.follower().run())
    await flow.settled()
    rows = await flow.prove(unapplied=[subject])
    assert [row.state for row in rows] == ["parked", "queued"]
    parking = flow.parking()
    (entry,) = await parking.page(None, 10)
    assert entry.reason.startswith("not readable: ")
    assert (await parking.retry(entry))[1] == entry.reason


async def test_an_own_event_that_nobody_can_open_holds_up_none_that_follow(flow: Flow) -> None:
    """A row of the owner's log that was damaged: its relay stood before it for ever, and so did catch-up."""
    subject = await flow.record()
    key_id = identity_of(subject)
    seals: list[Any] = [
        {"recipients": [{"header": {"kid": str(key_id)}, "encrypted_key": "AAAA"}]},
        {"recipients": [{"header": {"kid": "dedup-1"}, "encrypted_key": "AAAA"}]},
        {"recipients": "garbled"},
    ]
    for sealed in seals:
        data = orjson.dumps({"clear": {}, "sealed": sealed}).decode()
        await flow.engines.owner.append(AppendRequest(events=(NewEvent(subject, uuid4(), TYPE, data, DAY),)))
    others = await flow.record_many(subjects=10)
    flow.start(flow.relay().run())
    flow.start(flow.follower().run())
    await flow.settled()
    rows = await flow.engines.inbox()
    assert {row.subject for row in rows if row.state == "applied"} == {subject, *others}
    assert await parked(flow) == [(subject, "not readable: the content key does not unwrap")]


async def test_a_parked_event_whose_entry_was_damaged_says_so_when_retried(
    flow: Flow, memory: InMemory
) -> None:
    flow.start(flow.relay().run())
    flow.start(flow.follower().run())
    await flow.record(type_="complaint.sung")
    await flow.settled()
    ((at, row),) = memory.follower.inbox.items()
    memory.follower.inbox[at] = replace(row, entry=replace(row.entry, event="{}"))
    (entry,) = await flow.parking().page(None, 10)
    assert await flow.parking().retry(entry) == (0, "what is kept of it cannot be read")


async def test_a_handler_that_fails_parks_its_event_until_it_is_mended(flow: Flow) -> None:
    flow.start(flow.relay().run())
    flow.start(flow.follower().run())
    subject = await flow.record()
    await flow.settled()
    flow.listener.faults[subject] = KeyError("Smith")
    for _ in range(3):
        await flow.record(subject)
    await flow.record_many(subjects=10)
    await flow.settled()
    assert await parked(flow) == [(subject, "the handler failed: KeyError")]
    flow.listener.faults.clear()
    parking = flow.parking()
    (entry,) = await parking.page(None, 10)
    assert await parking.retry(entry) == (3, "")
    await flow.prove()


async def test_several_of_one_subject_may_fail_and_the_partition_goes_on(flow: Flow) -> None:
    """The second is not parked beside the first: it queues, and is parked in its turn."""
    flow.start(flow.relay().run())
    flow.start(flow.follower().run())
    subject = await flow.record(type_="complaint.sung")
    for _ in range(3):
        await flow.record(subject, type_="complaint.danced")
    await flow.record_many(subjects=20)
    await flow.settled()
    rows = await flow.prove(unapplied=[subject])
    assert [row.state for row in rows if row.subject == subject] == ["parked"] + ["queued"] * 3
    flow.handlers = {**flow.handlers, ("complaint.sung", 1): flow.listener}
    parking = flow.parking(flow.inbox())
    (entry,) = await parking.page(None, 10)
    assert await parking.retry(entry) == (1, "unknown type or version: hotline.complaint.danced.v1")
    assert [row.state for row in await flow.engines.inbox() if row.subject == subject] == [
        "applied",
        "parked",
        "queued",
        "queued",
    ]


def unwritable(request: AppendRequest) -> Handler:
    async def handler(_: Incoming) -> AppendRequest:
        return request

    return handler


def effect(number: int, type_: str = "complaint.heard", data: str = "{}") -> AppendRequest:
    return AppendRequest(events=(NewEvent(f"heard-{number}", UUID(int=number), type_, data, DAY),))


async def test_effects_that_can_never_be_written_park_their_event(flow: Flow) -> None:
    """What is taken stays taken, what is too big stays so: trying again in place helps nobody."""
    claim = AppendRequest(claims=(Claim("k", b"1"),))
    await flow.engines.follower.append(merged(effect(1), claim))
    flow.handlers = {
        ("complaint.claimed", 1): unwritable(claim),
        ("complaint.doubled", 1): unwritable(effect(1)),
        ("complaint.garbled", 1): unwritable(effect(2, type_="a\0b")),
        ("complaint.big", 1): unwritable(effect(3, data=f'"{"x" * EVENT_LIMIT}"')),
        (TYPE, 1): flow.listener,
    }
    flow.start(flow.relay().run())
    flow.start(flow.follower().run())
    kinds = ("claimed", "doubled", "garbled", "big")
    subjects = {kind: await flow.record(type_=f"complaint.{kind}") for kind in kinds}
    await flow.record_many(subjects=5)
    await flow.settled()
    assert dict(await parked(flow)) == {
        subjects["claimed"]: "its effects are refused: ClaimTaken",
        subjects["doubled"]: "its effects are refused: DuplicateEvent",
        subjects["garbled"]: "not storable: CharacterNotInRepertoireError",
        subjects["big"]: "not storable: EventTooLarge",
    }
    parking = flow.parking()
    for entry in await parking.page(None, 10):
        assert await parking.retry(entry) == (0, entry.reason)


async def test_twenty_in_a_row_stop_the_follower(flow: Flow) -> None:
    """So many are no fault of theirs: a wrong key, a wrong version. Parking the whole topic would only make
    more to mend."""
    subjects = await flow.record_many(subjects=100)
    for subject in subjects:
        flow.listener.faults[subject] = RecordFault("all wrong")
    await flow.relayed()
    follower = flow.follower()
    await flow.ended(follower.run())
    assert follower.is_stopped
    rows = await flow.engines.inbox()
    assert [row.state for row in rows] == ["parked"] * PARKED_IN_A_ROW

    flow.listener.faults.clear()
    flow.start(flow.follower().run())
    await flow.settled()
    parking = flow.parking()
    for entry in await parking.page(None, 100):
        await parking.retry(entry)
    await flow.prove()


async def test_the_twentieth_stops_it_even_where_none_follows(flow: Flow) -> None:
    for subject in await flow.record_many(subjects=PARKED_IN_A_ROW):
        flow.listener.faults[subject] = RecordFault("all wrong")
    await flow.relayed()
    follower = flow.follower()
    await flow.ended(follower.run())
    assert follower.is_stopped


async def test_nineteen_and_a_good_one_do_not(flow: Flow) -> None:
    subject = await flow.record()
    flow.start(flow.relay().run())
    follower = flow.follower()
    task = flow.start(follower.run())
    for _ in range(3):
        for _ in range(PARKED_IN_A_ROW - 1):
            await flow.record(type_="complaint.sung")
        await flow.settled()
        await flow.record(subject)
        await flow.settled()
    assert not task.done()
    assert len(await parked(flow)) == 3 * (PARKED_IN_A_ROW - 1)
