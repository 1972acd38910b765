"""The rights of the account as which a service runs; the account that migrates owns the tables.

The running account may read and write rows, and of the log only read and append: a fault of the service, or
a stolen password of its account, can neither change an event nor take one out.
"""

import asyncpg

APPEND_ONLY = ("events",)
"""Tables whose rows are never changed and never deleted."""
READ_ONLY = ("alembic_version",)


class UnknownRoleError(Exception):
    """There is no such account in this PostgreSQL."""


async def grant(connection: "asyncpg.Connection", role: str) -> None:
    """Give `role` what a service needs of this database, take back the rest; in one transaction.

    Tables that the connected account makes later, in a migration or a rebuild, get the same rights.

    Raises:
        UnknownRoleError
    """
    name = await connection.fetchval("SELECT quote_ident($1)", role)
    database = await connection.fetchval("SELECT quote_ident(current_database())")
    statements = (
        f"GRANT CONNECT ON DATABASE {database} TO {name}",
        f"GRANT USAGE ON SCHEMA public TO {name}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}",
        f"ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {name}",
        f"REVOKE UPDATE, DELETE ON {', '.join(APPEND_ONLY)} FROM {name}",
        f"REVOKE INSERT, UPDATE, DELETE ON {', '.join(READ_ONLY)} FROM {name}",
    )
    try:
        async with connection.transaction():
            for statement in statements:
                await connection.execute(statement)
    except asyncpg.UndefinedObjectError as fault:
        raise UnknownRoleError(role) from fault
