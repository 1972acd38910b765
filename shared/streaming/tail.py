"""Whether the log still has its tail: compared with what the topic and the followers know of it.

After a restore or a failover a database may lack events that were acknowledged and published; what is
appended next would take their numbers a second time. So before the first append on every new connection
of the committer the newest record of each partition, and the last event that each follower consumed of each
slot, are looked up in the log. One that it does not have, or has with another id, is a lost tail: the store
is halted in its database, for all its processes, and `./hotline recover` adopts what is missing. What halted
it is asked for anew (`keep`, every half minute), and the halt ends with it. Nothing is believed but an event
that we have signed for ourselves (`shared.streaming.authentication`), neither what anybody wrote into the
topic nor a follower's word: a follower that names an event is asked to show it.

The limit: a service must take complaints while Kafka is away for days, so whoever has not answered within
`COMPARE_SECONDS` is passed over, and where nobody has, appends go on, with a warning. A tail that was lost
while topic and followers were all out of reach is found when one of them is back, and then numbers may have
been given twice already. Numbers that nobody ever saw are lost unseen: giving them again harms nobody. Nor
are events evidence that were published by a version that did not sign.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Protocol
from uuid import UUID

import asyncpg
import structlog

from shared.store.halts import Halt
from shared.store.port import Store
from shared.store.requests import StoreUnavailable
from shared.streaming.authentication import OwnEvents
from shared.streaming.broker import Broker, BrokerUnavailable, Publisher
from shared.streaming.cloudevents import Envelope, UnreadableEnvelope
from shared.streaming.handling import SurroundingsFault
from shared.streaming.returning import ConsumedPage, Reached

COMPARE_SECONDS = 3.0
INTERVAL_SECONDS = 30.0
TOPIC = "topic"
"""The topic as a witness, beside the followers by their names."""
LOOK_BACK = 16
"""So many of a partition's last records are looked at for one of ours."""

log = structlog.get_logger(origin=__name__)


async def last_published(publisher: Publisher, partition: int, own: OwnEvents) -> Envelope | None:
    """The newest event that we have published among the last records of a partition.

    Behind it may be a few that are foreign, or cannot be read: they must not hide it.

    Raises:
        BrokerUnavailable
    """
    begin, end = await publisher.bounds(partition)
    for offset in range(end - 1, max(begin, end - LOOK_BACK) - 1, -1):
        if (record := await publisher.read_at(partition, offset)) is not None:
            with suppress(UnreadableEnvelope):
                return own.read(record.value)
    return None


async def has(store: Store, slot: int, number: int, event_id: UUID) -> bool:
    """Whether the log has this very event under this number of the slot."""
    known = await store.read_slot(slot, number - 1, 1)
    return bool(known) and known[0].slot_sequence == number and known[0].event_id == event_id


def lost_tail(witness: str, told: str, slot: int, number: int, event_id: UUID) -> Halt:
    """Why the store is halted: `told` says what the witness does with the event."""
    reason = (
        f"{told} number {number} of slot {slot}, unknown to the log: its tail is lost."
        " Run `./hotline recover`."
    )
    return Halt(witness, slot, number, event_id, reason)


def published_and_lost(topic: str, last: Envelope) -> Halt:
    return lost_tail(TOPIC, f"{topic} holds", last.slot, last.slot_sequence, last.id)


class Follower(Protocol):
    """A service that follows this one."""

    async def reached(self, source: str) -> Mapping[int, Reached]:
        """By slot, the last event of `source` that it consumed.

        Raises:
            SurroundingsFault: it does not answer.
        """

    async def consumed(self, source: str, slot: int, after: int, limit: int) -> ConsumedPage:
        """Events of `source` as it consumed them, those of one slot above `after`, in order.

        Raises:
            SurroundingsFault: it does not answer.
        """


class Tail:
    """
    Args:
        own: judges what others show as ours.
        followers: those whose addresses are known, by name.
    """

    def __init__(
        self, own: OwnEvents, topic: str, store: Store, broker: Broker, followers: Mapping[str, Follower]
    ) -> None:
        self._own, self._topic, self._store = own, topic, store
        self._broker, self._followers = broker, followers
        self._abandoned: set[asyncio.Task[Halt | None]] = set()

    async def compare(self) -> None:
        """Halt the store where its tail is lost, and let it append again where nothing shows that any more.
        Asks for `COMPARE_SECONDS` at the most.

        Raises:
            StoreUnavailable: the log cannot be read: nothing may be appended yet.
        """
        if not await self._compared() and await self._store.head():
            log.warning("tail not compared: neither the topic nor a follower answers", topic=self._topic)

    async def keep(self) -> None:
        """Compare every half minute, until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            try:
                await self._compared()
            except (StoreUnavailable, asyncpg.PostgresError):  # away, or without its tables yet
                continue
            except Exception:  # the loop's edge: comparing must not end the service
                log.exception("comparing the tail failed", topic=self._topic)

    async def _compared(self) -> bool:
        """Whether anybody answered.

        A halt ends when its own witness does not bear it out any more, or the log has the event. Nobody
        else is needed for that: a follower that is away and told nothing holds nothing up.
        """
        standing = await self._store.halts()  # before the questions: a later one is not theirs
        answers = await self._answers()
        for halt in filter(None, answers.values()):
            await self._store.halt(halt)
            log.critical("lost tail", topic=self._topic, witness=halt.witness)
        if standing:
            await self._store.lift([each for each in standing if answers.get(each.witness, each) is None])
        return bool(answers)

    async def _answers(self) -> dict[str, Halt | None]:
        """By witness, of those that answered, what shows that the tail is lost."""
        questions: dict[str, Callable[[], Awaitable[Halt | None]]] = {TOPIC: self._compare_topic}
        questions |= {name: self._comparison(name, of) for name, of in self._followers.items()}
        tasks = {asyncio.ensure_future(question()): name for name, question in questions.items()}
        try:
            done, late = await asyncio.wait(tasks, timeout=COMPARE_SECONDS)
        except asyncio.CancelledError:
            done, late = set(), set(tasks)
            raise
        finally:
            for task in late:  # not waited for: a client may take seconds to give up
                task.cancel()
                self._abandoned.add(task)
                task.add_done_callback(self._forget)
        answers: dict[str, Halt | None] = {}
        for task in done:
            try:
                answers[tasks[task]] = task.result()
            except (BrokerUnavailable, SurroundingsFault) as fault:
                log.info("tail not compared with one", reason=str(fault))
        return answers

    def _forget(self, task: "asyncio.Task[Halt | None]") -> None:
        self._abandoned.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, so that nobody complains of it

    async def _compare_topic(self) -> Halt | None:
        async with self._broker.publisher(self._topic) as publisher:
            for partition in range(await publisher.partitions()):
                last = await last_published(publisher, partition, self._own)
                if last and not await has(self._store, last.slot, last.slot_sequence, last.id):
                    return published_and_lost(self._topic, last)
        return None

    def _comparison(self, name: str, follower: Follower) -> Callable[[], Awaitable[Halt | None]]:
        async def compare() -> Halt | None:
            reached = await follower.reached(self._own.service)
            heads = await self._store.slot_heads()
            for slot, last in reached.items():
                if last.at <= heads.get(slot, 0) and await has(self._store, slot, last.at, last.event_id):
                    continue
                if await self._shows(follower, slot, last):
                    return lost_tail(name, f"{name} has consumed", slot, last.at, last.event_id)
                log.warning("a follower named a number and cannot show its event", follower=name, slot=slot)
            return None

        return compare

    async def _shows(self, follower: Follower, slot: int, last: Reached) -> bool:
        """Whether the follower has the event that it names, signed by us: its word alone is no evidence."""
        for item in (await follower.consumed(self._own.service, slot, last.at - 1, 1)).events:
            with suppress(UnreadableEnvelope):
                event = self._own.read(item)
                return (event.slot, event.slot_sequence, event.id) == (slot, last.at, last.event_id)
        return False
