"""What follows for dedup from the events of a lost tail that it has adopted.

Incidents and patterns are again what was told of them last. The facts behind them were internal: pairs are
found again where complaints are consumed again, people's decisions are lost. A resolver that went on at once
would take apart what it has no facts of yet, and put it together a second time; so it is told to wait.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID, uuid4

import asyncpg
import orjson

from services.dedup import read_models
from services.dedup.domain.facts import TAIL_ADOPTED, TailAdopted
from services.dedup.projection import Projection
from services.dedup.steps import SOURCE
from services.dedup.wiring import PUBLIC
from shared.contracts.events import INCIDENT_CHANGED
from shared.sealing.events import log_type, sealed_event
from shared.sealing.keys import ServiceKeys
from shared.store.events import RecordedEvent, stream_id
from shared.store.rebuilding import project_all
from shared.store.requests import AppendRequest
from shared.streaming.recovery import Append, Owner

_INCIDENT = log_type(INCIDENT_CHANGED)
_TAIL_ADOPTED = log_type(TAIL_ADOPTED)


class Consequences:
    """As `shared.streaming.recovery` asks for them."""

    sources = ("intake",)
    public = PUBLIC

    def __init__(self, keys: ServiceKeys) -> None:
        self._projection = Projection(keys)
        self._heads: dict[int, int] = {}

    async def ask(
        self,
        connection: "asyncpg.Connection",  # noqa: ARG002  (the other services' part of the protocol)
        owners: Mapping[str, Owner],
    ) -> None:
        self._heads = dict(await owners["intake"].heads())

    async def follow(
        self,
        connection: "asyncpg.Connection",
        tail: Sequence[RecordedEvent],
        today: date,
        append: Append,
    ) -> None:
        await project_all(connection, self._projection, tail)
        await connection.execute(read_models.LEAVE_INCIDENTS, list(_erased(tail)))
        resolved = await connection.fetchval(read_models.READ_RESOLVED, SOURCE) or 0
        # An earlier tail that the resolver waits for still: from there on it has to begin again.
        told = await connection.fetchval(read_models.READ_FACT, resolved + 1, _TAIL_ADOPTED)
        if told is not None:
            resolved = TAIL_ADOPTED.read_clear(orjson.loads(told)).resolved
        await connection.execute(read_models.PUT_RESOLVED, SOURCE, tail[-1].position)
        waiting = TailAdopted(resolved=resolved, heads=self._heads)
        stream = stream_id("recovery", uuid4())
        event = sealed_event(stream, TAIL_ADOPTED, waiting, None, None, today)
        await append([AppendRequest(events=(event,))])


def _erased(tail: Sequence[RecordedEvent]) -> set[UUID]:
    """The complaints that left an incident and came to none: they were erased, and `complaint.taken_out`,
    which says so, was internal."""
    incident_of: dict[UUID, UUID | None] = {}
    for event in tail:
        if event.type == _INCIDENT:
            told = INCIDENT_CHANGED.read_clear(event.data["clear"])
            for complaint_id in told.removed:
                # Whoever moved may be in its new incident already, by an event before this one.
                if incident_of.get(complaint_id, told.incident_id) == told.incident_id:
                    incident_of[complaint_id] = None
            incident_of |= dict.fromkeys(told.added, told.incident_id)
    return {complaint_id for complaint_id, incident in incident_of.items() if incident is None}
