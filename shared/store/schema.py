"""The event store's own tables, for the migrations of each service."""

from pathlib import Path

HALTS = """
CREATE TABLE halts (
    witness       text     PRIMARY KEY,
    slot          smallint NOT NULL,
    slot_sequence bigint   NOT NULL,
    event_id      uuid     NOT NULL,
    reason        text     NOT NULL
)
"""
"""Why nothing is appended, see `shared.store.halts`; empty but after a lost tail."""

LATER = (HALTS,)
"""What came after the first migration."""


def statements() -> list[str]:
    """Those of the first migration, in `schema.sql`, one by one: asyncpg prepares a single one at a time."""
    text = (Path(__file__).parent / "schema.sql").read_text()
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    return [statement.strip() for statement in code.split(";") if statement.strip()]
