"""How the resolver goes on after its service has adopted a lost tail (`services.dedup.recovering`).

It knows then of incidents and patterns whose facts are not found again yet. It waits until all that intake
had was consumed again, and begins where it stood before: so it takes nothing apart only to put it together
again.
"""

from collections.abc import AsyncIterator, Collection, Mapping
from uuid import UUID

import structlog

from services.dedup import read_models
from services.dedup.domain.facts import TAIL_ADOPTED
from services.dedup.touched import Touched
from shared.store.events import RecordedEvent
from shared.store.postgres import PostgresStore
from shared.streaming.inbox import TOMBSTONE

READ_AT_ONCE = 1000

log = structlog.get_logger()


class AdoptedTail:
    """
    Attributes:
        missing: complaints that the tail names and that were not consumed again yet.
    """

    def __init__(self, store: PostgresStore) -> None:
        self._store = store
        self.missing: set[UUID] = set()
        self._missing_of: UUID | None = None

    async def is_consumed_again(self, adopted: RecordedEvent) -> bool:
        """Whether all that the tail is about is there again."""
        told = TAIL_ADOPTED.read_clear(adopted.data["clear"])
        if self._missing_of != adopted.event_id:
            parts = [part.named async for part in self._between(told.resolved, adopted.position - 1)]
            self.missing, self._missing_of = set().union(*parts), adopted.event_id
            log.warning("resolver waits for complaints to be consumed again", count=len(self.missing))
        self.missing -= (await self._consumed(self.missing)).keys()
        # Not only what is named: of what was erased in the lost time the copy has the keys still.
        cursors = await self._store.cursors("intake")
        return not self.missing and all(cursors.get(slot, 0) >= head for slot, head in told.heads.items())

    async def parts(self, adopted: RecordedEvent) -> AsyncIterator[Touched]:
        """What is to be resolved again, some at a time."""
        told = TAIL_ADOPTED.read_clear(adopted.data["clear"])
        async for touched in self._between(told.resolved, adopted.position - 1):
            # Erased meanwhile: the fact that says so stands behind this.
            consumed = await self._consumed(touched.named)
            touched.withdrawn |= {complaint for complaint, is_erased in consumed.items() if is_erased}
            yield touched

    async def _between(self, after: int, upto: int) -> AsyncIterator[Touched]:
        while after < upto:
            events = await self._store.read_log(after, min(READ_AT_ONCE, upto - after))
            touched = Touched()
            touched.add(events, told=True)
            yield touched
            after = events[-1].position

    async def _consumed(self, complaints: Collection[UUID]) -> Mapping[UUID, bool]:
        """Those that were consumed -> whether they are erased."""
        rows = await self._store.fetch(read_models.CONSUMED, list(complaints), TOMBSTONE)
        return {UUID(bytes=row[0].bytes): row[1] for row in rows}
