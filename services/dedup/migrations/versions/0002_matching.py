"""The index, matches, incidents and patterns. Ids, zones and counts are clear; what is compared is sealed."""

from alembic import op

revision = "0002"
down_revision = "0001"

_STATEMENTS = (
    # Features sealed under the index key `key_id`. Ciphertext does not compress. `own_incident` is the id of
    # the incident of one that the complaint is while nothing matches it.
    """
    CREATE TABLE indexed (
        complaint_id uuid  PRIMARY KEY,
        key_id       uuid  NOT NULL,
        own_incident uuid  NOT NULL,
        features     bytea NOT NULL
    )
    """,
    "CREATE INDEX indexed_own_incident ON indexed (own_incident)",
    "ALTER TABLE indexed ALTER COLUMN features SET STORAGE EXTERNAL",
    # Keyed hashes; `key_id` names the HMAC key.
    """
    CREATE TABLE blocking_keys (
        key          bytea NOT NULL,
        complaint_id uuid  NOT NULL,
        key_id       text  NOT NULL,
        PRIMARY KEY (key, complaint_id)
    )
    """,
    "CREATE INDEX blocking_keys_complaint ON blocking_keys (complaint_id)",
    # `subject` is -1 where a match is of whole complaints. `decided`: by a person.
    """
    CREATE TABLE matches (
        match_id           uuid     PRIMARY KEY,
        complaint_id       uuid     NOT NULL,
        subject            smallint NOT NULL,
        other_complaint_id uuid     NOT NULL,
        other_subject      smallint NOT NULL,
        kind               text     NOT NULL,
        zone               text     NOT NULL,
        decided            boolean  NOT NULL
    )
    """,
    "CREATE INDEX matches_complaint ON matches (complaint_id)",
    "CREATE INDEX matches_other_complaint ON matches (other_complaint_id)",
    "CREATE INDEX matches_review ON matches (match_id) WHERE zone = 'review'",
    "CREATE TABLE incident_members (complaint_id uuid PRIMARY KEY, incident_id uuid NOT NULL)",
    "CREATE INDEX incident_members_incident ON incident_members (incident_id)",
    """
    CREATE TABLE pattern_members (
        member       text     PRIMARY KEY,
        complaint_id uuid     NOT NULL,
        subject      smallint NOT NULL,
        pattern_id   uuid     NOT NULL,
        force        text     NOT NULL
    )
    """,
    "CREATE INDEX pattern_members_complaint ON pattern_members (complaint_id)",
    "CREATE INDEX pattern_members_pattern ON pattern_members (pattern_id)",
    # `reached` is the most incidents there ever were: a number is crossed once.
    """
    CREATE TABLE patterns (
        pattern_id  uuid    PRIMARY KEY,
        complaints  integer NOT NULL,
        incidents   integer NOT NULL,
        reached     integer NOT NULL
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
