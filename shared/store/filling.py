"""Tables of counts, filled for rows of before beside a running service.

Triggers keep them from the migration on that makes them; what was there before has to be added once. That
takes long at a million rows, and nothing may wait for it.

Counts of nothing but their sum (`CountTable`): in one snapshot it is computed what the rows add, less what
the triggers have added so far, and this is added in small transactions. Counts whose parts are kept
(`CountedRows`): the function that the triggers call is called for some rows after others, each time under the
store's lock, so that no row changes meanwhile; to count a row again changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from shared.store.sql import LOCK_KEY

AT_ONCE = 2000
LOCKED_AT_ONCE = 500
"""Rows that are counted again while appends wait."""
_FILLING = "filling"
"""Schema of the tables that hold what is still to be added."""


@dataclass(frozen=True, slots=True)
class CountTable:
    """
    Attributes:
        keys, counts: its columns.
        rows: a query for what all rows add: each of `keys` and `counts`.
    """

    name: str
    keys: Sequence[str]
    counts: Sequence[str]
    rows: str


@dataclass(frozen=True, slots=True)
class CountedRows:
    """
    Attributes:
        name: the table that keeps what each of them adds.
        keys: a query for the UUIDs by which they are counted; those that add to the same counts together.
        function: counts those again whose keys it is given.
    """

    name: str
    keys: str
    function: str


async def fill(connection: "asyncpg.Connection", table: CountTable | CountedRows) -> None:
    """Add what is missing, once; what broke off goes on."""
    is_filled = await connection.fetchval("SELECT obj_description(to_regclass($1)) = 'filled'", table.name)
    if isinstance(table, CountTable):
        if not is_filled:
            await _compute(connection, table)
        await _add(connection, table)
    elif not is_filled:
        await _count(connection, table)


async def _count(connection: "asyncpg.Connection", table: CountedRows) -> None:
    """Rows that come meanwhile are the triggers' work."""
    await connection.execute(f"""
        CREATE TEMPORARY TABLE counting AS
        SELECT row_number() OVER () AS number, key FROM ({table.keys}) AS _ (key)
    """)
    await connection.execute("ALTER TABLE counting ADD PRIMARY KEY (number)")
    count = await connection.fetchval("SELECT count(*) FROM counting")
    for begin in range(0, count, LOCKED_AT_ONCE):
        async with connection.transaction():
            await connection.execute(f"SELECT pg_advisory_xact_lock({LOCK_KEY})")
            keys = f"SELECT key FROM counting WHERE number > {begin} AND number <= {begin + LOCKED_AT_ONCE}"
            await connection.execute(f"SELECT {table.function}(ARRAY({keys}))")
    await connection.execute(f"DROP TABLE counting; COMMENT ON TABLE {table.name} IS 'filled'")


async def _compute(connection: "asyncpg.Connection", table: CountTable) -> None:
    keys = ", ".join(table.keys)
    sums = ", ".join(f"sum({count})::int AS {count}" for count in table.counts)
    some = " OR ".join(f"sum({count}) <> 0" for count in table.counts)
    less = ", ".join(f"-{count}" for count in table.counts)
    async with connection.transaction(isolation="repeatable_read"):
        await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_FILLING}")
        await connection.execute(f"""
            CREATE TABLE {_FILLING}.{table.name} AS
            SELECT row_number() OVER () AS number, {keys}, {sums}
            FROM ({table.rows} UNION ALL SELECT {keys}, {less} FROM {table.name}) AS adds
            GROUP BY {keys} HAVING {some}
        """)
        await connection.execute(f"ALTER TABLE {_FILLING}.{table.name} ADD PRIMARY KEY (number)")
        await connection.execute(f"COMMENT ON TABLE {table.name} IS 'filled'")


async def _add(connection: "asyncpg.Connection", table: CountTable) -> None:
    waiting = f"{_FILLING}.{table.name}"
    if not await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", waiting):
        return
    columns = ", ".join((*table.keys, *table.counts))
    keys = ", ".join(table.keys)
    added = ", ".join(f"{count} = kept.{count} + excluded.{count}" for count in table.counts)
    none = " AND ".join(f"{count} = 0" for count in table.counts)
    while (lowest := await connection.fetchval(f"SELECT min(number) FROM {waiting}")) is not None:
        async with connection.transaction():
            await connection.execute(f"""
                WITH taken AS (
                    DELETE FROM {waiting} WHERE number < {lowest + AT_ONCE} RETURNING {columns}
                )
                INSERT INTO {table.name} AS kept ({columns}) SELECT {columns} FROM taken ORDER BY {keys}
                ON CONFLICT ({keys}) DO UPDATE SET {added}
            """)
            await connection.execute(f"DELETE FROM {table.name} WHERE {none}")
    await connection.execute(f"DROP TABLE {waiting}")
