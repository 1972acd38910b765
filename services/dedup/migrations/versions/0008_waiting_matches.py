"""Matches that the rule accepted and that join nothing: they wait for a person beside the groups.

Additive: who does not know the table goes on without it.
"""

from alembic import op

revision = "0008"
down_revision = "0007"

_STATEMENTS = (
    """
    CREATE TABLE waiting_matches (
        match_id           uuid     PRIMARY KEY,
        kind               text     NOT NULL,
        complaint_id       uuid     NOT NULL,
        subject            smallint NOT NULL,
        other_complaint_id uuid     NOT NULL,
        other_subject      smallint NOT NULL
    )
    """,
    "CREATE INDEX waiting_matches_complaint ON waiting_matches (complaint_id)",
    "CREATE INDEX waiting_matches_other_complaint ON waiting_matches (other_complaint_id)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
