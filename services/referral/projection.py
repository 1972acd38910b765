"""Referral's read models out of its history: the rows of `services.referral.rows`, many events at a time.

Verdicts on conflicts of interest are no part of it: they are computed from what was told and from who asks,
hold for the members that a case had, and are given again where there is none.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Final
from uuid import UUID

import asyncpg
import orjson

from services.referral import read_models
from services.referral.docket import folded, opened_cases
from services.referral.domain.facts import force_of
from services.referral.internal_events import INCIDENT_CASE_CHANGED, PLACEMENT_CHANGED, PlacementChanged
from services.referral.read_models import KeptEvent
from services.referral.rows import (
    CASE_COMPLAINTS,
    CASE_COUNTS,
    CASE_FIGURES,
    CASES,
    COMPLAINT_COUNTS,
    CONTACTS,
    FOLLOW_UPS,
    INCIDENT_CASES,
    PATTERN_FIGURES,
    PATTERN_MEMBERS,
    PLACEMENTS,
    Member,
    case_complaint_rows,
    case_row,
    contact_row,
    difference,
    follow_up_row,
    incident_case_row,
    pattern_rows,
    placement_rows,
)
from shared.contracts.case_events import CaseKey
from shared.contracts.events import (
    COMPLAINT_FOLLOWED_UP,
    COMPLAINT_RECORDED,
    CONTACT_CLOSED,
    EVENTS,
    PATTERN_CHANGED,
)
from shared.contracts.match_events import PatternChanged
from shared.sealing.events import log_type
from shared.sealing.jwe import open_sealed
from shared.sealing.keys import ServiceKeys, unwrap_data_keys
from shared.store.events import RecordedEvent, identity_of
from shared.store.history import AppliedEntry, Happened
from shared.store.requests import RowChange, Table
from shared.store.sql import READ_DATA_KEYS
from shared.streaming.cloudevents import Envelope, parse
from shared.streaming.inbox import TOMBSTONE

_PLACEMENT: Final = log_type(PLACEMENT_CHANGED)
_INCIDENT_CASE: Final = log_type(INCIDENT_CASE_CHANGED)
_OF_CASES: Final = {log_type(type_): type_ for type_ in EVENTS.values() if issubclass(type_.clear, CaseKey)}


class Projection:
    """As `shared.store.rebuilding` asks for it. The counts are the triggers' work."""

    tables: Sequence[Table] = (
        PLACEMENTS,
        INCIDENT_CASES,
        CASES,
        CASE_COMPLAINTS,
        PATTERN_MEMBERS,
        FOLLOW_UPS,
        CONTACTS,
        CASE_FIGURES,
        CASE_COUNTS,
        PATTERN_FIGURES,
        COMPLAINT_COUNTS,
    )
    types: Collection[str] = tuple(
        type_.name for type_ in (COMPLAINT_RECORDED, COMPLAINT_FOLLOWED_UP, CONTACT_CLOSED, PATTERN_CHANGED)
    )
    ahead: Sequence[str] = ()

    def __init__(self, keys: ServiceKeys) -> None:
        self._kek = keys.kek
        # What complaints are about whose placement is among the next events.
        self._arriving: dict[UUID, str] = {}

    async def rows(self, happened: Sequence[Happened], made: asyncpg.Connection) -> list[RowChange]:
        entries = [each for each in happened if isinstance(each, AppliedEntry)]
        events = [each for each in happened if isinstance(each, RecordedEvent)]
        placed = {
            event.position: PLACEMENT_CHANGED.read_clear(event.data["clear"])
            for event in events
            if event.type == _PLACEMENT
        }
        self._arriving |= await self._told_forces(entries, made)
        forces = await _forces(placed.values(), made)
        forces |= {
            told.complaint_id: self._arriving.pop(told.complaint_id)
            for told in placed.values()
            if told.complaint_id in self._arriving and told.is_recorded
        }
        patterns = await _Patterns.of(entries, made)
        rows: list[RowChange] = []
        for each in happened:
            if isinstance(each, AppliedEntry):
                rows += _of_entry(each, patterns)
            elif (told := placed.get(each.position)) is not None:
                force = forces.get(told.complaint_id) if told.is_recorded else None
                rows += placement_rows(told, each.version, force)
            else:
                rows += _of_event(each)
        # Nothing removes a case that can still be opened, so its row may be written last.
        return [*rows, *await self._cases(events, made)]

    async def _told_forces(
        self, entries: Iterable[AppliedEntry], made: asyncpg.Connection
    ) -> dict[UUID, str]:
        """What the complaints that arrive are about; those whose key was destroyed are left out."""
        arriving = {
            identity_of(each.subject): each for each in entries if each.type == COMPLAINT_RECORDED.name
        }
        if not arriving:
            return {}
        found = await made.fetch(READ_DATA_KEYS, list(arriving))
        keys = unwrap_data_keys(self._kek, [tuple(row) for row in found])
        ids = [complaint_id for complaint_id in arriving if str(complaint_id) in keys]
        # Each step for all complaints: it finds its code and its tables in the processor's caches.
        envelopes = [_envelope(arriving[complaint_id]) for complaint_id in ids]
        plain = [open_sealed(envelope.sealed or {}, keys, envelope.id) for envelope in envelopes]
        told = [COMPLAINT_RECORDED.read_sealed(each) for each in plain]
        return {complaint_id: force_of(each.body) for complaint_id, each in zip(ids, told, strict=True)}

    async def _cases(self, events: Sequence[RecordedEvent], made: asyncpg.Connection) -> list[RowChange]:
        """The rows of the cases that changed, as they are after all of these events; of those whose key was
        destroyed there are none."""
        changed = {identity_of(event.stream_id) for event in events if event.type in _OF_CASES}
        if not changed:
            return []
        upto = events[-1].position
        found = await made.fetch(read_models.READ_CASE_EVENTS_UP_TO, list(changed), upto)
        kept = (KeptEvent(*row) for row in found)
        return [case_row(folded(of_case)) for _, of_case in opened_cases(self._kek, kept)]


def _of_entry(entry: AppliedEntry, patterns: "_Patterns") -> list[RowChange]:
    if entry.type == COMPLAINT_FOLLOWED_UP.name:
        return [follow_up_row(_envelope(entry))]
    if entry.type == CONTACT_CLOSED.name:
        return [contact_row(_envelope(entry))]
    if entry.type == PATTERN_CHANGED.name:
        return patterns.changed(entry)
    return []


def _of_event(event: RecordedEvent) -> list[RowChange]:
    clear = event.data["clear"]
    if event.type == _INCIDENT_CASE:
        return [incident_case_row(INCIDENT_CASE_CHANGED.read_clear(clear), event.version)]
    if (type_ := _OF_CASES.get(event.type)) is not None:
        told = type_.read_clear(clear)
        assert isinstance(told, CaseKey)  # noqa: S101  (its type was chosen so)
        return case_complaint_rows(told.case_id, told.complaint_ids)
    return []


class _Patterns:
    """The members of the patterns that entries are about, as they follow from one another."""

    def __init__(
        self,
        told: Mapping[int, tuple[PatternChanged, date]],
        known: Mapping[UUID, set[Member]],
        erased: set[UUID],
    ) -> None:
        self._told, self._erased = told, erased
        self._known = defaultdict(set, known)

    @classmethod
    async def of(cls, entries: Iterable[AppliedEntry], made: asyncpg.Connection) -> "_Patterns":
        told = {}
        for entry in entries:
            if entry.type == PATTERN_CHANGED.name:
                envelope = _envelope(entry)
                day = date.fromisoformat(envelope.day)
                told[entry.applied_no] = PATTERN_CHANGED.read_clear(envelope.clear), day
        if not told:
            return cls({}, {}, set())
        known: defaultdict[UUID, set[Member]] = defaultdict(set)
        pattern_ids = {changed.pattern_id for changed, _ in told.values()}
        for row in await made.fetch(read_models.READ_MEMBERS_OF_PATTERNS, list(pattern_ids)):
            known[row["pattern_id"]].add((row["complaint_id"], row["subject"]))
        named = {
            member.complaint_id
            for changed, _ in told.values()
            for member in (*(changed.members or ()), *changed.added)
        } | {complaint_id for members in known.values() for complaint_id, _ in members}
        # Also those that were erased only later: their rows would go again.
        rows = await made.fetch(read_models.READ_CLAIMED, TOMBSTONE, [each.bytes for each in named])
        return cls(told, known, {UUID(bytes=row["key"]) for row in rows})

    def changed(self, entry: AppliedEntry) -> list[RowChange]:
        told, day = self._told[entry.applied_no]
        known = self._known[told.pattern_id]
        added, removed = difference(told, known)
        self._known[told.pattern_id] = {
            member for member in (known | added) - removed if member[0] not in self._erased
        }
        return pattern_rows(told.pattern_id, added, removed, self._erased, day)


async def _forces(placed: Iterable[PlacementChanged], made: asyncpg.Connection) -> dict[UUID, str]:
    """What the complaints that arrived earlier are about."""
    wanted = {told.complaint_id for told in placed if told.is_recorded}
    if not wanted:
        return {}
    rows = await made.fetch(read_models.READ_FORCES, list(wanted))
    return {row["complaint_id"]: row["force"] for row in rows}


def _envelope(entry: AppliedEntry) -> Envelope:
    return parse(orjson.loads(entry.event))
