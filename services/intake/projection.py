"""Intake's read model out of its history: the queue of complaints that wait for their release.

A text whose key was destroyed makes no row: it was changed, released or erased since.
"""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

import asyncpg

from services.intake.holding import queue_row
from services.intake.internal_events import COMPLAINT_HELD, RELEASED
from services.intake.read_models import RELEASES
from shared.sealing.events import log_type, opened_event
from shared.sealing.keys import ServiceKeys, unwrap_data_keys
from shared.store.events import RecordedEvent
from shared.store.history import Happened
from shared.store.requests import Remove, RowChange, Table
from shared.store.sql import READ_DATA_KEYS

_HELD: Final = log_type(COMPLAINT_HELD)
_RELEASED: Final = log_type(RELEASED)


class Projection:
    """As `shared.store.rebuilding` asks for it."""

    tables: Sequence[Table] = (RELEASES,)
    types: Collection[str] = ()
    ahead: Sequence[str] = ()

    def __init__(self, keys: ServiceKeys) -> None:
        self._kek = keys.kek

    async def rows(self, happened: Sequence[Happened], made: asyncpg.Connection) -> list[RowChange]:
        events = [each for each in happened if isinstance(each, RecordedEvent)]
        texts = {
            event.position: COMPLAINT_HELD.read_clear(event.data["clear"])
            for event in events
            if event.type == _HELD
        }
        wanted: list[UUID] = [clear.key_id for clear in texts.values()]
        found = await made.fetch(READ_DATA_KEYS, wanted) if wanted else []
        keys = unwrap_data_keys(self._kek, [tuple(row) for row in found])
        rows: list[RowChange] = []
        for event in events:
            if event.type == _RELEASED:
                complaint_id = RELEASED.read_clear(event.data["clear"]).complaint_id
                rows.append(Remove(RELEASES, "complaint_id", complaint_id))
            elif (clear := texts.get(event.position)) is not None and str(clear.key_id) in keys:
                held = COMPLAINT_HELD.read_sealed(opened_event(event, keys))
                rows.append(queue_row(clear, held))
        return rows
