"""Cases as the log keeps them: read, opened, and written with their rows.

`Changes` collects what one unit of work does to placements, incidents and cases, and gives it as one
append request. Whatever was decided from is expected at the version it had, so that of two who decide at
once the second is refused and decides again.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain, groupby
from uuid import UUID

import orjson

from services.referral.domain.case import Case, CaseEvent, evolve
from services.referral.domain.facts import ComplaintFacts
from services.referral.domain.placement import Placement
from services.referral.internal_events import (
    DECIDED_IN_PATTERN,
    INCIDENT_CASE_CHANGED,
    PATTERN_NOTED,
    PLACEMENT_CHANGED,
    IncidentCaseChanged,
    PatternKey,
    PlacementChanged,
)
from services.referral.read_models import (
    IncidentCase,
    KeptComplaint,
    KeptEvent,
    KeptFollowUp,
    ReadModel,
    Versions,
)
from services.referral.rows import (
    PLACED,
    case_complaint_rows,
    case_row,
    incident_case_row,
    placement_rows,
)
from shared.contracts.complaint_events import ComplaintRecorded
from shared.contracts.contract import Contract
from shared.contracts.events import COMPLAINT_FOLLOWED_UP, COMPLAINT_RECORDED, EVENTS, EventType
from shared.sealing.events import own_type, sealed_event
from shared.sealing.jwe import open_sealed
from shared.sealing.keys import DataKey, KeyRing, ServiceKeys, new_data_key, unwrap_data_keys
from shared.store.events import NewEvent, StreamId, stream_id
from shared.store.requests import AppendRequest, RowChange, VersionConflict
from shared.streaming.cloudevents import parse


def case_stream(case_id: UUID) -> StreamId:
    return stream_id("case", case_id)


def placement_stream(complaint_id: UUID) -> StreamId:
    return stream_id("placement", complaint_id)


def incident_stream(incident_id: UUID) -> StreamId:
    return stream_id("incident", incident_id)


def pattern_news_stream(pattern_id: UUID) -> StreamId:
    return stream_id("pattern_news", pattern_id)


def pattern_decisions_stream(pattern_id: UUID) -> StreamId:
    return stream_id("pattern_decisions", pattern_id)


@dataclass(frozen=True, slots=True)
class PatternSeen:
    """How far a pattern was, before anything else of it was read.

    Two streams, so that two who decide at once about two cases of one pattern do not refuse each other.

    Attributes:
        news: how often something came to it.
        decisions: how often a case of one of its members was decided.
    """

    pattern_id: UUID
    news: int
    decisions: int


@dataclass(frozen=True, slots=True)
class OpenedCase:
    """A case with the key under which its events are sealed."""

    case: Case
    key: DataKey


class Docket:
    """Reads cases and complaints."""

    def __init__(self, keys: ServiceKeys, read: ReadModel) -> None:
        self._keys, self._read = keys, read

    async def events(self, case_id: UUID) -> list[CaseEvent]:
        """All events of a case, opened; none where there is none, or its key was destroyed."""
        return [event for _, event, _ in await self._events([case_id])]

    async def cases(self, case_ids: Collection[UUID]) -> dict[UUID, OpenedCase]:
        """The cases that there are."""
        by_case: defaultdict[UUID, list[CaseEvent]] = defaultdict(list)
        keys: dict[UUID, DataKey] = {}
        for case_id, event, key in await self._events(case_ids):
            by_case[case_id].append(event)
            keys[case_id] = key
        return {each: OpenedCase(folded(events), keys[each]) for each, events in by_case.items()}

    async def _events(self, case_ids: Collection[UUID]) -> list[tuple[UUID, CaseEvent, DataKey]]:
        kept = await self._read.kept_events(case_ids)
        return [
            (key.key_id, event, key) for key, events in opened_cases(self._keys.kek, kept) for event in events
        ]

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

    async def patterns(self, pattern_ids: Collection[UUID]) -> list[PatternSeen]:
        """How far these patterns are."""
        streams = {
            pattern_id: (pattern_news_stream(pattern_id), pattern_decisions_stream(pattern_id))
            for pattern_id in sorted(pattern_ids)
        }
        versions: Versions = await self._read.versions([*chain.from_iterable(streams.values())])
        return [
            PatternSeen(pattern_id, versions[news], versions[decisions])
            for pattern_id, (news, decisions) in streams.items()
        ]

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
        keys = unwrap_data_keys(self._keys.kek, [(kept.complaint_id, kept.kek_id, kept.wrapped)])
        return open_sealed(envelope.sealed or {}, keys, envelope.id)


def opened_cases(kek: KeyRing, kept: Iterable[KeptEvent]) -> Iterator[tuple[DataKey, list[CaseEvent]]]:
    """Case by case its key, whose id is the case's, and its events.

    Args:
        kept: case by case in order.
    """
    for case_id, of_case in groupby(kept, lambda event: event.case_id):
        events = list(of_case)
        keys = unwrap_data_keys(kek, [(case_id, events[0].kek_id, events[0].wrapped)])
        yield DataKey(case_id, keys[str(case_id)]), [_opened(event, keys) for event in events]


def folded(events: Iterable[CaseEvent]) -> Case:
    """The state after these events, at least one."""
    case: Case | None = None
    for event in events:
        case = evolve(case, event)
    assert case is not None  # noqa: S101  (there is one at least)
    return case


def _opened(kept: KeptEvent, keys: Mapping[str, bytes]) -> CaseEvent:
    type_, data = own_type(kept.type, kept.schema_version, EVENTS), orjson.loads(kept.data)
    clear = type_.read_clear(data["clear"])
    sealed = type_.read_sealed(open_sealed(data["sealed"] or {}, keys, kept.event_id))
    return CaseEvent(type_, clear, sealed, kept.recorded_on)  # type: ignore[arg-type]  # a case's type


class Changes:
    """One unit of work. Events are dated by `day`; `causation_id` is the event that they follow from."""

    def __init__(self, keys: ServiceKeys, day: date, causation_id: str = "") -> None:
        self._keys, self.day, self._causation_id = keys, day, causation_id
        self._events: list[NewEvent] = []
        self._rows: list[RowChange] = []
        self._expected: dict[str, int] = {}
        self.touched: set[UUID] = set()
        """The cases that it has events or expectations of."""

    def place(self, before: Placement, after: Placement, *, cases_gone: Sequence[UUID] = ()) -> None:
        """The complaint's placement is `after` from now on; its version is given here.

        Args:
            cases_gone: the cases whose key dies with the complaint.
        """
        known = {name: getattr(after, name) for name in PLACED}
        clear = PlacementChanged(**known, cases_gone=tuple(cases_gone))
        stream = placement_stream(after.complaint_id)
        self._events.append(
            sealed_event(
                stream, PLACEMENT_CHANGED, clear, None, None, self.day, causation_id=self._causation_id
            )
        )
        self._expected[stream] = before.version
        self.row(*placement_rows(clear, before.version + 1, after.force))

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
        self.row(incident_case_row(clear, before.version + 1))

    def expect_incident(self, incident: IncidentCase) -> None:
        self._expected[incident_stream(incident.incident_id)] = incident.version

    def note_pattern(self, seen: PatternSeen) -> None:
        """Something came to the pattern. One event, however many its members are: whoever decides about one
        of them expects this stream (`decide_in`), and is refused."""
        self._of_pattern(PATTERN_NOTED, pattern_news_stream(seen.pattern_id), seen.pattern_id)
        self._expected[pattern_news_stream(seen.pattern_id)] = seen.news
        self._expected[pattern_decisions_stream(seen.pattern_id)] = seen.decisions

    def decide_in(self, seen: PatternSeen) -> None:
        """A case of the pattern is decided, and all that came to the pattern was seen."""
        stream = pattern_decisions_stream(seen.pattern_id)
        self._of_pattern(DECIDED_IN_PATTERN, stream, seen.pattern_id)
        self._expected[pattern_news_stream(seen.pattern_id)] = seen.news

    def _of_pattern(self, type_: EventType[PatternKey, Contract], stream: StreamId, pattern_id: UUID) -> None:
        clear = PatternKey(pattern_id=pattern_id)
        self._events.append(
            sealed_event(stream, type_, clear, None, None, self.day, causation_id=self._causation_id)
        )

    def open(self, case_id: UUID, events: list[CaseEvent]) -> None:
        """A case that is new."""
        key, key_row = new_data_key(self._keys.kek, case_id)
        self.row(key_row)
        self._write(case_id, None, key, events)

    def add(self, opened: OpenedCase, events: list[CaseEvent]) -> Case:
        """More events of a case; the state after them."""
        return self._write(opened.case.case_id, opened.case, opened.key, events)

    def expect_case(self, case_id: UUID, version: int) -> None:
        self._expected[case_stream(case_id)] = version
        self.touched.add(case_id)

    def row(self, *changes: RowChange) -> None:
        self._rows += changes

    def _write(self, case_id: UUID, before: Case | None, key: DataKey, events: list[CaseEvent]) -> Case:
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
        known = before.complaint_ids if before else ()
        self.row(case_row(case), *case_complaint_rows(case_id, set(case.complaint_ids).difference(known)))
        self._expected[stream] = before.version if before else 0
        self.touched.add(case_id)
        return case

    def request(self) -> AppendRequest:
        return AppendRequest(events=tuple(self._events), expected=self._expected, rows=tuple(self._rows))
