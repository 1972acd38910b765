"""Alembic's environment, the same for each service: asyncpg, one transaction for all, one migrator."""

import asyncio

import asyncpg
from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from shared.store.connections import connect


def _run(connection: Connection) -> None:
    given = context.config.attributes
    context.configure(connection=connection, transaction_per_migration=False)
    with context.begin_transaction():
        # Two pods that start at once would both create the tables.
        connection.execute(text("SELECT pg_advisory_xact_lock(1835623282)"))
        connection.execute(text(f"SET LOCAL lock_timeout = {int(given['lock_seconds'] * 1000)}"))
        context.run_migrations()
        connection.execute(text("UPDATE alembic_version SET oldest_code = :it"), {"it": given["oldest_code"]})


async def _connect() -> asyncpg.Connection:
    # A time limit of the account's is for queries: a migration of a large table has none.
    return await connect(
        context.config.attributes["database_url"], timeout=10, server_settings={"statement_timeout": "0"}
    )


async def _main() -> None:
    # The address is not SQLAlchemy's to read: it does not know several hosts, nor libpq's names for TLS.
    engine = create_async_engine("postgresql+asyncpg://", async_creator=_connect, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(_run)
        await connection.commit()
    await engine.dispose()


asyncio.run(_main())
