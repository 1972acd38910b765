"""Placements of complaints, cases, patterns, contacts by the day, verdicts on conflicts of interest."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    # What is known of one complaint; the row of an erased one stays, with its id and day alone. `version`
    # is that of its internal stream, against which every change is checked.
    """
    CREATE TABLE placements (
        complaint_id      uuid    PRIMARY KEY,
        version           integer NOT NULL,
        is_recorded       boolean NOT NULL,
        is_held           boolean NOT NULL,
        is_erased         boolean NOT NULL,
        case_id           uuid,
        incident_id       uuid,
        incident_sequence bigint  NOT NULL,
        incident_on       date,
        released_on       date,
        recorded_on       date,
        force             text,
        slot              smallint,
        slot_sequence     bigint
    )
    """,
    "CREATE INDEX placements_case_id ON placements (case_id) WHERE case_id IS NOT NULL",
    # The case of each incident that dedup named.
    """
    CREATE TABLE incident_cases (
        incident_id uuid    PRIMARY KEY,
        version     integer NOT NULL,
        case_id     uuid
    )
    """,
    # Codes that lists filter and sort by, and what statistics count: no category, no place, no person.
    """
    CREATE TABLE cases (
        case_id         uuid    PRIMARY KEY,
        version         integer NOT NULL,
        members_version integer NOT NULL,
        status          text    NOT NULL,
        force           text    NOT NULL,
        priority        integer NOT NULL,
        due_on          date,
        opened_on       date    NOT NULL,
        merged_into     uuid,
        criteria        jsonb   NOT NULL,
        steps           jsonb   NOT NULL,
        deadlines       jsonb   NOT NULL,
        referrals       jsonb   NOT NULL
    )
    """,
    "CREATE INDEX cases_priority ON cases (priority DESC, case_id)",
    "CREATE INDEX cases_due_on ON cases (coalesce(due_on, 'infinity'::date), case_id)",
    "CREATE INDEX cases_merged_into ON cases (merged_into) WHERE merged_into IS NOT NULL",
    # Which complaints a case ever had: its key dies with the last of them.
    """
    CREATE TABLE case_complaints (
        complaint_id uuid NOT NULL,
        case_id      uuid NOT NULL,
        PRIMARY KEY (complaint_id, case_id)
    )
    """,
    "CREATE INDEX case_complaints_case_id ON case_complaints (case_id)",
    """
    CREATE TABLE pattern_members (
        pattern_id   uuid     NOT NULL,
        complaint_id uuid     NOT NULL,
        subject      smallint NOT NULL,
        is_member    boolean  NOT NULL,
        since        date     NOT NULL,
        PRIMARY KEY (pattern_id, complaint_id, subject)
    )
    """,
    "CREATE INDEX pattern_members_complaint_id ON pattern_members (complaint_id)",
    # Where the inbox has what callers added later.
    """
    CREATE TABLE follow_ups (
        slot          smallint NOT NULL,
        slot_sequence bigint   NOT NULL,
        complaint_id  uuid     NOT NULL,
        PRIMARY KEY (slot, slot_sequence)
    )
    """,
    "CREATE INDEX follow_ups_complaint_id ON follow_ups (complaint_id)",
    # Contacts that made no complaint, by the day.
    """
    CREATE TABLE contacts (
        slot          smallint NOT NULL,
        slot_sequence bigint   NOT NULL,
        on_day        date     NOT NULL,
        count         integer  NOT NULL,
        PRIMARY KEY (slot, slot_sequence)
    )
    """,
    # Whether the holder of an account may learn of a case, for the members it had at `members_version`.
    # `holder` is a keyed hash.
    """
    CREATE TABLE verdicts (
        holder          bytea   NOT NULL,
        case_id         uuid    NOT NULL,
        members_version integer NOT NULL,
        is_in_conflict  boolean NOT NULL,
        PRIMARY KEY (holder, case_id)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
