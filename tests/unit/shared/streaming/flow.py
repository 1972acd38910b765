"""An owner's relay and a follower, put together as a service does it, for tests that hurt them.

`prove` holds at the end of every story: nothing lost, nothing twice, nothing stuck. Every consumed event
has one inbox row and, applied, one number and one effect (an event that its handler appends), in the order
of its subject.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Iterator, Mapping
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from deploy.local.keys import service_keys
from shared.sealing.jwe import seal
from shared.sealing.keys import DataKey, ServiceKeys, destroy_data_key, new_data_key, unwrap_data_keys
from shared.store.events import NewEvent, RecordedEvent, identity_of, slot_of, stream_id
from shared.store.port import Store
from shared.store.requests import AppendRequest, merged
from shared.streaming.authentication import Signer
from shared.streaming.broker import Broker
from shared.streaming.catchup import Owner
from shared.streaming.cloudevents import Envelope, parse
from shared.streaming.follower import Follower, Pace
from shared.streaming.handling import Handlers, Incoming, SurroundingsFault
from shared.streaming.inbox import Inbox
from shared.streaming.parking import Parking
from shared.streaming.published import PublishedLog
from shared.streaming.relay import Relay
from shared.streaming.relay_state import RelayState
from tests.fakes.broker import FakeBroker
from tests.unit.shared.streaming.engines import Ability, Consumed, Engines

OWNER, FOLLOWER = "intake", "dedup"
DAY = date(2026, 11, 23)
TYPE = "complaint.recorded"
PACE = Pace(regroup=0.01, heads=0.1, stall=1.0, commit=0.02, fetch=0.05)

_files = service_keys()
OWNER_KEYS = ServiceKeys.model_validate(_files[OWNER])
FOLLOWER_KEYS = ServiceKeys.model_validate(_files[FOLLOWER])
_SIGNER = Signer(OWNER, OWNER_KEYS.follower_keys, OWNER_KEYS.hmac)


async def until(condition: Callable[[], Awaitable[bool]], what: str, seconds: float = 20.0) -> None:
    """Returns as soon as the condition holds; fails, saying `what` did not happen."""
    try:
        async with asyncio.timeout(seconds):
            while not await condition():
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"within {seconds:g} s it did not happen that {what}") from None


def signed(record: Mapping[str, Any], **changed: Any) -> dict[str, Any]:
    """The record with other attributes, as the owner itself would publish it."""
    data = {name: value for name, value in record["data"].items() if name != "authentication"}
    return _SIGNER.signed({**record, "data": data, **changed})


def subject_in(slot: int) -> str:
    """A new complaint that falls into the slot."""
    while True:
        if slot_of(stream := stream_id("complaint", uuid4())) == slot:
            return stream


class Listener:
    """A handler that appends one event for each that it applies.

    Attributes:
        faults: subject -> what it raises.
        gates: subject -> what it waits for before it answers.
        turns: subject -> gates, one for each time that it is asked.
        reached: set when it waits at a gate.
        heard: the events that it was asked about, as often as it was.
    """

    def __init__(self) -> None:
        self.faults: dict[str, Exception] = {}
        self.gates: dict[str, asyncio.Event] = {}
        self.turns: dict[str, Iterator[asyncio.Event]] = {}
        self.reached = asyncio.Event()
        self.heard: list[UUID] = []

    def close_gate(self, subject: str) -> asyncio.Event:
        """From now on it waits before it answers for the subject, until the event is set."""
        self.reached.clear()
        self.gates[subject] = asyncio.Event()
        return self.gates[subject]

    async def __call__(self, incoming: Incoming) -> AppendRequest:
        envelope = incoming.envelope
        self.heard.append(envelope.id)
        gate = self.gates.get(envelope.subject) or next(self.turns.get(envelope.subject, iter(())), None)
        if gate is not None and not gate.is_set():
            self.reached.set()
            await gate.wait()
        if (fault := self.faults.get(envelope.subject)) is not None:
            raise fault
        data = {"clear": {"version": envelope.version}, "sealed": None}
        effect = NewEvent(
            stream_id("heard", identity_of(envelope.subject)), uuid4(), "complaint.heard",
            orjson.dumps(data).decode(), DAY, causation_id=str(envelope.id),
        )  # fmt: skip
        return AppendRequest(events=(effect,))


class LogOwner:
    """The followed service's catch-up, without HTTP.

    Attributes:
        is_away: it does not answer.
        hangs: it neither answers nor fails.
        heads_are_unknown: it answers that it has nothing at all.
        lacks: numbers (slot, slot sequence) that it cannot serve.
        asked, heads_asked: how often it was asked for events, and for its heads.
    """

    def __init__(self, store: Store, published: PublishedLog) -> None:
        self._store, self._published = store, published
        self.is_away = self.heads_are_unknown = self.hangs = False
        self.lacks: set[tuple[int, int]] = set()
        self.asked = self.heads_asked = 0

    async def events(self, slot: int, after: int, limit: int) -> list[dict[str, Any]]:
        self.asked += 1
        await self._answer()
        records = await self._published.records(await self._store.read_slot(slot, after, limit))
        return [record for record in records if (record["slot"], record["slotsequence"]) not in self.lacks]

    async def heads(self) -> dict[int, int]:
        self.heads_asked += 1
        await self._answer()
        return {} if self.heads_are_unknown else await self._store.slot_heads()

    async def _answer(self) -> None:
        await asyncio.sleep(0)
        if self.hangs:
            await asyncio.Event().wait()
        if self.is_away:
            raise SurroundingsFault("the owner is away")


class Flow:
    """Intake's events on their way to dedup."""

    def __init__(self, engines: Engines) -> None:
        self.engines = engines
        self.published = PublishedLog(OWNER, engines.owner, OWNER_KEYS)
        self.owner = LogOwner(engines.owner, self.published)
        self.listener = Listener()
        self.handlers: Handlers = {(TYPE, 1): self.listener}
        self.topic = engines.topic
        self.group = f"hotline-dedup-{engines.topic}"
        self._tasks: list[asyncio.Task[None]] = []

    def fake_broker(self, needed_for: str) -> FakeBroker:
        """The broker in memory; skips the test where the flow runs on another, saying what it lacks."""
        if self.engines.fake is None:
            pytest.skip(f"no broker but the one in memory can do it: {needed_for}")
        return self.engines.fake

    def needs(self, ability: Ability) -> None:
        """Skips the test where the broker cannot do it."""
        if ability in self.engines.lacks:
            pytest.skip(f"the embedded broker cannot do it: {ability}")

    # The processes

    def relay(self, state: RelayState | None = None) -> Relay:
        state = state or self.engines.relay_state
        engines = self.engines
        return Relay(self.topic, engines.owner, self.published, engines.broker, state, engines.leases)

    def inbox(self, handlers: Handlers | None = None, keys: ServiceKeys = FOLLOWER_KEYS) -> Inbox:
        return Inbox(OWNER, self.engines.follower, keys, handlers or self.handlers)

    def follower(
        self,
        inbox: Inbox | None = None,
        *,
        group: str | None = None,
        pace: Pace = PACE,
        owner: Owner | None = None,
        broker: Broker | None = None,
    ) -> Follower:
        return Follower(
            self.topic,
            group or self.group,
            self.engines.follower,
            inbox or self.inbox(),
            owner or self.owner,
            broker or self.engines.broker,
            pace,
        )

    def parking(self, inbox: Inbox | None = None) -> Parking:
        return Parking(self.engines.follower, {OWNER: inbox or self.inbox()})

    def start(self, running: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A process that runs until `kill`, or until the flow ends."""
        task = asyncio.create_task(running)
        self._tasks.append(task)
        return task

    async def kill(self, task: asyncio.Task[None]) -> None:
        self._tasks.remove(task)
        task.cancel()
        await asyncio.wait([task], timeout=15)
        assert task.done(), "it does not stop"
        if not task.cancelled() and (fault := task.exception()) is not None:
            raise fault

    async def ended(self, running: Coroutine[Any, Any, None]) -> None:
        """Runs a process until it ends by itself."""
        async with asyncio.timeout(20):
            await running

    async def close(self) -> None:
        for task in list(self._tasks):
            await self.kill(task)

    # The owner

    async def record(
        self,
        subject: str | None = None,
        *,
        type_: str = TYPE,
        schema_version: int = 1,
        clear: dict[str, Any] | None = None,
    ) -> str:
        """One public event of the subject, or of a new one, sealed; its subject."""
        subject = subject or stream_id("complaint", uuid4())
        event_id, key_id = uuid4(), identity_of(subject)
        rows = await self.engines.owner.data_keys([key_id])
        request = AppendRequest()
        if rows:
            key = DataKey(key_id, unwrap_data_keys(OWNER_KEYS.kek, rows)[str(key_id)])
        else:
            key, row = new_data_key(OWNER_KEYS.kek, key_id)
            request = AppendRequest(rows=(row,))
        sealed = seal(b'{"narrative":"he was hit"}', event_id, key.recipient)
        data = orjson.dumps({"clear": clear or {}, "sealed": sealed}).decode()
        event = NewEvent(subject, event_id, type_, data, DAY, schema_version)
        await self.engines.owner.append(merged(request, AppendRequest(events=(event,))))
        return subject

    async def record_many(self, subjects: int, each: int = 1) -> list[str]:
        """Events of many subjects, interleaved."""
        ids: list[str] = [stream_id("complaint", uuid4()) for _ in range(subjects)]
        for _ in range(each):
            await asyncio.gather(*(self.record(subject) for subject in ids))
        return ids

    async def erase(self, subject: str) -> None:
        """The owner destroys the subject's data key."""
        key = destroy_data_key(identity_of(subject))
        await self.engines.owner.append(AppendRequest(rows=(key,)))

    async def public_events(self) -> list[RecordedEvent]:
        return [event for event in await _whole_log(self.engines.owner) if event.slot is not None]

    async def events_of(self, subject: str) -> list[RecordedEvent]:
        return await self.engines.owner.read_stream(subject)

    async def envelopes_of(self, subject: str) -> list[Envelope]:
        """As they travel."""
        return [parse(record) for record in await self.published.records(await self.events_of(subject))]

    async def publish(self, events: Iterable[RecordedEvent]) -> None:
        """Put the records of just these events into the topic, as a relay would."""
        for record in await self.published.records(list(events)):
            await self.engines.put([orjson.dumps(record)], record["slot"] % 12)

    async def all_is_published(self) -> None:
        """Waits until the topic holds every public event."""

        async def is_published() -> bool:
            held = {parse(record.value).id for record in await self.engines.held()}
            return held >= {event.event_id for event in await self.public_events()}

        await until(is_published, "the topic holds every event", seconds=40)

    # The follower

    async def settled(self, seconds: float = 20.0) -> None:
        """Waits until every event was consumed, applied or not."""

        async def is_settled() -> bool:
            return await self.engines.follower.cursors(OWNER) == await self.engines.owner.slot_heads()

        await until(is_settled, "every event was consumed", seconds)

    async def consumed(self, at_least: int) -> None:
        """Waits until so many events were consumed."""

        async def enough() -> bool:
            return sum((await self.engines.follower.cursors(OWNER)).values()) >= at_least

        await until(enough, f"{at_least} events were consumed")

    async def relayed(self, state: RelayState | None = None) -> None:
        """Runs a relay until all public events are in the topic and marked."""
        relay = self.relay(state)
        task = self.start(relay.run())
        await self.published_up_to_the_head(relay)
        await self.kill(task)

    async def published_up_to_the_head(self, relay: Relay) -> None:
        async def all_published() -> bool:
            return relay.position == await self.engines.owner.head()

        await until(all_published, "the relay published everything")

    async def looked_at_heads(self, times: int) -> None:
        """Waits until the owner was asked for its heads so often."""

        async def has_looked() -> bool:
            return self.owner.heads_asked >= times

        await until(has_looked, "the owner's heads were looked at")

    async def prove(self, unapplied: Collection[str] = ()) -> list[Consumed]:
        """Nothing lost, nothing twice, nothing out of order. The inbox rows.

        Args:
            unapplied: subjects of which nothing was applied.
        """
        rows = await self.engines.inbox()
        public = await self.public_events()
        told = Counter((event.slot, event.slot_sequence, event.event_id) for event in public)
        assert Counter((row.slot, row.slot_sequence, row.event_id) for row in rows) == told
        applied = [row for row in rows if row.state == "applied"]
        assert {row.subject for row in rows if row.state != "applied"} == set(unapplied)
        assert not {row.subject for row in applied} & set(unapplied)
        assert sorted(row.applied_no or 0 for row in applied) == list(range(1, len(applied) + 1))
        effects = await _whole_log(self.engines.follower)
        assert Counter(effect.causation_id for effect in effects) == Counter(
            str(row.event_id) for row in applied
        )
        heard: defaultdict[UUID, list[int]] = defaultdict(list)
        for effect in effects:
            heard[identity_of(effect.stream_id)].append(effect.data["clear"]["version"])
        assert all(versions == list(range(1, len(versions) + 1)) for versions in heard.values())
        return rows


async def _whole_log(store: Store) -> list[RecordedEvent]:
    events: list[RecordedEvent] = []
    while page := await store.read_log(len(events)):
        events += page
    return events
