"""The event store."""

from alembic import op

from shared.store.schema import statements

revision = "0001"
down_revision = None


def upgrade() -> None:
    for statement in statements():
        op.execute(statement)
