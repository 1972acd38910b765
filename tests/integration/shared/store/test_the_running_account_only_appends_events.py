"""The account as which a service runs had owned the log: its password was enough to change and delete events.

The account that migrates owns the tables; the one that runs reads and appends, whatever else it may do.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import date
from uuid import uuid4

import asyncpg
import pytest

from deploy.local.postgres import DATABASES, OWNERS, Postgres
from shared.store.events import NewEvent, stream_id
from shared.store.migrate import SchemaError, migrate
from shared.store.postgres import PostgresStore
from shared.store.rebuilding import SCHEMA
from shared.store.requests import AppendRequest


@dataclass(frozen=True)
class Addresses:
    service: str
    owner: str
    runner: str


@pytest.fixture(params=DATABASES)
def addresses(postgres: Postgres, request: pytest.FixtureRequest) -> Iterator[Addresses]:
    service = request.param
    name = f"rights_{uuid4().hex}"
    postgres.create_database(name, owner=OWNERS[service])
    try:
        yield Addresses(service, postgres.dsn(name, OWNERS[service]), postgres.dsn(name, service))
    finally:
        postgres.drop_database(name)


@pytest.fixture
async def runner(addresses: Addresses) -> AsyncIterator["asyncpg.Connection"]:
    """A connection of the account that runs, to a migrated database with an event in its log."""
    await migrate(addresses.service, addresses.owner, addresses.service)
    async with PostgresStore(addresses.runner, frozenset()) as store:
        event = NewEvent(stream_id("case", uuid4()), uuid4(), "case.opened", "{}", date(2026, 11, 27))
        await store.append(AppendRequest(events=(event,)))
    connection = await asyncpg.connect(addresses.runner)
    yield connection
    await connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET type = 'another'",
        "DELETE FROM events",
        "TRUNCATE events",
        "DROP TABLE events",
        "ALTER TABLE events ADD COLUMN another text",
        "CREATE TRIGGER t BEFORE INSERT ON events EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "CREATE RULE r AS ON INSERT TO events DO INSTEAD NOTHING",
        "UPDATE alembic_version SET version_num = '9999'",
        "CREATE TABLE another (a int)",
    ],
)
async def test_it_changes_neither_events_nor_the_schema(runner: "asyncpg.Connection", statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await runner.execute(statement)
    assert await runner.fetchval("SELECT count(*) FROM events WHERE type = 'case.opened'") == 1


async def test_tables_that_the_owner_makes_later_are_written_too(
    addresses: Addresses, runner: "asyncpg.Connection"
) -> None:
    """A later migration, and a rebuild, which makes its tables in a schema of its own."""
    owner = await asyncpg.connect(addresses.owner)
    await owner.execute(
        f"CREATE SCHEMA {SCHEMA}; CREATE TABLE {SCHEMA}.later (a int);"
        f" ALTER TABLE {SCHEMA}.later SET SCHEMA public"
    )
    await owner.close()
    await runner.execute("INSERT INTO later VALUES (1); UPDATE later SET a = 2; DELETE FROM later")


async def test_rights_from_before_are_taken_back_by_the_next_migration(
    addresses: Addresses, runner: "asyncpg.Connection"
) -> None:
    owner = await asyncpg.connect(addresses.owner)
    await owner.execute(f"GRANT UPDATE, DELETE ON events TO {addresses.service}")
    await owner.close()
    await migrate(addresses.service, addresses.owner, addresses.service)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await runner.execute("DELETE FROM events")


async def test_an_account_that_there_is_not_is_named(addresses: Addresses) -> None:
    with pytest.raises(SchemaError, match=r"no role 'nobody; x'.*HOTLINE_SERVICE_ROLE"):
        await migrate(addresses.service, addresses.owner, "nobody; x")
