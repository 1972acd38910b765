"""What the event store is *not*: positions from a plain sequence, read by `position > last`.

Each writer gets its number when it inserts and shows it when it commits. Whoever commits late is passed
over. Kept here so that the test of the real store is one that can fail.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID

import asyncpg

TABLE = "CREATE TABLE numbered (position bigserial PRIMARY KEY, event_id uuid NOT NULL)"


class SequenceStore:
    """One writer and one reader. `before` runs when its number is given, before it commits."""

    def __init__(self, connection: asyncpg.Connection, before: Callable[[], Awaitable[None]]) -> None:
        self._connection, self._before = connection, before

    async def append(self, event_id: UUID) -> None:
        async with self._connection.transaction():
            await self._connection.execute("INSERT INTO numbered (event_id) VALUES ($1)", event_id)
            await self._before()

    async def read(self, after: int) -> list[tuple[int, UUID]]:
        rows = await self._connection.fetch(
            "SELECT position, event_id FROM numbered WHERE position > $1 ORDER BY position", after
        )
        return [(row["position"], UUID(bytes=row["event_id"].bytes)) for row in rows]
