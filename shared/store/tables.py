"""The SQL by which append requests write read-model tables, and the store's own tables among them."""

from functools import cache

from shared.store.requests import Table

DATA_KEYS = Table(
    "data_keys", {"key_id": "uuid", "kek_id": "text", "wrapped": "bytea"}, ("key_id",), insert_only=True
)
CLAIMS = Table("claims", {"kind": "text", "key": "bytea", "value": "text"}, ("kind", "key"))


def put_statement(table: Table) -> str:
    """Insert or replace rows; one array parameter a column, in the order of `table.columns`.

    A column cannot itself be an array: `unnest` would flatten it. Use jsonb.
    """
    return _put(table.name, tuple(table.columns.items()), table.key, table.insert_only)


@cache
def _put(name: str, columns: tuple[tuple[str, str], ...], key: tuple[str, ...], insert_only: bool) -> str:
    arrays = ", ".join(f"${n}::{type_}[]" for n, (_, type_) in enumerate(columns, 1))
    others = [column for column, _ in columns if column not in key]
    insert = (
        f"INSERT INTO {name} ({', '.join(column for column, _ in columns)}) SELECT * FROM unnest({arrays})"
    )
    if insert_only:
        return insert
    update = "UPDATE SET " + ", ".join(f"{c} = excluded.{c}" for c in others) if others else "NOTHING"
    return f"{insert} ON CONFLICT ({', '.join(key)}) DO {update}"


def remove_statement(table: Table, column: str) -> str:
    """Delete the rows whose `column` is one of the array parameter's values."""
    return f"DELETE FROM {table.name} WHERE {column} = ANY($1::{table.columns[column]}[])"
