"""The secrets of the day, wrapped; from them receipts are derived."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute(
        "CREATE TABLE day_secrets (day date PRIMARY KEY, kek_id text NOT NULL, wrapped bytea NOT NULL)"
    )
