"""What `migrate` makes beside a running service: indexes, and counts of rows that were there before.

Queries need them at a million rows, and no row depends on them: software of before and after runs with and
without them. A plain `CREATE INDEX` holds up all that is appended for as long as it takes, and one that does
not cannot run in a migration's transaction. So these are no migrations: `migrate` compares a service's lists
(`services/NAME/migrations/online.py`) with the database and makes what is missing, one after another. How it
fails: what broke off is done anew, or goes on, the next time.
"""

import asyncio
import importlib
from collections.abc import Mapping, Sequence

from shared.store.connections import connect
from shared.store.filling import CountedRows, CountTable, fill

_ONE_AT_A_TIME = 1835623283
_POLL_SECONDS = 0.2

# Those that are there and whole.
_READ = """
SELECT relname FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid
WHERE relname = ANY($1::text[]) AND indisvalid AND relnamespace = 'public'::regnamespace
"""


async def make_online(service: str, database_url: str) -> None:
    """Make what is missing of the service's indexes and counts; returns when all is there."""
    module = importlib.import_module(f"services.{service}.migrations.online")
    indexes: Mapping[str, str] = module.INDEXES
    counts: Sequence[CountTable | CountedRows] = module.COUNTS
    connection = await connect(database_url, timeout=10)
    try:
        # Polled: who waits for a lock within a statement has a snapshot, and the building of an index waits
        # for all that are older than it.
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _ONE_AT_A_TIME):
            await asyncio.sleep(_POLL_SECONDS)
        for table in counts:
            await fill(connection, table)
        there = {row["relname"] for row in await connection.fetch(_READ, list(indexes))}
        for name in sorted(indexes.keys() - there):
            await connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            await connection.execute(f"CREATE INDEX CONCURRENTLY {name} ON {indexes[name]}")
    finally:
        await connection.close()
