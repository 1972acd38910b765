"""A database with the store's tables, and the store on it."""

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from shared.store.postgres import PostgresStore
from shared.store.schema import LATER, statements
from tests.engines import Databases
from tests.unit.shared.store.examples import CREATE_NOTES, CREATE_TAGS, PUBLIC


@pytest.fixture(scope="module")
def module_url(databases: Databases) -> Iterator[str]:
    """One database for a module: to make one takes ten times as long as most tests do."""
    with databases.new() as url:
        yield url


@pytest.fixture
async def store_url(module_url: str) -> str:
    """The address of a database that has the tables, all of them empty."""
    await lay_tables(module_url)
    return module_url


@pytest.fixture
async def postgres_store(store_url: str) -> AsyncIterator[PostgresStore]:
    async with PostgresStore(store_url, PUBLIC) as opened:
        yield opened


async def lay_tables(url: str) -> None:
    """Make the tables, or empty them."""
    connection = await asyncpg.connect(url)
    try:
        if await connection.fetchval("SELECT to_regclass('events') IS NULL"):
            for statement in (*statements(), *LATER, CREATE_NOTES, CREATE_TAGS):
                await connection.execute(statement)
            return
        tables = await connection.fetchval(
            "SELECT string_agg(quote_ident(relname), ', ') FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        await connection.execute(f"TRUNCATE {tables}")
    finally:
        await connection.close()
