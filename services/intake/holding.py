"""Complaints that wait for their release, in the store: how a text is kept, found again, and listed.

A text is sealed under a key of its own, and the row of the queue has what the queue is sorted by. `HeldTexts`
reads them for whoever may see them, which is decided elsewhere.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson

from services.intake import read_models
from services.intake.internal_events import (
    COMPLAINT_HELD,
    RELEASE_CORRECTED,
    RELEASE_MASKED,
    RELEASE_RETURNED,
    HeldComplaint,
    HeldKey,
    ReleaseAct,
    ReleaseState,
)
from services.intake.read_models import RELEASES
from shared.sealing.events import log_type, opened_event, sealed_event
from shared.sealing.jwe import open_sealed
from shared.sealing.keys import KeyRing, destroy_data_key, new_data_key, unwrap_data_keys
from shared.service import Context
from shared.store.events import NewEvent, StreamId, stream_id
from shared.store.requests import Put, RowChange

_AT_ONCE = 25
"""Texts that are read at a time: each may have hundreds of kilobytes."""
_FIRST = (False, date.min, UUID(int=0))

ACTS = {log_type(type_): type_ for type_ in (RELEASE_MASKED, RELEASE_RETURNED, RELEASE_CORRECTED)}

Position = tuple[bool, date, UUID]


def release_stream(complaint_id: UUID) -> StreamId:
    """The internal stream in which a complaint waits."""
    return stream_id("release", complaint_id)


@dataclass(frozen=True, slots=True)
class WaitingComplaint:
    """A complaint that waits for a release reviewer or, returned, for its call handler.

    `version` is that of its stream, `key_id` the key of the text.
    """

    complaint_id: UUID
    state: ReleaseState
    version: int
    key_id: UUID
    held: HeldComplaint

    @property
    def is_urgent(self) -> bool:
        return is_urgent(self.held)

    @property
    def position(self) -> Position:
        """Where it stands in the queue."""
        return not self.is_urgent, self.held.recorded_on, self.complaint_id


@dataclass(frozen=True, slots=True)
class PastAct:
    """What was done with a complaint that waits: `name` is `masked`, `returned` or `corrected`."""

    name: str
    act: ReleaseAct


def is_urgent(held: HeldComplaint) -> bool:
    """Whether somebody is in danger now."""
    return bool(held.body.risk and held.body.risk.immediate_danger)


def text_held(
    kek: KeyRing, complaint_id: UUID, held: HeldComplaint, state: ReleaseState, today: date
) -> tuple[NewEvent, tuple[RowChange, ...]]:
    """The event that keeps a text under a new key, and the rows that go with it."""
    key, key_row = new_data_key(kek, uuid4())
    clear = HeldKey(complaint_id=complaint_id, key_id=key.key_id, state=state)
    event = sealed_event(release_stream(complaint_id), COMPLAINT_HELD, clear, held, key, today)
    return event, (key_row, queue_row(clear, held))


def queue_row(clear: HeldKey, held: HeldComplaint) -> Put:
    """The row of the queue that follows from a text."""
    row = {
        "complaint_id": clear.complaint_id,
        "state": clear.state.value,
        "is_later": not is_urgent(held),
        "recorded_on": held.recorded_on,
    }
    return Put(RELEASES, row)


def text_gone(waiting: WaitingComplaint) -> RowChange:
    """Nobody reads this version of the text again."""
    return destroy_data_key(waiting.key_id)


def note_of(history: Iterable[PastAct]) -> str | None:
    """The newest note to the call handler."""
    notes = [past.act.reason for past in history if past.name == "returned"]
    return notes[-1] if notes else None


class HeldTexts:
    """The complaints that wait. Raises what the store raises."""

    def __init__(self, context: Context) -> None:
        self._context, self._store = context, context.store

    async def find(self, complaint_id: UUID) -> WaitingComplaint | None:
        """None where there is none, or it was erased."""
        row = await self._store.fetchrow(read_models.READ_WAITING, complaint_id)
        return None if row is None else self._opened(row)

    async def listed(
        self,
        state: ReleaseState,
        after: Sequence[Any] | None,
        limit: int,
        is_shown: Callable[[WaitingComplaint], bool],
    ) -> list[WaitingComplaint]:
        """Those in this state that are shown, above a position, immediate danger first, then the oldest day:
        up to `limit` and one more."""
        position = _FIRST if after is None else (after[0], date.fromisoformat(after[1]), UUID(after[2]))
        found: list[WaitingComplaint] = []
        while len(found) <= limit:
            rows = await self._store.fetch(read_models.LIST_WAITING, state.value, *position, _AT_ONCE)
            waiting = [self._opened(row) for row in rows]
            found += filter(is_shown, waiting)
            if len(rows) < _AT_ONCE:
                break
            position = waiting[-1].position
        return found[: limit + 1]

    async def was_held(self, complaint_id: UUID) -> bool:
        """Whether it waits, or waited, for a release."""
        return bool(await self._store.fetchval(read_models.WAS_HELD, release_stream(complaint_id)))

    async def history(self, complaint_id: UUID) -> list[PastAct]:
        """What was done with it so far, the oldest first."""
        events = await self._store.read_stream(release_stream(complaint_id))
        key = await self._context.data_key(complaint_id)
        if key is None:
            return []
        return [
            PastAct(
                event.type.rpartition(".")[2],
                ACTS[event.type].read_sealed(opened_event(event, key.recipient)),
            )
            for event in events
            if event.type in ACTS
        ]

    def _opened(self, row: asyncpg.Record) -> WaitingComplaint:
        keys = unwrap_data_keys(self._context.keys.kek, [(row["key_id"], row["kek_id"], row["wrapped"])])
        plain = open_sealed(orjson.loads(row["data"])["sealed"], keys, UUID(bytes=row["event_id"].bytes))
        return WaitingComplaint(
            UUID(bytes=row["complaint_id"].bytes),
            ReleaseState(row["state"]),
            row["version"],
            UUID(bytes=row["key_id"].bytes),
            COMPLAINT_HELD.read_sealed(plain),
        )
