"""The drop of a parked event: one operator asks for it, another confirms it, and the log has both acts.

A dropped event is never applied, so a single account, or a slip, must not drop one. The two acts are events
of an internal stream of the parked event's own; accounts, times and reasons are sealed in it. How it fails:
a `Conflict` where the account that asked tries to confirm; the parked event then waits as before.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID, uuid5

from shared.contracts.case_events import Act
from shared.contracts.contract import Contract, Count, Text
from shared.contracts.events import EventType
from shared.errors import Conflict
from shared.sealing.events import opened_event, sealed_event
from shared.sealing.keys import DataKey, KeyRing, new_data_key, unwrap_data_keys
from shared.store.events import stream_id
from shared.store.inbox import WaitingEntry
from shared.store.port import Store
from shared.store.requests import AppendRequest, RowExists, VersionConflict
from shared.streaming.parking import ParkedId, Parking

_STREAMS: Final = UUID("6a1d2f3e-53f7-4a0c-9d7b-0a3c5a7a9b20")


class ParkedEventKey(Contract):
    """Which parked event of this service it is."""

    source: Text
    slot: Count
    slot_sequence: Count


class ParkedEventAct(Act):
    """What an operator did about it, and why."""

    reason: Text


# No public stream has these: the owner named here is nobody's.
_REQUESTED: Final = EventType(
    "intake", "hotline.parked_event.drop_requested.v1", ParkedEventKey, ParkedEventAct
)
_DROPPED: Final = EventType("intake", "hotline.parked_event.dropped.v1", ParkedEventKey, ParkedEventAct)


DROP_EVENTS: Final = (_REQUESTED, _DROPPED)


class Drops:
    """The drops of one service's parked events."""

    def __init__(
        self,
        parking: Parking,
        store: Store,
        kek: KeyRing,
        today: Callable[[], date],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._parking, self._store, self._kek = parking, store, kek
        self._today, self._now = today, now

    async def is_requested(self, entry: WaitingEntry) -> bool:
        """Whether a second operator's word is all that is missing."""
        return bool(await self._store.read_stream(_stream(entry)[1]))

    async def drop(self, entry: WaitingEntry, by: str, reason: str) -> tuple[int, str] | None:
        """Ask for the drop of a parked event, or confirm it; None where it waits for a second operator.

        Returns:
            As `Parking.drop`.

        Raises:
            Conflict: the same account asked for it, or another request is under way.
            InboxStateChanged: it is not parked any more.
            StoreUnavailable
        """
        key_id, stream = _stream(entry)
        events = await self._store.read_stream(stream)
        rows = await self._store.data_keys([key_id])
        act = ParkedEventAct(by=by, at=self._now(), reason=reason)
        clear = ParkedEventKey(source=entry.source, slot=entry.slot, slot_sequence=entry.slot_sequence)
        try:
            if not events:
                key, key_row = new_data_key(self._kek, key_id)
                asked = sealed_event(stream, _REQUESTED, clear, act, key, self._today())
                await self._store.append(
                    AppendRequest(events=(asked,), expected={stream: 0}, rows=(key_row,))
                )
                return None
            keys = unwrap_data_keys(self._kek, rows)
            if _REQUESTED.read_sealed(opened_event(events[-1], keys)).by == by:
                raise Conflict("You have asked for this drop: another operator has to confirm it.")
            key = DataKey(key_id, keys[str(key_id)])
            dropped = sealed_event(stream, _DROPPED, clear, act, key, self._today())
            return await self._parking.drop(
                entry, AppendRequest(events=(dropped,), expected={stream: events[-1].version})
            )
        except (VersionConflict, RowExists):
            raise Conflict("Another operator was there first: look again.") from None


def _stream(entry: WaitingEntry) -> tuple[UUID, str]:
    """The id of the parked event, which is that of its key too, and the stream of what is done about it."""
    parked_id = uuid5(_STREAMS, str(ParkedId(entry.source, entry.slot, entry.slot_sequence)))
    return parked_id, stream_id("parked_event", parked_id)
