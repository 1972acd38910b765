"""Databases as they are after years: a million cases, ten million events.

What a route opens is real: some dozens of complaints, cases and matches, made by the service's own handlers.
All else are rows of the same shape, made by PostgreSQL itself, without indexes, which are built afterwards.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg

from deploy.local.keys import keys_file
from deploy.simulation import simulate
from services.referral.conflicts import Conflicts
from shared.conflict import Holder
from shared.contracts.complaint import SanitisedComplaint
from shared.sealing.keys import load_keys
from shared.store.migrate import migrate
from shared.store.online import make_online
from shared.vocabulary import load_vocabulary
from shared.web.auth import Caller
from tests.integration.services.dedup.desk import opened as dedup_opened
from tests.integration.services.referral.feeding import Feed, referral_with

REAL = 60
FIRST_DAY = date(2024, 1, 1)
DAYS = 900
HOLDER = {"force": "kent", "unit": "traffic", "name": "Sam Hill", "collar_number": "4711"}


@dataclass(frozen=True, slots=True)
class Size:
    cases: int
    events: int


Tell = Callable[[str], None]


@asynccontextmanager
async def _without_indexes(connection: "asyncpg.Connection", tables: Sequence[str]) -> AsyncIterator[None]:
    """In the body the tables have no indexes, constraints and triggers; after it they have them again."""
    again = []
    for table in tables:
        for name, definition in await connection.fetch(_CONSTRAINTS, table):
            again.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
            await connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        for name, definition in await connection.fetch(_INDEXES, table):
            again.append(definition)
            await connection.execute(f"DROP INDEX {name}")
        await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    for statement in again:
        await connection.execute(statement)
    for table in tables:
        await connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


_CONSTRAINTS = """
SELECT quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = $1::text::regclass AND contype IN ('p', 'u')
"""
_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid = $1::text::regclass
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""


async def _grow(url: str, statements: dict[str, str], tell: Tell) -> None:
    """
    Args:
        statements: table -> what fills it.
    """
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "SET synchronous_commit = off; SET maintenance_work_mem = '512MB'; SET work_mem = '256MB'"
        )
        async with _without_indexes(connection, list(statements)):
            for table, statement in statements.items():
                tell(f"filling {table}")
                await connection.execute(statement)
            tell("building indexes")
        tell("vacuuming")
        for table in statements:
            await connection.execute(f"VACUUM (ANALYZE) {table}")
    finally:
        await connection.close()


# The n-th id of a kind, and of a case that is merged the case that it lives on in.
def _id(kind: str, n: str) -> str:
    return f"md5('{kind}' || ({n}))::uuid"


_DAY = f"date '{FIRST_DAY}' + (i::bigint * {DAYS} / {{cases}})::int"
_MERGED, _OPEN, _DECIDED = "i % 10 = 9", "i % 20 = 2", "i % 1000 = 1"
_STATUS = f"""CASE WHEN {_MERGED} THEN 'merged' WHEN {_DECIDED} THEN 'decided' WHEN {_OPEN} THEN 'open'
    WHEN i % 7 = 3 THEN 'closed' ELSE 'referred' END"""
_STEPS = f"""jsonb_build_array(jsonb_build_object('status', 'open', 'since', {_DAY}))
    || CASE WHEN {_OPEN} THEN '[]' ELSE jsonb_build_array(
        jsonb_build_object('status', 'assessed', 'since', {_DAY} + i % 5),
        jsonb_build_object('status', {_STATUS}, 'since', {_DAY} + i % 5 + i % 11)) END"""
_FORCES = ", ".join(f"'{slug}'" for slug in sorted(load_vocabulary().forces))
_FORCE = f"(ARRAY[{_FORCES}])[1 + i % {len(load_vocabulary().forces)}]"


def _events(size: Size, count: int, category: str, type_: str) -> str:
    return f"""
INSERT INTO events
SELECT head.position + i, '{category}-' || {_id(category, f"i % {size.cases}")}, 100 + i / {size.cases},
    {_id("event", "i")}, '{type_}', 1, i % 240, 100000 + i / 240,
    '{{"clear":{{}},"sealed":null}}', '{{}}', date '{FIRST_DAY}'
FROM (SELECT coalesce(max(position), 0) AS position FROM events) AS head, generate_series(1, {count}) AS i"""


def _inbox(size: Size) -> str:
    event = (
        '{"specversion":"1.0","id":"00000000-0000-4000-8000-000000000000","source":"/hotline/intake",'
        '"type":"hotline.complaint.recorded.v1","subject":"complaint-00000000-0000-4000-8000-000000000000",'
        '"time":"2024-01-01T00:00:00Z","partitionkey":"x","sequence":"1","slot":1,"slotsequence":1,'
        '"streamversion":1,"correlationid":"","causationid":"","data":{"clear":{},"sealed":null}}'
    )
    return f"""
INSERT INTO inbox
SELECT 'intake', i % 240, 100000 + i / 240, {_id("consumed", "i")}, 'complaint-' || {_id("complaint", "i")},
    'hotline.complaint.recorded.v1', '{event}', CASE WHEN i % 1000 = 0 THEN 'parked' ELSE 'applied' END,
    CASE WHEN i % 1000 = 0 THEN 'the handler failed: ValueError' ELSE '' END,
    CASE WHEN i % 1000 <> 0 THEN 1000000 + i END, CASE WHEN i % 1000 <> 0 THEN 0 END
FROM generate_series(1, {size.cases}) AS i"""


@dataclass(frozen=True, slots=True)
class LargeReferral:
    """Ids of what is real in it."""

    cases: Sequence[UUID]


async def fill_referral(url: str, directory: Path, size: Size, tell: Tell) -> LargeReferral:
    await migrate("referral", url)
    keys = load_keys(keys_file(directory, "referral"))
    async with referral_with(url, Feed(keys)) as referral:
        feed, ids = referral.feed, [uuid4() for _ in range(REAL)]
        for complaint_id, body in zip(ids, _bodies(), strict=True):
            await referral.receive(feed.recorded(body, complaint_id))
        for begin in range(0, REAL, 6):
            await referral.receive(feed.pattern(uuid4(), ids[begin : begin + 4]))
            await referral.receive(feed.incident(uuid4(), ids[begin : begin + 2]))
        in_cases = await referral.read.fetch(
            "SELECT DISTINCT case_id FROM placements WHERE case_id IS NOT NULL"
        )
        found = LargeReferral([row["case_id"] for row in in_cases])
        holder = Conflicts(referral.context, referral.read, referral.docket).holder_key(
            Caller(subject="bench", roles=frozenset({"auditor"}), holder=Holder(**HOLDER))
        )
    assert holder is not None
    day = _DAY.format(cases=size.cases)
    rows = f"FROM generate_series(1, {size.cases}) AS i"
    case = f"CASE WHEN {_MERGED} THEN {_id('case', 'i - 1')} ELSE {_id('case', 'i')} END"
    due_on = f"CASE WHEN {_OPEN} OR {_DECIDED} THEN {day} + 2 END"
    statements = {
        "cases": f"""
INSERT INTO cases SELECT {_id("case", "i")}, 100, 100, {_STATUS}, {_FORCE}, (i * 7) % 90, {due_on}, {day},
    CASE WHEN {_MERGED} THEN {_id("case", "i - 1")} END, '["SERIOUS_SEXUAL", "VETTING"]',
    {_STEPS.format(cases=size.cases)},
    jsonb_build_array(jsonb_build_object('rule', 'r', 'due_on', {day} + 2,
        'done_on', CASE WHEN {_OPEN} OR {_DECIDED} THEN NULL ELSE {day} + i % 5 END)),
    CASE WHEN {_STATUS} <> 'referred' THEN '[]' ELSE jsonb_build_array(jsonb_build_object(
        'recipient', CASE i % 3 WHEN 0 THEN 'iopc' ELSE {_FORCE} END,
        'criteria', '["SERIOUS_SEXUAL", "VETTING"]'::jsonb, 'on', {day} + i % 5 + i % 11)) END {rows}""",
        "placements": f"""
INSERT INTO placements SELECT {_id("complaint", "i")}, 3, true, false, false, {case},
    CASE WHEN i % 10 >= 8 THEN {_id("incident", "i / 10")} END, 1,
    CASE WHEN i % 10 >= 8 THEN {day} + 1 END, NULL, {day}, {_FORCE}, i % 240, 100000 + i / 240 {rows}""",
        "case_complaints": f"INSERT INTO case_complaints SELECT {_id('complaint', 'i')}, {case} {rows}",
        "pattern_members": f"""
INSERT INTO pattern_members SELECT {_id("pattern", "(i % 10) || '-' || i / 50")}, {_id("complaint", "i")}, 0,
    true, {day} + 1 {rows} WHERE i % 10 IN (1, 2, 3)""",
        "contacts": f"""
INSERT INTO contacts SELECT i % 240, 200000 + i / 240, {day}, i % 4 {rows} WHERE i % 4 = 0""",
        "verdicts": f"""
INSERT INTO verdicts SELECT decode('{holder.hex()}', 'hex'), {_id("case", "i")}, 100, i % 133 = 13
{rows} WHERE NOT {_MERGED}""",
        "inbox": _inbox(size),
        "events": _events(size, size.events, "case", "case.assessed"),
    }
    await _grow(url, statements, tell)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "COMMENT ON TABLE case_figures IS NULL; COMMENT ON TABLE complaint_counts IS NULL;"
            " COMMENT ON TABLE pattern_figures IS NULL"
        )
        await connection.execute(
            "INSERT INTO cursors SELECT 'intake', slot, max(slot_sequence) FROM inbox GROUP BY slot"
            " ON CONFLICT (source, slot) DO UPDATE SET at = excluded.at"
        )
        # The real ones are judged by the first look.
        await connection.execute(
            "INSERT INTO verdicts SELECT $1, case_id, members_version, false FROM cases"
            " WHERE status <> 'merged' ON CONFLICT DO NOTHING",
            holder,
        )
        await connection.execute("INSERT INTO judged SELECT $1, max(position) FROM events", holder)
        tell("counting")
        await make_online("referral", url)
        for table in ("case_counts", "case_figures", "pattern_figures", "complaint_counts", "verdicts"):
            await connection.execute(f"VACUUM (ANALYZE) {table}")
    finally:
        await connection.close()
    return found


@dataclass(frozen=True, slots=True)
class LargeDedup:
    """Ids of what is real in it."""

    complaints: Sequence[UUID]
    incidents: Sequence[UUID]
    patterns: Sequence[UUID]


async def fill_dedup(url: str, directory: Path, size: Size, tell: Tell) -> LargeDedup:
    await migrate("dedup", url)
    async with dedup_opened(url, load_keys(keys_file(directory, "dedup"))) as desk:
        ids = [await desk.record(body.model_dump(mode="json", by_alias=True)) for body in _bodies()]
        await desk.resolve()
        fetch = desk.store.fetch
        incidents = [row[0] for row in await fetch("SELECT DISTINCT incident_id FROM incident_members")]
        patterns = [row[0] for row in await fetch("SELECT pattern_id FROM patterns")]
    rows = f"FROM generate_series(1, {size.cases}) AS i"
    pattern = _id("pattern", "(i % 10) || '-' || i / 50")
    statements = {
        "indexed": f"""
INSERT INTO indexed SELECT {_id("complaint", "i")}, {_id("key", "i")}, {_id("own", "i")},
    sha256('features'::bytea), jsonb_build_object('0', {_FORCE}) {rows}""",
        "matches": f"""
INSERT INTO matches SELECT ('ff' || substr(md5('match' || i), 3))::uuid, {_id("complaint", "i")}, 0,
    {_id("complaint", "i - 1")}, 0, 'same_officer',
    CASE i % 10 WHEN 0 THEN 'review' WHEN 1 THEN 'rejected' ELSE 'accepted' END, false {rows}""",
        "incident_members": f"""
INSERT INTO incident_members SELECT {_id("complaint", "i")}, {_id("incident", "i / 10")} {rows}
WHERE i % 10 >= 8""",
        "pattern_members": f"""
INSERT INTO pattern_members
SELECT {_id("complaint", "i")} || ':0', {_id("complaint", "i")}, 0, {pattern} {rows} WHERE i % 10 IN (1, 2, 3)
""",
        "patterns": f"""
INSERT INTO patterns SELECT DISTINCT {pattern}, 5, 1 + (i / 50) % 9, 5 {rows} WHERE i % 10 IN (1, 2, 3)""",
        "inbox": _inbox(size),
        "events": _events(size, size.cases, "match", "match.proposed"),
    }
    await _grow(url, statements, tell)
    return LargeDedup(ids, incidents, patterns)


async def grow_intake(url: str, size: Size, tell: Tell) -> None:
    """Intake's log, beside complaints that were posted to it."""
    await _grow(url, {"events": _events(size, size.cases, "complaint", "complaint.recorded")}, tell)


def _bodies() -> list[SanitisedComplaint]:
    """Each account three times, so that there are incidents."""
    known = SanitisedComplaint.model_fields
    return [
        SanitisedComplaint.model_validate(
            {name: value for name, value in body.items() if name in known}, strict=False
        )
        for body in 3 * simulate(REAL // 3, 9).complaints
    ]
