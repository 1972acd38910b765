"""The event store's own tables, for the first migration of each service."""

from pathlib import Path


def statements() -> list[str]:
    """The statements of `schema.sql`, one by one: asyncpg prepares a single one at a time."""
    text = (Path(__file__).parent / "schema.sql").read_text()
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    return [statement.strip() for statement in code.split(";") if statement.strip()]
