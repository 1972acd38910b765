"""Migrations: alembic, with the SQL written out, each service's in `services/NAME/migrations/versions`.

`./hotline` and the launcher call `python -m services.NAME migrate`; a service itself never migrates, it
waits on a database on which it does not run (`shared.store.revisions`). Old replicas go on meanwhile: a
table is never waited for longer than `LOCK_SECONDS`, for everything behind that wait would wait too.
"""

import asyncio

import asyncpg

from shared.errors import HotlineError
from shared.store import revisions, sql
from shared.store.connections import connect
from shared.store.grants import UnknownRoleError, grant
from shared.store.online import make_online
from shared.store.revisions import DatabaseRevision

LOCK_SECONDS = 1.0
_TRIES = 60


class SchemaError(HotlineError):
    """The database's tables are not those that this software needs; the message says what to run."""


async def migrate(service: str, database_url: str, service_role: str = "") -> None:
    """Bring the service's database to the newest revision, with its indexes and counts; nothing happens where
    it is there, or further.

    Args:
        service_role: the account as which the service runs, which gets its rights (`shared.store.grants`);
            none where it is the one that migrates.

    Raises:
        SchemaError: it is further, and not for this software any more; a table was in use all the time; or
            there is no such account.
    """
    await _migrate(service, database_url)
    await make_online(service, database_url)
    if service_role:
        await _grant(service, database_url, service_role)


async def _migrate(service: str, database_url: str) -> None:
    found = await _revision(database_url)
    window = revisions.window(service)
    if found.revision is not None and found.revision >= window.newest:
        _check(service, found)
        return
    for attempt in range(_TRIES):
        if await asyncio.to_thread(_upgrade, service, database_url):
            return
        await asyncio.sleep(min(0.1 * 2**attempt, 2.0))
    raise SchemaError(
        f"the database of {service} is not migrated, nothing was changed: a table was in use all the time "
        "(by a backup, a report, a session that idles in a transaction); run it again"
    )


async def _grant(service: str, database_url: str, service_role: str) -> None:
    connection = await connect(database_url, timeout=10)
    try:
        await grant(connection, service_role)
    except UnknownRoleError as fault:
        raise SchemaError(
            f"PostgreSQL has no role {service_role!r}, as which {service} is to run: create it, or"
            " correct HOTLINE_SERVICE_ROLE"
        ) from fault
    finally:
        await connection.close()


async def check_schema(service: str, database_url: str, *, whole_history: bool = False) -> None:
    """
    Args:
        whole_history: for what reads all of it and writes from that. Newer software may have added to it what
            this one does not know, and would leave out.

    Raises:
        SchemaError: this software does not run on the database.
    """
    found = await _revision(database_url)
    _check(service, found)
    newest = revisions.window(service).newest
    if whole_history and found.revision is not None and found.revision > newest:
        raise SchemaError(
            f"the database of {service} is at revision {found.revision}, this software at {newest}: "
            "run it with the software that migrated the database"
        )


def _check(service: str, found: DatabaseRevision) -> None:
    if misfit := revisions.window(service).misfit(found):
        raise SchemaError(misfit)


async def _revision(database_url: str) -> DatabaseRevision:
    connection = await connect(database_url, timeout=10)
    try:
        row = await connection.fetchrow(sql.READ_REVISION)
    except asyncpg.UndefinedTableError:
        row = None
    finally:
        await connection.close()
    return DatabaseRevision(*row) if row else DatabaseRevision(None)


def _upgrade(service: str, database_url: str) -> bool:
    """All or nothing; False where a table is in use."""
    # Imported here: alembic and SQLAlchemy cost half a second that a running service need not pay.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(revisions.ROOT / "shared" / "store" / "migrations"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", str(revisions.versions(service)))
    config.attributes.update(
        database_url=database_url, lock_seconds=LOCK_SECONDS, oldest_code=revisions.oldest_code(service)
    )
    try:
        command.upgrade(config, "head")
    except DBAPIError as fault:
        if getattr(fault.orig, "sqlstate", None) == asyncpg.LockNotAvailableError.sqlstate:
            return False
        raise
    return True
