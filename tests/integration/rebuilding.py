"""What tests of rebuilding share: the live tables as they are, row by row, and as the catalogue has them."""

from collections.abc import Iterable, Sequence
from typing import Any

from shared.store.pools import Pool
from shared.store.rebuilding import Projection, Report, rebuild
from shared.store.requests import Table

_CATALOGUE = """
SELECT 'column', attname, format_type(atttypid, atttypmod), attnotnull::text, attstorage::text
FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT 'index', indexrelid::regclass::text, pg_get_indexdef(indexrelid), indisprimary::text, ''
FROM pg_index WHERE indrelid = $1::text::regclass
UNION ALL
SELECT 'constraint', conname, pg_get_constraintdef(oid), '', ''
FROM pg_constraint WHERE conrelid = $1::text::regclass
ORDER BY 1, 2, 3
"""


async def rebuilt(database_url: str, projection: Projection, *, is_check: bool = False) -> Report:
    return await rebuild(database_url, projection, is_check=is_check, tell=lambda *_: None)


def differing(report: Report) -> dict[str, int]:
    """table -> rows that differed, of those tables that did."""
    return {table.table: table.differing for table in report.tables if table.differing}


async def contents(pool: Pool, tables: Iterable[Table]) -> dict[str, list[Any]]:
    """All rows of the tables as text, sorted."""
    return {
        table.name: [
            row[0] for row in await pool.fetch(f"SELECT t::text FROM public.{table.name} t ORDER BY 1")
        ]
        for table in tables
    }


async def catalogue(pool: Pool, tables: Sequence[Table]) -> list[Any]:
    """Columns, indexes and constraints, with their names."""
    return [[tuple(row) for row in await pool.fetch(_CATALOGUE, f"public.{table.name}")] for table in tables]


async def leftovers(pool: Pool) -> int:
    found: int = await pool.fetchval("SELECT count(*) FROM pg_namespace WHERE nspname = 'rebuild'")
    return found
