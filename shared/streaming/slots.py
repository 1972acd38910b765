"""The slots of one followed service: where each cursor stands, and how a gap is filled.

Kafka and catch-up feed the same cursors, one event at a time in each slot, any number of slots at once.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import structlog

from shared.store.port import Store
from shared.store.requests import CursorMoved
from shared.streaming.catchup import Owner
from shared.streaming.cloudevents import Envelope, UnreadableEnvelope
from shared.streaming.handling import SurroundingsFault
from shared.streaming.inbox import Inbox

PAGE = 500

log = structlog.get_logger(origin=__name__)


class Slots:
    """Applies events in slot order. A gap is noted in `behind` and filled by `fill`; meanwhile what lies
    above it is let go, for the fill brings it too."""

    def __init__(self, inbox: Inbox, store: Store, owner: Owner) -> None:
        self._inbox, self._store, self._owner = inbox, store, owner
        self._cursors: dict[int, int] = {}
        self._locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.behind: dict[int, int] = {}
        """slot -> a slot sequence that is known to exist and was not reached."""
        self.gap_seen = asyncio.Event()
        self.seen: Counter[int] = Counter()
        """slot -> how many events were looked at: received, dropped as known, or let go."""

    async def load(self) -> None:
        """Read the cursors from the store. Nothing may be received meanwhile."""
        self._cursors = await self._store.cursors(self._inbox.source)
        if self.behind:
            self.gap_seen.set()  # whoever was filling may have been cancelled

    async def believe_the_store(self) -> None:
        """A database that was set back stands lower than we remember: go on from where it is."""
        remembered = dict(self._cursors)
        stored = await self._store.cursors(self._inbox.source)
        for slot, at in remembered.items():
            # The store was asked later: nothing but a set-back makes it lower.
            if (now := stored.get(slot, 0)) < at:
                log.error("cursor went back", source=self._inbox.source, slot=slot)
                self._cursors[slot] = now

    def cursors(self) -> dict[int, int]:
        """Where each slot stands now."""
        return dict(self._cursors)

    def cursor(self, slot: int) -> int:
        return self._cursors.get(slot, 0)

    def note_gap(self, slot: int, up_to: int) -> None:
        """The slot has events up to this number that Kafka did not bring."""
        self.behind[slot] = max(up_to, self.behind.get(slot, 0))
        self.gap_seen.set()

    async def receive(self, slot: int, envelopes: Sequence[Envelope]) -> None:
        """Apply what is next, drop what is known, note what is missing.

        Raises:
            StoreUnavailable, SurroundingsFault: stopped at that event; the rest is untouched.
        """
        async with self._locks[slot]:
            for envelope in envelopes:
                await self._receive(envelope)

    async def fill(self, slot: int) -> None:
        """Fetch from the owner until the slot is no longer behind.

        Raises:
            StoreUnavailable, SurroundingsFault: try again later; `behind` keeps it.
        """
        while self.cursor(slot) < self.behind.get(slot, 0):
            after = self.cursor(slot)
            items = await self._owner.events(slot, after, PAGE)
            async with self._locks[slot]:
                await self._receive_page(slot, after, items)
            if not items and self.cursor(slot) < self.behind.get(slot, 0):
                # It showed a higher number than it has: a lost tail, or a head read from a newer replica.
                raise SurroundingsFault(f"{self._inbox.source} does not have what it told of slot {slot}")
        self.behind.pop(slot, None)

    def _readable(self, slot: int, items: Iterable[Mapping[str, Any]]) -> Iterator[Envelope]:
        """
        Raises:
            SurroundingsFault: at an event that is not authentic.
        """
        for item in items:
            try:
                envelope = self._inbox.events.read_served(item)
            except UnreadableEnvelope as fault:
                log.warning("unreadable in catch-up", source=self._inbox.source, reason=str(fault))
                continue
            if envelope.slot == slot:
                yield envelope

    async def _receive_page(self, slot: int, after: int, page: Sequence[Mapping[str, Any]]) -> None:
        """What the owner has above `after`. A number it leaves out or serves unreadably it does not have.

        Raises:
            StoreUnavailable, SurroundingsFault: as `_receive` and `_readable`; what came before is received.
        """
        for envelope in self._readable(slot, page):
            while after <= self.cursor(slot) < envelope.slot_sequence - 1:
                await self._miss(slot)
            if self.cursor(slot) < after:
                return  # the cursor went back meanwhile: what lies between was not asked for
            await self._receive(envelope)
        if page and self.cursor(slot) == after:
            await self._miss(slot)  # nothing on the page can be read

    async def _receive(self, envelope: Envelope) -> None:
        slot, number = envelope.slot, envelope.slot_sequence
        self.seen[slot] += 1
        if number > self.cursor(slot) + 1 and slot not in self.behind:
            # Another member of the group may have been here, before this partition was ours.
            self._cursors[slot] = (await self._store.cursors(self._inbox.source)).get(slot, 0)
        while number == self.cursor(slot) + 1:
            try:
                await self._inbox.receive(envelope)
            except CursorMoved as moved:
                self._moved(slot, moved)
            else:
                self._cursors[slot] = number
                return
        if number > self.cursor(slot):
            self.note_gap(slot, number)

    async def _miss(self, slot: int) -> None:
        try:
            await self._inbox.miss(slot, self.cursor(slot) + 1)
        except CursorMoved as moved:
            self._moved(slot, moved)
        else:
            self._cursors[slot] = self.cursor(slot) + 1

    def _moved(self, slot: int, moved: CursorMoved) -> None:
        """Another member was there first, or the database is an older copy than we knew."""
        if moved.actual < self.cursor(slot):
            log.warning("cursor went back", source=self._inbox.source, slot=slot)
        self._cursors[slot] = moved.actual
