"""Dedup's database was set back to an older copy, while its topic and intake went on.

What it told of incidents and patterns is adopted; the complaints behind them come again from intake, and the
pairs are found again. Nothing of it may be told a second time, nor be taken apart in between.
"""

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

import orjson
import pytest

from deploy.simulation import simulate
from services.dedup.projection import Projection
from services.dedup.recovering import Consequences
from services.dedup.wiring import PUBLIC
from shared.contracts.complaint import SanitisedComplaint
from shared.sealing.keys import ServiceKeys
from shared.store.events import RecordedEvent, category_of
from shared.store.leases import give_up_lease
from shared.store.migrate import migrate
from shared.store.requests import InboxState, StoreHalted
from shared.streaming.authentication import OwnEvents
from shared.streaming.cloudevents import Envelope
from shared.streaming.handling import SurroundingsFault
from shared.streaming.published import PublishedLog
from shared.streaming.recovery import Recovery, RecoveryFailed, Report
from shared.streaming.tail import Tail
from shared.streaming.topics import TOPICS
from tests.engines import Databases
from tests.fakes.broker import FakeBroker
from tests.integration.rebuilding import differing, rebuilt
from tests.integration.services.dedup.desk import DAY, REVIEWER, Desk, Intake, opened
from tests.integration.services.dedup.test_matching import ANOTHER_NIGHT, NIGHT, SAME_NIGHT, SOMETHING_ELSE
from tests.logs import whole_log

pytestmark = pytest.mark.long

Life = Callable[[Desk], Awaitable[None]]


class History:
    """Dedup on the database that went on and on the copy that it is set back to; intake and the topic, which
    stay through it all."""

    def __init__(self, databases: Databases, stack: ExitStack, keys: ServiceKeys) -> None:
        self._databases, self._stack, self.keys = databases, stack, keys
        self.url = stack.enter_context(databases.new("dedup"))
        self.intake, self.broker = Intake(keys), FakeBroker()

    @asynccontextmanager
    async def desk(self) -> AsyncIterator[Desk]:
        """A process of dedup on the database of now."""
        async with opened(self.url, self.keys, self.intake) as desk:
            yield desk
            if desk.lease is not None:
                await give_up_lease(desk.store.pool, desk.lease)

    async def lives(self, *lives: Life) -> None:
        """With a copy of the database before the last one."""
        for life in lives:
            copied = self.copy()
            async with self.desk() as desk:
                await life(desk)
        self.copied = copied

    def copy(self) -> str:
        """A copy of the database as it is now; nobody may be connected."""
        return self._stack.enter_context(self._databases.copy(self.url))

    def set_back(self, copied: str) -> None:
        """Under the feet of whoever is connected."""
        self._databases.set_back(self.url, copied)

    async def published(self, upto: int | None = None) -> list[RecordedEvent]:
        """Publish what the log has, up to a position; all of its public events."""
        async with self.desk() as desk:
            public = await _public(desk)
            known = [event for event in public if upto is None or event.position <= upto]
            for record in await PublishedLog("dedup", desk.store, self.keys).records(known):
                self.broker.append(TOPICS["dedup"], record["slot"] % 12, orjson.dumps(record))
            return public

    async def recovered(self) -> Report:
        """Set back to the copy, and recovered."""
        self.url = self.copied
        recovery = Recovery(
            "dedup",
            TOPICS["dedup"],
            self.keys,
            self.broker,
            {},
            consequences=Consequences(self.keys),
            owners={"intake": self.intake},
        )
        return await recovery.run(self.url, DAY)

    async def consumed_again(self, desk: Desk, order: random.Random | None = None) -> None:
        """All that intake has sent since the copy, slot by slot in order, and the resolver at each step."""
        cursors = await desk.store.cursors("intake")
        waiting: dict[int, list[Envelope]] = {}
        for envelope in self.intake.sent:
            if envelope.slot_sequence > cursors.get(envelope.slot, 0):
                waiting.setdefault(envelope.slot, []).append(envelope)
        await desk.resolve()
        while waiting:
            slot = order.choice(sorted(waiting)) if order else min(waiting)
            assert await desk.inbox.receive(waiting[slot].pop(0)) is InboxState.APPLIED
            if not waiting[slot]:
                del waiting[slot]
            await desk.resolve()

    async def assert_rebuilt_equal(self) -> None:
        report = await rebuilt(self.url, Projection(self.keys), is_check=True)
        assert differing(report) == {}


@pytest.fixture
async def history(databases: Databases, keys: ServiceKeys) -> AsyncIterator[History]:
    with ExitStack() as stack:
        history = History(databases, stack, keys)
        await migrate("dedup", history.url)
        yield history


async def _public(desk: Desk) -> list[RecordedEvent]:
    return [e for e in await whole_log(desk.store) if category_of(e.stream_id) in PUBLIC]


def shown(events: Sequence[RecordedEvent]) -> list[tuple[Any, ...]]:
    return [(e.position, e.stream_id, e.version, e.event_id, e.slot, e.slot_sequence, e.data) for e in events]


async def groups(desk: Desk) -> tuple[set[Any], set[Any]]:
    return await desk.incidents(), await desk.patterns()


async def test_what_was_told_is_adopted_and_not_told_again(history: History) -> None:
    async def first(desk: Desk) -> None:
        await desk.record(NIGHT)
        await desk.record(SOMETHING_ELSE)
        await desk.resolve()

    async def then(desk: Desk) -> None:
        for body in (SAME_NIGHT, ANOTHER_NIGHT, SAME_NIGHT, SOMETHING_ELSE):
            await desk.record(body)
            await desk.resolve()

    await history.lives(first, then)
    before = await history.published()
    async with history.desk() as desk:
        together = await groups(desk)
    assert [len(group) for group in sorted(together[0], key=len)] == [2, 3]
    report = await history.recovered()
    assert report.adopted == len(before)
    async with history.desk() as desk:
        assert shown(await _public(desk)) == shown(before)
        assert await groups(desk) == together, "what was told is known before its complaints are"
        await history.consumed_again(desk)
        assert shown(await _public(desk)) == shown(before)
        assert await groups(desk) == together
        # It goes on where it was: the next one is told under the next numbers.
        await desk.record(SAME_NIGHT)
        await desk.resolve()
        after = await _public(desk)
        assert len(after) > len(before)
        assert {len(group) for group in await desk.incidents()} == {2, 4}
    await history.assert_rebuilt_equal()


async def _one_night(desk: Desk) -> None:
    for body in (NIGHT, SAME_NIGHT):
        await desk.record(body)


async def test_nobody_appends_anything_before(history: History) -> None:
    """Neither a consumer nor the resolver nor a person."""

    async def then(desk: Desk) -> None:
        await desk.resolve()
        await desk.record(SAME_NIGHT)

    await history.lives(_one_night, then)
    await history.published()
    history.url = history.copied
    async with history.desk() as desk:
        head = await desk.store.head()
        (match_id,) = {row[0] for row in await desk.store.fetch("SELECT match_id FROM matches LIMIT 1")}
        tail = Tail(OwnEvents("dedup", history.keys), TOPICS["dedup"], desk.store, history.broker, {})
        desk.store.compare_first(tail.compare)
        with pytest.raises(SurroundingsFault, match="StoreHalted"):
            await desk.inbox.receive(history.intake.sent[-1])
        with pytest.raises(StoreHalted):
            await desk.resolve()
        with pytest.raises(StoreHalted):
            await desk.reviewing.decide(UUID(bytes=match_id.bytes), "retract", REVIEWER, "two cars")
        assert await desk.store.head() == head


async def test_it_adopts_nothing_where_intake_does_not_say_how_far_it_is(history: History) -> None:
    await history.lives(_one_night, Desk.resolve)
    await history.published()
    history.intake.is_away = True
    with pytest.raises(RecoveryFailed, match="intake"):
        await history.recovered()
    async with history.desk() as desk:
        assert await _public(desk) == []


async def test_a_persons_decision_is_lost_and_what_followed_from_it_is_undone(history: History) -> None:
    """It was internal: the match stands again as the rule made it, for everybody to see."""

    async def first(desk: Desk) -> None:
        await _one_night(desk)
        await desk.resolve()

    async def then(desk: Desk) -> None:
        for row in await desk.store.fetch("SELECT match_id FROM matches WHERE zone = 'accepted'"):
            await desk.reviewing.decide(UUID(bytes=row[0].bytes), "retract", REVIEWER, "two cars")
        await desk.resolve()
        assert await groups(desk) == (set(), set())

    await history.lives(first, then)
    before = await history.published()
    await history.recovered()
    async with history.desk() as desk:
        assert await groups(desk) == (set(), set())
        await history.consumed_again(desk)
        assert [len(group) for group in await desk.incidents()] == [2]
        assert shown(await _public(desk))[: len(before)] == shown(before)
    await history.assert_rebuilt_equal()


@pytest.mark.parametrize("is_resolved", [True, False])
async def test_what_was_erased_in_the_lost_time_is_told_once(history: History, is_resolved: bool) -> None:
    ids: list[UUID] = []

    async def first(desk: Desk) -> None:
        ids.extend([await desk.record(body) for body in (NIGHT, SAME_NIGHT, SAME_NIGHT, SAME_NIGHT)])
        await desk.resolve()

    async def then(desk: Desk) -> None:
        await desk.record(ANOTHER_NIGHT)
        await desk.resolve()
        await desk.erase(min(ids[:4]))  # whose id the incident has
        await desk.erase(max(ids[:4]))
        if is_resolved:
            await desk.resolve()

    await history.lives(first, then)
    before = await history.published()
    await history.recovered()
    async with history.desk() as desk:
        await history.consumed_again(desk)
        after = await _public(desk)
        assert shown(after)[: len(before)] == shown(before)
        if is_resolved:
            assert len(after) == len(before)
        assert await desk.incidents() == {frozenset(sorted(ids[:4])[1:3])}
        told = [e.data["clear"] for e in after if e.stream_id.startswith("incident-")]
        removed = [each for one in told for each in one["removed"] if each == str(max(ids[:4]))]
        assert len(removed) <= 2  # from the incident, whose id changed with its lowest member
        assert not await desk.store.fetch(
            "SELECT FROM matches WHERE complaint_id = $1 OR other_complaint_id = $1", min(ids[:4])
        )
    await history.assert_rebuilt_equal()


async def test_set_back_again_while_the_resolver_still_waits(history: History) -> None:
    async def first(desk: Desk) -> None:
        await desk.record(NIGHT)
        await desk.resolve()

    async def then(desk: Desk) -> None:
        for body in (SAME_NIGHT, ANOTHER_NIGHT, SAME_NIGHT):
            await desk.record(body)
            await desk.resolve()

    await history.lives(first, then)
    await history.published()
    await history.recovered()

    async def waits(desk: Desk) -> None:
        await desk.resolve()
        assert desk.resolver.missing

    async def goes_on(desk: Desk) -> None:
        await history.consumed_again(desk)
        await desk.record(SAME_NIGHT)
        await desk.resolve()

    await history.lives(waits, goes_on)
    before = await history.published()
    async with history.desk() as desk:
        together = await groups(desk)
    assert (await history.recovered()).adopted
    async with history.desk() as desk:
        await history.consumed_again(desk)
        assert shown(await _public(desk)) == shown(before)
        assert await groups(desk) == together
    await history.assert_rebuilt_equal()


async def test_a_process_that_lived_through_it_does_not_go_on_with_keys_that_are_lost(
    history: History,
) -> None:
    """Another process has indexed the same complaint again, under a new key."""

    async def first(desk: Desk) -> None:
        await desk.record(SOMETHING_ELSE)
        await desk.resolve()

    await history.lives(first)
    copied = history.copy()
    async with history.desk() as one, history.desk() as another:
        lost = await one.record(NIGHT)
        history.set_back(copied)
        again = [each for each in history.intake.sent if each.clear["complaint_id"] == str(lost)]
        assert await another.inbox.receive(again[0]) is InboxState.APPLIED
        newer = await one.record(SAME_NIGHT)
        assert {match.other_complaint_id for match in (await one.views.complaint(REVIEWER, newer)).items} == {
            lost
        }


@pytest.mark.parametrize("seed", [pytest.param(None, id="random")])
async def test_whatever_was_lost_and_in_whatever_order_it_comes_again(
    history: History, seed: int | None
) -> None:
    """A copy of any moment, a topic that has any part of the tail, slots in any order."""
    seed = random.randrange(2**32) if seed is None else seed
    print(f"seed {seed}")
    chance = random.Random(seed)
    bodies = [_sanitised(body) for body in simulate(40, seed % 1000).complaints]
    bodies += chance.choices((NIGHT, SAME_NIGHT, ANOTHER_NIGHT), k=10)
    chance.shuffle(bodies)
    cut = chance.randrange(5, 45)

    alive: list[UUID] = []

    def recording(some: Sequence[dict[str, Any]]) -> Life:
        async def life(desk: Desk) -> None:
            for body in some:
                alive.append(await desk.record(body))
                if chance.random() < 0.1:
                    await desk.erase(alive.pop(chance.randrange(len(alive))))
                if chance.random() < 0.5:
                    await desk.resolve()

        return life

    async def rest(desk: Desk) -> None:
        await desk.resolve()

    await history.lives(recording(bodies[:cut]), recording(bodies[cut:]))
    copied = history.copied
    await history.lives(rest)
    history.copied = copied
    async with history.desk() as desk:
        together = await groups(desk)
        head = await desk.store.head()
    known = chance.randrange(1, head + 1)
    before = [event for event in await history.published(known) if event.position <= known]
    report = await history.recovered()
    print(f"{report.adopted} adopted, {report.filled} filled")
    async with history.desk() as desk:
        await desk.resolve()
        assert shown(await _public(desk))[: len(before)] == shown(before)
        await history.consumed_again(desk, chance)
        after = await _public(desk)
        assert shown(after)[: len(before)] == shown(before)
        assert await groups(desk) == together
        if known == head:
            assert len(after) == len(before)
    await history.assert_rebuilt_equal()


def _sanitised(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name in SanitisedComplaint.model_fields}
