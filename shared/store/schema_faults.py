"""Errors by which PostgreSQL says that its tables are not those that the software knows.

While versions stand side by side, or after a migration that should have waited, good requests meet columns
that are not there, or rules that the software has never heard of. Those are faults of the surroundings: the
same request is taken when software and schema fit again. Only what a request brings itself is its own fault:
a row that is there already, or nothing at all for a column that it names.
"""

import asyncpg

from shared.store.requests import AppendRequest, DuplicateEvent, Put, RowExists, SchemaFault

SCHEMA = (
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.SyntaxOrAccessError,  # an unknown table or column, a right that was taken away
    asyncpg.FeatureNotSupportedError,  # a cached plan of a column that has another type by now
    asyncpg.InvalidSchemaNameError,
    asyncpg.InvalidCatalogNameError,
)


def schema_fault(fault: asyncpg.PostgresError) -> SchemaFault:
    """One of `SCHEMA`, told by the names of things alone: the server's own words hold what is in the row."""
    names = (fault.table_name, fault.column_name, fault.constraint_name)
    return SchemaFault(" ".join((type(fault).__name__, *filter(None, names))))


def explained(fault: Exception, request: AppendRequest) -> Exception:
    """Why the request alone was not written, for its caller."""
    if isinstance(fault, asyncpg.UniqueViolationError):
        if fault.constraint_name == "events_event_id_key":
            return DuplicateEvent("an event with this id is in the log")
        if fault.table_name != "events" and fault.constraint_name == f"{fault.table_name}_pkey":
            return RowExists(f"a row with this key is in {fault.table_name}")
    if isinstance(fault, asyncpg.NotNullViolationError) and _brings_null(request, fault):
        return fault
    return schema_fault(fault) if isinstance(fault, SCHEMA) else fault


def _brings_null(request: AppendRequest, fault: asyncpg.NotNullViolationError) -> bool:
    return any(
        isinstance(change, Put)
        and change.table.name == fault.table_name
        and change.row.get(str(fault.column_name), fault) is None
        for change in request.rows
    )
