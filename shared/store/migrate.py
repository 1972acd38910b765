"""Migrations: alembic, with the SQL written out, each service's in `services/NAME/migrations/versions`.

`./hotline` and the launcher call `python -m services.NAME migrate`; a service itself never migrates, it
only refuses to start on a database that is behind (`check_schema`).
"""

import asyncio
from pathlib import Path

import asyncpg

from shared.errors import HotlineError
from shared.store.online import make_online

ROOT = Path(__file__).parents[2]


class SchemaError(HotlineError):
    """The database's tables are not those that this software needs; the message says what to run."""


def _versions(service: str) -> Path:
    return ROOT / "services" / service / "migrations" / "versions"


def newest_revision(service: str) -> str:
    """The revision that the code needs: file names begin with it (``0002_...py``), in order."""
    return max(path.name for path in _versions(service).glob("[0-9]*.py")).partition("_")[0]


async def migrate(service: str, database_url: str) -> None:
    """Bring the service's database to the newest revision, with its indexes and counts; nothing happens
    where it is there."""
    if await _revision(database_url) != newest_revision(service):
        await asyncio.to_thread(_upgrade, service, database_url)
    await make_online(service, database_url)


async def check_schema(service: str, database_url: str) -> None:
    """
    Raises:
        SchemaError: the database is behind or ahead of the code.
    """
    found, needed = await _revision(database_url), newest_revision(service)
    if found != needed:
        raise SchemaError(
            f"the database of {service} is at revision {found or 'none'}, the code needs {needed}: "
            f"run `python -m services.{service} migrate`"
        )


async def _revision(database_url: str) -> str | None:
    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return None
    finally:
        await connection.close()
    return revision


def _upgrade(service: str, database_url: str) -> None:
    # Imported here: alembic and SQLAlchemy cost half a second that a running service need not pay.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(ROOT / "shared" / "store" / "migrations"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", str(_versions(service)))
    config.attributes["database_url"] = database_url
    command.upgrade(config, "head")
