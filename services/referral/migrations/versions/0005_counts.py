"""Figures of cases, complaints and patterns, kept by triggers: statistics add up counts, not a million cases.

By triggers, because replicas of before write cases too while an upgrade is under way. `./hotline rebuild`
makes the figures anew with the tables that they follow from; `shared.store.filling` counts what there was.
"""

from alembic import op

revision = "0005"
down_revision = "0004"

_TYPES = (
    # A case adds `n` to a figure from `on_day` on, and takes it away by a negative one. Of a figure that is a
    # state, `running` is by how many more cases are in it from that day on, and `days` what makes
    # running * (as_of - 2020-01-01) + days the days that cases were in it until `as_of`: so the days are a
    # sum too, and no pair of a beginning and an end has to be kept.
    "CREATE TYPE case_figure AS (figure text, on_day date, n integer, running integer, days integer)",
)

# What a case adds, by what is told of it:
#   "step STATUS"         a status that it had, from a day until another one
#   "entered STATUS"      the first day of a status
#   "deadline met", "deadline missed"    the day on which it was met, or the one after it was due
#   "referred", "recipient WHO", "criterion CODE"    the first day of a referral: of any, to somebody, for one
#                         of its reasons
# From the day on which it is merged into another case it counts for nothing.
_FIGURES = """
CREATE FUNCTION figures_of_case(its_steps jsonb, its_deadlines jsonb, its_referrals jsonb)
RETURNS case_figure[] LANGUAGE sql IMMUTABLE AS $$
    WITH step AS (
        SELECT value->>'status' AS status, (value->>'since')::date AS since,
               lead((value->>'since')::date) OVER (ORDER BY n) AS until
        FROM jsonb_array_elements(its_steps) WITH ORDINALITY AS _(value, n)
    ), deadline AS (
        SELECT (value->>'due_on')::date AS due_on, (value->>'done_on')::date AS done_on
        FROM jsonb_array_elements(its_deadlines) AS value
    ), referral AS (
        SELECT value->>'recipient' AS recipient, value->'criteria' AS criteria, (value->>'on')::date AS since
        FROM jsonb_array_elements(its_referrals) AS value
    ), adds (figure, on_day, n, running, days) AS (
        SELECT 'step ' || status, since, 1, 1, date '2020-01-01' - since FROM step WHERE status <> 'merged'
        UNION ALL
        SELECT 'step ' || status, until, 0, -1, until - date '2020-01-01' FROM step
        WHERE status <> 'merged' AND until IS NOT NULL
        UNION ALL
        SELECT 'entered ' || status, min(since), 1, 0, 0 FROM step
        WHERE status NOT IN ('referred', 'closed', 'merged') GROUP BY status
        UNION ALL
        SELECT 'deadline met', done_on, 1, 0, 0 FROM deadline WHERE done_on <= due_on
        UNION ALL
        SELECT 'deadline missed', due_on + 1, 1, 0, 0 FROM deadline WHERE (done_on <= due_on) IS NOT TRUE
        UNION ALL
        SELECT 'referred', min(since), 1, 0, 0 FROM referral HAVING count(*) > 0
        UNION ALL
        SELECT 'recipient ' || recipient, min(since), 1, 0, 0 FROM referral GROUP BY recipient
        UNION ALL
        SELECT 'criterion ' || criterion, min(since), 1, 0, 0
        FROM referral, jsonb_array_elements_text(criteria) AS criterion GROUP BY criterion
    ), gone AS (
        SELECT min(since) AS gone_on FROM step WHERE status = 'merged' HAVING count(*) > 0
    )
    SELECT coalesce(array_agg((figure, on_day, n, running, days)::case_figure
                              ORDER BY figure, on_day, n, running, days), '{}')
    FROM (
        SELECT * FROM adds
        UNION ALL
        SELECT figure, greatest(on_day, gone_on), -n, -running, -days FROM adds, gone
    ) AS of_all
$$
"""

# By whole weeks, which begin on Mondays, and by days for whole weeks of opening: a period and an `as_of` are
# put together of weeks, of some days at their ends, and of the cases that were opened on these.
_COUNT_CASES = """
CREATE FUNCTION count_cases_again(ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH gone AS (
        DELETE FROM case_figures f
        WHERE f.case_id = ANY(ids) AND NOT EXISTS (SELECT FROM cases c WHERE c.case_id = f.case_id)
        RETURNING f.*
    ), kept AS (
        INSERT INTO case_figures AS f (case_id, force, opened_on, is_gone, figures)
        SELECT case_id, force, opened_on, status = 'merged', figures_of_case(steps, deadlines, referrals)
        FROM cases WHERE case_id = ANY(ids) ORDER BY case_id
        ON CONFLICT (case_id) DO UPDATE SET force = excluded.force, opened_on = excluded.opened_on,
            is_gone = excluded.is_gone, figures = excluded.figures
        RETURNING old.force AS old_force, old.opened_on AS old_opened_on, old.is_gone AS old_is_gone,
            old.figures AS old_figures, new.force, new.opened_on, new.is_gone, new.figures
    ), changes AS (
        SELECT 1 AS sign, force, opened_on, is_gone, figures FROM kept
        UNION ALL SELECT -1, old_force, old_opened_on, old_is_gone, old_figures FROM kept
        UNION ALL SELECT -1, force, opened_on, is_gone, figures FROM gone
    )
    INSERT INTO case_counts AS kept (force, is_of_weeks, is_gone, opened_in, on_day, figure, n, running, days)
    SELECT of_force.force, is_of_weeks, is_gone,
        opened_on - extract(isodow FROM opened_on)::int + 1,
        CASE WHEN is_of_weeks THEN on_day - extract(isodow FROM on_day)::int + 1 ELSE on_day END,
        figure, sum(sign * n), sum(sign * running), sum(sign * days)
    FROM changes, unnest(figures), LATERAL (VALUES (changes.force), ('')) AS of_force (force),
        (VALUES (true), (false)) AS _ (is_of_weeks)
    GROUP BY 1, 2, 3, 4, 5, 6
    HAVING sum(sign * n) <> 0 OR sum(sign * running) <> 0 OR sum(sign * days) <> 0
    ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (force, is_of_weeks, is_gone, opened_in, on_day, figure) DO UPDATE SET
        n = kept.n + excluded.n, running = kept.running + excluded.running, days = kept.days + excluded.days;
    DELETE FROM case_counts WHERE n = 0 AND running = 0 AND days = 0;
END
$$
"""

# A case is written whenever something is said of it; most of that changes no figure.
_CASES_CHANGED = """
CREATE FUNCTION cases_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        changed := ARRAY(SELECT case_id FROM new_rows);
    ELSIF TG_OP = 'DELETE' THEN
        changed := ARRAY(SELECT case_id FROM old_rows);
    ELSE
        changed := ARRAY(
            SELECT case_id FROM new_rows AS c JOIN old_rows AS other USING (case_id)
            WHERE (c.force, c.opened_on, c.steps, c.deadlines, c.referrals)
                IS DISTINCT FROM (other.force, other.opened_on, other.steps, other.deadlines, other.referrals)
        );
    END IF;
    IF cardinality(changed) > 0 THEN
        PERFORM count_cases_again(changed);
    END IF;
    RETURN NULL;
END
$$
"""

# By force ("" for all) the day on which a pattern first brings two complaints with a case together.
_COUNT_PATTERNS = """
CREATE FUNCTION count_patterns_again(ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM pattern_figures WHERE pattern_id = ANY(ids);
    INSERT INTO pattern_figures (force, pattern_id, counts_from)
    SELECT force, pattern_id, (array_agg(since ORDER BY since))[2] FROM (
        SELECT of_force.force, m.pattern_id, m.complaint_id, min(greatest(m.since, p.recorded_on)) AS since
        FROM pattern_members m JOIN placements p USING (complaint_id),
            LATERAL (VALUES (p.force), ('')) AS of_force (force)
        WHERE m.pattern_id = ANY(ids) AND m.is_member AND p.case_id IS NOT NULL AND of_force.force IS NOT NULL
        GROUP BY 1, 2, 3
    ) AS member GROUP BY force, pattern_id HAVING count(*) > 1;
END
$$
"""

_PATTERNS_CHANGED = """
CREATE FUNCTION patterns_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        changed := ARRAY(SELECT DISTINCT pattern_id FROM new_rows);
    ELSIF TG_OP = 'DELETE' THEN
        changed := ARRAY(SELECT DISTINCT pattern_id FROM old_rows);
    ELSE
        changed := ARRAY(SELECT pattern_id FROM new_rows UNION SELECT pattern_id FROM old_rows);
    END IF;
    IF cardinality(changed) > 0 THEN
        PERFORM count_patterns_again(changed);
    END IF;
    RETURN NULL;
END
$$
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
_CHANGED_COMPLAINTS = " UNION ALL ".join(
    _OF_CHANGED_COMPLAINTS.format(rows=rows, others=others, sign=sign)
    for rows, others, sign in (("new_rows", "old_rows", ""), ("old_rows", "new_rows", "-"))
)

# Patterns that a complaint is in count with it once it has a case, and no more when it has none.
_COUNT_THEIR_PATTERNS = """
changed := ARRAY(
    SELECT DISTINCT pattern_id FROM pattern_members WHERE complaint_id IN ({complaints})
);
IF cardinality(changed) > 0 THEN
    PERFORM count_patterns_again(changed);
END IF;
"""
_PLACED_OTHERWISE = """
SELECT p.complaint_id FROM new_rows AS p JOIN old_rows AS other USING (complaint_id)
WHERE (p.case_id IS NULL, p.recorded_on, p.force)
    IS DISTINCT FROM (other.case_id IS NULL, other.recorded_on, other.force)
"""

# An upsert fires the triggers of both its events, one of them mostly for no rows: to find that out costs a
# tenth of what the adding does, which is planned for all that it may have to open.
_COMPLAINTS_CHANGED = f"""
CREATE FUNCTION complaints_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF EXISTS (SELECT FROM new_rows) THEN
            {_ADD_TO_COMPLAINT_COUNTS.format(changes=_OF_COMPLAINTS.format(rows="new_rows", sign=""))}
            {_COUNT_THEIR_PATTERNS.format(complaints="SELECT complaint_id FROM new_rows")}
        END IF;
    ELSIF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT FROM old_rows) THEN
            {_ADD_TO_COMPLAINT_COUNTS.format(changes=_OF_COMPLAINTS.format(rows="old_rows", sign="-"))}
            {_DROP_COMPLAINT_COUNTS}
            {_COUNT_THEIR_PATTERNS.format(complaints="SELECT complaint_id FROM old_rows")}
        END IF;
    ELSE
        IF EXISTS ({_SOME_COMPLAINT_DIFFERS}) THEN
            {_ADD_TO_COMPLAINT_COUNTS.format(changes=_CHANGED_COMPLAINTS)}
            {_DROP_COMPLAINT_COUNTS}
        END IF;
        {_COUNT_THEIR_PATTERNS.format(complaints=_PLACED_OTHERWISE)}
    END IF;
    RETURN NULL;
END
$$
"""

_TABLES = (
    # What each case adds to the counts.
    """
    CREATE TABLE case_figures (
        case_id   uuid          PRIMARY KEY,
        force     text          NOT NULL,
        opened_on date          NOT NULL,
        is_gone   boolean       NOT NULL,
        figures   case_figure[] NOT NULL
    ) WITH (fillfactor = 80)
    """,
    "CREATE INDEX case_figures_opened_on ON case_figures (opened_on)",
    # For a force and for all (""): what cases that were opened in a week add on the days of a week, which are
    # all told as its Monday, or on one day.
    """
    CREATE TABLE case_counts (
        force       text    NOT NULL,
        is_of_weeks boolean NOT NULL,
        is_gone     boolean NOT NULL,
        opened_in   date    NOT NULL,
        on_day      date    NOT NULL,
        figure      text    NOT NULL,
        n           integer NOT NULL,
        running     integer NOT NULL,
        days        bigint  NOT NULL,
        PRIMARY KEY (force, is_of_weeks, is_gone, opened_in, on_day, figure)
    ) WITH (fillfactor = 70)
    """,
    "CREATE INDEX case_counts_of_days ON case_counts (force, on_day) WHERE NOT is_of_weeks",
    "CREATE INDEX case_counts_of_nothing ON case_counts (force) WHERE n = 0 AND running = 0 AND days = 0",
    "CREATE TABLE pattern_figures (force text, pattern_id uuid, counts_from date NOT NULL,"
    " PRIMARY KEY (pattern_id, force))",
    "CREATE INDEX pattern_figures_counts_from ON pattern_figures (force, counts_from)",
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
    f"CREATE TRIGGER {function}_by_{event.lower()} AFTER {event} ON {table} REFERENCING {rows}"
    f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
    for table, function in (
        ("cases", "cases_changed"),
        ("placements", "complaints_changed"),
        ("pattern_members", "patterns_changed"),
    )
    for event, rows in _EVENTS.items()
)
_FUNCTIONS = (
    _FIGURES,
    _COUNT_CASES,
    _CASES_CHANGED,
    _COUNT_PATTERNS,
    _PATTERNS_CHANGED,
    _COMPLAINTS_CHANGED,
)


def upgrade() -> None:
    for statement in (*_TYPES, *_TABLES, *_FUNCTIONS, *_TRIGGERS):
        op.execute(statement)
