"""Referral, whose database is set back to an older copy, while its topic, intake and dedup go on."""

import random
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from services.referral.conflicts import Conflicts
from services.referral.desk import Desk
from services.referral.domain.policy import Policy
from services.referral.domain.rules.table import load_rules
from services.referral.projection import Projection
from services.referral.recovering.consequences import Consequences
from services.referral.wiring import PUBLIC
from shared.contracts.case_events import Disposition
from shared.store.events import RecordedEvent, category_of, slot_of, stream_id
from shared.store.requests import InboxState
from shared.streaming.authentication import Signer
from shared.streaming.cloudevents import document, parse
from shared.streaming.handling import SurroundingsFault
from shared.streaming.published import PublishedLog
from shared.streaming.recovery import Recovery, RecoveryFailed, Report
from shared.streaming.topics import TOPICS
from shared.vocabulary import load_vocabulary
from shared.web.auth import Caller
from tests.engines import Databases
from tests.fakes.broker import FakeBroker
from tests.integration.rebuilding import differing, rebuilt
from tests.integration.services.referral.feeding import DAY, Feed, Referral, referral_with
from tests.logs import whole_log

Life = Callable[[Referral], Awaitable[None]]

HELD = {"wish": "only_with_another"}


class Owner:
    """A followed service: serves what it has sent, without the payloads that were erased meanwhile."""

    def __init__(self, source: str, feed: Feed) -> None:
        self._source, self._feed = source, feed
        # What an owner signs for itself is of no account to a follower: any ring will do.
        self._signer = Signer(source, feed.keys.sources[source], feed.keys.hmac)
        self.is_away = False

    async def heads(self) -> Mapping[int, int]:
        if self.is_away:
            raise SurroundingsFault(f"{self._source} does not answer")
        return {slot: at for (source, slot), at in self._feed.sequences.items() if source == self._source}

    async def events(self, slot: int, after: int, limit: int) -> list[dict[str, Any]]:
        erased = {one.subject for one in self._feed.sent if one.type == "complaint.erased"}
        sent = [one for one in self._feed.sent if (one.source, one.slot) == (self._source, slot)]
        return [
            self._signer.signed(
                document(
                    replace(one, sealed=None, erased=True) if one.sealed and one.subject in erased else one
                )
            )
            for one in sent
            if one.slot_sequence > after
        ][:limit]


class History:
    """Referral on the database that went on and on the copy that it is set back to; those whom it follows and
    the topic, which stay through it all."""

    def __init__(self, databases: Databases, stack: ExitStack, feed: Feed) -> None:
        self._databases, self._stack, self.feed = databases, stack, feed
        self.url = stack.enter_context(databases.new("referral"))
        self.broker = FakeBroker()
        self.owners = {source: Owner(source, feed) for source in ("intake", "dedup")}

    @asynccontextmanager
    async def referral(self) -> AsyncIterator[Referral]:
        """A process of referral on the database of now."""
        async with referral_with(self.url, self.feed) as running:
            yield running

    async def lives(self, *lives: Life) -> None:
        """With a copy of the database before the last one."""
        for life in lives:
            self.copied = self.copy(self.url)
            async with self.referral() as referral:
                await life(referral)

    def copy(self, url: str) -> str:
        """Of a database that nobody is connected to."""
        return self._stack.enter_context(self._databases.copy(url))

    async def published(
        self, upto: int | None = None, torn: Mapping[int | None, int] | None = None
    ) -> list[RecordedEvent]:
        """Publish what the log has, up to a position, and `torn` slots up to one of their own, as a relay
        that dies while it publishes may leave them; all of that."""
        upto_of = torn or {}
        async with self.referral() as referral:
            known = [
                event
                for event in await public(referral)
                if (upto is None or event.position <= upto)
                and event.position <= upto_of.get(event.slot, event.position)
            ]
            published = PublishedLog("referral", referral.store, self.feed.keys)
            for record in await published.records(known):
                self.broker.append(TOPICS["referral"], record["slot"] % 12, orjson.dumps(record))
            return known

    async def recovered(self, consequences: type[Consequences] | None = Consequences) -> Report:
        """Set back to the copy, and recovered."""
        self.url = self.copied
        recovery = Recovery(
            "referral",
            TOPICS["referral"],
            self.feed.keys,
            self.broker,
            {},
            consequences=consequences(self.feed.keys) if consequences else None,
            owners=self.owners,
        )
        return await recovery.run(self.url, DAY)

    async def consumed_again(self, referral: Referral, chance: random.Random | None = None) -> None:
        """All that was sent and is above the cursors, slot by slot in order, as the owners serve it."""
        waiting = {}
        for source, owner in self.owners.items():
            cursors = await referral.store.cursors(source)
            for slot in await owner.heads():
                if items := await owner.events(slot, cursors.get(slot, 0), 10_000):
                    waiting[source, slot] = deque(map(parse, items))
        while waiting:
            place = chance.choice(sorted(waiting)) if chance else min(waiting)
            state = await referral.inboxes[place[0]].receive(waiting[place].popleft())
            assert state in {InboxState.APPLIED, InboxState.DROPPED}
            if not waiting[place]:
                del waiting[place]

    async def assert_tells_nothing_new(self, referral: Referral, before: Sequence[RecordedEvent]) -> None:
        """When all that comes again was consumed."""
        await self.consumed_again(referral)
        assert shown(await public(referral)) == shown(before)
        await self.assert_whole(referral, before)

    async def assert_whole(self, referral: Referral, before: Sequence[RecordedEvent]) -> None:
        """All was told once, under the numbers of before, and the tables are what the history tells."""
        now = await public(referral)
        assert shown(now)[: len(before)] == shown(before)
        log = await whole_log(referral.store)
        assert [event.position for event in log] == list(range(1, len(log) + 1))
        numbers: defaultdict[object, list[int | None]] = defaultdict(list)
        for event in log:
            numbers[event.stream_id].append(event.version)
            if event.slot is not None:
                numbers[event.slot].append(event.slot_sequence)
        for given in numbers.values():
            assert given == list(range(1, len(given) + 1))
        applied = await referral.read.fetch(
            "SELECT applied_no, after_position FROM inbox WHERE applied_no IS NOT NULL ORDER BY applied_no"
        )
        assert [row["applied_no"] for row in applied] == list(range(1, len(applied) + 1))
        assert (stood := [row["after_position"] for row in applied]) == sorted(stood)
        await referral.check()
        assert differing(await rebuilt(self.url, Projection(self.feed.keys), is_check=True)) == {}


async def nothing(_: Referral) -> None:
    """A life before the copy in which nothing happens."""


async def public(referral: Referral) -> list[RecordedEvent]:
    return [e for e in await whole_log(referral.store) if category_of(e.stream_id) in PUBLIC]


def shown(events: Sequence[RecordedEvent]) -> list[tuple[Any, ...]]:
    """Without the payload, which is sealed under another key where that was lost."""
    return [
        (e.position, e.stream_id, e.version, e.event_id, e.slot, e.slot_sequence, e.type, e.data["clear"])
        for e in events
    ]


def beside(other: UUID) -> UUID:
    """A complaint in the same slot: what it tells of itself shows that all before it was consumed."""
    slot = slot_of(stream_id("complaint", other))
    while slot_of(stream_id("complaint", new := uuid4())) != slot:
        pass
    return new


async def decide(
    referral: Referral, complaint_id: UUID, dispositions: Sequence[Disposition] | None = None
) -> None:
    """A person's decision about the case of a complaint: these, or to refer all of it."""
    case_id = await referral.case_of(complaint_id)
    version = (await referral.read.cases([case_id]))[case_id].version
    await _desk(referral).decide(
        Caller(subject="anna", roles=frozenset({"assessor"})),
        case_id,
        version,
        lambda facts: (
            dispositions
            or [
                Disposition(
                    complaint_id=one.complaint_id, outcome="refer", recipient="iopc", reason_code="criteria"
                )
                for one in facts.complaints
            ]
        ),
        "It must be.",
        is_for_all=True,
    )


async def approve(referral: Referral, complaint_id: UUID) -> None:
    """A second person's word on that decision."""
    case_id = await referral.case_of(complaint_id)
    approver = Caller(subject="berta", roles=frozenset({"approver"}))
    await _desk(referral).approve(approver, case_id, None, True, "I looked.")


def _desk(referral: Referral) -> Desk:
    vocabulary = load_vocabulary()
    policy = Policy(load_rules(vocabulary), vocabulary)
    conflicts = Conflicts(referral.context, referral.read, referral.docket)
    return Desk(referral.context, referral.read, referral.docket, policy, conflicts)


async def assert_refused(history: History, why: str) -> None:
    copied = await everything(history, history.copied)
    with pytest.raises(RecoveryFailed, match=why):
        await history.recovered()
    assert await everything(history, history.url) == copied


async def everything(history: History, url: str) -> list[Any]:
    async with referral_with(url, history.feed) as referral:
        return [
            [tuple(row) for row in await referral.read.fetch(f"SELECT t::text FROM {table} t ORDER BY 1")]
            for table in ("events", "inbox", "cursors", "placements", "cases", "data_keys", "claims")
        ]
