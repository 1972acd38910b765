"""The oldest revision whose software runs on this database, beside the revision that it is at."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("ALTER TABLE alembic_version ADD COLUMN oldest_code text")
