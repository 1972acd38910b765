"""What a follower gives back: how far it has consumed an owner's events, and these events themselves.

An owner whose database was set back to an older copy learns from it that it was, and what it lost. Events
are returned as they were published, sealed under the transport keys that the two share, with the owner's own
signature; one whose data key was destroyed here is returned as erased, and one that was never opened as it
came. The owner believes none that it has not signed itself: those that came from a version that did not sign
are no evidence.
"""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import orjson
import structlog

from shared.contracts.events import EVENTS
from shared.sealing.jwe import NoKeyError, SealingError, rewrap
from shared.sealing.keys import ServiceKeys, data_key_ids, unwrap_data_keys
from shared.store.postgres import PostgresStore
from shared.streaming.cloudevents import Envelope, UnreadableEnvelope, document, parse

log = structlog.get_logger(origin=__name__)


@dataclass(frozen=True, slots=True)
class Reached:
    """The last number of a slot that was consumed, and the id of its event."""

    at: int
    event_id: UUID


@dataclass(frozen=True, slots=True)
class ConsumedPage:
    """`events` are CloudEvents; `unreadable` are the numbers of those that are kept and cannot be read."""

    events: list[dict[str, Any]]
    unreadable: list[int]

    @property
    def last(self) -> int | None:
        """The last number of the page; None where it is empty."""
        numbers = [*self.unreadable, *(event["slotsequence"] for event in self.events)]
        return max(numbers, default=None)


class Returned:
    """One service's side, for all the sources that it follows."""

    def __init__(self, store: PostgresStore, keys: ServiceKeys) -> None:
        self._store, self._keys = store, keys

    async def reached(self, source: str) -> Mapping[int, Reached]:
        """By slot, how far the source was consumed. A number that it could not serve is passed over."""
        return {slot: Reached(at, event_id) for slot, at, event_id in await self._store.reached(source)}

    async def consumed(self, source: str, slot: int, after: int, limit: int) -> ConsumedPage:
        """Events of one slot in order, those above the slot sequence `after`.

        One that cannot be read fails nobody's page: its number is told.
        """
        kept = await self._store.consumed(source, slot, after, limit)
        envelopes = {number: _parsed(event) for number, event in kept}
        key_ids = {key_id for one in envelopes.values() if one for key_id in data_key_ids(one.sealed)}
        rows = await self._store.data_keys(key_ids)
        held, own = {str(row[0]) for row in rows}, self._unwrapped(rows)
        transport = self._keys.sources[source]
        events, unreadable = [], []
        for number, envelope in envelopes.items():
            if envelope is None or (returned := _returned(envelope, held, own, transport)) is None:
                log.error("unreadable inbox entry", source=source, slot=slot, number=number)
                unreadable.append(number)
            else:
                events.append(document(returned))
        return ConsumedPage(events, unreadable)

    def _unwrapped(self, rows: Iterable[tuple[UUID, str, bytes]]) -> dict[str, bytes]:
        """kid -> data key of those that unwrap."""
        keys: dict[str, bytes] = {}
        for row in rows:
            with suppress(NoKeyError):
                keys |= unwrap_data_keys(self._keys.kek, [row])
        return keys


def _parsed(event: str | None) -> Envelope | None:
    try:
        return parse(orjson.loads(event or ""))
    except (UnreadableEnvelope, orjson.JSONDecodeError):
        return None


def _returned(
    envelope: Envelope, held: Collection[str], own: Mapping[str, bytes], transport: Mapping[str, bytes]
) -> Envelope | None:
    """The event as its owner published it, or as erased; None where its data key is held and of no use."""
    kids = {str(key_id) for key_id in data_key_ids(envelope.sealed)}
    if envelope.sealed is not None and not kids:
        return envelope  # it could not be opened, and is kept as it came
    if envelope.sealed is not None and not kids.isdisjoint(held):
        try:
            return replace(envelope, sealed=rewrap(envelope.sealed, own, transport))
        except SealingError:
            return None
    type_ = EVENTS.get(f"hotline.{envelope.type}.v{envelope.schema_version}")
    return replace(envelope, sealed=None, erased=type_ is None or type_.sealed is not None)
