"""A database was set back to an older copy, while the topic and the followers went on.

What it appended next would take numbers that others know already, for other events, and no follower could
tell the two apart. So before its first append it looks whether somebody knows more than it does; and what
they know it adopts, under the very same numbers.
"""

import tracemalloc
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from shared.sealing.events import opened_event
from shared.sealing.jwe import encode, seal
from shared.sealing.keys import destroy_data_key, unwrap_data_keys
from shared.store.events import SLOTS, NewEvent, RecordedEvent, identity_of, stream_id
from shared.store.leases import PooledLeases, renew_lease
from shared.store.postgres import PostgresStore
from shared.store.requests import AppendRequest, StoreHalted
from shared.streaming import routes
from shared.streaming import tail as tails
from shared.streaming.authentication import OwnEvents, Signer
from shared.streaming.broker import Record
from shared.streaming.catchup import HttpFollower
from shared.streaming.cloudevents import parse
from shared.streaming.handling import SurroundingsFault
from shared.streaming.published import PublishedLog
from shared.streaming.recovery import GAP, TOPIC_PAGE, Recovery, RecoveryFailed, Report
from shared.streaming.relay_state import PostgresRelayState
from shared.streaming.returning import ConsumedPage, Reached, Returned
from shared.streaming.tail import Tail
from shared.web.auth import ROLES
from tests.engines import Databases
from tests.fakes.broker import FakeBroker
from tests.integration.shared.store.conftest import lay_tables
from tests.integration.shared.streaming.engines import PostgresAndFakeBroker
from tests.integration.shared.web.serving import client_of_routers
from tests.unit.shared.streaming.engines import PUBLIC, TOPIC
from tests.unit.shared.streaming.flow import (
    DAY,
    FOLLOWER,
    FOLLOWER_KEYS,
    OWNER,
    OWNER_KEYS,
    Flow,
    subject_in,
    until,
)
from tests.unit.shared.streaming.test_records_that_its_source_did_not_sign import Unsigned
from tests.unit.shared.web.issuer import Issuer


class Nobody:
    """A follower that is away."""

    async def reached(self, source: str) -> Mapping[int, Reached]:
        raise SurroundingsFault("dedup is away")

    async def consumed(self, source: str, slot: int, after: int, limit: int) -> ConsumedPage:
        raise SurroundingsFault("dedup is away")


class History:
    """An owner with two databases, the one that went on and the copy that it is set back to, and what stays
    through it all: a follower and a broker."""

    def __init__(self, databases: Databases, stack: AsyncExitStack) -> None:
        self._databases, self._stack = databases, stack
        self.broker = FakeBroker()
        self.is_follower_away = False
        self.before: list[RecordedEvent] = []

    async def begin(self) -> None:
        self.url = self._stack.enter_context(self._databases.new())
        other = self._stack.enter_context(self._databases.new())
        await lay_tables(self.url)
        await lay_tables(other)
        self.follower = await self._stack.enter_async_context(PostgresStore(other, frozenset()))

    async def lives(self, what: Callable[[Flow], Awaitable[None]]) -> list[RecordedEvent]:
        """The owner runs on its database of now, until `what` has happened; its log then."""
        async with PostgresStore(self.url, PUBLIC) as owner:
            flow = self.flow(owner)
            try:
                await what(flow)
                return await owner.read_log(0)
            finally:
                await flow.close()

    def flow(self, owner: PostgresStore) -> Flow:
        engines = PostgresAndFakeBroker(owner, self.follower)
        engines.broker = engines.fake = engines._fake = self.broker
        return Flow(engines)

    def copy(self) -> str:
        """A copy of the owner's database as it is now; nobody may be connected."""
        return self._stack.enter_context(self._databases.copy(self.url))

    @property
    def followers(self) -> dict[str, Returned | Nobody]:
        there = Returned(self.follower, FOLLOWER_KEYS)
        return {FOLLOWER: Nobody() if self.is_follower_away else there}

    def tail(self, owner: PostgresStore) -> Tail:
        return Tail(OwnEvents(OWNER, OWNER_KEYS), TOPIC, owner, self.broker, self.followers)

    async def recovered(self, *without: str) -> Report:
        recovery = Recovery(OWNER, TOPIC, OWNER_KEYS, self.broker, self.followers, without)
        return await recovery.run(self.url, DAY)


@pytest.fixture
async def history(databases: Databases) -> AsyncIterator[History]:
    async with AsyncExitStack() as stack:
        history = History(databases, stack)
        await history.begin()
        yield history


async def everything_arrives(flow: Flow) -> None:
    following = flow.start(flow.follower().run())
    await flow.relayed()
    await flow.settled()
    await flow.kill(following)


async def set_back(
    history: History, afterwards: Callable[[Flow], Awaitable[None]] = everything_arrives
) -> None:
    """Ten complaints; a copy; ten more, and one more event of each of the first; then back to the copy."""
    subjects: list[str] = []

    async def first(flow: Flow) -> None:
        subjects.extend(await flow.record_many(subjects=10))
        await everything_arrives(flow)

    async def then(flow: Flow) -> None:
        for subject in subjects:
            await flow.record(subject)
        await flow.record_many(subjects=10)
        await afterwards(flow)

    await history.lives(first)
    copied = history.copy()
    history.before = await history.lives(then)
    history.url = copied


def shown(events: list[RecordedEvent]) -> list[tuple[Any, ...]]:
    """All of an event but for the key under which its payload is sealed."""
    return [
        (e.position, e.stream_id, e.version, e.event_id, e.type, e.schema_version, e.slot, e.slot_sequence,
         e.recorded_on, e.data["clear"], e.data["sealed"] and e.data["sealed"]["ciphertext"])
        for e in events
    ]  # fmt: skip


# Before anything is appended


@pytest.mark.parametrize("away", ["the follower", "the broker", "nobody"])
async def test_it_appends_nothing_where_one_knows_more_than_its_log(history: History, away: str) -> None:
    await set_back(history)
    history.broker.away = away == "the broker"
    history.is_follower_away = away == "the follower"
    async with PostgresStore(history.url, PUBLIC) as owner:
        owner.compare_first(history.tail(owner).compare)
        with pytest.raises(StoreHalted, match="recover"):
            await history.flow(owner).record()
        assert await owner.head() == 10


async def test_where_nobody_can_be_asked_it_goes_on_and_is_halted_when_one_is_back(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Complaints must be taken while Kafka is away for days: this is the limit of what can be prevented."""
    monkeypatch.setattr(tails, "INTERVAL_SECONDS", 0.05)
    await set_back(history)
    history.broker.away = history.is_follower_away = True
    async with PostgresStore(history.url, PUBLIC) as owner:
        tail = history.tail(owner)
        owner.compare_first(tail.compare)
        flow = history.flow(owner)
        await flow.record()
        flow.start(tail.keep())
        history.broker.away = False

        async def is_halted() -> bool:
            return owner.is_halted

        await until(is_halted, "the store is halted")
        await flow.close()
    with pytest.raises(RecoveryFailed, match="given twice"):
        await history.recovered(FOLLOWER)
    assert len(await history.lives(nothing)) == 11


async def nothing(_: Flow) -> None:
    pass


async def test_a_log_that_has_all_is_not_halted(history: History) -> None:
    async def live(flow: Flow) -> None:
        await flow.record_many(subjects=10)
        await everything_arrives(flow)

    await history.lives(live)
    async with PostgresStore(history.url, PUBLIC) as owner:
        owner.compare_first(history.tail(owner).compare)
        await history.flow(owner).record()
        assert await owner.head() == 11
    assert await history.recovered() == Report()


# Halted, and until when


async def is_refused(store: PostgresStore) -> bool:
    try:
        await store.append(AppendRequest(events=(internal(),)))
    except StoreHalted:
        return True
    return False


def internal() -> NewEvent:
    return NewEvent(stream_id("draft", uuid4()), uuid4(), "draft.made", '{"clear": {}, "sealed": null}', DAY)


async def test_what_one_process_has_found_halts_them_all(history: History) -> None:
    """The other one could ask nobody: its broker and its followers did not answer in time."""
    await set_back(history)
    async with PostgresStore(history.url, PUBLIC) as one, PostgresStore(history.url, PUBLIC) as other:
        assert not await is_refused(other)
        await history.tail(one).compare()
        assert await is_refused(other)
        assert other.is_halted
    async with PostgresStore(history.url, PUBLIC) as started_anew:
        assert await is_refused(started_anew)


@pytest.mark.parametrize("witness", ["the topic", "the follower"])
async def test_after_a_recovery_without_a_follower_it_appends_without_it(
    history: History, witness: str
) -> None:
    """It was halted for ever while one follower did not answer, whoever had halted it."""
    await set_back(history)
    if witness == "the follower":
        history.broker.wipe()
    else:
        history.is_follower_away = True
    async with PostgresStore(history.url, PUBLIC) as owner:
        await history.tail(owner).compare()
        assert await is_refused(owner)
        history.is_follower_away = True
        await history.tail(owner).compare()
        assert await is_refused(owner), "the witness is away, and its halt stands"
        await history.recovered(FOLLOWER)
        await history.tail(owner).compare()
        assert not await is_refused(owner)


async def test_a_halt_ends_with_what_shows_it_while_another_is_away(history: History) -> None:
    await set_back(history)
    history.is_follower_away = True
    async with PostgresStore(history.url, PUBLIC) as owner:
        await history.tail(owner).compare()
        assert await is_refused(owner)
        history.broker.wipe()
        await history.tail(owner).compare()
        assert not await is_refused(owner)


async def test_a_halt_that_was_found_while_the_tail_was_adopted_does_not_stand(history: History) -> None:
    await set_back(history)
    async with PostgresStore(history.url, PUBLIC) as owner:
        await history.tail(owner).compare()
        (halt, *_) = await owner.halts()
        await history.recovered()
        await owner.halt(halt)
        assert not await is_refused(owner)


async def test_a_recovery_that_refuses_leaves_it_halted(history: History) -> None:
    await set_back(history)
    async with PostgresStore(history.url, PUBLIC) as owner:
        assert not await is_refused(owner)
        await history.flow(owner).record_many(subjects=20)
        await history.tail(owner).compare()
        with pytest.raises(RecoveryFailed, match="given twice"):
            await history.recovered()
        assert await is_refused(owner)


async def test_numbers_that_only_a_follower_knows_to_be_given_twice_are_refused(history: History) -> None:
    """The log has grown beyond what it knows: nothing stands above the head."""
    await set_back(history)
    history.broker.wipe()
    async with PostgresStore(history.url, PUBLIC) as owner:
        for subject in {event.stream_id for event in history.before}:
            for _ in range(3):
                await history.flow(owner).record(subject)
    with pytest.raises(RecoveryFailed, match="given twice"):
        await history.recovered()


# What cannot be read


async def test_an_event_that_was_kept_unopened_fails_nobodys_page_and_is_adopted(history: History) -> None:
    """It is sealed for every follower, by keys whose names are no UUIDs."""
    broken = uuid4()

    async def one_does_not_open(flow: Flow) -> None:
        subject = await flow.record()
        rows = await flow.engines.owner.data_keys([identity_of(subject)])
        sealed = seal(b"{}", broken, unwrap_data_keys(OWNER_KEYS.kek, rows))
        data = orjson.dumps({"clear": {}, "sealed": {**sealed, "ciphertext": "AAAA"}}).decode()
        event = NewEvent(subject, broken, "complaint.recorded", data, DAY)
        await flow.engines.owner.append(AppendRequest(events=(event,)))
        await everything_arrives(flow)

    await set_back(history, one_does_not_open)
    history.broker.wipe()
    await history.recovered()
    assert broken in {event.event_id for event in await history.lives(nothing)}


_GARBLED = {
    "its entry": "UPDATE inbox SET event = '{}' WHERE slot_sequence = (SELECT max(slot_sequence) FROM inbox)",
    "its key": "UPDATE data_keys SET wrapped = sha256('nothing of ours')",
}


@pytest.mark.parametrize("garbled", list(_GARBLED))
async def test_an_inbox_entry_that_cannot_be_read_is_told_by_its_number(
    history: History, garbled: str
) -> None:
    await set_back(history)
    await history.follower.pool.execute(_GARBLED[garbled])
    returned = Returned(history.follower, FOLLOWER_KEYS)
    whole = [await returned.consumed(OWNER, slot, 0, 500) for slot in range(SLOTS)]
    assert sum(len(page.unreadable) for page in whole) > 0
    assert sum(len(page.unreadable) + len(page.events) for page in whole) == 30
    assert (await history.recovered()).adopted == 20, "the topic has it"
    assert shown(await history.lives(nothing)) == shown(history.before)


async def test_an_event_that_only_an_unreadable_entry_has_is_not_lost_without_a_word(
    history: History,
) -> None:
    await set_back(history)
    history.broker.wipe()
    await history.follower.pool.execute("UPDATE inbox SET event = '{}' WHERE slot_sequence = 2")
    with pytest.raises(
        RecoveryFailed, match=f"{FOLLOWER} has consumed number 2 of slot .*--without {FOLLOWER}"
    ):
        await history.recovered()
    assert len(await history.lives(nothing)) == 10


async def test_a_batch_of_the_topic_that_cannot_be_read_is_told(history: History) -> None:
    await set_back(history)
    (garbled, *_) = [r for r in history.broker.records(TOPIC) if parse(r.value).slot_sequence == 2]
    history.broker.garble(TOPIC, garbled.partition, garbled.offset)
    report = await history.recovered()
    assert (report.adopted, report.unreadable) == (20, 1), "the follower has it"


# Adopting


async def test_the_log_is_again_what_it_was_and_goes_on(history: History) -> None:
    await set_back(history)
    report = await history.recovered()
    assert (report.adopted, report.first, report.last, report.filled) == (20, 11, 30, 0)
    assert report.new_keys == 10, "the keys of the complaints that the copy did not know"
    async with PostgresStore(history.url, PUBLIC) as owner:
        log = await owner.read_log(0)
        assert shown(log) == shown(history.before)
        rows = await owner.data_keys({identity_of(event.stream_id) for event in log})
        keys = unwrap_data_keys(OWNER_KEYS.kek, rows)
        assert {opened_event(event, keys) for event in log} == {b'{"narrative":"he was hit"}'}
        owner.compare_first(history.tail(owner).compare)
        flow = history.flow(owner)
        await flow.record_many(subjects=5)
        await everything_arrives(flow)
        await flow.prove()
        await flow.close()
    assert await history.recovered() == Report()


async def test_what_only_a_follower_has_comes_from_it(history: History) -> None:
    await set_back(history)
    history.broker.wipe()
    report = await history.recovered()
    assert report.adopted == 20
    assert shown(await history.lives(nothing)) == shown(history.before)


async def test_what_only_the_topic_has_comes_from_it(history: History) -> None:
    async def published(flow: Flow) -> None:
        await flow.relayed()

    await set_back(history, published)
    assert (await history.recovered()).adopted == 20
    assert shown(await history.lives(nothing)) == shown(history.before)


async def test_positions_whose_event_nobody_has_are_filled_and_numbers_stay_without_gaps(
    history: History,
) -> None:
    """One was internal; the last one was never published, and its numbers are given anew."""

    async def some_stay_unknown(flow: Flow) -> None:
        internal = NewEvent(
            stream_id("draft", uuid4()), uuid4(), "draft.made", '{"clear": {}, "sealed": null}', DAY
        )
        await flow.engines.owner.append(AppendRequest(events=(internal,)))
        await flow.record()
        await everything_arrives(flow)
        await flow.record()

    await set_back(history, some_stay_unknown)
    report = await history.recovered()
    assert (report.adopted, report.filled, report.last) == (21, 1, 32)
    log = await history.lives(nothing)
    assert [event.position for event in log] == list(range(1, 33))
    (filled,) = [event for event in log if event.type == GAP]
    assert (filled.position, filled.version, filled.slot) == (31, 1, None)
    assert shown([e for e in log if e.slot is not None]) == shown(
        [e for e in history.before[:32] if e.slot is not None]
    )


@pytest.mark.parametrize("number", [0, 100], ids=["of another event", "that nobody gave"])
@pytest.mark.parametrize("by", ["nobody", "a follower", "a version that did not sign"])
async def test_what_the_owner_did_not_sign_is_passed_over(history: History, by: str, number: int) -> None:
    """A stray record in the topic must not stand in a recovery's way."""
    await set_back(history)
    async for record in history.broker.everything(TOPIC):
        genuine = orjson.loads(record.value)
        stray = {
            **genuine,
            "id": str(uuid4()),
            "slotsequence": genuine["slotsequence"] + number,
            "sequence": str(int(genuine["sequence"]) + 1000),
        }
        if by != "nobody":
            stray["data"] = {name: genuine["data"][name] for name in ("clear", "sealed")}
        if by == "a follower":
            stray = Signer(OWNER, FOLLOWER_KEYS.sources[OWNER], FOLLOWER_KEYS.hmac).signed(stray)
        history.broker.put(TOPIC, record.partition, orjson.dumps(stray))
    assert (await history.recovered()).adopted == 20
    assert shown(await history.lives(nothing)) == shown(history.before)


async def test_a_copy_of_before_events_were_signed_gets_what_was_published_since(history: History) -> None:
    """An upgrade that ends with the copy that was made before it."""

    async def upgraded(flow: Flow) -> None:
        flow.published, now = Unsigned(OWNER, flow.engines.owner, OWNER_KEYS), flow.published
        await flow.relayed()
        flow.published = now
        await flow.relayed()

    await set_back(history, upgraded)
    assert (await history.recovered()).adopted == 20
    assert shown(await history.lives(nothing)) == shown(history.before)


async def test_a_payload_whose_key_a_follower_wrapped_wrongly_comes_from_another(history: History) -> None:
    """What the owner signed is all but the wrapped keys, which each holder wraps anew."""

    class Wrong(Returned):
        async def consumed(self, source: str, slot: int, after: int, limit: int) -> ConsumedPage:
            page = await super().consumed(source, slot, after, limit)
            (key,) = FOLLOWER_KEYS.sources[OWNER].values()
            wrong = aes_key_wrap(key, bytes(32))
            for item in page.events:
                for recipient in item["data"]["sealed"]["recipients"]:
                    recipient["encrypted_key"] = encode(wrong)
            return page

    await set_back(history)
    history.broker.wipe()
    right = Returned(history.follower, FOLLOWER_KEYS)
    followers = {"wrong": Wrong(history.follower, FOLLOWER_KEYS), FOLLOWER: right}
    recovery = Recovery(OWNER, TOPIC, OWNER_KEYS, history.broker, followers)
    report = await recovery.run(history.url, DAY)
    assert (report.adopted, report.erased) == (20, 0)
    assert shown(await history.lives(nothing)) == shown(history.before)


async def test_what_was_erased_stays_erased(history: History) -> None:
    """The copy still has the key, and the topic the payload."""
    erased: list[UUID] = []

    async def erase_one(flow: Flow) -> None:
        await flow.relayed()
        subject = (await flow.engines.owner.read_log(0, 1))[0].stream_id
        erased.append(identity_of(subject))
        event = NewEvent(subject, uuid4(), "complaint.erased", '{"clear": {}, "sealed": null}', DAY)
        await flow.engines.owner.append(
            AppendRequest(events=(event,), rows=(destroy_data_key(identity_of(subject)),))
        )
        await flow.relayed()

    await set_back(history, erase_one)
    report = await history.recovered()
    assert (report.adopted, report.erased) == (21, 1)
    async with PostgresStore(history.url, PUBLIC) as owner:
        assert await owner.data_keys(erased) == []
        assert await owner.claimed("tombstone", erased[0].bytes) is not None
        flow = history.flow(owner)
        envelopes = await flow.envelopes_of(f"complaint-{erased[0]}")
        assert [(one.sealed, one.erased) for one in envelopes] == [(None, True), (None, True), (None, False)]
        await everything_arrives(flow)
        await flow.close()


async def test_what_is_known_only_as_erased_is_published_as_that_although_its_key_is_there(
    history: History,
) -> None:
    """The erasure itself was never published, and is lost."""

    async def erase_one_unheard(flow: Flow) -> None:
        subject = (await flow.engines.owner.read_log(0, 1))[0].stream_id
        await flow.engines.owner.append(AppendRequest(rows=(destroy_data_key(identity_of(subject)),)))
        await flow.relayed()

    await set_back(history, erase_one_unheard)
    report = await history.recovered()
    assert (report.adopted, report.erased) == (20, 1)
    async with PostgresStore(history.url, PUBLIC) as owner:
        flow = history.flow(owner)
        first = (await owner.read_log(0, 1))[0].stream_id
        envelopes = await flow.envelopes_of(first)
        assert [one.erased for one in envelopes] == [False, True]
        await everything_arrives(flow)
        await flow.close()


async def test_whoever_led_leads_anew(history: History) -> None:
    """A relay that remembers a position above the adopted tail would pass over what comes next."""
    await set_back(history)
    async with PostgresStore(history.url, PUBLIC) as owner:
        state, leases = PostgresRelayState(owner.pool), PooledLeases(owner.pool)
        lease = await leases.take(f"relay {TOPIC}")
        assert lease is not None
        assert await state.load(TOPIC, lease.epoch) is not None
        await history.recovered()
        assert not await state.advance(TOPIC, lease.epoch, 31, {})
        assert not await renew_lease(owner.pool, lease)
        again = await leases.take(f"relay {TOPIC}")
        assert again is not None
        assert await state.load(TOPIC, again.epoch) is not None


async def test_without_a_follower_it_adopts_nothing_unless_told_so(history: History) -> None:
    await set_back(history)
    history.is_follower_away = True
    with pytest.raises(RecoveryFailed, match=f"--without {FOLLOWER}"):
        await history.recovered()
    assert len(await history.lives(nothing)) == 10
    report = await history.recovered(FOLLOWER)
    assert (report.adopted, report.passed_over) == (20, (FOLLOWER,))


async def test_a_halted_service_appends_again_by_itself_after_the_recovery(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tails, "INTERVAL_SECONDS", 0.05)
    await set_back(history)
    async with PostgresStore(history.url, PUBLIC) as owner:
        tail = history.tail(owner)
        owner.compare_first(tail.compare)
        flow = history.flow(owner)
        flow.start(tail.keep())
        with pytest.raises(StoreHalted):
            await flow.record()
        await history.recovered()

        async def appends() -> bool:
            try:
                await flow.record()
            except StoreHalted:
                return False
            return True

        await until(appends, "it appends again")
        await everything_arrives(flow)
        await flow.prove()
        await flow.close()


async def test_followers_are_asked_over_http_by_services_alone(history: History, tmp_path: Path) -> None:
    await set_back(history)
    history.broker.wipe()
    issuer = Issuer()
    routers = [routes.consumed(Returned(history.follower, FOLLOWER_KEYS), [OWNER])]
    async with client_of_routers(routers, issuer, tmp_path) as client:
        for path in (f"/v1/events/cursors?source={OWNER}", f"/v1/events/consumed?source={OWNER}&slot=1"):
            for role in ROLES:
                headers = {"Authorization": f"Bearer {issuer.token(role)}"}
                async with client.get(path, headers=headers) as answer:
                    assert (answer.status == 403) == (role != "service"), (path, role)
        (tmp_path / "token").write_text(issuer.token("service"))
        follower = HttpFollower(client, "", tmp_path / "token")
        with pytest.raises(SurroundingsFault, match="404"):
            await follower.reached("referral")
        recovery = Recovery(OWNER, TOPIC, OWNER_KEYS, history.broker, {FOLLOWER: follower})
        assert (await recovery.run(history.url, DAY)).adopted == 20
    assert shown(await history.lives(nothing)) == shown(history.before)


class LongTopic:
    """Holds each event that the log has, made as it is read."""

    def __init__(self, count: int, record: dict[str, Any]) -> None:
        self._count, self._record = count, record

    async def everything(self, _: str) -> AsyncGenerator[Record, None]:
        for number in range(1, self._count + 1):
            event = {**self._record, "id": str(UUID(int=number)), "slotsequence": number}
            yield Record(0, number, orjson.dumps(event))


async def test_a_recovery_holds_what_the_log_lacks_and_nothing_that_it_has(history: History) -> None:
    """The log and the topic were held whole: gigabytes, at ten million events."""

    async def peak(count: int) -> int:
        async with PostgresStore(history.url, PUBLIC) as owner:
            await owner.pool.execute("TRUNCATE events")
            await history.flow(owner).record(subject_in(7))
            (record,) = await PublishedLog(OWNER, owner, OWNER_KEYS).records(await owner.read_log(0))
            await owner.pool.execute("TRUNCATE events")
            await owner.pool.execute(_MANY_EVENTS, count)
        recovery = Recovery(OWNER, TOPIC, OWNER_KEYS, LongTopic(count, record), {})
        tracemalloc.start()
        assert await recovery.run(history.url, DAY) == Report()
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return held

    few, many = await peak(3 * TOPIC_PAGE), await peak(15 * TOPIC_PAGE)
    assert many < 1.2 * few


_MANY_EVENTS = """
INSERT INTO events SELECT n, 'complaint-' || gen_random_uuid(), 1, lpad(to_hex(n), 32, '0')::uuid, 'made', 1,
    7, n, '{}', '{}', date '2026-11-23' FROM generate_series(1, $1::int) AS n
"""
