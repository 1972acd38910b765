"""Referral's database was set back to an older copy, while its topic, intake and dedup went on.

What it told of cases is adopted. Which complaint is in which case nobody else knows: it follows from the
cases and from what the others have sent. Nothing may be told twice, and no complaint may come into a second
case.
"""

import random
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from services.referral.domain.case import DECIDED
from services.referral.recovering import consequences
from shared.store import history as history_of_store
from shared.store import rebuilding
from shared.store.events import SLOTS, RecordedEvent, identity_of, slot_of, stream_id
from shared.store.requests import InboxState
from shared.streaming import recovery
from shared.streaming.cloudevents import Envelope
from shared.streaming.recovery import RecoveryFailed
from tests.integration.services.referral.feeding import Feed, Referral, complaint
from tests.integration.services.referral.losing import (
    HELD,
    History,
    assert_refused,
    decide,
    everything,
    nothing,
    public,
    shown,
)

pytestmark = pytest.mark.long

KINDS = {"recorded": 8, "incident": 8, "pattern": 3, "followed_up": 2, "contact": 1, "erased": 1}
"""How often intake and dedup tell what."""
NEWS = {"recorded": 8, "incident": 1, "pattern": 8, "followed_up": 16, "contact": 1, "erased": 0}
CODES = ("hate.racist", "other.incivility", "sexual.images", "other.property")


async def test_without_its_consequences_a_complaint_came_into_a_second_case(history: History) -> None:
    """Why it is not enough to adopt the events."""
    complaint_id = uuid4()

    async def then(referral: Referral) -> None:
        await referral.receive(history.feed.recorded(complaint("hate.racist"), complaint_id))

    await history.lives(nothing, then)
    await history.published()
    await history.recovered(consequences=None)
    async with history.referral() as referral:
        await history.consumed_again(referral)
        told = [e for e in await public(referral) if e.type == "case.opened"]
        assert [e.data["clear"]["complaint_ids"] for e in told] == [[str(complaint_id)]] * 2
        assert len({e.stream_id for e in told}) == 2


async def test_what_was_told_of_cases_is_adopted_and_not_told_again(history: History) -> None:
    feed, ids, incidents = history.feed, [uuid4() for _ in range(8)], [uuid4() for _ in range(2)]
    held = uuid4()

    async def first(referral: Referral) -> None:
        for each in ids[:3]:
            await referral.receive(feed.recorded(complaint("hate.racist"), each))
        await referral.receive(
            feed.incident(incidents[0], ids[:2]), feed.recorded(complaint("other.incivility", **HELD), held)
        )

    async def then(referral: Referral) -> None:
        for each in ids[3:7]:
            await referral.receive(feed.recorded(complaint("hate.racist"), each))
        await decide(referral, ids[0])
        await referral.receive(
            feed.incident(incidents[0], ids[:5]),  # merges, and opens again what was decided
            feed.incident(incidents[1], [ids[4], ids[7]]),  # splits, and one that has not arrived
            feed.recorded(complaint("hate.racist"), ids[7]),
            feed.pattern(uuid4(), [held, ids[5]], released=[held]),
            feed.followed_up(ids[6], "He came back."),
            feed.contact(3),
        )
        await decide(referral, ids[5])

    await history.lives(first, then)
    before = await history.published()
    async with history.referral() as referral:
        together = await referral.partition()
        cases = await referral.read.fetch("SELECT * FROM cases ORDER BY case_id")
    report = await history.recovered()
    assert report.adopted
    async with history.referral() as referral:
        assert shown(await public(referral)) == shown(before)
        assert await referral.partition() == together
        await history.assert_whole(referral, before)
        await history.assert_tells_nothing_new(referral, before)
        assert await referral.partition() == together
        assert await referral.read.fetch("SELECT * FROM cases ORDER BY case_id") == cases
        await referral.receive(feed.incident(incidents[1], [ids[4], ids[6], ids[7]]))
        assert frozenset({ids[4], ids[6], ids[7]}) in await referral.partition()
        await history.assert_whole(referral, before)


async def test_a_membership_that_told_nobody_anything_is_found_by_the_cases(history: History) -> None:
    """It came before its complaint, which then joined the case of its incident."""
    feed, one, other, incident = history.feed, uuid4(), uuid4(), uuid4()

    async def first(referral: Referral) -> None:
        await referral.receive(feed.recorded(complaint("hate.racist"), one))

    async def then(referral: Referral) -> None:
        await referral.receive(
            feed.incident(incident, [one, other]), feed.recorded(complaint("hate.racist"), other)
        )

    await history.lives(first, then)
    before = await history.published()
    await history.recovered()
    async with history.referral() as referral:
        (row,) = await referral.read.fetch("SELECT incident_id, case_id FROM incident_cases")
        assert (row["incident_id"], row["case_id"]) == (incident, await referral.case_of(one))
        await history.assert_whole(referral, before)


async def test_who_was_erased_meanwhile_leaves_the_case(history: History) -> None:
    """Nobody has what the complaint said, and its erasure is still to come."""
    feed, ids, alone = history.feed, [uuid4(), uuid4()], uuid4()

    async def then(referral: Referral) -> None:
        for each in (*ids, alone):
            await referral.receive(feed.recorded(complaint("hate.racist"), each))
        await referral.receive(feed.incident(uuid4(), ids))

    await history.lives(nothing, then)
    before = await history.published()
    for each in (ids[0], alone):
        feed.numbered(feed.erased(each))
    await history.recovered()
    async with history.referral() as referral:
        assert await referral.partition() == {frozenset({ids[1]})}
        await history.assert_whole(referral, before)
        await history.consumed_again(referral)
        assert await referral.partition() == {frozenset({ids[1]})}
        rows = await referral.read.fetch("SELECT complaint_id FROM placements WHERE is_erased")
        assert {row["complaint_id"] for row in rows} == {ids[0], alone}
        keys = {row[0] for row in await referral.read.fetch("SELECT key_id FROM data_keys")}
        assert not keys & {ids[0], alone}
        await history.assert_whole(referral, before)


async def test_what_was_erased_in_the_lost_time_stays_erased(history: History) -> None:
    feed, ids = history.feed, [uuid4() for _ in range(3)]

    async def first(referral: Referral) -> None:
        for each in ids[:2]:
            await referral.receive(feed.recorded(complaint("hate.racist"), each))

    async def then(referral: Referral) -> None:
        await referral.receive(feed.recorded(complaint("hate.racist"), ids[2]), feed.erased(ids[2]))
        await referral.receive(feed.incident(uuid4(), ids[:2]), feed.erased(ids[0]))

    await history.lives(first, then)
    before = await history.published()
    async with history.referral() as referral:
        kept = {row[0] for row in await referral.read.fetch("SELECT key_id FROM data_keys")}
    await history.recovered()
    async with history.referral() as referral:
        assert {row[0] for row in await referral.read.fetch("SELECT key_id FROM data_keys")} == kept
        assert await referral.partition() == {frozenset({ids[1]})}
        await history.assert_tells_nothing_new(referral, before)


async def test_where_the_others_do_not_answer_nothing_is_changed(history: History) -> None:
    await _one_is_lost(history)
    history.owners["dedup"].is_away = True
    await assert_refused(history, "dedup does not answer")


async def test_where_intake_has_lost_its_tail_too_nothing_is_changed(history: History) -> None:
    await _one_is_lost(history)
    history.feed.sent.clear()
    history.feed.sequences.clear()
    await assert_refused(history, "recover it first")


async def _one_is_lost(history: History) -> None:
    async def then(referral: Referral) -> None:
        await referral.receive(history.feed.recorded(complaint("hate.racist")))

    await history.lives(nothing, then)
    await history.published()


class World:
    """Intake and dedup at random: they send, and referral receives, slots in any order."""

    def __init__(
        self,
        feed: Feed,
        chance: random.Random,
        kinds: Mapping[str, int] = KINDS,
        decisions: float = 0.15,
        slots: int = SLOTS,
    ) -> None:
        self._feed, self._chance = feed, chance
        self._kinds, self._decisions, self._slots = kinds, decisions, slots
        self._waiting: defaultdict[tuple[str, int], deque[Envelope]] = defaultdict(deque)
        self._patterns: defaultdict[UUID, set[UUID]] = defaultdict(set)
        self._alive: list[UUID] = []
        self._held: set[UUID] = set()
        self._incident_of: dict[UUID, UUID] = {}

    async def life(self, referral: Referral, steps: int) -> None:
        """They send, referral receives, and people decide."""
        for _ in range(steps):
            self.sends()
            while self._waiting and self._chance.random() < 0.6:
                await self._receives(referral)
            if self._chance.random() < self._decisions:
                await self._somebody_decides(referral)

    async def _receives(self, referral: Referral) -> None:
        place = self._chance.choice(sorted(self._waiting))
        assert await referral.inboxes[place[0]].receive(self._waiting[place].popleft()) is InboxState.APPLIED
        if not self._waiting[place]:
            del self._waiting[place]

    async def _somebody_decides(self, referral: Referral) -> None:
        rows = await referral.read.fetch(
            "SELECT p.complaint_id FROM placements p JOIN cases c USING (case_id) WHERE c.status = 'open'"
            " ORDER BY 1"
        )
        if rows:
            await decide(referral, self._chance.choice(rows)["complaint_id"])

    def sends(self) -> None:
        (kind,) = self._chance.choices(list(self._kinds), list(self._kinds.values()))
        if len(self._alive) < 4:
            kind = "recorded"
        for event in getattr(self, f"_{kind}")():
            numbered = self._feed.numbered(event)
            self._waiting[numbered.source, numbered.slot].append(numbered)

    def _new_id(self, category: str) -> UUID:
        """The slots, and with them the order of arrival, follow from ids."""
        while True:
            new = UUID(int=self._chance.getrandbits(128), version=4)
            if slot_of(stream_id(category, new)) < self._slots:
                return new

    def _recorded(self) -> list[Envelope]:
        self._alive.append(self._new_id("complaint"))
        wish = HELD if self._chance.random() < 0.25 else {}
        if wish:
            self._held.add(self._alive[-1])
        return [self._feed.recorded(complaint(self._chance.choice(CODES), **wish), self._alive[-1])]

    def _incident(self) -> list[Envelope]:
        """Some come to an incident, perhaps from others."""
        target = self._chance.choice([*sorted(set(self._incident_of.values())), self._new_id("incident")])
        moving = self._chance.sample(self._alive, self._chance.choice((1, 2, 2, 3)))
        left = {self._incident_of[each] for each in moving if each in self._incident_of} - {target}
        self._incident_of |= dict.fromkeys(moving, target)
        return [
            self._feed.incident(incident, [each for each, of in self._incident_of.items() if of == incident])
            for incident in (target, *sorted(left))
        ]

    def _pattern(self) -> list[Envelope]:
        pattern_id = self._chance.choice([*sorted(self._patterns), self._new_id("pattern")])
        self._patterns[pattern_id] ^= set(self._chance.sample(self._alive, 2))
        members = sorted(self._patterns[pattern_id])
        released = [each for each in members if each in self._held and self._chance.random() < 0.5]
        self._held -= set(released)
        return [self._feed.pattern(pattern_id, members, released)]

    def _followed_up(self) -> list[Envelope]:
        return [self._feed.followed_up(self._chance.choice(self._alive), "He came back.")]

    def _contact(self) -> list[Envelope]:
        return [self._feed.contact(2, self._new_id("contact"))]

    def _erased(self) -> list[Envelope]:
        gone = self._alive.pop(self._chance.randrange(len(self._alive)))
        self._incident_of.pop(gone, None)
        for members in self._patterns.values():
            members.discard(gone)
        return [self._feed.erased(gone)]

    def together(self) -> set[frozenset[UUID]]:
        """The complaints of each case, when all was received."""
        groups: defaultdict[UUID, set[UUID]] = defaultdict(set)
        for each in set(self._alive) - self._held:
            groups[self._incident_of.get(each, each)].add(each)
        return {frozenset(group) for group in groups.values()}


@pytest.mark.parametrize(
    ("seed", "is_certain"), [pytest.param(None, False, id="random"), (1, True), (2, True), (3, True)]
)
async def test_whatever_was_lost_and_in_whatever_order_it_comes_again(
    history: History, seed: int | None, is_certain: bool
) -> None:
    """A copy of any moment, a topic that has any part of the tail, slots in any order. What was consumed can
    not always be told; then nothing is changed."""
    chance = _chance(seed)
    world = World(history.feed, chance)
    await _live_twice(history, world, chance)
    async with history.referral() as referral:
        head = await referral.store.head()
    is_cut = chance.random() < 0.3
    before = await history.published(chance.randrange(1, head + 1) if is_cut else None)
    assert await _is_recovered(history, world, chance, before) or not is_certain


@pytest.mark.parametrize("seed", [pytest.param(None, id=f"random-{number}") for number in range(4)])
async def test_whatever_a_relay_that_died_has_left_of_each_slot(
    history: History, seed: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No decided case has missed its news. Few cases merge, for most of that could not be told; and few slots
    tell of much that was consumed. All of it is longer than what is done at a time."""
    monkeypatch.setattr(consequences, "PAGE", 2)
    monkeypatch.setattr(recovery, "BATCH_LIMIT", 2)
    monkeypatch.setattr(history_of_store, "WINDOW", 3)
    monkeypatch.setattr(rebuilding, "WINDOW", 3)
    chance = _chance(seed)
    world = World(history.feed, chance, NEWS, decisions=0.5, slots=4)
    copied = await _live_twice(history, world, chance)
    async with history.referral() as referral:
        lived, head, reached = await public(referral), await referral.store.head(), await _cursors(referral)
    begin = chance.randrange(copied, head + 1)
    slots = list(dict.fromkeys(event.slot for event in lived))
    torn = {slot: chance.randrange(begin, head + 1) for slot in slots if chance.random() < 0.5}
    before = await history.published(torn=torn)
    await _is_recovered(history, world, chance, before, Lived(lived, reached))


@dataclass(frozen=True)
class Lived:
    """The public log and the cursors before the loss."""

    events: Sequence[RecordedEvent]
    reached: Mapping[tuple[str, int], int]

    async def assert_nothing_missed(self, referral: Referral, before: Sequence[RecordedEvent]) -> None:
        """What counts as consumed was, and what it opened again is open."""
        consumed = await _cursors(referral)
        assert all(at <= self.reached[place] for place, at in consumed.items())
        # Whoever came may have left the pattern since.
        causes = {
            str(one.id)
            for one in referral.feed.sent
            if one.slot_sequence <= consumed.get((one.source, one.slot), 0)
            and one.type in {"complaint.followed_up", "pattern.changed"}
        }
        kept = {event.event_id for event in before}
        missed = [
            identity_of(event.stream_id)
            for event in self.events
            if event.type == "case.reopened" and event.event_id not in kept and event.causation_id in causes
        ]
        rows = await referral.read.cases(missed)
        assert not [row for row in rows.values() if row.status in DECIDED]


def _chance(seed: int | None) -> random.Random:
    seed = random.randrange(2**32) if seed is None else seed
    print(f"seed {seed}")
    return random.Random(seed)


async def _live_twice(history: History, world: World, chance: random.Random) -> int:
    """The log's head between the two, where the copy is."""
    heads = []

    async def life(referral: Referral) -> None:
        heads.append(await referral.store.head())
        await world.life(referral, chance.randrange(5, 40))

    await history.lives(life, life)
    return heads[1]


async def _cursors(referral: Referral) -> dict[tuple[str, int], int]:
    rows = await referral.read.fetch("SELECT source, slot, at FROM cursors")
    return {(row["source"], row["slot"]): row["at"] for row in rows}


async def _is_recovered(
    history: History,
    world: World,
    chance: random.Random,
    before: Sequence[RecordedEvent],
    lived: Lived | None = None,
) -> bool:
    """Whether it was, and not refused."""
    for _ in range(chance.randrange(10)):
        world.sends()
    copied = await everything(history, history.copied)
    try:
        report = await history.recovered()
    except RecoveryFailed as refused:
        print(f"refused: {refused}")
        assert await everything(history, history.url) == copied
        return False
    print(f"{report.adopted} adopted, {report.filled} filled")
    async with history.referral() as referral:
        # A copy with all of the public log has lost nothing, and it is more than was published.
        before = before if report.adopted else (await public(referral))
        await history.assert_whole(referral, before)
        if lived is not None and report.adopted:
            await lived.assert_nothing_missed(referral, before)
        causes = {e.causation_id for e in before} - {""}
        await history.consumed_again(referral, chance)
        await history.assert_whole(referral, before)
        assert await referral.partition() == world.together()
        after = (await public(referral))[len(before) :]
        twice = causes & {e.causation_id for e in after}
        patterns = {str(one.id) for one in history.feed.sent if one.type == "pattern.changed"}
        assert twice <= patterns & {before[-1].causation_id if before else ""}
    return True
