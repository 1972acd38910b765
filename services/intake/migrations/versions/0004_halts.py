"""That the store is halted stands in its database."""

from alembic import op

from shared.store.schema import HALTS

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute(HALTS)
