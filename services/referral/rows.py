"""The tables of referral's read models, and the rows that follow from each event, for whoever appends it and
for a rebuild: pure.

Rows are written in the request that appends the events, so a row's `version` is its stream's, and what was
decided from a row is guarded by expecting that version. Clear columns are codes and days of recording.
"""

from collections.abc import Container, Iterable
from dataclasses import fields
from datetime import date
from typing import Final
from uuid import UUID

import orjson

from services.referral.domain.case import Case
from services.referral.domain.placement import Placement
from services.referral.internal_events import IncidentCaseChanged, PlacementChanged
from shared.contracts.events import CONTACT_CLOSED
from shared.contracts.match_events import PatternChanged, PatternMember
from shared.store.events import identity_of
from shared.store.requests import Put, Remove, RowChange, Table
from shared.streaming.cloudevents import Envelope

PLACEMENTS: Final = Table(
    "placements",
    {
        "complaint_id": "uuid",
        "version": "integer",
        "is_recorded": "boolean",
        "is_held": "boolean",
        "is_erased": "boolean",
        "case_id": "uuid",
        "incident_id": "uuid",
        "incident_sequence": "bigint",
        "incident_on": "date",
        "released_on": "date",
        "recorded_on": "date",
        "force": "text",
        "slot": "smallint",
        "slot_sequence": "bigint",
    },
    ("complaint_id",),
)
INCIDENT_CASES: Final = Table(
    "incident_cases", {"incident_id": "uuid", "version": "integer", "case_id": "uuid"}, ("incident_id",)
)
CASES: Final = Table(
    "cases",
    {
        "case_id": "uuid",
        "version": "integer",
        "members_version": "integer",
        "status": "text",
        "force": "text",
        "priority": "integer",
        "due_on": "date",
        "opened_on": "date",
        "merged_into": "uuid",
        "criteria": "jsonb",
        "steps": "jsonb",
        "deadlines": "jsonb",
        "referrals": "jsonb",
    },
    ("case_id",),
)
CASE_COMPLAINTS: Final = Table(
    "case_complaints", {"complaint_id": "uuid", "case_id": "uuid"}, ("complaint_id", "case_id")
)
PATTERN_MEMBERS: Final = Table(
    "pattern_members",
    {
        "pattern_id": "uuid",
        "complaint_id": "uuid",
        "subject": "smallint",
        "is_member": "boolean",
        "since": "date",
    },
    ("pattern_id", "complaint_id", "subject"),
)
FOLLOW_UPS: Final = Table(
    "follow_ups",
    {"slot": "smallint", "slot_sequence": "bigint", "complaint_id": "uuid"},
    ("slot", "slot_sequence"),
)
CONTACTS: Final = Table(
    "contacts",
    {"slot": "smallint", "slot_sequence": "bigint", "on_day": "date", "count": "integer"},
    ("slot", "slot_sequence"),
)
VERDICTS: Final = Table(
    "verdicts",
    {"holder": "bytea", "case_id": "uuid", "members_version": "integer", "is_in_conflict": "boolean"},
    ("holder", "case_id"),
)

# Kept by triggers on `cases`, `pattern_members` and `placements` (see migration 0005).
CASE_FIGURES: Final = Table(
    "case_figures",
    {
        "case_id": "uuid",
        "force": "text",
        "opened_on": "date",
        "is_gone": "boolean",
        "figures": "case_figure[]",
    },
    ("case_id",),
)
CASE_COUNTS: Final = Table(
    "case_counts",
    {
        "force": "text",
        "is_of_weeks": "boolean",
        "is_gone": "boolean",
        "opened_in": "date",
        "on_day": "date",
        "figure": "text",
        "n": "integer",
        "running": "integer",
        "days": "bigint",
    },
    ("force", "is_of_weeks", "is_gone", "opened_in", "on_day", "figure"),
)
PATTERN_FIGURES: Final = Table(
    "pattern_figures",
    {"force": "text", "pattern_id": "uuid", "counts_from": "date"},
    ("pattern_id", "force"),
)
COMPLAINT_COUNTS: Final = Table(
    "complaint_counts",
    {"force": "text", "recorded_on": "date", "recorded": "integer", "present": "integer"},
    ("force", "recorded_on"),
)
# Up to which position of the log every case that is not merged has a verdict on a holder.
JUDGED: Final = Table("judged", {"holder": "bytea", "position": "bigint"}, ("holder",))

PLACEMENT_FIELDS: Final = tuple(field.name for field in fields(Placement))
# The force is told by the complaint itself, and goes with it: the log is for ever.
PLACED: Final = tuple(name for name in PLACEMENT_FIELDS if name not in {"version", "force"})
"""What an event tells of a placement."""

Member = tuple[UUID, int]
"""A subject of a complaint."""


def placement_rows(told: PlacementChanged, version: int, force: str | None) -> list[RowChange]:
    """
    Args:
        version: of the placement's stream.
        force: what the complaint is about, where it has arrived and is not erased.
    """
    known = {name: getattr(told, name) for name in PLACED}
    row = Put(PLACEMENTS, {**known, "version": version, "force": force})
    if not told.is_erased:
        return [row]
    return [
        row,
        *(
            Remove(table, "complaint_id", told.complaint_id)
            for table in (PATTERN_MEMBERS, FOLLOW_UPS, CASE_COMPLAINTS)
        ),
        *(Remove(CASES, "case_id", case_id) for case_id in told.cases_gone),
    ]


def incident_case_row(told: IncidentCaseChanged, version: int) -> Put:
    row = {"incident_id": told.incident_id, "version": version, "case_id": told.case_id}
    return Put(INCIDENT_CASES, row)


def follow_up_row(envelope: Envelope) -> Put:
    """Where the inbox has what the caller added."""
    complaint_id = identity_of(envelope.subject)
    row = {"slot": envelope.slot, "slot_sequence": envelope.slot_sequence, "complaint_id": complaint_id}
    return Put(FOLLOW_UPS, row)


def contact_row(envelope: Envelope) -> Put:
    row = {
        "slot": envelope.slot,
        "slot_sequence": envelope.slot_sequence,
        "on_day": date.fromisoformat(envelope.day),
        "count": CONTACT_CLOSED.read_clear(envelope.clear).count,
    }
    return Put(CONTACTS, row)


def difference(told: PatternChanged, known: set[Member]) -> tuple[set[Member], set[Member]]:
    """Who is new in the pattern, and who is no more, against what we know."""
    removed = _members(told.removed)
    now = (known | _members(told.added)) - removed if told.members is None else _members(told.members)
    return now - known, (known - now) | (removed & known)


def pattern_rows(
    pattern_id: UUID, added: set[Member], removed: set[Member], erased: Container[UUID], day: date
) -> list[RowChange]:
    """
    Args:
        added, removed: see `difference`.
        erased: complaints that are erased; dedup may not have heard of it.
        day: the day of the event.
    """
    rows: list[RowChange] = []
    for complaint_id, subject in sorted(added | removed):
        if complaint_id not in erased:
            row = {
                "pattern_id": pattern_id,
                "complaint_id": complaint_id,
                "subject": subject,
                "is_member": (complaint_id, subject) in added,
                "since": day,
            }
            rows.append(Put(PATTERN_MEMBERS, row))
    return rows


def case_complaint_rows(case_id: UUID, complaint_ids: Iterable[UUID]) -> list[RowChange]:
    """The complaints that a case has, or ever had."""
    return [Put(CASE_COMPLAINTS, {"complaint_id": each, "case_id": case_id}) for each in complaint_ids]


def case_row(case: Case) -> Put:
    recommendation = case.recommendation
    running = () if case.due_on is None else recommendation.deadlines
    deadlines = [{"rule": each.rule, "due_on": each.due_on, "done_on": None} for each in running]
    deadlines += [
        {"rule": done.deadline.rule, "due_on": done.deadline.due_on, "done_on": done.on}
        for done in case.settled_deadlines
    ]
    referrals = [
        {"recipient": referred.recipient, "criteria": referred.criteria, "on": day}
        for day, referred in case.referrals
    ]
    row = {
        "case_id": case.case_id,
        "version": case.version,
        "members_version": case.members_version,
        "status": case.status,
        "force": recommendation.force,
        "priority": recommendation.priority,
        "due_on": case.due_on,
        "opened_on": case.opened_on,
        "merged_into": case.merged_into,
        "criteria": _json(sorted({criterion.code for criterion in recommendation.criteria})),
        "steps": _json([{"status": status, "since": since} for status, since in case.steps]),
        "deadlines": _json(deadlines),
        "referrals": _json(referrals),
    }
    return Put(CASES, row)


def _members(named: Iterable[PatternMember]) -> set[Member]:
    return {(member.complaint_id, member.subject) for member in named}


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
