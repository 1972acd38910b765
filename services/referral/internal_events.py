"""Events of referral's internal streams: nobody follows them, and nothing in them is sealed."""

from datetime import date
from typing import Final
from uuid import UUID

from shared.contracts.case_events import Act
from shared.contracts.contract import Contract, Text
from shared.contracts.events import EventType


class PlacementChanged(Contract):
    """What is known of a complaint's place (see `services.referral.domain.placement.Placement`).

    `cases_gone` are the cases whose key died with the complaint.
    """

    complaint_id: UUID
    is_recorded: bool
    is_held: bool
    is_erased: bool
    case_id: UUID | None = None
    incident_id: UUID | None = None
    incident_sequence: int
    incident_on: date | None = None
    released_on: date | None = None
    recorded_on: date | None = None
    slot: int | None = None
    slot_sequence: int | None = None
    cases_gone: tuple[UUID, ...] = ()


class IncidentCaseChanged(Contract):
    """`case_id` holds the complaints of the incident from now on; null where none does."""

    incident_id: UUID
    case_id: UUID | None = None


class PatternKey(Contract):
    pattern_id: UUID


class StatisticsKey(Contract):
    reading_id: UUID


class StatisticsRead(Act):
    """Who looked at the figures, when, and at which."""

    question: Text


PLACEMENT_CHANGED: Final[EventType[PlacementChanged, Contract]] = EventType(
    "referral", "hotline.placement.changed.v1", PlacementChanged, None
)
INCIDENT_CASE_CHANGED: Final[EventType[IncidentCaseChanged, Contract]] = EventType(
    "referral", "hotline.incident_case.changed.v1", IncidentCaseChanged, None
)
PATTERN_NOTED: Final[EventType[PatternKey, Contract]] = EventType(
    "referral", "hotline.pattern.noted.v1", PatternKey, None
)
"""Its members changed, or one of them got a case: whoever decides about one of them has not read that."""
DECIDED_IN_PATTERN: Final[EventType[PatternKey, Contract]] = EventType(
    "referral", "hotline.pattern.decided_in.v1", PatternKey, None
)
"""A case of one of its members was decided: what comes to the pattern is news for that case."""
STATISTICS_READ: Final = EventType("referral", "hotline.statistics.read.v1", StatisticsKey, StatisticsRead)
