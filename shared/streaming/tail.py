"""Whether the log still has its tail: compared with what the topic and the followers know of it.

After a restore or a failover a database may lack events that were acknowledged and published; what is
appended next would take their numbers a second time. So before the first append on every new connection
of the committer the newest record of each partition, and the last event that each follower consumed of each
slot, are looked up in the log. One that it does not have, or has with another id, is a lost tail: the store
is halted, and `./hotline recover` adopts what is missing. Nothing is believed but an event that we have
signed for ourselves (`shared.streaming.authentication`), neither what anybody wrote into the topic nor a
follower's word: a follower that names an event is asked to show it.

The limit: a service must take complaints while Kafka is away for days, so whoever has not answered within
`COMPARE_SECONDS` is passed over, and where nobody has, appends go on, with a warning. A tail that was lost
while topic and followers were all out of reach is found when one of them is back (`keep` asks every half
minute), and then numbers may have been given twice already. Numbers that nobody ever saw are lost unseen:
giving them again harms nobody. Nor are events evidence that were published by a version that did not sign.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import structlog

from shared.store.port import Store
from shared.store.requests import StoreUnavailable
from shared.streaming.authentication import OwnEvents
from shared.streaming.broker import Broker, BrokerUnavailable, Publisher
from shared.streaming.cloudevents import Envelope, UnreadableEnvelope
from shared.streaming.handling import SurroundingsFault
from shared.streaming.returning import Reached

COMPARE_SECONDS = 3.0
INTERVAL_SECONDS = 30.0
FOREIGN_AT_THE_END = 5

log = structlog.get_logger(origin=__name__)


async def last_published(publisher: Publisher, partition: int, own: OwnEvents) -> Envelope | None:
    """The last event of a partition that we have published, looking past `FOREIGN_AT_THE_END` records of
    others at most.

    Raises:
        BrokerUnavailable
    """
    begin, end = await publisher.bounds(partition)
    for offset in range(end - 1, max(begin, end - FOREIGN_AT_THE_END) - 1, -1):
        if (record := await publisher.read_at(partition, offset)) is not None:
            with suppress(UnreadableEnvelope):
                return own.read(record.value)
    return None


async def has(store: Store, slot: int, number: int, event_id: UUID) -> bool:
    """Whether the log has this very event under this number of the slot."""
    known = await store.read_slot(slot, number - 1, 1)
    return bool(known) and known[0].slot_sequence == number and known[0].event_id == event_id


def holds(topic: str, last: Envelope) -> str:
    return f"{topic} holds number {last.slot_sequence} of slot {last.slot}"


def lost_tail(found: str) -> str:
    """Why the store is halted; `found` shows it."""
    return f"{found}, unknown to the log: its tail is lost. Run `./hotline recover`."


class Follower(Protocol):
    """A service that follows this one."""

    async def reached(self, source: str) -> Mapping[int, Reached]:
        """By slot, the last event of `source` that it consumed.

        Raises:
            SurroundingsFault: it does not answer.
        """

    async def consumed(self, source: str, slot: int, after: int, limit: int) -> list[dict[str, Any]]:
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
        self._abandoned: set[asyncio.Task[str]] = set()

    async def compare(self) -> None:
        """Halt the store where its tail is lost. Returns after `COMPARE_SECONDS` at the latest.

        Raises:
            StoreUnavailable: the log cannot be read: nothing may be appended yet.
        """
        found, answered, _ = await self._answers()
        if found:
            self._halt(found)
        elif not answered and await self._store.head():
            log.warning("tail not compared: neither the topic nor a follower answers", topic=self._topic)

    async def keep(self) -> None:
        """Compare every half minute, until cancelled; let a store append again whose tail was adopted."""
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            try:
                found, answered, asked = await self._answers()
            except (StoreUnavailable, asyncpg.PostgresError):  # away, or without its tables yet
                continue
            except Exception:  # the loop's edge: comparing must not end the service
                log.exception("comparing the tail failed", topic=self._topic)
                continue
            if found:
                self._halt(found)
            elif answered == asked:
                self._store.resume()

    def _halt(self, found: str) -> None:
        self._store.halt(lost_tail(found))
        log.critical("lost tail", topic=self._topic)

    async def _answers(self) -> tuple[str, int, int]:
        """What shows that the tail is lost ("" for nothing), how many answered, and how many were asked."""
        questions: list[Callable[[], Awaitable[str]]] = [self._compare_topic]
        questions += [self._comparison(name, follower) for name, follower in self._followers.items()]
        tasks = {asyncio.ensure_future(question()) for question in questions}
        try:
            done, late = await asyncio.wait(tasks, timeout=COMPARE_SECONDS)
        except asyncio.CancelledError:
            done, late = set(), tasks
            raise
        finally:
            for task in late:  # not waited for: a client may take seconds to give up
                task.cancel()
                self._abandoned.add(task)
                task.add_done_callback(self._forget)
        answered, found = 0, ""
        for task in done:
            try:
                found = found or task.result()
            except (BrokerUnavailable, SurroundingsFault) as fault:
                log.info("tail not compared with one", reason=str(fault))
            else:
                answered += 1
        return found, answered, len(tasks)

    def _forget(self, task: "asyncio.Task[str]") -> None:
        self._abandoned.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, so that nobody complains of it

    async def _compare_topic(self) -> str:
        async with self._broker.publisher(self._topic) as publisher:
            for partition in range(await publisher.partitions()):
                last = await last_published(publisher, partition, self._own)
                if last and not await has(self._store, last.slot, last.slot_sequence, last.id):
                    return holds(self._topic, last)
        return ""

    def _comparison(self, name: str, follower: Follower) -> Callable[[], Awaitable[str]]:
        async def compare() -> str:
            reached = await follower.reached(self._own.service)
            heads = await self._store.slot_heads()
            for slot, last in reached.items():
                if last.at <= heads.get(slot, 0) and await has(self._store, slot, last.at, last.event_id):
                    continue
                if await self._shows(follower, slot, last):
                    return f"{name} has consumed number {last.at} of slot {slot}"
                log.warning("a follower told a number and could not show its event", follower=name, slot=slot)
            return ""

        return compare

    async def _shows(self, follower: Follower, slot: int, last: Reached) -> bool:
        """Whether the follower has the event that it names, signed by us: its word alone is no evidence."""
        for item in await follower.consumed(self._own.service, slot, last.at - 1, 1):
            with suppress(UnreadableEnvelope):
                event = self._own.read(item)
                return (event.slot, event.slot_sequence, event.id) == (slot, last.at, last.event_id)
        return False
