"""The forces of a complaint's subjects go with the complaint: subject -> force, `{"0": "kent"}`.

Rows of before have none until `./hotline rebuild dedup` makes them anew.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
contract_from = "0003"


def upgrade() -> None:
    op.execute("ALTER TABLE indexed ADD COLUMN forces jsonb NOT NULL DEFAULT '{}'")
    op.execute("ALTER TABLE pattern_members DROP COLUMN force")
