"""The blocking keys of complaints in half the space: numbers instead of byte strings, and no HMAC key's name.

Rows of before stay in `blocking_keys`, for replicas of before, and are missing here until `./hotline rebuild
dedup` makes them, once no replica of before runs.
"""

from alembic import op

revision = "0009"
down_revision = "0008"

_STATEMENTS = (
    "CREATE TABLE blocked (key bigint NOT NULL, complaint bigint NOT NULL, PRIMARY KEY (key, complaint))",
    "CREATE INDEX blocked_complaint ON blocked (complaint)",
    "ALTER TABLE indexed ADD COLUMN number bigint",
    "CREATE INDEX indexed_number ON indexed (number)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
