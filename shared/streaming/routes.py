"""The routes that every service has for its followers and operators: events, heads, parked."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from shared.errors import NotFound, Unavailable, Unprocessable
from shared.sealing.jwe import NoKeyError
from shared.store.events import SLOTS
from shared.store.inbox import WaitingEntry
from shared.store.port import Store
from shared.store.requests import InboxStateChanged
from shared.streaming.handling import SurroundingsFault
from shared.streaming.parking import ParkedId, Parking
from shared.streaming.published import PublishedLog
from shared.streaming.returning import Returned
from shared.web import openapi
from shared.web.auth import Operator, ServiceAccount
from shared.web.pages import Cursor, Cursors, Limit, Page

EVENTS_LIMIT = 1000


class Events(BaseModel):
    items: list[dict[str, Any]]


class ConsumedEvents(Events):
    """`unreadable` are the slot sequences of events that are kept and cannot be read any more."""

    unreadable: list[int]


class Heads(BaseModel):
    heads: dict[int, int]


class LastConsumed(BaseModel):
    at: int
    event_id: UUID


class Consumed(BaseModel):
    """By slot, the last event that was consumed."""

    slots: dict[int, LastConsumed]


class ParkedEvent(BaseModel):
    """`id` names it in the other routes; nothing of its content is shown."""

    id: str
    source: str
    slot: int
    slotsequence: int
    type: str
    reason: str


class Retried(BaseModel):
    """`applied` events of the subject were applied; `reason` says why the next one was not, if one waits."""

    applied: int
    reason: str | None


ParkedPath = Annotated[str, Path(pattern=r"^[a-z]{1,20}-\d{1,3}-\d{1,18}$", description="as in the list")]


Source = Annotated[str, Query(pattern=r"^[a-z]{1,20}$", description="the service whose events are meant")]


def followers(store: Store, published: PublishedLog) -> APIRouter:
    """Catch-up: the same records as on Kafka."""
    router = APIRouter(prefix="/v1/events", tags=["followers"])

    @router.get("", responses=openapi.problems(Unprocessable))
    async def events(
        _: ServiceAccount,
        slot: Annotated[int, Query(ge=0, lt=SLOTS)],
        after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
        limit: Annotated[int, Query(ge=1, le=EVENTS_LIMIT)] = 500,
    ) -> Events:
        """CloudEvents of one slot in order, those above the slot sequence `after`."""
        with _surroundings():
            return Events(items=await published.records(await store.read_slot(slot, after, limit)))

    @router.get("/heads")
    async def heads(_: ServiceAccount) -> Heads:
        """The newest slot sequence of each slot that has events."""
        return Heads(heads=await store.slot_heads())

    return router


def consumed(returned: Returned, sources: Collection[str]) -> APIRouter:
    """What an owner asks whose log may have lost its tail; `sources` are the followed ones."""
    router = APIRouter(prefix="/v1/events", tags=["followers"])

    @router.get("/cursors", responses=openapi.problems(NotFound, Unprocessable))
    async def cursors(_: ServiceAccount, source: Source) -> Consumed:
        """How far this service has consumed another one's events."""
        _require_followed(source)
        reached = await returned.reached(source)
        return Consumed(
            slots={slot: LastConsumed(at=last.at, event_id=last.event_id) for slot, last in reached.items()}
        )

    @router.get("/consumed", responses=openapi.problems(NotFound, Unprocessable))
    async def consumed_events(
        _: ServiceAccount,
        source: Source,
        slot: Annotated[int, Query(ge=0, lt=SLOTS)],
        after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
        limit: Annotated[int, Query(ge=1, le=EVENTS_LIMIT)] = 500,
    ) -> ConsumedEvents:
        """Events of another service as they were consumed, sealed for it: for an owner whose log lost its
        tail."""
        _require_followed(source)
        page = await returned.consumed(source, slot, after, limit)
        return ConsumedEvents(items=page.events, unreadable=page.unreadable)

    def _require_followed(source: str) -> None:
        if source not in sources:
            raise NotFound("Its events are not followed here.")

    return router


def parked(parking: Parking, cursors: Cursors) -> APIRouter:
    """Parked events, for operators."""
    router = APIRouter(prefix="/v1/parked", tags=["operators"])

    @router.get("", responses=openapi.problems(Unprocessable))
    async def list_parked(_: Operator, limit: Limit = 50, cursor: Cursor = None) -> Page[ParkedEvent]:
        """Events that could not be applied, in the order of source, slot and number."""
        listing = cursors.listing("/v1/parked")
        after = listing.after(cursor)
        found = await parking.page(ParkedId(*after) if after else None, limit + 1)
        return listing.page(
            found, limit, position=lambda row: [row.source, row.slot, row.slot_sequence], item=_shown
        )

    @router.get("/{parked_id}", responses=openapi.problems(NotFound, Unprocessable))
    async def show_parked(_: Operator, parked_id: ParkedPath) -> ParkedEvent:
        return _shown(await _found(parked_id))

    @router.post("/{parked_id}/retry", responses=openapi.problems(NotFound, Unprocessable))
    async def retry_parked(_: Operator, parked_id: ParkedPath) -> Retried:
        """Apply it, and what queues behind it, until the queue is empty or an event fails again."""
        found = await _found(parked_id)
        with _surroundings():
            applied, reason = await parking.retry(found)
        return Retried(applied=applied, reason=reason or None)

    @router.delete("/{parked_id}", responses=openapi.problems(NotFound, Unprocessable))
    async def drop_parked(_: Operator, parked_id: ParkedPath) -> Retried:
        """Give it up for good, and apply what queued behind it."""
        found = await _found(parked_id)
        try:
            with _surroundings():
                applied, reason = await parking.drop(found)
        except InboxStateChanged:
            raise NotFound("It is not parked any more.") from None
        return Retried(applied=applied, reason=reason or None)

    async def _found(parked_id: str) -> WaitingEntry:
        if (entry := await parking.find(ParkedId.parse(parked_id))) is None:
            raise NotFound("It is not parked.")
        return entry

    return router


@contextmanager
def _surroundings() -> Iterator[None]:
    """Keys or the database are away: nobody's fault who asks."""
    try:
        yield
    except (SurroundingsFault, NoKeyError) as fault:
        raise Unavailable("What this needs is away; ask again later.") from fault


def _shown(entry: WaitingEntry) -> ParkedEvent:
    return ParkedEvent(
        id=str(ParkedId(entry.source, entry.slot, entry.slot_sequence)),
        source=entry.source,
        slot=entry.slot,
        slotsequence=entry.slot_sequence,
        type=entry.type,
        reason=entry.reason,
    )
