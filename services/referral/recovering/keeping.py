"""Entries, cursors and keys of what was consumed, as the inbox would have written them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

import asyncpg

from services.referral.projection import Projection
from services.referral.recovering.judging import Entry, Place
from shared.sealing.jwe import rewrap
from shared.sealing.keys import ServiceKeys, new_data_key, unwrap_data_keys
from shared.store import sql
from shared.store.asking import columns
from shared.store.events import RecordedEvent
from shared.store.history import AppliedEntry, read_applied
from shared.store.requests import WAITING, AppendRequest, Claim, CursorMove, InboxEntry
from shared.streaming.cloudevents import serialise
from shared.streaming.inbox import TOMBSTONE
from shared.streaming.recovery import Append

# Where they stood in the lost history: right before what followed from them.
_STAND_BEFORE = """
UPDATE inbox SET after_position = stood FROM unnest($1::text[], $2::smallint[], $3::bigint[], $4::bigint[])
    AS _(of, in_slot, at, stood)
WHERE source = of AND slot = in_slot AND slot_sequence = at AND state = 'applied'
"""
_APPLIED = "SELECT coalesce(max(applied_no), 0) FROM inbox"


class Keeping:
    """Writes it, without a second effect."""

    def __init__(self, connection: "asyncpg.Connection", keys: ServiceKeys, append: Append) -> None:
        self._connection, self._keys, self._append = connection, keys, append
        self._data_keys: dict[str, bytes] = {}

    async def keep(self, consumed: Sequence[Entry], stood: Mapping[UUID, int]) -> list[list[AppliedEntry]]:
        """The entries with their cursors and keys, where they stood in the lost history; what was applied of
        them, some at a time."""
        before = await self._connection.fetchval(_APPLIED)
        entries = sorted(consumed, key=lambda one: (stood[one.envelope.id], *_at(one)))
        subjects = {entry.complaint_id for entry in entries if entry.envelope.sealed is not None}
        rows = [tuple(row) for row in await self._connection.fetch(sql.READ_DATA_KEYS, list(subjects))]
        self._data_keys = dict(unwrap_data_keys(self._keys.kek, rows))
        await self._append([self._request(entry) for entry in entries])
        placed = [(*_at(entry), stood[entry.envelope.id]) for entry in entries]
        await self._connection.execute(_STAND_BEFORE, *columns(placed, 4))
        upto = await self._connection.fetchval(_APPLIED)
        pages = []
        while before < upto:
            pages.append(await read_applied(self._connection, before, upto, Projection.types))
            before = pages[-1][-1].applied_no
        return pages

    def _request(self, entry: Entry) -> AppendRequest:
        envelope, rows = entry.envelope, []
        # What waits and does not open is kept as it came.
        sealed = envelope.sealed if entry.state in WAITING else None
        if envelope.sealed is not None and entry.opens:
            kid = str(entry.complaint_id)
            if kid not in self._data_keys:
                data_key, row = new_data_key(self._keys.kek, entry.complaint_id)
                self._data_keys[kid] = data_key.key
                rows.append(row)
            transport = self._keys.sources[envelope.source]
            sealed = rewrap(envelope.sealed, transport, {kid: self._data_keys[kid]})
        source, slot, number = _at(entry)
        kept = InboxEntry(
            source,
            slot,
            number,
            envelope.id,
            envelope.subject,
            f"hotline.{envelope.type}.v{envelope.schema_version}",
            serialise(replace(envelope, sealed=sealed)),
            entry.state,
            entry.reason,
        )
        return AppendRequest(
            cursors=(CursorMove(source, slot, number - 1, number),),
            inbox=(kept,),
            transitions=tuple(entry.leaving),
            claims=(Claim(TOMBSTONE, entry.complaint_id.bytes),) if entry.buries else (),
            rows=tuple(rows),
        )


def _at(entry: Entry) -> tuple[str, int, int]:
    return (*entry.place, entry.envelope.slot_sequence)


def standing(entries: Sequence[Entry], tail: Sequence[RecordedEvent]) -> dict[UUID, int]:
    """The position of the log behind which each entry stood: right before what followed from it, else with
    the next one of its slot. What has none stands behind the tail."""
    first: dict[str, int] = {}
    for event in tail:
        first.setdefault(event.causation_id, event.position)
    stood: dict[UUID, int] = {}
    limits: dict[Place, int] = {}
    for entry in reversed(entries):
        limit = limits.get(entry.place, tail[-1].position)
        at = min(first.get(str(entry.envelope.id), limit + 1) - 1, limit)
        stood[entry.envelope.id] = limits[entry.place] = at
    return stood
