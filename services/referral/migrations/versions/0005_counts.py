"""Counts of cases and complaints, kept by triggers: statistics add up counts, not a million cases.

By triggers, because replicas of before write cases too while an upgrade is under way. `./hotline rebuild`
makes the counts anew with the tables that they follow from; `shared.store.filling` fills them for rows of
before.
"""

from alembic import op

revision = "0005"
down_revision = "0004"

# What a case adds to the figures, for its force and for all ("").
#   step       a status that it had, from a day until another one
#   entered    the first day of a status
#   deadline   `since` the day it was due, `until` the one on which it was met
#   referred, recipient, criterion    the first day of a referral: of any, to somebody, for some reason
# From `gone_on` on it is merged into another case, and counts for nothing.
_CONTRIBUTIONS = """
CREATE FUNCTION case_contributions(
    its_force text, its_steps jsonb, its_deadlines jsonb, its_referrals jsonb
) RETURNS TABLE (force text, kind text, code text, since date, until date, gone_on date)
LANGUAGE sql IMMUTABLE AS $$
    WITH step AS (
        SELECT value->>'status' AS status, (value->>'since')::date AS since,
               coalesce(lead((value->>'since')::date) OVER (ORDER BY n), 'infinity') AS until
        FROM jsonb_array_elements(its_steps) WITH ORDINALITY AS _(value, n)
    ), referral AS (
        SELECT value->>'recipient' AS recipient, value->'criteria' AS criteria, (value->>'on')::date AS since
        FROM jsonb_array_elements(its_referrals) AS value
    ), adds AS (
        SELECT 'step' AS kind, status AS code, since, until FROM step WHERE status <> 'merged'
        UNION ALL
        SELECT 'entered', status, min(since), 'infinity' FROM step
        WHERE status NOT IN ('referred', 'closed', 'merged') GROUP BY status
        UNION ALL
        SELECT 'deadline', '', (value->>'due_on')::date, coalesce((value->>'done_on')::date, 'infinity')
        FROM jsonb_array_elements(its_deadlines) AS value
        UNION ALL
        SELECT 'referred', '', min(since), 'infinity' FROM referral HAVING count(*) > 0
        UNION ALL
        SELECT 'recipient', recipient, min(since), 'infinity' FROM referral GROUP BY recipient
        UNION ALL
        SELECT 'criterion', criterion, min(since), 'infinity'
        FROM referral, jsonb_array_elements_text(criteria) AS criterion GROUP BY criterion
    ), gone AS (
        SELECT coalesce(min(since) FILTER (WHERE status = 'merged'), 'infinity') AS gone_on FROM step
    )
    SELECT of_force.force, kind, code, since, until, gone_on
    FROM adds, gone, (VALUES (its_force), ('')) AS of_force (force)
$$
"""

_ADD_TO_CASE_COUNTS = """
INSERT INTO case_counts AS kept (force, opened_on, kind, code, since, until, gone_on, n)
SELECT force, opened_on, kind, code, since, until, gone_on, sum(n) FROM ({changes}) AS change
GROUP BY force, opened_on, kind, code, since, until, gone_on HAVING sum(n) <> 0
ORDER BY force, opened_on, kind, code, since, until, gone_on
ON CONFLICT (force, opened_on, kind, code, since, until, gone_on) DO UPDATE SET n = kept.n + excluded.n;
"""
_DROP_CASE_COUNTS = "DELETE FROM case_counts WHERE n = 0;"

_OF_CASES = """
SELECT adds.force, c.opened_on, kind, code, since, until, gone_on, {sign}1 AS n
FROM {rows} AS c, case_contributions(c.force, c.steps, c.deadlines, c.referrals) AS adds
"""

# A case is written whenever something is said of it; most of that changes no figure.
_CASES_DIFFER = """
(c.force, c.opened_on, c.steps, c.deadlines, c.referrals)
    IS DISTINCT FROM (other.force, other.opened_on, other.steps, other.deadlines, other.referrals)
"""
_SOME_CASE_DIFFERS = f"SELECT FROM new_rows AS c JOIN old_rows AS other USING (case_id) WHERE {_CASES_DIFFER}"
_OF_CHANGED_CASES = f"""
SELECT adds.force, c.opened_on, kind, code, since, until, gone_on, {{sign}}1 AS n
FROM {{rows}} AS c JOIN {{others}} AS other USING (case_id),
     case_contributions(c.force, c.steps, c.deadlines, c.referrals) AS adds
WHERE {_CASES_DIFFER}
"""

_ADD_TO_COMPLAINT_COUNTS = """
INSERT INTO complaint_counts AS kept (force, recorded_on, recorded, present)
SELECT force, recorded_on, sum(recorded), sum(present) FROM ({changes}) AS change
GROUP BY force, recorded_on HAVING sum(recorded) <> 0 OR sum(present) <> 0
ORDER BY force, recorded_on
ON CONFLICT (force, recorded_on)
DO UPDATE SET recorded = kept.recorded + excluded.recorded, present = kept.present + excluded.present;
"""
_DROP_COMPLAINT_COUNTS = "DELETE FROM complaint_counts WHERE recorded = 0 AND present = 0;"

_OF_COMPLAINTS = """
SELECT of_force.force, p.recorded_on, {sign}1 AS recorded, {sign}(NOT p.is_erased)::int AS present
FROM {rows} AS p, LATERAL (VALUES (p.force), ('')) AS of_force (force)
WHERE (p.is_recorded OR p.is_erased) AND p.recorded_on IS NOT NULL AND of_force.force IS NOT NULL
"""

_COMPLAINTS_DIFFER = """
(p.force, p.recorded_on, p.is_recorded, p.is_erased)
    IS DISTINCT FROM (other.force, other.recorded_on, other.is_recorded, other.is_erased)
"""
_SOME_COMPLAINT_DIFFERS = (
    f"SELECT FROM new_rows AS p JOIN old_rows AS other USING (complaint_id) WHERE {_COMPLAINTS_DIFFER}"
)
_OF_CHANGED_COMPLAINTS = f"""
SELECT of_force.force, p.recorded_on, {{sign}}1 AS recorded, {{sign}}(NOT p.is_erased)::int AS present
FROM {{rows}} AS p JOIN {{others}} AS other USING (complaint_id),
     LATERAL (VALUES (p.force), ('')) AS of_force (force)
WHERE (p.is_recorded OR p.is_erased) AND p.recorded_on IS NOT NULL AND of_force.force IS NOT NULL
    AND {_COMPLAINTS_DIFFER}
"""


def _function(name: str, add: str, drop: str, of_rows: str, of_changed: str, some_differ: str) -> str:
    """A trigger's function: it adds what the new rows add, less what the old ones did.

    An upsert fires the triggers of both its events, one of them mostly for no rows: to find that out costs a
    tenth of what the adding does, which is planned for all that it may have to open.
    """
    inserted = of_rows.format(rows="new_rows", sign="")
    deleted = of_rows.format(rows="old_rows", sign="-")
    updated = " UNION ALL ".join(
        of_changed.format(rows=rows, others=others, sign=sign)
        for rows, others, sign in (("new_rows", "old_rows", ""), ("old_rows", "new_rows", "-"))
    )
    return f"""
    CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            IF EXISTS (SELECT FROM new_rows) THEN {add.format(changes=inserted)}
            END IF;
        ELSIF TG_OP = 'DELETE' THEN
            IF EXISTS (SELECT FROM old_rows) THEN {add.format(changes=deleted)} {drop}
            END IF;
        ELSIF EXISTS ({some_differ}) THEN {add.format(changes=updated)} {drop}
        END IF;
        RETURN NULL;
    END
    $$
    """


_COUNT_CASES = _function(
    "count_cases",
    _ADD_TO_CASE_COUNTS,
    _DROP_CASE_COUNTS,
    _OF_CASES,
    _OF_CHANGED_CASES,
    _SOME_CASE_DIFFERS,
)
_COUNT_COMPLAINTS = _function(
    "count_complaints",
    _ADD_TO_COMPLAINT_COUNTS,
    _DROP_COMPLAINT_COUNTS,
    _OF_COMPLAINTS,
    _OF_CHANGED_COMPLAINTS,
    _SOME_COMPLAINT_DIFFERS,
)

_TABLES = (
    """
    CREATE TABLE case_counts (
        force     text    NOT NULL,
        opened_on date    NOT NULL,
        kind      text    NOT NULL,
        code      text    NOT NULL,
        since     date    NOT NULL,
        until     date    NOT NULL,
        gone_on   date    NOT NULL,
        n         integer NOT NULL,
        PRIMARY KEY (force, opened_on, kind, code, since, until, gone_on)
    ) WITH (fillfactor = 70)
    """,
    "CREATE INDEX case_counts_of_nothing ON case_counts (force) WHERE n = 0",
    # Of the complaints of a day those that were recorded, erased ones too, and those that are present still.
    """
    CREATE TABLE complaint_counts (
        force       text    NOT NULL,
        recorded_on date    NOT NULL,
        recorded    integer NOT NULL,
        present     integer NOT NULL,
        PRIMARY KEY (force, recorded_on)
    ) WITH (fillfactor = 70)
    """,
    "CREATE INDEX complaint_counts_of_nothing ON complaint_counts (force) WHERE recorded = 0 AND present = 0",
    # Up to which position of the log every case that is not merged has a verdict on this holder.
    "CREATE TABLE judged (holder bytea PRIMARY KEY, position bigint NOT NULL)",
)

# Of transition tables there is one kind an event, and a trigger for each.
_EVENTS = {
    "INSERT": "NEW TABLE AS new_rows",
    "UPDATE": "OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "DELETE": "OLD TABLE AS old_rows",
}
_TRIGGERS = tuple(
    f"CREATE TRIGGER {function}_on_{event.lower()} AFTER {event} ON {table} REFERENCING {rows}"
    f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
    for table, function in (("cases", "count_cases"), ("placements", "count_complaints"))
    for event, rows in _EVENTS.items()
)


def upgrade() -> None:
    for statement in (*_TABLES, _CONTRIBUTIONS, _COUNT_CASES, _COUNT_COMPLAINTS, *_TRIGGERS):
        op.execute(statement)
