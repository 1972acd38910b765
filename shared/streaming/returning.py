"""What a follower gives back: how far it has consumed an owner's events, and these events themselves.

An owner whose database was set back to an older copy learns from it that it was, and what it lost. Events
are returned as they were published, sealed under the transport keys that the two share, with the owner's own
signature; one whose data key was destroyed here is returned as erased. The owner believes none that it has
not signed itself: those that came from a version that did not sign are no evidence.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import orjson

from shared.contracts.events import EVENTS
from shared.sealing.jwe import recipient_ids, rewrap
from shared.sealing.keys import ServiceKeys, unwrap_data_keys
from shared.store.postgres import PostgresStore
from shared.streaming.cloudevents import Envelope, document, parse


@dataclass(frozen=True, slots=True)
class Reached:
    """The last number of a slot that was consumed, and the id of its event."""

    at: int
    event_id: UUID


class Returned:
    """One service's side, for all the sources that it follows."""

    def __init__(self, store: PostgresStore, keys: ServiceKeys) -> None:
        self._store, self._keys = store, keys

    async def reached(self, source: str) -> Mapping[int, Reached]:
        """By slot, how far the source was consumed. A number that it could not serve is passed over."""
        return {slot: Reached(at, event_id) for slot, at, event_id in await self._store.reached(source)}

    async def consumed(self, source: str, slot: int, after: int, limit: int) -> list[dict[str, Any]]:
        """CloudEvents of one slot in order, those above the slot sequence `after`.

        Raises:
            NoKeyError: a key-encryption key is away.
        """
        kept = await self._store.consumed(source, slot, after, limit)
        envelopes = [parse(orjson.loads(event)) for event in kept]
        kids = {kid for one in envelopes if one.sealed for kid in recipient_ids(one.sealed)}
        transport = self._keys.sources[source]
        rows = await self._store.data_keys([UUID(kid) for kid in kids - transport.keys()])
        keys = {**transport, **unwrap_data_keys(self._keys.kek, rows)}
        return [document(_returned(one, keys, transport)) for one in envelopes]


def _returned(envelope: Envelope, keys: Mapping[str, bytes], transport: Mapping[str, bytes]) -> Envelope:
    if envelope.sealed and any(kid in keys for kid in recipient_ids(envelope.sealed)):
        return replace(envelope, sealed=rewrap(envelope.sealed, keys, transport))
    type_ = EVENTS.get(f"hotline.{envelope.type}.v{envelope.schema_version}")
    return replace(envelope, sealed=None, erased=type_ is None or type_.sealed is not None)
