"""What the relay remembers, in the service's database: its position, and a mark in each partition."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from shared.store.pools import Pool


@dataclass(frozen=True, slots=True)
class Mark:
    """The last record of a partition that the broker acknowledged: its offset, event and log position."""

    offset: int
    event_id: UUID
    position: int


class RelayState(Protocol):
    async def load(self, topic: str, epoch: int) -> tuple[int, dict[int, Mark]] | None:
        """The position published up to and the marks; from here on only `epoch` may move them. None where a
        later one was here already."""

    async def advance(self, topic: str, epoch: int, position: int, marks: Mapping[int, Mark]) -> bool:
        """Move position and marks; False, and nothing moved, where the epoch is another's."""


_LOAD = """
INSERT INTO relay AS known (topic, epoch, position) VALUES ($1, $2, 0)
ON CONFLICT (topic) DO UPDATE SET epoch = excluded.epoch WHERE known.epoch <= excluded.epoch
RETURNING position
"""

# One statement is one transaction and one round trip, at every batch that is published.
_ADVANCE = """
WITH moved AS (
    UPDATE relay SET position = $3 WHERE topic = $1 AND epoch = $2 RETURNING topic
), marked AS (
    INSERT INTO relay_marks (topic, partition, at_offset, event_id, position)
    SELECT moved.topic, mark.*
    FROM moved, unnest($4::int[], $5::bigint[], $6::uuid[], $7::bigint[]) AS mark
    ON CONFLICT (topic, partition)
    DO UPDATE SET at_offset = excluded.at_offset, event_id = excluded.event_id, position = excluded.position
)
SELECT EXISTS (SELECT FROM moved)
"""


class PostgresRelayState:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def load(self, topic: str, epoch: int) -> tuple[int, dict[int, Mark]] | None:
        position = await self._pool.fetchval(_LOAD, topic, epoch)
        if position is None:
            return None
        rows = await self._pool.fetch(
            "SELECT partition, at_offset, event_id, position FROM relay_marks WHERE topic = $1", topic
        )
        return position, {
            row["partition"]: Mark(row["at_offset"], row["event_id"], row["position"]) for row in rows
        }

    async def advance(self, topic: str, epoch: int, position: int, marks: Mapping[int, Mark]) -> bool:
        partitions = sorted(marks)
        at = [marks[partition] for partition in partitions]
        columns = [mark.offset for mark in at], [mark.event_id for mark in at], [mark.position for mark in at]
        moved: bool = await self._pool.fetchval(_ADVANCE, topic, epoch, position, partitions, *columns)
        return moved
