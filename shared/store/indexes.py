"""Indexes that are built beside a running service: what queries need at a million rows, and no row needs.

A plain `CREATE INDEX` holds up all that is appended for as long as it takes, and one that does not cannot run
in a migration's transaction. So these are no migrations: `migrate` compares a service's list
(`services/NAME/migrations/indexes.py`) with the database and builds what is missing, one after another, while
the service runs. Software of before and after runs with and without them. How it fails: an index whose
building broke off is built anew the next time.
"""

import asyncio
import importlib
from collections.abc import Mapping

from shared.store.connections import connect

_ONE_AT_A_TIME = 1835623283
_POLL_SECONDS = 0.2

# Those that are there and whole.
_READ = """
SELECT relname FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid
WHERE relname = ANY($1::text[]) AND indisvalid AND relnamespace = 'public'::regnamespace
"""


def indexes_of(service: str) -> Mapping[str, str]:
    """Name -> table and columns, as they follow `CREATE INDEX name ON`."""
    found: Mapping[str, str] = importlib.import_module(f"services.{service}.migrations.indexes").INDEXES
    return found


async def build_indexes(service: str, database_url: str) -> None:
    """Build those of the service's indexes that are missing; returns when all are there."""
    wanted = indexes_of(service)
    connection = await connect(database_url, timeout=10)
    try:
        # Polled: who waits for a lock within a statement has a snapshot, and the building of an index waits
        # for all that are older than it.
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _ONE_AT_A_TIME):
            await asyncio.sleep(_POLL_SECONDS)
        there = {row["relname"] for row in await connection.fetch(_READ, list(wanted))}
        for name in sorted(wanted.keys() - there):
            await connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            await connection.execute(f"CREATE INDEX CONCURRENTLY {name} ON {wanted[name]}")
    finally:
        await connection.close()
