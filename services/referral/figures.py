"""The SQL of the statistics.

Cases and complaints are added up from counts that triggers keep (migration 0005): a hundred thousand rows
instead of a million cases opened as JSON. What an account may not know is counted case by case, and taken
away. Distinct incidents and patterns are no sums: they are counted from indexes that hold all that it takes.
"""

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final, NamedTuple


@dataclass(frozen=True, slots=True)
class Question:
    """`from_` and `to` are days, both in the period; `holder` is the key of who asks, if it may hide."""

    from_: date | None
    to: date | None
    force: str | None
    as_of: date
    holder: bytes | None

    @property
    def parameters(self) -> tuple[date | None, date | None, str | None, date, bytes | None]:
        return self.from_, self.to, self.force, self.as_of, self.holder

    @property
    def asks(self) -> "Asks":
        return Asks(
            period=self.from_ is not None or self.to is not None,
            force=self.force is not None,
            holder=self.holder is not None,
        )


class Asks(NamedTuple):
    """What a question names: a statement of its own for each, so that each has its own plan."""

    period: bool
    force: bool
    holder: bool


# Every statement takes all of a question's parameters.
_ASKED: Final = (
    "WITH asked AS (SELECT $1::date AS from_, $2::date AS upto, $3::text AS force, $4::date AS as_of,"
    " $5::bytea AS holder)"
)

# Cases in conflict, and those that came or changed since all were judged: without a verdict a case is hidden.
# Relies on verdicts_in_conflict, judged_pkey, events_pkey, cases_pkey and verdicts_pkey.
_HIDDEN: Final = """hidden AS MATERIALIZED (
    SELECT c.* FROM verdicts v JOIN cases c USING (case_id)
    WHERE v.holder = $5 AND v.is_in_conflict AND v.members_version = c.members_version
        AND c.status <> 'merged'
    UNION ALL
    SELECT c.* FROM (
        SELECT DISTINCT substr(stream_id, 6)::uuid AS case_id FROM events
        WHERE position > coalesce((SELECT position FROM judged WHERE holder = $5), 0)
            AND stream_id LIKE 'case-%'
    ) AS said JOIN cases c USING (case_id)
    WHERE c.status <> 'merged' AND NOT EXISTS (
        SELECT FROM verdicts v
        WHERE v.holder = $5 AND v.case_id = c.case_id AND v.members_version = c.members_version)
)"""


def _within(asks: Asks, day: str, force: str = "force") -> str:
    """The conditions on a row by its day and force; up to the day that is asked for in any case."""
    conditions = [f"{day} <= $4"]
    if asks.period:
        conditions.append(f"($1::date IS NULL OR {day} >= $1) AND ($2::date IS NULL OR {day} <= $2)")
    if asks.force:
        conditions.append(f"{force} = $3")
    return " AND ".join(conditions)


def _with(asks: Asks) -> str:
    return f"{_ASKED}, {_HIDDEN}" if asks.holder else _ASKED


@cache
def count_cases(asks: Asks) -> str:
    """By kind and code, see migration 0005. Relies on case_counts_pkey."""
    place = "$3" if asks.force else "''"
    matters = "gone_on > $4 AND (kind = 'deadline' OR since <= $4)"
    counted = f"""
    SELECT kind, code, since, until, n FROM case_counts
    WHERE force = {place} AND {_within(asks._replace(force=False), "opened_on")} AND {matters}"""
    if asks.holder:
        # A case that was merged has no members to be judged by: it is hidden.
        counted = f"""
    SELECT kind, code, since, until, sum(n) AS n FROM (
        {counted} AND gone_on = 'infinity'
        UNION ALL
        SELECT kind, code, since, until, -1 FROM hidden AS c,
            case_contributions(c.force, c.steps, c.deadlines, c.referrals) AS adds
        WHERE adds.force = {place} AND {_within(asks._replace(force=False), "c.opened_on")} AND {matters}
    ) AS seen GROUP BY kind, code, since, until HAVING sum(n) > 0"""
    return f"""{_with(asks)}
SELECT kind, code, sum(n)::int AS n,
    coalesce(sum(n) FILTER (WHERE until > $4), 0)::int AS still,
    sum(n * (least(until, $4) - since)) AS days,
    max(least(until, $4) - since) AS longest,
    coalesce(sum(n) FILTER (WHERE until <= $4 AND until <= since), 0)::int AS met,
    coalesce(sum(n) FILTER (WHERE since < least(until, $4)), 0)::int AS missed
FROM ({counted}) AS counted GROUP BY kind, code ORDER BY kind, code"""


@cache
def count_complaints(asks: Asks) -> str:
    """Relies on complaint_counts_pkey; placements_without_case and placements_case_id for what is hidden."""
    place = "$3" if asks.force else "''"
    of_day = _within(asks._replace(force=False), "recorded_on")
    counted = f"SELECT recorded, present FROM complaint_counts WHERE force = {place} AND {of_day}"
    if not asks.holder:
        return f"""{_with(asks)}
SELECT coalesce(sum(recorded), 0)::int AS recorded, coalesce(sum(present), 0)::int AS present
FROM ({counted}) AS counted"""
    hidden = f"""
    SELECT -1, -(NOT is_erased)::int FROM placements p
    WHERE (p.is_recorded OR p.is_erased) AND {_within(asks, "p.recorded_on", "p.force")}"""
    return f"""{_with(asks)}
SELECT coalesce(sum(recorded), 0)::int AS recorded, coalesce(sum(present), 0)::int AS present FROM (
    {counted}
    UNION ALL {hidden} AND p.case_id IS NULL
    UNION ALL {hidden} AND p.case_id IN (SELECT case_id FROM hidden)
) AS seen"""


@cache
def count_incidents(asks: Asks) -> str:
    """Of complaints whose incident was known by then: how many they are, and how many incidents. Relies on
    placements_of_incidents."""
    seen = "AND case_id IS NOT NULL AND case_id NOT IN (SELECT case_id FROM hidden)" if asks.holder else ""
    return f"""{_with(asks)}
SELECT count(*)::int AS complaints, count(DISTINCT incident_id)::int AS incidents FROM placements
WHERE incident_id IS NOT NULL AND is_recorded AND NOT is_erased AND incident_on <= $4
    AND {_within(asks, "recorded_on")} {seen}"""


@cache
def count_patterns(asks: Asks) -> str:
    """Those that bring two complaints with a case together. Relies on pattern_members_now and
    placements_without_case; of a part of the complaints, on placements_recorded_on."""
    if asks.period or asks.force:
        members = f"""pattern_members m JOIN placements p USING (complaint_id)
    WHERE p.case_id IS NOT NULL AND {_within(asks, "p.recorded_on", "p.force")}"""
    else:
        members = """pattern_members m
    WHERE NOT EXISTS (
            SELECT FROM placements p WHERE p.complaint_id = m.complaint_id AND p.case_id IS NULL)
        AND NOT EXISTS (
            SELECT FROM placements p WHERE p.complaint_id = m.complaint_id AND p.recorded_on > $4)"""
    if asks.holder:
        members += """
        AND NOT EXISTS (
            SELECT FROM placements p JOIN hidden USING (case_id) WHERE p.complaint_id = m.complaint_id)"""
    return f"""{_with(asks)}
SELECT count(*)::int AS patterns FROM (
    SELECT FROM {members} AND m.is_member AND m.since <= $4
    GROUP BY m.pattern_id HAVING count(DISTINCT m.complaint_id) > 1
) AS of_several"""


# Of these no verdict hides anything. Relies on contacts_on_day.
COUNT_CONTACTS: Final = f"""{_ASKED}
SELECT coalesce(sum(count), 0)::int AS contacts FROM contacts
WHERE on_day <= $4 AND ($1::date IS NULL OR on_day >= $1) AND ($2::date IS NULL OR on_day <= $2)
    AND $3::text IS NULL
"""
