"""A service's database is migrated while replicas of before go on working on it."""

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest

from shared.store import migrate as migrating
from shared.store.migrate import SchemaError, check_schema, migrate
from shared.store.revisions import window
from tests.engines import Databases

NEWEST = window("dedup").newest


@pytest.fixture
def url(databases: Databases) -> Iterator[str]:
    with databases.new() as url:
        yield url


async def execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_software_runs_on_a_newer_database_that_only_has_more(url: str) -> None:
    await migrate("dedup", url)
    await execute(url, "UPDATE alembic_version SET version_num = '9998'")
    await check_schema("dedup", url)


async def test_what_writes_from_the_whole_history_needs_the_newest_software(url: str) -> None:
    """A rebuild by software of before would leave out what only newer software has written."""
    await migrate("dedup", url)
    await check_schema("dedup", url, whole_history=True)
    await execute(url, "UPDATE alembic_version SET version_num = '9998'")
    with pytest.raises(SchemaError, match=f"at revision 9998, this software at {NEWEST}"):
        await check_schema("dedup", url, whole_history=True)


async def test_migrating_a_newer_database_changes_nothing(url: str) -> None:
    """An old pod that starts again has its `migrate` run before it."""
    await migrate("dedup", url)
    await execute(url, "UPDATE alembic_version SET version_num = '9998'")
    await migrate("dedup", url)
    await check_schema("dedup", url)


async def test_software_does_not_run_on_a_database_that_took_away_what_it_uses(url: str) -> None:
    await migrate("dedup", url)
    await execute(url, "UPDATE alembic_version SET version_num = '9998', oldest_code = '9997'")
    for refused in (check_schema, migrate):
        with pytest.raises(SchemaError, match=f"takes software of 9997 or newer, this is {NEWEST}"):
            await refused("dedup", url)


async def test_software_does_not_run_on_a_database_that_lacks_what_it_needs(url: str) -> None:
    with pytest.raises(SchemaError, match="at revision none"):
        await check_schema("dedup", url)
    await execute(
        url,
        "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)",
        "INSERT INTO alembic_version VALUES ('0001')",
    )
    with pytest.raises(SchemaError, match="at revision 0001, the code needs"):
        await check_schema("dedup", url)


async def test_the_database_says_which_software_still_runs_on_it(url: str) -> None:
    """The third migration of dedup took a column away that the software before it writes."""
    await migrate("dedup", url)
    connection = await asyncpg.connect(url)
    try:
        row = await connection.fetchrow("SELECT version_num, oldest_code FROM alembic_version")
    finally:
        await connection.close()
    assert tuple(row or ()) == (NEWEST, "0003")


async def _until_it_was_waited_for(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        async with asyncio.timeout(30):
            while not await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.01)
            while await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.01)
    finally:
        await connection.close()


async def test_a_table_in_use_is_waited_for_in_short_tries(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a migration that waits for a backup every statement on the table would wait as well."""
    monkeypatch.setattr(migrating, "LOCK_SECONDS", 0.2)
    await execute(
        url,
        "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)",
    )
    backup = await asyncpg.connect(url)
    try:
        async with backup.transaction():
            await backup.execute("LOCK TABLE alembic_version IN ACCESS SHARE MODE")
            running = asyncio.create_task(migrate("dedup", url))
            for _ in range(2):  # two tries that gave way
                await _until_it_was_waited_for(url)
            assert not running.done()
        await running
    finally:
        await backup.close()
    await check_schema("dedup", url)


async def test_a_table_in_use_all_the_time_is_a_sentence(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrating, "LOCK_SECONDS", 0.01)
    monkeypatch.setattr(migrating, "_TRIES", 2)
    await execute(url, "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
    backup = await asyncpg.connect(url)
    try:
        async with backup.transaction():
            await backup.execute("LOCK TABLE alembic_version IN ACCESS SHARE MODE")
            with pytest.raises(SchemaError, match="a table was in use all the time"):
                await migrate("dedup", url)
    finally:
        await backup.close()
