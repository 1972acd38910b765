"""The retirement of key-encryption keys: wraps every data key under the current one, while services run.

A ring with two keys lets a service go on through a rotation; the older one is needed until nothing is wrapped
under it. `rewrap` goes through every table that keeps wrapped keys, which are those with the columns `kek_id`
and `wrapped`, some rows at a time. A key that is erased meanwhile stays erased. How it fails: a `NoKeyError`
for a row that the ring cannot unwrap; what was wrapped anew by then stays so, and the next run goes on.

A service that still wraps under the older key makes new rows under it; the report counts what is left, and
the key may be taken out of the file when that is nothing.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from shared.sealing.keys import KeyRing, unwrap_data_keys

_PAGE = 1000
_PASSES = 5
_NIL = UUID(int=0)

# The tables that keep wrapped keys, and the column of their primary key.
_TABLES = """
SELECT format('%I', c.relname) AS name, format('%I', a.attname) AS key
FROM pg_class c
JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary AND i.indnkeyatts = 1
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
WHERE c.relnamespace = 'public'::regnamespace
    AND 2 = (SELECT count(*) FROM pg_attribute named WHERE named.attrelid = c.oid
             AND named.attname IN ('kek_id', 'wrapped') AND NOT named.attisdropped)
ORDER BY c.relname
"""

Tell = Callable[[int, int], None]
"""How many keys are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class Report:
    """`rewrapped` counts the keys wrapped anew, `left` those under another key, by its id."""

    current: str
    rewrapped: int
    left: dict[str, int]


async def rewrap(connection: "asyncpg.Connection", kek: KeyRing, tell: Tell) -> Report:
    """Wrap under the current key whatever is wrapped under another one of the ring.

    Raises:
        NoKeyError: a row's key is not in the ring, or not the one that wrapped it.
    """
    tables = [(row["name"], row["key"]) for row in await connection.fetch(_TABLES)]
    rewrapped, left = 0, await _left(connection, kek, tables)
    for _ in range(_PASSES):  # a row that somebody else holds is passed over, and its turn comes again
        if not left:
            break
        done, total = 0, sum(left.values())
        for name, key in tables:
            after: object = None
            while page := await _page(connection, kek, name, key, after):
                after = page[-1]["key"]
                rewrapped += await _rewrap(connection, kek, name, key, page)
                done += len(page)
                tell(min(done, total), total)
        left = await _left(connection, kek, tables)
    return Report(kek.current, rewrapped, left)


async def _page(
    connection: "asyncpg.Connection", kek: KeyRing, table: str, key: str, after: object
) -> list["asyncpg.Record"]:
    """The next keys of rows under another key, in the order of the primary key, which bounds each look."""
    beyond = "" if after is None else f"AND {key} > $3"
    parameters = (kek.current, _PAGE) if after is None else (kek.current, _PAGE, after)
    return await connection.fetch(
        f"SELECT {key} AS key FROM {table} WHERE kek_id <> $1 {beyond} ORDER BY {key} LIMIT $2", *parameters
    )


async def _rewrap(
    connection: "asyncpg.Connection", kek: KeyRing, table: str, key: str, page: list["asyncpg.Record"]
) -> int:
    async with connection.transaction():
        # Without waiting: an erasure that holds one of the rows and waits for another would meet us half-way.
        held = await connection.fetch(
            f"""SELECT {key} AS key, kek_id, wrapped FROM {table} WHERE {key} = ANY($1) AND kek_id <> $2
            FOR UPDATE SKIP LOCKED""",
            [row["key"] for row in page],
            kek.current,
        )
        await connection.executemany(
            f"UPDATE {table} SET kek_id = $2, wrapped = $3 WHERE {key} = $1",
            [(row["key"], kek.current, _wrapped_anew(kek, row["kek_id"], row["wrapped"])) for row in held],
        )
    return len(held)


def _wrapped_anew(kek: KeyRing, kek_id: str, wrapped: bytes) -> bytes:
    (plain,) = unwrap_data_keys(kek, [(_NIL, kek_id, wrapped)]).values()
    return aes_key_wrap(kek.current_key, plain)


async def _left(
    connection: "asyncpg.Connection", kek: KeyRing, tables: list[tuple[str, str]]
) -> dict[str, int]:
    left: Counter[str] = Counter()
    for name, _ in tables:
        rows = await connection.fetch(
            f"SELECT kek_id, count(*) AS count FROM {name} WHERE kek_id <> $1 GROUP BY kek_id", kek.current
        )
        left.update({row["kek_id"]: row["count"] for row in rows})
    return dict(sorted(left.items()))
