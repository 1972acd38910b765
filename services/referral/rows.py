"""The tables of referral's read models, and the rows that follow from a state.

Rows are written in the request that appends the events, so a row's `version` is its stream's, and what was
decided from a row is guarded by expecting that version. Clear columns are codes and days of recording.
"""

from dataclasses import fields
from typing import Final

import orjson

from services.referral.domain.case import Case
from services.referral.domain.placement import Placement
from shared.store.requests import Put, Table

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

PLACEMENT_FIELDS: Final = tuple(field.name for field in fields(Placement))


def placement_row(placement: Placement) -> Put:
    return Put(PLACEMENTS, {name: getattr(placement, name) for name in PLACEMENT_FIELDS})


def case_row(case: Case, force: str) -> Put:
    """The row of a case; `force` is what most of its complaints are about."""
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
        "force": force,
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


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
