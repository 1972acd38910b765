"""The public log as followers get it, the same over Kafka and over HTTP."""

from collections.abc import Sequence
from typing import Any

from shared.sealing.keys import ServiceKeys, data_key_ids, unwrap_data_keys
from shared.store.events import RecordedEvent
from shared.store.port import Store
from shared.streaming.authentication import OwnEvents, Signer
from shared.streaming.cloudevents import publish


class PublishedLog:
    """Turns log events into CloudEvents sealed for the followers, and signed.

    Data keys are read anew for every batch and never cached: an erasure takes effect with its commit.
    """

    def __init__(self, service: str, store: Store, keys: ServiceKeys) -> None:
        self.service, self._store, self._keys = service, store, keys
        self.own = OwnEvents(service, keys)
        self._signer = Signer(service, keys.follower_keys, keys.hmac)

    async def records(self, events: Sequence[RecordedEvent]) -> list[dict[str, Any]]:
        """The CloudEvents of public events, in their order.

        Raises:
            StoreUnavailable: the data keys cannot be read.
        """
        key_ids = {key_id for event in events for key_id in data_key_ids(event.data["sealed"])}
        rows = await self._store.data_keys(key_ids)
        data_keys = unwrap_data_keys(self._keys.kek, rows)
        followers = self._keys.follower_keys
        sign = self._signer.signed
        return [sign(publish(event, self.service, data_keys, followers)) for event in events]
