"""The HTTP routes of dedup."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query
from pydantic import ConfigDict, StringConstraints

from services.dedup.conflicts import Conflicts
from services.dedup.domain.decisions import Command
from services.dedup.domain.model import load_model
from services.dedup.domain.scoring import Scorer
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
from shared.web.schemas import Schema

PatternReader = Annotated[Caller, Depends(role("match_reviewer", "assessor"))]
Reason = Annotated[Telling, StringConstraints(min_length=1, max_length=2_000), VISIBLE, Sanitise()]
MinIncidents = Annotated[
    int, Query(ge=1, le=1_000_000, description="Only patterns with at least so many incidents.", examples=[2])
]
_LOWEST = UUID(int=0)


class Decision(Schema):
    """A person's decision on a match in doubt."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"decision": "accept", "reason": "The same day, street and car."}]},
    )

    decision: Literal["accept", "reject"]
    """Whether the two belong together."""
    reason: Reason
    """The reason, 1 to 2,000 characters."""


class Retraction(Schema):
    """Why a match is undone."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "Two officers of one name."}]}
    )

    reason: Reason
    """The reason, 1 to 2,000 characters."""


class Decided(Schema):
    """A match after a decision."""

    match_id: UUID
    """The match."""
    zone: Literal["accepted", "review", "rejected"]
    """Where the match stands now."""


def routers(context: Context) -> list[Router]:
    """The routes of dedup."""
    index, conflicts = IndexReader(context), Conflicts(context)
    views = Views(context, index, Scorer(load_model()), conflicts)
    reviewing = Reviewing(context, index, conflicts)
    reading = Router(prefix="/v1", tags=["matches"])
    deciding = Router(prefix="/v1", tags=["reviews"])

    @reading.get("/complaints/{complaint_id}/matches")
    async def show_matches(complaint_id: UUID, caller: MatchReviewer) -> ComplaintMatches:
        """Show the matches of a complaint, and the reasons for each. One that is not known yet is not
        indexed."""
        return await views.complaint(caller, complaint_id)

    @reading.get("/incidents/{incident_id}", responses=openapi.problems(NotFound))
    async def show_incident(incident_id: UUID, caller: PatternReader) -> ShownIncident:
        """Show the complaints of one incident."""
        return await views.incident(caller, incident_id)

    @reading.get("/patterns/{pattern_id}", responses=openapi.problems(NotFound))
    async def show_pattern(pattern_id: UUID, caller: PatternReader) -> ShownPattern:
        """Show the subjects that are one officer."""
        return await views.pattern(caller, pattern_id)

    @reading.get("/patterns")
    async def list_patterns(
        caller: PatternReader,
        force: ForceFilter = None,
        min_incidents: MinIncidents = 1,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Page[ListedPattern]:
        """List the patterns with at least so many incidents; with `force`, those in which it is named."""
        listing = context.cursors.listing(
            "/v1/patterns", force=force, min_incidents=min_incidents, caller=caller.subject
        )
        after = listing.after(cursor)
        start = UUID(after[0]) if after else _LOWEST
        found = await views.patterns(caller, start, min_incidents, force, limit + 1)
        return listing.page(found, limit, position=lambda p: [str(p.pattern_id)], item=lambda p: p)

    @deciding.get("/reviews")
    async def list_reviews(
        caller: MatchReviewer, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Page[ReviewedMatch]:
        """List the matches that wait for a person: the grey zone, what a rule accepted where the release of a
        complaint waits for a person's word, and what a rule accepted that joins nothing."""
        listing = context.cursors.listing("/v1/reviews", caller=caller.subject)
        after = listing.after(cursor)
        start = UUID(after[0]) if after else _LOWEST
        found = await views.reviews(caller, start, limit + 1)
        return listing.page(found, limit, position=lambda m: [str(m.match_id)], item=lambda m: m)

    @deciding.post("/reviews/{match_id}", responses=openapi.problems(NotFound, Conflict))
    async def review_match(match_id: UUID, body: Decision, caller: MatchReviewer) -> Decided:
        """Accept or reject a match: one of the grey zone, one that a rule accepted, or one that was rejected
        or retracted before."""
        return await _decided(reviewing, match_id, body.decision, caller, body.reason)

    @deciding.post("/matches/{match_id}/retract", responses=openapi.problems(NotFound, Conflict))
    async def retract_match(match_id: UUID, body: Retraction, caller: MatchReviewer) -> Decided:
        """Undo an accepted match, whether a rule or a person accepted it. A review can accept it again."""
        return await _decided(reviewing, match_id, "retract", caller, body.reason)

    return [reading, deciding]


async def _decided(
    reviewing: Reviewing, match_id: UUID, command: Command, caller: Caller, reason: str
) -> Decided:
    try:
        match = await reviewing.decide(match_id, command, caller, reason)
    except (StoreUnavailable, StoreHalted):
        raise Unavailable("Nothing was decided; send it again.") from None
    return Decided.model_validate({"match_id": match.match_id, "zone": match.zone})
