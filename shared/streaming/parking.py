"""Parked events: what an operator, and an upgrade, does about them. No content is shown to anybody."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg
import structlog

from shared.store.inbox import WaitingEntry
from shared.store.port import Store
from shared.store.requests import AppendRequest, StoreUnavailable
from shared.streaming.handling import Handlers, SurroundingsFault
from shared.streaming.inbox import BROKEN, NEXT, UNKNOWN, Inbox

LONGEST_PAUSE = 30.0

log = structlog.get_logger(origin=__name__)


@dataclass(frozen=True, slots=True)
class ParkedId:
    """Names a parked event: ``intake-17-5``, the source, slot and slot sequence."""

    source: str
    slot: int
    slot_sequence: int

    def __str__(self) -> str:
        return f"{self.source}-{self.slot}-{self.slot_sequence}"

    @classmethod
    def parse(cls, text: str) -> "ParkedId":
        """
        Raises:
            ValueError: not of that form.
        """
        source, slot, number = text.split("-")
        return cls(source, int(slot), int(number))


class Parking:
    """The parked events of one service, of all the sources it follows."""

    def __init__(self, store: Store, inboxes: Mapping[str, Inbox]) -> None:
        self._store, self._inboxes = store, inboxes

    async def page(self, after: ParkedId | None, limit: int) -> list[WaitingEntry]:
        """At most `limit` parked events above `after`, in the order of source, slot and number."""
        key = (after.source, after.slot, after.slot_sequence) if after else ("", 0, 0)
        return await self._store.parked(key, limit)

    async def find(self, parked: ParkedId) -> WaitingEntry | None:
        """The parked event, None where it is not parked (any more), or of a source that is not followed."""
        if parked.source not in self._inboxes:
            return None
        before = (parked.source, parked.slot, parked.slot_sequence - 1)
        found = await self._store.parked(before, 1)
        is_it = found and (found[0].source, found[0].slot, found[0].slot_sequence) == (
            parked.source,
            parked.slot,
            parked.slot_sequence,
        )
        return found[0] if is_it else None

    async def retry(self, entry: WaitingEntry) -> tuple[int, str]:
        """Apply it and what queues behind it; how many were applied, and why it stopped ("" if done)."""
        return await self._inboxes[entry.source].retry(entry.subject)

    async def drop(self, entry: WaitingEntry, recorded: AppendRequest | None = None) -> tuple[int, str]:
        """Give it up for good and apply what queued behind it; as `retry`.

        Args:
            recorded: the record of it, written with it (see `shared.streaming.drops`).

        Raises:
            InboxStateChanged: it is not parked any more.
            AppendRefused: `recorded` is refused.
        """
        inbox = self._inboxes[entry.source]
        await inbox.drop(entry, recorded)
        return await inbox.retry(entry.subject)

    async def keep_retrying(self, handlers: Mapping[str, Handlers], every: float) -> None:
        """`retry_known` at start and every so many seconds, until cancelled. A task for processes that
        consume: software of before, which runs beside this one during an upgrade, goes on parking what it
        does not know. Any number may do so at once: an event that another one has retried is not parked.
        """
        await self.retry_at_start(handlers)
        while True:
            await asyncio.sleep(every)
            await self._retried(handlers)

    async def retry_at_start(self, handlers: Mapping[str, Handlers]) -> None:
        """`retry_known`, as soon as the surroundings allow it."""
        pause = 0.5
        while not await self._retried(handlers):
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _retried(self, handlers: Mapping[str, Handlers]) -> bool:
        try:
            applied = await self.retry_known(handlers)
        except (StoreUnavailable, SurroundingsFault, asyncpg.PostgresError) as fault:
            # By its type: a database without its tables yet is told by readiness.
            log.warning("parked events wait for their retry", reason=type(fault).__name__)
            return False
        if applied:
            log.info("parked events retried", count=applied)
        return True

    async def retry_known(self, handlers: Mapping[str, Handlers]) -> int:
        """Retry what was parked for a type, version or form that an upgrade may have made known, and queues
        that a crash left half retried; how many events were applied.

        Raises:
            StoreUnavailable, SurroundingsFault: try again later.
        """
        applied, after = 0, None
        while page := await self.page(after, 200):
            for entry in page:
                if entry.source in self._inboxes and _may_be_known(entry, handlers.get(entry.source, {})):
                    applied += (await self.retry(entry))[0]
            last = page[-1]
            after = ParkedId(last.source, last.slot, last.slot_sequence)
        return applied


def _may_be_known(entry: WaitingEntry, handlers: Handlers) -> bool:
    name, _, version = entry.type.removeprefix("hotline.").rpartition(".v")
    return entry.reason == NEXT or (
        entry.reason.startswith((UNKNOWN, BROKEN)) and (name, int(version)) in handlers
    )
