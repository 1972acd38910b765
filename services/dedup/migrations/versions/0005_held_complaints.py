"""Complaints `only_with_another` that no pattern has released yet: their matches wait for a person's word.

Rows of before are missing until `./hotline rebuild dedup` makes them, once no replica of before runs.
"""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("CREATE TABLE held (complaint_id uuid PRIMARY KEY)")
