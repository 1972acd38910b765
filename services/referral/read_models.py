"""The SQL of referral's queries, in one room, and `ReadModel`, which asks them.

What was erased is not found: a complaint without its data key has no row in any answer.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from itertools import chain
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeVar, get_args
from uuid import UUID

import asyncpg
import orjson

from services.referral.domain.placement import Placement
from services.referral.migrations.online import DUE_DAY, PRIORITY
from services.referral.rows import PLACEMENT_FIELDS
from shared.contracts.case_events import CaseStatus
from shared.store.gathering import Gathered

V = TypeVar("V")
Order = Literal["priority", "due_on"]
"""Of lists of cases; in the second one those without a running deadline come last."""

_PLACEMENT_COLUMNS = ", ".join(PLACEMENT_FIELDS)

# Relies on placements_pkey and placements_case_id.
READ_PLACEMENTS = f"SELECT {_PLACEMENT_COLUMNS} FROM placements WHERE complaint_id = ANY($1::uuid[])"
READ_RESIDENTS = f"SELECT {_PLACEMENT_COLUMNS} FROM placements WHERE case_id = ANY($1::uuid[])"

READ_INCIDENTS = (
    "SELECT incident_id, version, case_id FROM incident_cases WHERE incident_id = ANY($1::uuid[])"
)

# Relies on placements_pkey, inbox_pkey and data_keys_pkey: what an erasure took away is not found.
READ_COMPLAINTS = """
SELECT p.complaint_id, p.case_id, p.recorded_on, p.released_on, i.event, k.kek_id, k.wrapped
FROM placements p
JOIN inbox i ON i.source = 'intake' AND i.slot = p.slot AND i.slot_sequence = p.slot_sequence
JOIN data_keys k ON k.key_id = p.complaint_id
WHERE p.complaint_id = ANY($1::uuid[])
"""

# Whole cases in one round trip. Relies on events_stream_id_version_key and data_keys_pkey.
_CASE_EVENTS = """
SELECT asked.case_id, e.event_id, e.type, e.schema_version, e.data, e.recorded_on, k.kek_id, k.wrapped
FROM unnest($1::uuid[]) AS asked (case_id)
JOIN data_keys k ON k.key_id = asked.case_id
JOIN events e ON e.stream_id = 'case-' || asked.case_id
"""
READ_CASE_EVENTS = f"{_CASE_EVENTS} ORDER BY asked.case_id, e.version"
READ_CASE_EVENTS_UP_TO = f"{_CASE_EVENTS} WHERE e.position <= $2 ORDER BY asked.case_id, e.version"

# Relies on follow_ups_complaint_id and inbox_pkey.
READ_FOLLOW_UPS = """
SELECT f.complaint_id, i.event, k.kek_id, k.wrapped
FROM follow_ups f
JOIN inbox i ON i.source = 'intake' AND i.slot = f.slot AND i.slot_sequence = f.slot_sequence
JOIN data_keys k ON k.key_id = f.complaint_id
WHERE f.complaint_id = ANY($1::uuid[])
ORDER BY f.slot, f.slot_sequence
"""

_CASE_COLUMNS = "c.case_id, c.version, c.members_version, c.status, c.force, c.priority, c.due_on, c.opened_on, c.merged_into, c.criteria"  # noqa: E501

READ_CASES = f"SELECT {_CASE_COLUMNS} FROM cases c WHERE case_id = ANY($1::uuid[])"

# Relies on cases_merged_into.
READ_MERGED = "SELECT case_id FROM cases WHERE merged_into = $1 ORDER BY case_id"

UNMERGED: Final = tuple(status for status in get_args(CaseStatus) if status != "merged")

_SORT_KEYS: Final = {"priority": PRIORITY, "due_on": DUE_DAY}


@cache
def list_statement(order: Order, *, of_force: bool, is_first: bool) -> str:
    """A page of cases, without those that a verdict hides: `$1` statuses, `$2` the holder, `$3` at most so
    many, then `$4` the force where it is asked for, and at last the position of the case before.

    For each status so many cases are looked up, in their order; the first of them all are the page. Relies on
    cases_status_priority, cases_status_force_priority, cases_status_due_on or cases_status_force_due_on,
    whose order is this one, and on verdicts_pkey.
    """
    key = _SORT_KEYS[order]
    conditions = ["c.status = wanted.status", "v.is_in_conflict IS DISTINCT FROM true"]
    if of_force:
        conditions.append("c.force = $4")
    if not is_first:
        first, last = (5, 6) if of_force else (4, 5)
        type_ = "int" if order == "priority" else "date"
        conditions.append(f"({key}, c.case_id) > (${first}::{type_}, ${last}::uuid)")
    return f"""
SELECT found.* FROM unnest($1::text[]) AS wanted (status), LATERAL (
    SELECT {_CASE_COLUMNS}, v.is_in_conflict FROM cases c
    LEFT JOIN verdicts v
        ON v.holder = $2 AND v.case_id = c.case_id AND v.members_version = c.members_version
    WHERE {" AND ".join(conditions)}
    ORDER BY {key}, c.case_id LIMIT $3
) AS found
ORDER BY {key}, case_id LIMIT $3
"""


# Those above a case, in the order of their ids. Relies on cases_pkey and verdicts_pkey.
LIST_UNJUDGED = f"""
SELECT {_CASE_COLUMNS} FROM cases c
LEFT JOIN verdicts v ON v.holder = $1 AND v.case_id = c.case_id AND v.members_version = c.members_version
WHERE v.holder IS NULL AND c.status <> 'merged' AND c.case_id > $2 ORDER BY c.case_id LIMIT $3
"""

# Those that something was said of in a window of the log. Relies on events_pkey, cases_pkey, verdicts_pkey.
LIST_UNJUDGED_SINCE = f"""
WITH said AS (
    SELECT DISTINCT substr(stream_id, 6)::uuid AS case_id FROM events
    WHERE position > $2 AND position <= $3 AND stream_id LIKE 'case-%'
)
SELECT {_CASE_COLUMNS} FROM said JOIN cases c USING (case_id)
LEFT JOIN verdicts v ON v.holder = $1 AND v.case_id = c.case_id AND v.members_version = c.members_version
WHERE v.holder IS NULL AND c.status <> 'merged'
"""

READ_JUDGED = "SELECT position FROM judged WHERE holder = $1"
READ_HEAD = "SELECT coalesce(max(position), 0) FROM events"

# Whether the complaints have another one beside them in a pattern, of those that have a case: what is
# held back must not show. Relies on pattern_members_complaint_id and pattern_members_pkey.
READ_PATTERN_FELLOWS = """
SELECT DISTINCT other.complaint_id
FROM pattern_members mine
JOIN pattern_members other ON other.pattern_id = mine.pattern_id AND other.is_member
    AND other.complaint_id <> mine.complaint_id
JOIN placements p ON p.complaint_id = other.complaint_id AND p.case_id IS NOT NULL
WHERE mine.complaint_id = ANY($1::uuid[]) AND mine.is_member
"""

# The patterns of these complaints. Relies on pattern_members_complaint_id.
READ_PATTERNS_OF = (
    "SELECT DISTINCT pattern_id FROM pattern_members WHERE complaint_id = ANY($1::uuid[]) AND is_member"
)

# Relies on placements_pkey.
HAVE_CASES = """
SELECT EXISTS (SELECT FROM placements WHERE complaint_id = ANY($1::uuid[]) AND case_id IS NOT NULL)
"""

# Those of the complaints' cases with one of these statuses, each with a complaint of it. Relies on
# placements_pkey and cases_pkey.
READ_CASES_WITH_STATUS = """
SELECT DISTINCT ON (p.case_id) p.case_id, p.complaint_id
FROM placements p JOIN cases c ON c.case_id = p.case_id
WHERE p.complaint_id = ANY($1::uuid[]) AND c.status = ANY($2::text[])
ORDER BY p.case_id, p.complaint_id
"""

# Relies on events_stream_id_version_key.
READ_VERSIONS = """
SELECT asked AS stream_id, coalesce(
    (SELECT version FROM events WHERE stream_id = asked ORDER BY version DESC LIMIT 1), 0) AS version
FROM unnest($1::text[]) AS asked
"""

READ_PATTERN_MEMBERS = "SELECT complaint_id, subject FROM pattern_members WHERE pattern_id = $1 AND is_member"

# The cases that hold nothing but this complaint, over all their time. Relies on both of its indexes.
READ_CASES_OF_ONE = """
SELECT case_id FROM case_complaints mine WHERE complaint_id = $1 AND NOT EXISTS (
    SELECT FROM case_complaints other WHERE other.case_id = mine.case_id AND other.complaint_id <> $1)
"""

# For a rebuild. Rely on placements_pkey, pattern_members_pkey and claims_pkey.
READ_FORCES = """
SELECT complaint_id, force FROM placements WHERE complaint_id = ANY($1::uuid[]) AND force IS NOT NULL
"""
READ_MEMBERS_OF_PATTERNS = """
SELECT pattern_id, complaint_id, subject FROM pattern_members WHERE pattern_id = ANY($1::uuid[]) AND is_member
"""
READ_CLAIMED = "SELECT key FROM claims WHERE kind = $1 AND key = ANY($2::bytea[])"

# For a recovery: cases and incidents are checked against one another, so all of them. The fellows rely on
# pattern_members_complaint_id and pattern_members_pkey.
READ_ALL_PLACEMENTS = f"SELECT {_PLACEMENT_COLUMNS} FROM placements"
READ_EACH_FELLOW = """
SELECT mine.complaint_id, array_agg(DISTINCT other.complaint_id) AS fellows
FROM pattern_members mine
JOIN pattern_members other ON other.pattern_id = mine.pattern_id AND other.is_member
    AND other.complaint_id <> mine.complaint_id
WHERE mine.complaint_id = ANY($1::uuid[]) AND mine.is_member GROUP BY 1
"""
READ_ALL_INCIDENTS = "SELECT incident_id, version, case_id FROM incident_cases"


class CaseRow(NamedTuple):
    """A case as lists show it."""

    case_id: UUID
    version: int
    members_version: int
    status: str
    force: str
    priority: int
    due_on: date | None
    opened_on: date
    merged_into: UUID | None
    criteria: list[str]


class KeptComplaint(NamedTuple):
    """A complaint as the inbox keeps it: the CloudEvent's JSON, and its wrapped data key."""

    complaint_id: UUID
    case_id: UUID | None
    recorded_on: date
    released_on: date | None
    event: str
    kek_id: str
    wrapped: bytes


class KeptFollowUp(NamedTuple):
    complaint_id: UUID
    event: str
    kek_id: str
    wrapped: bytes


class KeptEvent(NamedTuple):
    """An event of a case as the log has it, `data` as JSON text, and the case's wrapped data key."""

    case_id: UUID
    event_id: UUID
    type: str
    schema_version: int
    data: str
    recorded_on: date
    kek_id: str
    wrapped: bytes


class IncidentCase(NamedTuple):
    incident_id: UUID
    version: int = 0
    case_id: UUID | None = None


Versions = Mapping[str, int]


class Rows(Protocol):
    """A store, or a connection to its database."""

    async def fetch(self, query: str, /, *parameters: Any) -> list[asyncpg.Record]: ...


class ReadModel:
    """The queries. All raise what `PostgresStore.fetch` raises."""

    def __init__(self, store: Rows) -> None:
        self._store = store
        # Events arrive many at a time, and each handler looks up its own.
        self._placements = Gathered(self._ask_placements)
        self._residents = Gathered(self._ask_residents)
        self._incidents = Gathered(self._ask_incidents)
        self._complaints = Gathered(self._ask_complaints)
        self._case_events = Gathered(self._ask_case_events)
        self._cases = Gathered(self._ask_cases)

    async def placement(self, complaint_id: UUID) -> Placement:
        """An empty one where nothing is known."""
        return (await self.placements([complaint_id]))[complaint_id]

    async def placements(self, complaint_ids: Collection[UUID]) -> dict[UUID, Placement]:
        """Of complaints of which nothing is known, an empty one."""
        known = await self._placements.of(complaint_ids)
        return {each: known.get(each) or Placement(each) for each in complaint_ids}

    async def residents(self, case_ids: Collection[UUID]) -> list[Placement]:
        """All complaints of these cases."""
        return [*chain.from_iterable((await self._residents.of(case_ids)).values())]

    async def incidents(self, incident_ids: Collection[UUID]) -> dict[UUID, IncidentCase]:
        known = await self._incidents.of(incident_ids)
        return {each: known.get(each) or IncidentCase(each) for each in incident_ids}

    async def kept_complaints(self, complaint_ids: Collection[UUID]) -> list[KeptComplaint]:
        return [*(await self._complaints.of(complaint_ids)).values()]

    async def kept_events(self, case_ids: Collection[UUID]) -> list[KeptEvent]:
        """All events of these cases, case by case in order; none of one whose key was destroyed."""
        return [*chain.from_iterable((await self._case_events.of(case_ids)).values())]

    async def kept_follow_ups(self, complaint_ids: Collection[UUID]) -> list[KeptFollowUp]:
        return [KeptFollowUp(*row) for row in await self.fetch(READ_FOLLOW_UPS, list(complaint_ids))]

    async def cases(self, case_ids: Collection[UUID]) -> dict[UUID, CaseRow]:
        return await self._cases.of(case_ids)

    async def merged_into(self, case_id: UUID) -> list[UUID]:
        """The cases that live on in this one."""
        return [row["case_id"] for row in await self.fetch(READ_MERGED, case_id)]

    async def listed(
        self,
        order: Order,
        status: str | None,
        force: str | None,
        holder: bytes | None,
        after: Sequence[Any] | None,
        limit: int,
    ) -> list[tuple[CaseRow, bool | None]]:
        """Cases above the position `after`, without those that a verdict hides; with the verdict, None where
        there is none yet."""
        parameters: list[Any] = [list(UNMERGED if status is None else (status,)), holder, limit]
        if force is not None:
            parameters.append(force)
        if after is not None:
            first = -after[0] if order == "priority" else date.fromisoformat(after[0])
            parameters += [first, UUID(after[1])]
        statement = list_statement(order, of_force=force is not None, is_first=after is None)
        rows = await self.fetch(statement, *parameters)
        return [(_case(row), row["is_in_conflict"]) for row in rows]

    async def unjudged(self, holder: bytes, after: UUID, limit: int) -> list[CaseRow]:
        """Cases above `after` for which there is no verdict on this holder, in the order of their ids."""
        return [_case(row) for row in await self.fetch(LIST_UNJUDGED, holder, after, limit)]

    async def unjudged_since(self, holder: bytes, after: int, upto: int) -> list[CaseRow]:
        """Those of which something was said in these positions of the log."""
        return [_case(row) for row in await self.fetch(LIST_UNJUDGED_SINCE, holder, after, upto)]

    async def judged_upto(self, holder: bytes) -> int | None:
        """The position of the log up to which every case has a verdict on this holder; None at first."""
        rows = await self.fetch(READ_JUDGED, holder)
        return rows[0]["position"] if rows else None

    async def head(self) -> int:
        """The position of the newest event."""
        ((position,),) = await self.fetch(READ_HEAD)
        return int(position)

    async def pattern_fellows(self, complaint_ids: Collection[UUID]) -> set[UUID]:
        """The complaints with a case that share an officer with one of these."""
        return {row["complaint_id"] for row in await self.fetch(READ_PATTERN_FELLOWS, list(complaint_ids))}

    async def pattern_members(self, pattern_id: UUID) -> set[tuple[UUID, int]]:
        """The (complaint, subject) pairs of a pattern."""
        rows = await self.fetch(READ_PATTERN_MEMBERS, pattern_id)
        return {(row["complaint_id"], row["subject"]) for row in rows}

    async def patterns_of(self, complaint_ids: Collection[UUID]) -> set[UUID]:
        """The patterns that one of these complaints is in."""
        return {row["pattern_id"] for row in await self.fetch(READ_PATTERNS_OF, list(complaint_ids))}

    async def have_cases(self, complaint_ids: Collection[UUID]) -> bool:
        """Whether one of them is in a case."""
        ((found,),) = await self.fetch(HAVE_CASES, list(complaint_ids))
        return bool(found)

    async def cases_with_status(
        self, complaint_ids: Collection[UUID], statuses: Collection[str]
    ) -> dict[UUID, UUID]:
        """case -> a complaint of it, for those of the complaints' cases that have one of these statuses."""
        rows = await self.fetch(READ_CASES_WITH_STATUS, list(complaint_ids), list(statuses))
        return {row["case_id"]: row["complaint_id"] for row in rows}

    async def versions(self, streams: Collection[str]) -> Versions:
        """stream -> how many events it has."""
        rows = await self.fetch(READ_VERSIONS, list(streams))
        return {row["stream_id"]: row["version"] for row in rows}

    async def cases_of_one(self, complaint_id: UUID) -> list[UUID]:
        """The cases that never had another complaint than this one that is not erased."""
        return [row["case_id"] for row in await self.fetch(READ_CASES_OF_ONE, complaint_id)]

    async def _ask_placements(self, complaint_ids: list[UUID]) -> dict[UUID, Placement]:
        rows = await self.fetch(READ_PLACEMENTS, complaint_ids)
        return {row["complaint_id"]: Placement(*row) for row in rows}

    async def _ask_residents(self, case_ids: list[UUID]) -> dict[UUID, list[Placement]]:
        return _grouped("case_id", Placement, await self.fetch(READ_RESIDENTS, case_ids))

    async def _ask_incidents(self, incident_ids: list[UUID]) -> dict[UUID, IncidentCase]:
        rows = await self.fetch(READ_INCIDENTS, incident_ids)
        return {row["incident_id"]: IncidentCase(*row) for row in rows}

    async def _ask_complaints(self, complaint_ids: list[UUID]) -> dict[UUID, KeptComplaint]:
        rows = await self.fetch(READ_COMPLAINTS, complaint_ids)
        return {row["complaint_id"]: KeptComplaint(*row) for row in rows}

    async def _ask_case_events(self, case_ids: list[UUID]) -> dict[UUID, list[KeptEvent]]:
        return _grouped("case_id", KeptEvent, await self.fetch(READ_CASE_EVENTS, case_ids))

    async def _ask_cases(self, case_ids: list[UUID]) -> dict[UUID, CaseRow]:
        return {row["case_id"]: _case(row) for row in await self.fetch(READ_CASES, case_ids)}

    async def fetch(self, query: str, *parameters: object) -> list[asyncpg.Record]:
        """
        Raises:
            StoreBusy, StoreUnavailable
        """
        return await self._store.fetch(query, *parameters)


def _grouped(key: str, of: Callable[..., V], rows: Iterable[asyncpg.Record]) -> dict[UUID, list[V]]:
    groups: defaultdict[UUID, list[V]] = defaultdict(list)
    for row in rows:
        groups[row[key]].append(of(*row))
    return groups


def _case(row: asyncpg.Record) -> CaseRow:
    shown = {name: row[name] for name in CaseRow._fields}
    return CaseRow(**{**shown, "criteria": orjson.loads(row["criteria"])})
