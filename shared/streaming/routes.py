"""The routes that every service has for its followers and operators: events, heads, parked."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from pydantic import ConfigDict, StringConstraints

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
from shared.web.schemas import Schema

EVENTS_LIMIT = 1000

Slot = Annotated[int, Query(ge=0, lt=SLOTS, description="The slot, 0 to 239.", examples=[17])]
After = Annotated[
    int, Query(ge=0, lt=2**63, description="Only events above this number in the slot.", examples=[5])
]
EventsLimit = Annotated[int, Query(ge=1, le=EVENTS_LIMIT, description="The most events to answer.")]


class Events(Schema):
    """Events of one slot."""

    items: list[dict[str, Any]]
    """CloudEvents 1.0 in structured JSON, in their order, as on Kafka."""


class ConsumedEvents(Events):
    """Events of one slot as a follower has consumed them."""

    unreadable: list[int]
    """The numbers in the slot of events that are kept and cannot be read any more."""


class Heads(Schema):
    """The newest event of each slot."""

    heads: dict[int, int]
    """By slot (0 to 239), the number of its newest event."""


class LastConsumed(Schema):
    """The last event of a slot that was consumed."""

    at: int
    """The number of the event in its slot."""
    event_id: UUID
    """The id of the event."""


class Consumed(Schema):
    """By slot, the last event that was consumed."""

    slots: dict[int, LastConsumed]
    """By slot (0 to 239), the last event that was consumed."""


class ParkedEvent(Schema):
    """`id` names it in the other routes; nothing of its content is shown."""

    id: str
    """The id for the other routes: service, slot and number in the slot."""
    source: str
    """The service that published the event."""
    slot: int
    """The slot of the event, 0 to 239."""
    slotsequence: int
    """The number of the event in its slot."""
    type: str
    """The type of the event, such as `hotline.complaint.recorded.v1`."""
    reason: str
    """Why it could not be applied."""


class ParkedEventShown(ParkedEvent):
    """A parked event, and whether its drop is asked for."""

    drop_requested: bool
    """Whether an operator has asked for its drop, which another one has to confirm."""


class DropReason(Schema):
    """Why an event is never to be applied."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "A test record of ours."}]}
    )

    reason: Annotated[Telling, StringConstraints(min_length=1, max_length=2_000), VISIBLE, Sanitise()]
    """The reason, 1 to 2,000 characters."""


class Retried(Schema):
    """`applied` events of the subject were applied; `reason` says why the next one was not, if one waits."""

    applied: int
    """How many events of the subject were applied."""
    reason: str | None
    """Why the next one was not applied; null where none waits."""


class Dropped(Retried):
    """What became of the request to drop an event."""

    dropped: bool
    """Whether it is dropped; false where a second operator has to confirm it, by the same request."""


def followers(store: Store, published: PublishedLog) -> Router:
    """Catch-up: the same records as on Kafka."""
    router = Router(prefix="/v1/events", tags=["followers"])

    @router.get("", responses=openapi.problems(Unprocessable))
    async def list_events(
        _: ServiceAccount,
        slot: Slot,
        after: After = 0,
        limit: EventsLimit = 500,
    ) -> Events:
        """List the events of one slot in order, as CloudEvents. The last page is the empty one: large events
        make a page short."""
        with _surroundings():
            return Events(items=await published.records(await store.read_slot(slot, after, limit)))

    @router.get("/heads")
    async def show_heads(_: ServiceAccount) -> Heads:
        """Show the number of the newest event of each slot that has events."""
        return Heads(heads=await store.slot_heads())

    return router


def consumed(returned: Returned, sources: Collection[str]) -> Router:
    """What an owner asks whose log may have lost its tail; `sources` are the followed ones."""
    router = Router(prefix="/v1/events", tags=["followers"])

    @router.get("/cursors", responses=openapi.problems(NotFound, Unprocessable))
    async def show_cursors(_: ServiceAccount, source: Source) -> Consumed:
        """Show how far this service has consumed another one's events."""
        _require_followed(source)
        reached = await returned.reached(source)
        return Consumed(
            slots={slot: LastConsumed(at=last.at, event_id=last.event_id) for slot, last in reached.items()}
        )

    @router.get("/consumed", responses=openapi.problems(NotFound, Unprocessable))
    async def list_consumed_events(
        _: ServiceAccount,
        source: Source,
        slot: Slot,
        after: After = 0,
        limit: EventsLimit = 500,
    ) -> ConsumedEvents:
        """List events of another service as they were consumed. They are sealed for that service, whose log
        may have lost its tail."""
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
        """List the events that could not be applied, in the order of source, slot and number."""
        listing = cursors.listing("/v1/parked")
        after = listing.after(cursor)
        found = await parking.page(ParkedId(*after) if after else None, limit + 1)
        return listing.page(
            found, limit, position=lambda row: [row.source, row.slot, row.slot_sequence], item=_shown
        )

    @router.get("/{parked_id}", responses=openapi.problems(NotFound, Unprocessable))
    async def show_parked(_: Operator, parked_id: ParkedPath) -> ParkedEventShown:
        """Show an event that could not be applied, without its content."""
        found = await _found(parked_id)
        requested = await drops.is_requested(found)
        return ParkedEventShown(**_shown(found).model_dump(), drop_requested=requested)

    @router.post("/{parked_id}/retry", responses=openapi.problems(NotFound, Unprocessable))
    async def retry_parked(_: Operator, parked_id: ParkedPath) -> Retried:
        """Apply a parked event, and what queues behind it. It ends where the next one fails again."""
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
        """Give a parked event up for good, and apply what queued behind it. A first operator asks for it, and
        nothing happens yet; a second one confirms it."""
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
