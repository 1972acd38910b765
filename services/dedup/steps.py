"""A step of the resolver: what is appended as one, under its lease and at its place in the log."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from shared.contracts.contract import Contract
from shared.contracts.events import EventType
from shared.sealing.events import sealed_event
from shared.service import Context
from shared.store.events import NewEvent, stream_id
from shared.store.leases import Lease
from shared.store.requests import AppendRequest, CursorMove, RowChange

SOURCE = "resolver"
"""Name of the lease, and source of the cursor that says how far the own log was read."""
MOST_IN_EVENT = 2000
"""Added, and removed, members in one event: the largest of these is a third of what an event may be."""


@dataclass(slots=True)
class Step:
    """Events and the rows that follow from them."""

    events: list[NewEvent] = field(default_factory=list)
    rows: list[RowChange] = field(default_factory=list)


class Steps:
    """Appends steps while this process holds the lease and the cursor stands still.

    A step is kept whatever becomes of those after it: the cursor moves last, by `move`, and who begins again
    finds nothing to do where a step is done.
    """

    def __init__(self, context: Context, lease: Lease, at: int) -> None:
        self._context, self._lease, self._at = context, lease, at

    def event(
        self, category: str, identity: UUID, type_: EventType[Contract, Contract], clear: Contract
    ) -> NewEvent:
        return sealed_event(stream_id(category, identity), type_, clear, None, None, self._context.today())

    async def append(self, steps: Iterable[Step]) -> None:
        """
        Raises:
            LeaseLost, CursorMoved: another process leads.
            StoreUnavailable
        """
        requests = [self._request(step, self._at) for step in steps if step.events or step.rows]
        await asyncio.gather(*(self._context.store.append(request) for request in requests))

    async def move(self, to: int, step: Step) -> None:
        """The last step, with which all up to `to` is done; raises as `append`."""
        await self._context.store.append(self._request(step, to))

    def _request(self, step: Step, to: int) -> AppendRequest:
        return AppendRequest(
            events=tuple(step.events),
            rows=tuple(step.rows),
            cursors=(CursorMove(SOURCE, 0, self._at, to),),
            leases=(self._lease.guard,),
        )
