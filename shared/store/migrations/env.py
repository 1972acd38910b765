"""Alembic's environment, the same for each service: asyncpg, one transaction for all, one migrator."""

import asyncio

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool


def _run(connection: Connection) -> None:
    given = context.config.attributes
    context.configure(connection=connection, transaction_per_migration=False)
    with context.begin_transaction():
        # Two pods that start at once would both create the tables.
        connection.execute(text("SELECT pg_advisory_xact_lock(1835623282)"))
        connection.execute(text(f"SET LOCAL lock_timeout = {int(given['lock_seconds'] * 1000)}"))
        context.run_migrations()
        connection.execute(text("UPDATE alembic_version SET oldest_code = :it"), {"it": given["oldest_code"]})


async def _main() -> None:
    url = context.config.attributes["database_url"].replace("postgresql://", "postgresql+asyncpg://", 1)
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(_run)
        await connection.commit()
    await engine.dispose()


asyncio.run(_main())
