"""For conflicts of interest: complaints are found in the inbox, and the part of a pattern that somebody may
see by the id that it has without the rest.

Rows of before have no such id until `./hotline rebuild dedup` makes them anew: such a part is not found.
"""

from alembic import op

revision = "0007"
down_revision = "0006"

_STATEMENTS = (
    "CREATE INDEX inbox_subject ON inbox (subject) WHERE state = 'applied'",
    "ALTER TABLE pattern_members ADD COLUMN own_pattern uuid",
    "CREATE INDEX pattern_members_own_pattern ON pattern_members (own_pattern)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
