"""The HTTP routes of dedup."""

from typing import Annotated, Literal
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, StringConstraints

from services.dedup import read_models
from services.dedup.domain.decisions import Command
from services.dedup.domain.model import load_model
from services.dedup.index import ComplaintIndex
from services.dedup.links import StoredMatch
from services.dedup.reviewing import Reviewing
from services.dedup.views import (
    ComplaintMatches,
    ListedPattern,
    ReviewedMatch,
    ShownIncident,
    ShownPattern,
    Views,
)
from shared.errors import Conflict, NotFound, Unavailable
from shared.service import Context
from shared.store.requests import StoreHalted, StoreUnavailable
from shared.web import openapi
from shared.web.auth import Caller, MatchReviewer, role
from shared.web.pages import DEFAULT_LIMIT, Cursor, Limit, Page

PatternReader = Annotated[Caller, Depends(role("match_reviewer", "assessor"))]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=2_000, pattern=r"^[^\x00]*$")]
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


def routers(context: Context, index: ComplaintIndex) -> list[APIRouter]:
    """The routes of dedup."""
    views, reviewing = Views(context, index, load_model()), Reviewing(context, index)
    store = context.store
    reading = APIRouter(prefix="/v1", tags=["matches"])
    deciding = APIRouter(prefix="/v1", tags=["reviews"])

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
        force: Annotated[str | None, Query(max_length=60, pattern=r"^[a-z]+(-[a-z]+)*$")] = None,
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
        """The matches that wait for a person: those of the grey zone, and accepted ones that join nothing."""
        listing = context.cursors.listing("/v1/reviews")
        after = listing.after(cursor)
        start = UUID(after[0]) if after else _LOWEST
        rows = await store.fetch(read_models.REVIEWS, start, limit + 1)
        matches = [StoredMatch.of(row) for row in rows]
        shown = await views.reviewed(matches[:limit])
        page = listing.page(
            matches, limit, position=lambda match: [str(match.match_id)], item=lambda m: shown.get(m.match_id)
        )
        # Of a complaint that was erased a moment ago the row may still be there.
        return Page(items=[item for item in page.items if item], next_cursor=page.next_cursor)

    @deciding.post("/reviews/{match_id}", responses=openapi.problems(NotFound, Conflict))
    async def review(match_id: UUID, body: Decision, caller: MatchReviewer) -> Decided:
        """Accept or reject a match that no person has decided."""
        return await _decided(reviewing, match_id, body.decision, caller, body.reason)

    @deciding.post("/matches/{match_id}/retract", responses=openapi.problems(NotFound, Conflict))
    async def retract(match_id: UUID, body: Retraction, caller: MatchReviewer) -> Decided:
        """Undo an accepted match, whether a rule or a person accepted it."""
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
