"""The HTTP routes of dedup."""

from typing import Annotated, Literal
from uuid import UUID

import asyncpg
from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, StringConstraints

from services.dedup import read_models
from services.dedup.domain.decisions import Command
from services.dedup.domain.model import load_model
from services.dedup.index import IndexReader
from services.dedup.reviewing import Reviewing
from services.dedup.views import (
    ComplaintMatches,
    ListedPattern,
    ReviewedMatch,
    ShownIncident,
    ShownPattern,
    Views,
)
from shared.contracts.contract import VISIBLE, Telling
from shared.errors import Conflict, NotFound, Unavailable
from shared.sanitiser.free_text import Sanitise
from shared.service import Context
from shared.store.requests import StoreHalted, StoreUnavailable
from shared.web import openapi
from shared.web.auth import Caller, MatchReviewer, role
from shared.web.pages import DEFAULT_LIMIT, Cursor, Limit, Page
from shared.web.parameters import ForceFilter
from shared.web.routing import Router

PatternReader = Annotated[Caller, Depends(role("match_reviewer", "assessor"))]
Reason = Annotated[Telling, StringConstraints(min_length=1, max_length=2_000), VISIBLE, Sanitise()]
_LOWEST = UUID(int=0)


class Decision(BaseModel):
    model_config = ConfigDict(extra="forbid")

    decision: Literal["accept", "reject"]
    reason: Reason


class Retraction(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Reason


class Decided(BaseModel):
    match_id: UUID
    zone: Literal["accepted", "review", "rejected"]


def routers(context: Context) -> list[Router]:
    """The routes of dedup."""
    index = IndexReader(context)
    views, reviewing = Views(context, index, load_model()), Reviewing(context, index)
    store = context.store
    reading = Router(prefix="/v1", tags=["matches"])
    deciding = Router(prefix="/v1", tags=["reviews"])

    @reading.get("/complaints/{complaint_id}/matches")
    async def matches_of_complaint(complaint_id: UUID, _: MatchReviewer) -> ComplaintMatches:
        """What a complaint was matched with, and why. One that is not known (yet) is not indexed."""
        return await views.complaint(complaint_id)

    @reading.get("/incidents/{incident_id}", responses=openapi.problems(NotFound))
    async def incident(incident_id: UUID, _: PatternReader) -> ShownIncident:
        """The complaints of one incident."""
        return await views.incident(incident_id)

    @reading.get("/patterns/{pattern_id}", responses=openapi.problems(NotFound))
    async def pattern(pattern_id: UUID, _: PatternReader) -> ShownPattern:
        """The subjects that are one officer."""
        return await views.pattern(pattern_id)

    @reading.get("/patterns")
    async def patterns(
        _: PatternReader,
        force: ForceFilter = None,
        min_incidents: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Page[ListedPattern]:
        """Patterns with at least so many incidents; with `force`, those in which it is named."""
        listing = context.cursors.listing("/v1/patterns", force=force, min_incidents=min_incidents)
        after = listing.after(cursor)
        start = UUID(after[0]) if after else _LOWEST
        rows = await store.fetch(read_models.LIST_PATTERNS, start, min_incidents, force, limit + 1)
        return listing.page(rows, limit, position=lambda row: [str(row[0])], item=_listed)

    @deciding.get("/reviews")
    async def reviews(
        _: MatchReviewer, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Page[ReviewedMatch]:
        """The matches that wait for a person: the grey zone, and what a rule accepted where the release of a
        complaint waits for a person's word."""
        listing = context.cursors.listing("/v1/reviews")
        after = listing.after(cursor)
        start = UUID(after[0]) if after else _LOWEST
        found = await views.reviews(start, limit + 1)
        return listing.page(found, limit, position=lambda m: [str(m.match_id)], item=lambda m: m)

    @deciding.post("/reviews/{match_id}", responses=openapi.problems(NotFound, Conflict))
    async def review(match_id: UUID, body: Decision, caller: MatchReviewer) -> Decided:
        """Accept or reject a match: one of the grey zone, one that a rule accepted, or one that was rejected
        or retracted before."""
        return await _decided(reviewing, match_id, body.decision, caller, body.reason)

    @deciding.post("/matches/{match_id}/retract", responses=openapi.problems(NotFound, Conflict))
    async def retract(match_id: UUID, body: Retraction, caller: MatchReviewer) -> Decided:
        """Undo an accepted match, whether a rule or a person accepted it. A review can accept it again."""
        return await _decided(reviewing, match_id, "retract", caller, body.reason)

    return [reading, deciding]


async def _decided(
    reviewing: Reviewing, match_id: UUID, command: Command, caller: Caller, reason: str
) -> Decided:
    try:
        match = await reviewing.decide(match_id, command, caller.subject, reason)
    except (StoreUnavailable, StoreHalted):
        raise Unavailable("Nothing was decided; send it again.") from None
    return Decided.model_validate({"match_id": match.match_id, "zone": match.zone})


def _listed(row: asyncpg.Record) -> ListedPattern:
    return ListedPattern(pattern_id=UUID(bytes=row[0].bytes), complaints=row[1], incidents=row[2])
