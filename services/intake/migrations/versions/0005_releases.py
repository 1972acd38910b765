"""The queue of complaints that wait for their release, by what it is sorted by; the text lies in the log.

Additive: who does not know the table holds nothing back, and what waits goes on waiting.
"""

from alembic import op

revision = "0005"
down_revision = "0004"

_STATEMENTS = (
    """
    CREATE TABLE releases (
        complaint_id uuid    PRIMARY KEY,
        state        text    NOT NULL,
        is_later     boolean NOT NULL,
        recorded_on  date    NOT NULL
    )
    """,
    "CREATE INDEX releases_queue ON releases (state, is_later, recorded_on, complaint_id)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
