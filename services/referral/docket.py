"""Cases as the log keeps them: read, opened, and written with their rows.

`Changes` collects what one unit of work does to placements, incidents and cases, and gives it as one
append request. Whatever was decided from is expected at the version it had, so that of two who decide at
once the second is refused and decides again.
"""

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import date
from typing import Final
from uuid import UUID

import orjson

from services.referral.domain.case import Case, CaseEvent, evolve
from services.referral.domain.facts import ComplaintFacts
from services.referral.domain.placement import Placement
from services.referral.internal_events import (
    INCIDENT_CASE_CHANGED,
    PLACEMENT_CHANGED,
    IncidentCaseChanged,
    PlacementChanged,
)
from services.referral.read_models import IncidentCase, KeptComplaint, KeptFollowUp, ReadModel
from services.referral.rows import CASE_COMPLAINTS, INCIDENT_CASES, case_row, placement_row
from shared.contracts.complaint_events import ComplaintRecorded
from shared.contracts.events import COMPLAINT_FOLLOWED_UP, COMPLAINT_RECORDED, EVENTS
from shared.sealing.events import opened_event, sealed_event
from shared.sealing.jwe import open_sealed
from shared.sealing.keys import DataKey, new_data_key, unwrap_data_keys
from shared.service import Context
from shared.store.events import NewEvent, RecordedEvent, StreamId, stream_id
from shared.store.requests import AppendRequest, Put, RowChange, VersionConflict
from shared.streaming.cloudevents import parse

_PLACED: Final = tuple(field.name for field in fields(Placement) if field.name not in {"version"})


def case_stream(case_id: UUID) -> StreamId:
    return stream_id("case", case_id)


def placement_stream(complaint_id: UUID) -> StreamId:
    return stream_id("placement", complaint_id)


def incident_stream(incident_id: UUID) -> StreamId:
    return stream_id("incident", incident_id)


@dataclass(frozen=True, slots=True)
class OpenedCase:
    """A case with the key under which its events are sealed."""

    case: Case
    key: DataKey


class Docket:
    """Reads cases and complaints."""

    def __init__(self, context: Context, read: ReadModel) -> None:
        self._context, self._read = context, read

    async def events(self, case_id: UUID) -> tuple[list[CaseEvent], DataKey] | None:
        """All events of a case, opened; None where there is none, or its key was destroyed."""
        recorded, key = await asyncio.gather(
            self._context.store.read_stream(case_stream(case_id)), self._context.data_key(case_id)
        )
        if not recorded or key is None:
            return None
        return [_opened(event, key) for event in recorded], key

    async def cases(self, case_ids: Collection[UUID]) -> dict[UUID, OpenedCase]:
        """The cases that there are."""
        found = await asyncio.gather(*(self.events(case_id) for case_id in case_ids))
        cases = {}
        for case_id, events_and_key in zip(case_ids, found, strict=True):
            if events_and_key is not None:
                events, key = events_and_key
                cases[case_id] = OpenedCase(folded(events), key)
        return cases

    async def resident_cases(
        self, case_ids: Collection[UUID]
    ) -> tuple[dict[UUID, OpenedCase], dict[UUID, dict[UUID, Placement]]]:
        """The cases, and the placements of their complaints, case by case.

        Raises:
            VersionConflict: they changed between the two reads; read again.
        """
        cases = await self.cases(case_ids)
        residents: dict[UUID, dict[UUID, Placement]] = {case_id: {} for case_id in case_ids}
        for placement in await self._read.residents(case_ids):
            if placement.case_id is not None:
                residents[placement.case_id][placement.complaint_id] = placement
        for case_id, there in residents.items():
            opened = cases.get(case_id)
            if opened is None or set(opened.case.complaint_ids) != there.keys():
                version = opened.case.version if opened else 0
                raise VersionConflict(case_stream(case_id), version, version + 1)
        return cases, residents

    async def facts(self, complaint_ids: Collection[UUID]) -> list[ComplaintFacts]:
        """The complaints as they were told, by id; erased ones are left out."""
        kept = await self._read.kept_complaints(complaint_ids)
        return sorted(map(self.facts_of, kept), key=lambda facts: facts.complaint_id)

    def facts_of(self, kept: KeptComplaint) -> ComplaintFacts:
        clear_on = max(kept.recorded_on, kept.released_on) if kept.released_on else kept.recorded_on
        complaint_id = UUID(bytes=kept.complaint_id.bytes)
        return ComplaintFacts(complaint_id, clear_on, self.told(kept).body)

    def told(self, kept: KeptComplaint) -> ComplaintRecorded:
        return COMPLAINT_RECORDED.read_sealed(self._plain(kept))

    def added(self, kept: KeptFollowUp) -> str:
        """What the caller added later."""
        return COMPLAINT_FOLLOWED_UP.read_sealed(self._plain(kept)).text

    def _plain(self, kept: KeptComplaint | KeptFollowUp) -> bytes:
        envelope = parse(orjson.loads(kept.event))
        keys = unwrap_data_keys(self._context.keys.kek, [(kept.complaint_id, kept.kek_id, kept.wrapped)])
        return open_sealed(envelope.sealed or {}, keys, envelope.id)


def folded(events: Iterable[CaseEvent]) -> Case:
    """The state after these events, at least one."""
    case: Case | None = None
    for event in events:
        case = evolve(case, event)
    assert case is not None  # noqa: S101  (there is one at least)
    return case


def _opened(event: RecordedEvent, key: DataKey) -> CaseEvent:
    type_ = EVENTS[f"hotline.{event.type}.v{event.schema_version}"]
    clear = type_.read_clear(event.data["clear"])
    sealed = type_.read_sealed(opened_event(event, key.recipient))
    return CaseEvent(type_, clear, sealed, event.recorded_on)  # type: ignore[arg-type]  # a case's type


class Changes:
    """One unit of work. Events are dated by `day`; `causation_id` is the event that they follow from."""

    def __init__(self, context: Context, day: date, causation_id: str = "") -> None:
        self._context, self.day, self._causation_id = context, day, causation_id
        self._events: list[NewEvent] = []
        self._rows: list[RowChange] = []
        self._expected: dict[str, int] = {}
        self.touched: set[UUID] = set()
        """The cases that it has events or expectations of."""

    def place(self, before: Placement, after: Placement) -> None:
        """The complaint's placement is `after` from now on; its version is given here."""
        clear = PlacementChanged(**{name: getattr(after, name) for name in _PLACED})
        stream = placement_stream(after.complaint_id)
        self._events.append(
            sealed_event(
                stream, PLACEMENT_CHANGED, clear, None, None, self.day, causation_id=self._causation_id
            )
        )
        self._expected[stream] = before.version
        row = placement_row(after).row
        self.row(Put(placement_row(after).table, {**row, "version": before.version + 1}))

    def expect_placement(self, placement: Placement) -> None:
        self._expected[placement_stream(placement.complaint_id)] = placement.version

    def give_incident(self, before: IncidentCase, case_id: UUID | None) -> None:
        """The complaints of the incident are in this case from now on."""
        stream = incident_stream(before.incident_id)
        clear = IncidentCaseChanged(incident_id=before.incident_id, case_id=case_id)
        self._events.append(
            sealed_event(
                stream, INCIDENT_CASE_CHANGED, clear, None, None, self.day, causation_id=self._causation_id
            )
        )
        self._expected[stream] = before.version
        row = {"incident_id": before.incident_id, "version": before.version + 1, "case_id": case_id}
        self.row(Put(INCIDENT_CASES, row))

    def expect_incident(self, incident: IncidentCase) -> None:
        self._expected[incident_stream(incident.incident_id)] = incident.version

    def open(self, case_id: UUID, events: list[CaseEvent], force: str) -> None:
        """A case that is new."""
        key, key_row = new_data_key(self._context.keys.kek, case_id)
        self.row(key_row)
        self._write(case_id, None, key, events, force)

    def add(self, opened: OpenedCase, events: list[CaseEvent], force: str) -> Case:
        """More events of a case; the state after them."""
        return self._write(opened.case.case_id, opened.case, opened.key, events, force)

    def expect_case(self, case_id: UUID, version: int) -> None:
        self._expected[case_stream(case_id)] = version
        self.touched.add(case_id)

    def row(self, *changes: RowChange) -> None:
        self._rows += changes

    def _write(
        self, case_id: UUID, before: Case | None, key: DataKey, events: list[CaseEvent], force: str
    ) -> Case:
        stream = case_stream(case_id)
        case = before
        for event in events:
            self._events.append(
                sealed_event(
                    stream,
                    event.type,
                    event.clear,
                    event.sealed,
                    key,
                    event.day,
                    causation_id=self._causation_id,
                )
            )
            case = evolve(case, event)
        assert case is not None  # noqa: S101  (there is an event at least)
        known = set(before.complaint_ids) if before else set()
        self.row(
            case_row(case, force),
            *(
                Put(CASE_COMPLAINTS, {"complaint_id": each, "case_id": case_id})
                for each in case.complaint_ids
                if each not in known
            ),
        )
        self._expected[stream] = before.version if before else 0
        self.touched.add(case_id)
        return case

    def request(self) -> AppendRequest:
        return AppendRequest(events=tuple(self._events), expected=self._expected, rows=tuple(self._rows))
