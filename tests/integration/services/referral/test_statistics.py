"""Statistics from counts: the same figures as from every case and complaint, whatever is asked.

The queries below opened all cases as JSON and asked for a verdict on each: 11 s at a million cases. They say
what the figures mean; what is kept by triggers has to say the same after any history of rows.
"""

import random
from datetime import date, timedelta
from itertools import product
from typing import Any, Final
from uuid import UUID

import orjson
import pytest
from asyncpg import Connection

from services.referral.figures import Question
from services.referral.statistics import Statistics, read_statistics
from shared.store.online import make_online
from tests.integration.services.referral.feeding import Referral

HOLDER = b"\x01"
FORCES = ("kent", "essex", "unknown")
STATUSES = ("open", "assessed", "decided", "referred", "closed", "merged")
FIRST = date(2026, 3, 1)
DAYS = 12

_SEEN: Final = """
WITH seen_ever AS (
    SELECT c.* FROM cases c
    WHERE $5::bytea IS NULL OR EXISTS (
        SELECT FROM verdicts v WHERE v.holder = $5 AND v.case_id = c.case_id
        AND v.members_version = c.members_version AND NOT v.is_in_conflict)
), seen AS (
    SELECT * FROM seen_ever WHERE opened_on <= $4::date
), cohort AS (
    SELECT s.*, step.status AS status_then FROM seen s, LATERAL (
        SELECT value->>'status' AS status FROM jsonb_array_elements(s.steps) WITH ORDINALITY AS _(value, n)
        WHERE (value->>'since')::date <= $4 ORDER BY n DESC LIMIT 1) AS step
    WHERE ($1::date IS NULL OR s.opened_on >= $1) AND ($2::date IS NULL OR s.opened_on <= $2)
      AND ($3::text IS NULL OR s.force = $3) AND step.status <> 'merged'
), told AS (
    SELECT p.* FROM placements p
    WHERE p.recorded_on <= $4 AND (p.is_recorded OR p.is_erased)
      AND ($1::date IS NULL OR p.recorded_on >= $1) AND ($2::date IS NULL OR p.recorded_on <= $2)
      AND ($3::text IS NULL OR p.force = $3)
      AND ($5::bytea IS NULL OR p.case_id IN (SELECT case_id FROM seen))
)
"""

COUNT_TOLD: Final = (
    _SEEN
    + """
SELECT
    (SELECT count(*) FROM told) AS complaints,
    (SELECT coalesce(sum(count), 0) FROM contacts
     WHERE on_day <= $4 AND ($1::date IS NULL OR on_day >= $1) AND ($2::date IS NULL OR on_day <= $2)
       AND $3::text IS NULL) AS without_complaint,
    (SELECT count(DISTINCT CASE WHEN incident_on <= $4 THEN incident_id ELSE complaint_id END)
     FROM told WHERE NOT is_erased) AS incidents,
    (SELECT count(*) FROM (
        SELECT (array_agg(since ORDER BY since))[2] AS counts_from FROM (
            SELECT m.pattern_id, complaint_id, min(greatest(m.since, p.recorded_on)) AS since
            FROM pattern_members m JOIN placements p USING (complaint_id)
            WHERE m.is_member AND p.case_id IS NOT NULL AND ($3::text IS NULL OR p.force = $3)
              AND ($5::bytea IS NULL OR p.case_id IN (SELECT case_id FROM seen_ever))
            GROUP BY 1, 2) AS member
        GROUP BY pattern_id) AS _
     WHERE counts_from <= $4 AND ($1::date IS NULL OR counts_from >= $1)
       AND ($2::date IS NULL OR counts_from <= $2)) AS patterns
"""
)

COUNT_BY_STATUS: Final = _SEEN + "SELECT status_then AS code, count(*) FROM cohort GROUP BY 1 ORDER BY 1"

COUNT_REFERRED: Final = (
    _SEEN
    + """, referred AS (
    SELECT case_id, value FROM cohort, jsonb_array_elements(referrals) WHERE (value->>'on')::date <= $4
)
SELECT 'total' AS kind, 'total' AS code, count(DISTINCT case_id) AS count FROM referred
UNION ALL
SELECT 'recipient', value->>'recipient', count(DISTINCT case_id) FROM referred GROUP BY 2
UNION ALL
SELECT 'criterion', criterion, count(DISTINCT case_id)
FROM referred, jsonb_array_elements_text(value->'criteria') AS criterion GROUP BY 2
ORDER BY 1, 2
"""
)

COUNT_TIME_IN_STEP: Final = (
    _SEEN
    + """, step AS (
    SELECT case_id, value->>'status' AS status, (value->>'since')::date AS since,
           lead((value->>'since')::date) OVER (PARTITION BY case_id ORDER BY n) AS until
    FROM cohort, jsonb_array_elements(steps) WITH ORDINALITY AS _(value, n)
    WHERE (value->>'since')::date <= $4
)
SELECT status AS code, count(DISTINCT case_id) AS cases,
       avg(coalesce(until, $4) - since)::float8 AS mean_days
FROM step WHERE status NOT IN ('referred', 'closed', 'merged') GROUP BY 1 ORDER BY 1
"""
)

COUNT_DEADLINES: Final = (
    _SEEN
    + """, deadline AS (
    SELECT (value->>'due_on')::date AS due_on,
           CASE WHEN (value->>'done_on')::date <= $4 THEN (value->>'done_on')::date END AS done_on
    FROM cohort, jsonb_array_elements(deadlines)
)
SELECT count(*) FILTER (WHERE done_on <= due_on) AS met,
       count(*) FILTER (WHERE due_on < coalesce(done_on, $4)) AS missed
FROM deadline
"""
)


def _day(chosen: random.Random, first: date) -> date:
    return first + timedelta(chosen.randrange(4))


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _case(chosen: random.Random, opened_on: date) -> dict[str, Any]:
    """What is told of a case: its statuses one after another, perhaps merged at the end."""
    steps: list[dict[str, str]] = []
    since = opened_on
    for _ in range(chosen.randrange(1, 5)):
        status = "open" if not steps else chosen.choice(STATUSES[:-1])
        if not steps or status != steps[-1]["status"]:
            steps.append({"status": status, "since": since.isoformat()})
        since = _day(chosen, since)
    if not chosen.randrange(4):
        steps.append({"status": "merged", "since": since.isoformat()})
    deadlines = [
        {
            "rule": "r",
            "due_on": _day(chosen, opened_on).isoformat(),
            "done_on": chosen.choice([None, _day(chosen, opened_on).isoformat()]),
        }
        for _ in range(chosen.randrange(3))
    ]
    referrals = [
        {
            "recipient": chosen.choice(["iopc", "force"]),
            "criteria": chosen.sample(["DSI", "GRAVITY", "VETTING"], chosen.randrange(3)),
            "on": _day(chosen, opened_on).isoformat(),
        }
        for _ in range(chosen.randrange(3))
    ]
    return {
        "status": steps[-1]["status"],
        "force": chosen.choice(FORCES),
        "steps": _json(steps),
        "deadlines": _json(deadlines),
        "referrals": _json(referrals),
    }


async def _write_case(connection: Connection, case_id: UUID, opened_on: date, told: Any) -> None:
    await connection.execute(
        "INSERT INTO cases VALUES ($1, 1, 1, $2, $3, 0, NULL, $4, NULL, '[]', $5, $6, $7)"
        " ON CONFLICT (case_id) DO UPDATE SET status = excluded.status, force = excluded.force,"
        " steps = excluded.steps, deadlines = excluded.deadlines, referrals = excluded.referrals",
        case_id, told["status"], told["force"], opened_on, told["steps"], told["deadlines"],
        told["referrals"],
    )  # fmt: skip


async def _history(connection: Connection, chosen: random.Random, count: int) -> None:
    """Rows that come, change and go."""
    cases = {
        UUID(int=chosen.getrandbits(128)): FIRST + timedelta(chosen.randrange(DAYS)) for _ in range(count)
    }
    incidents = [UUID(int=chosen.getrandbits(128)) for _ in range(count // 4)]
    patterns = [UUID(int=chosen.getrandbits(128)) for _ in range(count // 5)]
    for case_id, opened_on in cases.items():
        await _write_case(connection, case_id, opened_on, _case(chosen, opened_on))
        for number in range(chosen.randrange(3)):
            complaint_id, is_erased = UUID(int=chosen.getrandbits(128)), not chosen.randrange(9)
            incident = chosen.choice([None, chosen.choice(incidents)])
            await connection.execute(
                "INSERT INTO placements VALUES ($1, 1, $2, false, $3, $4, $5, 1, $6, NULL, $7, $8, 1, 1)",
                complaint_id, not is_erased, is_erased,
                None if is_erased or not chosen.randrange(7) else case_id, incident,
                incident and _day(chosen, opened_on), opened_on, None if is_erased else chosen.choice(FORCES),
            )  # fmt: skip
            for pattern in {chosen.choice(patterns) for _ in range(number)}:
                await connection.execute(
                    "INSERT INTO pattern_members VALUES ($1, $2, 0, $3, $4)",
                    pattern, complaint_id, bool(chosen.randrange(5)), _day(chosen, opened_on),
                )  # fmt: skip
    for case_id, opened_on in chosen.sample(sorted(cases.items()), count // 2):
        await _write_case(connection, case_id, opened_on, _case(chosen, opened_on))
    await connection.execute("UPDATE placements SET force = 'kent' WHERE force = 'essex' AND version % 2 = 1")
    await connection.execute(
        "UPDATE placements SET is_recorded = false, is_erased = true, case_id = NULL, force = NULL"
        " WHERE complaint_id IN (SELECT complaint_id FROM placements ORDER BY complaint_id LIMIT 3)"
    )
    await connection.execute("DELETE FROM cases WHERE case_id = ANY($1)", chosen.sample(sorted(cases), 3))
    await connection.execute(  # of a merged case no complaint is left
        "UPDATE placements SET case_id = NULL WHERE NOT EXISTS (SELECT FROM cases"
        " WHERE cases.case_id = placements.case_id AND status <> 'merged')"
    )
    for number in range(6):
        day = FIRST + timedelta(chosen.randrange(DAYS))
        await connection.execute("INSERT INTO contacts VALUES (1, $1, $2, $3)", number, day, number)
    await connection.execute(
        "INSERT INTO verdicts SELECT $1, case_id, 1, get_byte(uuid_send(case_id), 0) % 4 = 0 FROM cases"
        " WHERE status <> 'merged'",
        HOLDER,
    )
    await connection.execute("INSERT INTO judged VALUES ($1, 0)", HOLDER)


async def _told(referral: Referral, asked: Question) -> dict[str, Any]:
    """The figures by the queries above."""
    fetch, parameters = referral.read.fetch, asked.parameters[:5]
    (counts,) = await fetch(COUNT_TOLD, *parameters)
    by_status = {row["code"]: row["count"] for row in await fetch(COUNT_BY_STATUS, *parameters)}
    referred: dict[str, dict[str, int]] = {"total": {}, "criterion": {}, "recipient": {}}
    for row in await fetch(COUNT_REFERRED, *parameters):
        referred[row["kind"]][row["code"]] = row["count"]
    steps = await fetch(COUNT_TIME_IN_STEP, *parameters)
    (deadlines,) = await fetch(COUNT_DEADLINES, *parameters)
    return {
        "contacts": counts["complaints"] + counts["without_complaint"],
        "complaints": counts["complaints"],
        "incidents": counts["incidents"],
        "patterns": counts["patterns"],
        "cases": {"total": sum(by_status.values()), "by_status": by_status},
        "referred": {
            "total": referred["total"].get("total", 0),
            "by_criterion": referred["criterion"],
            "by_recipient": referred["recipient"],
        },
        "time_in_step": {
            row["code"]: {
                "cases": row["cases"],
                "mean_days": pytest.approx(row["mean_days"]),
            }
            for row in steps
        },
        "deadlines": dict(deadlines),
    }


async def _agree(referral: Referral) -> list[Statistics]:
    """Every question has the same answer in both ways; the answers."""
    days = (None, FIRST + timedelta(3), FIRST + timedelta(8))
    answers = []
    for from_, to, force, holder in product(days, days, (None, *FORCES), (None, HOLDER)):
        for as_of in (FIRST + timedelta(2), FIRST + timedelta(7), FIRST + timedelta(40)):
            asked = Question(from_, to, force, as_of, holder)
            answer = await read_statistics(referral.read, asked)
            assert answer.model_dump() == await _told(referral, asked), asked
            answers.append(answer)
    return answers


@pytest.mark.parametrize("seed", range(3))
async def test_counts_tell_what_the_rows_tell(referral: Referral, seed: int) -> None:
    async with referral.store.pool.acquire() as connection:
        await _history(connection, random.Random(seed), 60)
    answers = await _agree(referral)
    assert any(answer.patterns for answer in answers)
    assert any(answer.deadlines.missed and answer.referred.by_recipient for answer in answers)


async def test_rows_of_before_are_counted_once_while_others_come(
    referral: Referral, referral_database: str
) -> None:
    """The triggers were not there yet when half of them was written."""
    async with referral.store.pool.acquire() as connection:
        await connection.execute("ALTER TABLE cases DISABLE TRIGGER USER")
        await connection.execute("ALTER TABLE placements DISABLE TRIGGER USER")
        await connection.execute("ALTER TABLE pattern_members DISABLE TRIGGER USER")
        await _history(connection, random.Random(7), 40)
        await connection.execute("ALTER TABLE cases ENABLE TRIGGER USER")
        await connection.execute("ALTER TABLE placements ENABLE TRIGGER USER")
        await connection.execute("ALTER TABLE pattern_members ENABLE TRIGGER USER")
        for table in ("case_figures", "complaint_counts", "pattern_figures"):
            await connection.execute(f"COMMENT ON TABLE {table} IS NULL")
        case_id = await connection.fetchval("SELECT case_id FROM cases WHERE status = 'open' LIMIT 1")
        await _write_case(connection, case_id, FIRST, _case(random.Random(8), FIRST))
        await connection.execute("UPDATE cases SET opened_on = $2 WHERE case_id = $1", case_id, FIRST)
        for _ in range(2):
            await make_online("referral", referral_database)
    await _agree(referral)


async def test_a_case_that_came_since_all_were_judged_is_not_counted(referral: Referral) -> None:
    """Without a verdict it is hidden, also in the moment before it has one."""
    async with referral.store.pool.acquire() as connection:
        await _history(connection, random.Random(9), 20)
        as_of = FIRST + timedelta(40)
        before = await read_statistics(referral.read, Question(None, None, None, as_of, HOLDER))
        case_id = UUID(int=5)
        await _write_case(connection, case_id, FIRST, _case(random.Random(1), FIRST))
        await connection.execute(
            "INSERT INTO events VALUES (1, $1, 1, $2, 'case.opened', 1, NULL, NULL, '{}', '{}', $3)",
            f"case-{case_id}", UUID(int=6), FIRST,
        )  # fmt: skip
        assert await read_statistics(referral.read, Question(None, None, None, as_of, HOLDER)) == before
        assert await read_statistics(referral.read, Question(None, None, None, as_of, None)) != before
