"""Tables of counts, filled for rows of before beside a running service.

Triggers keep them from the migration on that makes them; what was there before has to be added once. That
takes long at a million rows, and nothing may wait for it: in one snapshot it is computed what the rows add,
less what the triggers have added so far, and this is added in small transactions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

AT_ONCE = 2000
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


async def fill(connection: "asyncpg.Connection", table: CountTable) -> None:
    """Add what is missing, once; what broke off goes on."""
    if not await connection.fetchval("SELECT obj_description(to_regclass($1)) = 'filled'", table.name):
        await _compute(connection, table)
    await _add(connection, table)


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
