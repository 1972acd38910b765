"""The routes that every service has for its followers and operators: events, heads, parked."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, StringConstraints

from shared.contracts.contract import VISIBLE, Telling
from shared.errors import Conflict, NotFound, Unavailable, Unprocessable
from shared.sanitiser.free_text import Sanitise
from shared.sealing.jwe import NoKeyError
from shared.store.events import SLOTS
from shared.store.inbox import WaitingEntry
from shared.store.port import Store
from shared.store.requests import InboxStateChanged
from shared.streaming.drops import Drops
from shared.streaming.handling import SurroundingsFault
from shared.streaming.parking import ParkedId, Parking
from shared.streaming.published import PublishedLog
from shared.streaming.returning import Returned
from shared.web import openapi
from shared.web.auth import Operator, ServiceAccount
from shared.web.pages import Cursor, Cursors, Limit, Page
from shared.web.parameters import ParkedPath, Source
from shared.web.routing import Router

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


class ParkedEventShown(ParkedEvent):
    """`drop_requested`: an operator has asked for its drop, and another one has to confirm it."""

    drop_requested: bool


class DropReason(BaseModel):
    """Why an event is never to be applied."""

    reason: Annotated[Telling, StringConstraints(min_length=1, max_length=2_000), VISIBLE, Sanitise()]


class Retried(BaseModel):
    """`applied` events of the subject were applied; `reason` says why the next one was not, if one waits."""

    applied: int
    reason: str | None


class Dropped(Retried):
    """`dropped` is false where a second operator has to confirm it, by the same request."""

    dropped: bool


def followers(store: Store, published: PublishedLog) -> Router:
    """Catch-up: the same records as on Kafka."""
    router = Router(prefix="/v1/events", tags=["followers"])

    @router.get("", responses=openapi.problems(Unprocessable))
    async def events(
        _: ServiceAccount,
        slot: Annotated[int, Query(ge=0, lt=SLOTS)],
        after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
        limit: Annotated[int, Query(ge=1, le=EVENTS_LIMIT)] = 500,
    ) -> Events:
        """CloudEvents of one slot in order, those above the slot sequence `after`. Large ones make a page
        short: the last page is the empty one."""
        with _surroundings():
            return Events(items=await published.records(await store.read_slot(slot, after, limit)))

    @router.get("/heads")
    async def heads(_: ServiceAccount) -> Heads:
        """The newest slot sequence of each slot that has events."""
        return Heads(heads=await store.slot_heads())

    return router


def consumed(returned: Returned, sources: Collection[str]) -> Router:
    """What an owner asks whose log may have lost its tail; `sources` are the followed ones."""
    router = Router(prefix="/v1/events", tags=["followers"])

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


def parked(parking: Parking, drops: Drops, cursors: Cursors) -> Router:
    """Parked events, for operators."""
    router = Router(prefix="/v1/parked", tags=["operators"])

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
    async def show_parked(_: Operator, parked_id: ParkedPath) -> ParkedEventShown:
        """One of them."""
        found = await _found(parked_id)
        requested = await drops.is_requested(found)
        return ParkedEventShown(**_shown(found).model_dump(), drop_requested=requested)

    @router.post("/{parked_id}/retry", responses=openapi.problems(NotFound, Unprocessable))
    async def retry_parked(_: Operator, parked_id: ParkedPath) -> Retried:
        """Apply it, and what queues behind it, until the queue is empty or an event fails again."""
        found = await _found(parked_id)
        with _surroundings():
            applied, reason = await parking.retry(found)
        return Retried(applied=applied, reason=reason or None)

    @router.delete(
        "/{parked_id}",
        responses={
            202: {"model": Dropped, "description": "A second operator has to confirm it."},
            **openapi.problems(NotFound, Conflict, Unprocessable),
        },
    )
    async def drop_parked(
        caller: Operator, parked_id: ParkedPath, why: DropReason, response: Response
    ) -> Dropped:
        """Give it up for good, and apply what queued behind it. A first operator asks for it, and nothing
        happens yet; a second one confirms it."""
        found = await _found(parked_id)
        try:
            with _surroundings():
                outcome = await drops.drop(found, caller.subject, why.reason)
        except InboxStateChanged:
            raise NotFound("It is not parked any more.") from None
        if outcome is None:
            response.status_code = 202
            return Dropped(dropped=False, applied=0, reason=None)
        applied, reason = outcome
        return Dropped(dropped=True, applied=applied, reason=reason or None)

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
