"""The SQL of the statistics.

Cases, complaints and patterns are added up from figures that triggers keep (migration 0005): some ten
thousand rows instead of a million cases opened as JSON. What an account may not know is counted case by case,
and taken away. Distinct incidents are no sum: they are counted from an index that holds all that it takes.

All of it is one statement, so that all figures are of one moment, and what is hidden is found once.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Final, NamedTuple

MOST_SAID: Final = 20_000
"""Events since an account's cases were judged; with so many the answer is not complete."""

UNJUDGED: Final = "unjudged"
"""The figure of these events."""


@dataclass(frozen=True, slots=True)
class Question:
    """`from_` and `to` are days, both in the period; `holder` is the key of who asks, if it may hide."""

    from_: date | None
    to: date | None
    force: str | None
    as_of: date
    holder: bytes | None

    @property
    def parameters(self) -> tuple[object, ...]:
        first, after = self.whole_weeks
        begin, end = self.from_ or date.min, self.to or date.max
        # The days of the period before its whole weeks, and those from the last one on; without a whole week
        # all of them are the latter.
        before, rest = (first, after) if first < after else (begin, begin)
        edges = (begin, before, rest, end)
        return self.from_, self.to, self.force, self.as_of, self.holder, first, after, self.this_week, *edges

    @property
    def whole_weeks(self) -> tuple[date, date]:
        """The Monday of the first whole week of the period, and the one after the last."""
        first = date.min if self.from_ is None else _monday(_plus(self.from_, 6))
        return first, date.max if self.to is None else _monday(_plus(self.to, 1))

    @property
    def this_week(self) -> date:
        """The Monday of the first week that is not over at the end of `as_of`."""
        return _monday(_plus(self.as_of, 1))

    @property
    def statement(self) -> str:
        """SQL that gives rows of (figure, n, running, days), with `parameters`."""
        return _statement(
            _Asks(
                period=self.from_ is not None or self.to is not None,
                force=self.force is not None,
                holder=self.holder is not None,
            )
        )


def _monday(day: date) -> date:
    return day - timedelta(day.weekday())


def _plus(day: date, days: int) -> date:
    return date.fromordinal(min(day.toordinal() + days, date.max.toordinal()))


class _Asks(NamedTuple):
    """What a question names: a statement of its own for each, so that each has its own plan."""

    period: bool
    force: bool
    holder: bool

    @property
    def place(self) -> str:
        return "$3" if self.force else "''"

    def within(self, day: str, force: str = "") -> str:
        """The conditions on a row by its day, and by its force if it has a column for that; up to the day
        that is asked for in any case."""
        conditions = [f"{day} <= $4"]
        if self.period:
            conditions.append(f"($1::date IS NULL OR {day} >= $1) AND ($2::date IS NULL OR {day} <= $2)")
        if self.force and force:
            conditions.append(f"{force} = $3")
        return " AND ".join(conditions)


# Every statement takes all of a question's parameters.
_ASKED: Final = """asked AS (
    SELECT $1::date AS from_, $2::date AS upto, $3::text AS force, $4::date AS as_of, $5::bytea AS holder,
        $6::date AS first_week, $7::date AS week_after, $8::date AS this_week,
        $9::date AS begin, $10::date AS before, $11::date AS rest, $12::date AS end_
)"""

# Cases in conflict, and those that came or changed since all were judged: without a verdict a case is hidden.
# Relies on verdicts_in_conflict, judged_pkey, events_pkey, cases_pkey and verdicts_pkey. The limit is for the
# planner too, which takes a third of all events to be newer than a position that it does not know. `OFFSET 0`
# keeps it from reading a whole table for some thousand rows.
_HIDDEN: Final = f"""
said AS MATERIALIZED (
    SELECT stream_id FROM events
    WHERE position > coalesce((SELECT position FROM judged WHERE holder = $5), 0)
    ORDER BY position LIMIT {MOST_SAID}
), hidden AS MATERIALIZED (
    SELECT v.case_id FROM verdicts v WHERE v.holder = $5 AND v.is_in_conflict
    UNION
    SELECT case_id FROM (
        SELECT DISTINCT substr(stream_id, 6)::uuid AS case_id FROM said WHERE stream_id LIKE 'case-%'
    ) AS said_of
    WHERE NOT EXISTS (
        SELECT FROM cases c JOIN verdicts v USING (case_id, members_version)
        WHERE c.case_id = said_of.case_id AND v.holder = $5)
), hidden_complaints AS MATERIALIZED (
    SELECT p.* FROM hidden JOIN placements p USING (case_id)
    UNION ALL
    SELECT p.* FROM placements p WHERE p.case_id IS NULL
), touched AS MATERIALIZED (
    SELECT DISTINCT m.pattern_id FROM hidden_complaints AS hidden, LATERAL (
        SELECT pattern_id FROM pattern_members m WHERE m.complaint_id = hidden.complaint_id AND m.is_member
        OFFSET 0) AS m
)"""


def _cases(asks: _Asks) -> str:
    """Relies on case_counts_pkey, case_counts_of_days, case_figures_opened_on and case_figures_pkey."""
    # A case that was merged has no members to be judged by: it is hidden.
    is_gone = "NOT is_gone" if asks.holder else "is_gone IN (true, false)"
    whole = f"force = {asks.place} AND {is_gone} AND opened_in >= $6 AND opened_in < $7"
    of_force = "AND c.force = $3" if asks.force else ""
    parts = [
        f"SELECT figure, n, running, days FROM case_counts WHERE is_of_weeks AND on_day < $8 AND {whole}",
        "SELECT figure, n, running, days FROM case_counts"
        f" WHERE NOT is_of_weeks AND on_day >= $8 AND on_day <= $4 AND {whole}",
    ]
    if asks.period:
        seen = "AND NOT c.is_gone AND c.case_id NOT IN (SELECT case_id FROM hidden)" if asks.holder else ""
        parts.append(
            "SELECT f.figure, f.n, f.running, f.days FROM case_figures c, unnest(c.figures) AS f"
            " WHERE (c.opened_on >= $9 AND c.opened_on < $10 OR c.opened_on >= $11 AND c.opened_on <= $12)"
            f" AND f.on_day <= $4 {of_force} {seen}"
        )
    if asks.holder:
        parts.append(
            "SELECT f.figure, -f.n, -f.running, -f.days"
            " FROM hidden JOIN case_figures c USING (case_id), unnest(c.figures) AS f"
            " WHERE NOT c.is_gone AND c.opened_on >= $6 AND c.opened_on < $7"
            f" AND f.on_day <= $4 {of_force}"
        )
    return f"""
SELECT figure, sum(n) AS n, sum(running) AS running,
    sum(running) * ($4 - date '2020-01-01') + sum(days) AS days
FROM ({" UNION ALL ".join(parts)}) AS counted
GROUP BY figure HAVING sum(n) <> 0 OR sum(running) <> 0"""


def _complaints(asks: _Asks) -> str:
    """Relies on complaint_counts_pkey; placements_without_case and placements_case_id for what is hidden."""
    counted = (
        f"SELECT recorded, present FROM complaint_counts"
        f" WHERE force = {asks.place} AND {asks.within('recorded_on')}"
    )
    if asks.holder:
        counted += (
            " UNION ALL SELECT -1, -(NOT is_erased)::int FROM hidden_complaints"
            f" WHERE (is_recorded OR is_erased) AND {asks.within('recorded_on', 'force')}"
        )
    return f"""
SELECT figure, n, 0, 0 FROM (
    SELECT coalesce(sum(recorded), 0) AS recorded, coalesce(sum(present), 0) AS present
    FROM ({counted}) AS counted
) AS told, LATERAL (VALUES ('complaints', recorded), ('present', present)) AS _ (figure, n)"""


def _incidents(asks: _Asks) -> str:
    """Of complaints whose incident was known by then: how many they are, and how many incidents. Relies on
    placements_of_incidents."""
    seen = "AND case_id IS NOT NULL AND case_id NOT IN (SELECT case_id FROM hidden)" if asks.holder else ""
    return f"""
SELECT figure, n, 0, 0 FROM (
    SELECT count(*) AS complaints, count(DISTINCT incident_id) AS incidents FROM placements
    WHERE incident_id IS NOT NULL AND is_recorded AND NOT is_erased AND incident_on <= $4
        AND {asks.within("recorded_on", "force")} {seen}
) AS known, LATERAL (VALUES ('placed', complaints), ('incidents', incidents)) AS _ (figure, n)"""


def _patterns(asks: _Asks) -> str:
    """Relies on pattern_figures_counts_from; pattern_figures_pkey, pattern_members_complaint_id,
    pattern_members_pkey and placements_pkey for what is hidden."""
    counts = asks.within("counts_from")
    counted = f"SELECT count(*) AS n FROM pattern_figures WHERE force = {asks.place} AND {counts}"
    if asks.holder:
        of_force = "AND p.force = $3" if asks.force else ""
        counted += f"""
    UNION ALL
    SELECT -count(*) FROM touched JOIN pattern_figures USING (pattern_id)
    WHERE force = {asks.place} AND {counts}
    UNION ALL
    SELECT count(*) FROM (
        SELECT (array_agg(since ORDER BY since))[2] AS counts_from FROM (
            SELECT m.pattern_id, m.complaint_id, min(greatest(m.since, p.recorded_on)) AS since
            FROM touched JOIN pattern_members m USING (pattern_id), LATERAL (
                SELECT recorded_on FROM placements p
                WHERE p.complaint_id = m.complaint_id AND p.case_id IS NOT NULL {of_force}
                OFFSET 0) AS p
            WHERE m.is_member AND m.complaint_id NOT IN (SELECT complaint_id FROM hidden_complaints)
            GROUP BY m.pattern_id, m.complaint_id
        ) AS member GROUP BY pattern_id HAVING count(*) > 1
    ) AS seen WHERE {counts}"""
    return f"SELECT 'patterns', sum(n), 0, 0 FROM ({counted}) AS counted"


# Of these no verdict hides anything. Relies on contacts_on_day.
_CONTACTS: Final = """
SELECT 'contacts', coalesce(sum(count), 0), 0, 0 FROM contacts
WHERE on_day <= $4 AND ($1::date IS NULL OR on_day >= $1) AND ($2::date IS NULL OR on_day <= $2)
    AND $3::text IS NULL"""


@cache
def _statement(asks: _Asks) -> str:
    parts = [_cases(asks), _complaints(asks), _incidents(asks), _patterns(asks), _CONTACTS]
    known = [_ASKED]
    if asks.holder:
        known.append(_HIDDEN)
        parts.append(f"SELECT '{UNJUDGED}', count(*), 0, 0 FROM said")
    counted = " UNION ALL ".join(f"({part})" for part in parts)
    return f"""WITH {", ".join(known)}
SELECT figure, n::bigint, running::bigint, days::bigint FROM ({counted}) AS counted ORDER BY figure"""
