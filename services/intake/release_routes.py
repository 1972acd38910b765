"""The HTTP routes of the release queue: for reviewers, and for call handlers whose complaint came back."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import ConfigDict, Field, StringConstraints

from services.intake.domain.marking import markers_in
from services.intake.holding import PastAct, WaitingComplaint, note_of
from services.intake.internal_events import HeldComplaint, HeldDoubt, ReleaseState
from services.intake.releasing import Acted, ReleaseDesk
from shared.contracts.complaint import ComplaintBody, SanitisedComplaint
from shared.contracts.contract import VISIBLE, Telling
from shared.contracts.spans import MOST_SPANS, TextSpan
from shared.contracts.words import TraceKind
from shared.errors import Conflict, NotFound
from shared.sanitiser.doubts import Reason
from shared.sanitiser.free_text import Sanitise
from shared.service import Context
from shared.web import openapi
from shared.web.auth import CallHandler, ReleaseReviewer
from shared.web.pages import Cursor, Limit, Page
from shared.web.parameters import IfMatch, IfMatchOrNot, version_of
from shared.web.routing import Router
from shared.web.schemas import Schema

Note = Annotated[Telling, StringConstraints(min_length=1, max_length=2_000), VISIBLE, Sanitise()]
StateOfWaiting = Literal["waiting", "returned"]
StateFilter = Annotated[StateOfWaiting, Query(description="Only complaints that stand there.")]

_ETAG = {
    "headers": {
        "ETag": {
            "schema": {"type": "string", "examples": ['"1"']},
            "description": "The version of what waits, for `If-Match`.",
        }
    }
}
_PROBLEMS = openapi.problems(NotFound, Conflict)


class MarkSpan(Schema):
    """A mark in a text as it is shown."""

    field: str
    """The path of the text, such as `narrative` or `subjects.0.description`."""
    start: int
    """The first character of the mark, counted in code points from 0."""
    end: int
    """The character after the mark."""
    kind: TraceKind
    """What was taken out."""
    person: int | None = None
    """For a name, the number of the person in its mark."""


class DoubtInText(Schema):
    """Why a person should look, in a text as it is shown."""

    reason: Reason
    """The reason."""
    field: str
    """The path of the text, such as `narrative` or `subjects.0.description`."""
    start: int
    """The first character that it is about, counted in code points from 0."""
    end: int
    """The character after the last that it is about."""

    @classmethod
    def of(cls, doubt: HeldDoubt) -> "DoubtInText":
        return cls(reason=doubt.reason, field=doubt.field, start=doubt.start, end=doubt.end)


class ReleaseEntry(Schema):
    """Something that was done with a complaint that waits."""

    act: Literal["masked", "returned", "corrected"]
    """What was done."""
    by: str
    """The account of the person who did it."""
    at: datetime
    """When it was done, in UTC."""
    reason: str | None
    """The reason, or the note to the call handler; null where none was given."""

    @classmethod
    def of(cls, past: PastAct) -> "ReleaseEntry":
        return cls.model_validate(
            {"act": past.name, "by": past.act.by, "at": past.act.at, "reason": past.act.reason}
        )


class ReleaseListed(Schema):
    """A complaint that waits."""

    complaint_id: UUID
    """The complaint."""
    recorded_on: date
    """The day of the contact in Europe/London."""
    immediate_danger: bool
    """Whether somebody is in danger now; such complaints come first."""
    state: StateOfWaiting
    """Whom it waits for."""
    reasons: list[Reason]
    """Why a person should look, each reason once."""
    version: int
    """The version of what waits, as in the `ETag`."""

    @classmethod
    def of(cls, waiting: WaitingComplaint) -> "ReleaseListed":
        return cls(
            complaint_id=waiting.complaint_id,
            recorded_on=waiting.held.recorded_on,
            immediate_danger=waiting.is_urgent,
            state=_shown_state(waiting.state),
            reasons=sorted({doubt.reason for doubt in waiting.held.doubts}),
            version=waiting.version,
        )


class ReleaseShown(ReleaseListed):
    """A complaint that waits, as it would be published."""

    body: SanitisedComplaint
    """The complaint, without the caller's traces."""
    redactions: list[MarkSpan]
    """The marks in its texts."""
    doubts: list[DoubtInText]
    """Where a person should look, at most 500 places."""
    doubts_left_out: int
    """How many more doubts there are."""
    history: list[ReleaseEntry]
    """What was done with it so far, the oldest first."""

    @classmethod
    def shown(cls, waiting: WaitingComplaint, history: Iterable[PastAct]) -> "ReleaseShown":
        held = waiting.held
        return cls(
            **ReleaseListed.of(waiting).model_dump(),
            body=held.body,
            redactions=list(_marks(held)),
            doubts=[DoubtInText.of(doubt) for doubt in held.doubts],
            doubts_left_out=held.doubts_left_out,
            history=[ReleaseEntry.of(past) for past in history],
        )


class MaskingMade(Schema):
    """What is to be taken out of the texts as well."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"masks": [{"field": "narrative", "start": 3, "end": 12}], "reason": "The caller's sister."}
            ]
        },
    )

    masks: Annotated[tuple[TextSpan, ...], Field(min_length=1, max_length=MOST_SPANS)]
    """Spans of the texts as they are shown, at most 500. One that touches a mark takes its whole place."""
    reason: Note | None = None
    """The reason, 1 to 2,000 characters."""


class ReleaseMade(Schema):
    """Why a complaint is released."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "The name is the sergeant's."}]}
    )

    reason: Note | None = None
    """The reason, 1 to 2,000 characters."""


_WITHOUT_REASON = ReleaseMade()


class ReturnMade(Schema):
    """What the call handler is asked to correct."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"note": "Is the first person police or a friend?"}]}
    )

    note: Note
    """The note to the call handler, 1 to 2,000 characters."""


class ReleaseChanged(Schema):
    """A complaint after an act."""

    complaint_id: UUID
    """The complaint."""
    version: int
    """The version after the act."""
    state: ReleaseState
    """Where it stands now."""

    @classmethod
    def of(cls, acted: Acted) -> "ReleaseChanged":
        return cls(complaint_id=acted.complaint_id, version=acted.version, state=acted.state)


class ReturnedListed(Schema):
    """A complaint that came back to its call handler."""

    complaint_id: UUID
    """The complaint."""
    recorded_on: date
    """The day of the contact in Europe/London."""
    version: int
    """The version of what waits, for `If-Match`."""
    note: str
    """What a release reviewer asks."""


def release_routers(context: Context, desk: ReleaseDesk) -> list[Router]:
    """The routes of the release queue."""
    return [_for_reviewers(context, desk), _for_handlers(context, desk)]


def _for_reviewers(context: Context, desk: ReleaseDesk) -> Router:
    router = Router(prefix="/v1/releases", tags=["releases"])

    @router.get("")
    async def list_releases(
        caller: ReleaseReviewer, state: StateFilter = "waiting", limit: Limit = 50, cursor: Cursor = None
    ) -> Page[ReleaseListed]:
        """List the complaints that wait for their release, but the caller's own. Immediate danger comes
        first, then the oldest day."""
        listing = context.cursors.listing("/v1/releases", state=state, caller=caller.subject)
        found = await desk.queue(caller, ReleaseState(state), listing.after(cursor), limit)
        return listing.page(found, limit, position=_position, item=ReleaseListed.of)

    @router.get("/{complaint_id}", responses={200: _ETAG, **_PROBLEMS})
    async def show_release(caller: ReleaseReviewer, complaint_id: UUID, response: Response) -> ReleaseShown:
        """Show a complaint that waits, with its marks and the reasons for doubt."""
        waiting, history = await desk.file(caller, complaint_id)
        response.headers["ETag"] = _etag(waiting.version)
        return ReleaseShown.shown(waiting, history)

    @router.post("/{complaint_id}/mask", responses={200: _ETAG, **_PROBLEMS})
    async def mask_release(
        caller: ReleaseReviewer,
        complaint_id: UUID,
        masking: MaskingMade,
        response: Response,
        if_match: IfMatchOrNot = None,
    ) -> ReleaseShown:
        """Take more out of a complaint that waits. It is shown as it is then."""
        await desk.mask(caller, complaint_id, version_of(if_match), masking.masks, masking.reason)
        return await show_release(caller, complaint_id, response)

    @router.post("/{complaint_id}/release", responses={200: _ETAG, **_PROBLEMS})
    async def release_complaint(
        caller: ReleaseReviewer,
        complaint_id: UUID,
        response: Response,
        made: ReleaseMade = _WITHOUT_REASON,
        if_match: IfMatchOrNot = None,
    ) -> ReleaseChanged:
        """Release a complaint: it is published, as of the day on which it was recorded. The same person may
        say so again."""
        acted = await desk.release(caller, complaint_id, version_of(if_match), made.reason)
        response.headers["ETag"] = _etag(acted.version)
        return ReleaseChanged.of(acted)

    @router.post("/{complaint_id}/return", responses={200: _ETAG, **_PROBLEMS})
    async def return_complaint(
        caller: ReleaseReviewer,
        complaint_id: UUID,
        made: ReturnMade,
        response: Response,
        if_match: IfMatchOrNot = None,
    ) -> ReleaseChanged:
        """Send a complaint back to its call handler, with a note."""
        acted = await desk.send_back(caller, complaint_id, version_of(if_match), made.note)
        response.headers["ETag"] = _etag(acted.version)
        return ReleaseChanged.of(acted)

    return router


def _for_handlers(context: Context, desk: ReleaseDesk) -> Router:
    router = Router(prefix="/v1", tags=["releases"])

    @router.get("/returns")
    async def list_returns(
        caller: CallHandler, limit: Limit = 50, cursor: Cursor = None
    ) -> Page[ReturnedListed]:
        """List the caller's own complaints that a release reviewer sent back."""
        listing = context.cursors.listing("/v1/returns", caller=caller.subject)
        found = await desk.returned(caller, listing.after(cursor), limit)
        return listing.page(
            found,
            limit,
            position=lambda each: _position(each[0]),
            item=lambda each: ReturnedListed(
                complaint_id=each[0].complaint_id,
                recorded_on=each[0].held.recorded_on,
                version=each[0].version,
                note=note_of(each[1]) or "",
            ),
        )

    @router.put(
        "/complaints/{complaint_id}",
        responses={200: _ETAG, **_PROBLEMS},
        openapi_extra=openapi.request_body(ComplaintBody),
    )
    async def correct_complaint(
        caller: CallHandler, complaint_id: UUID, request: Request, response: Response, if_match: IfMatch
    ) -> ReleaseChanged:
        """Send a returned complaint, corrected. It waits for its release again, and keeps its receipt, its
        day and its source."""
        version = version_of(if_match)
        acted = await desk.correct(caller, complaint_id, version, await request.body())
        response.headers["ETag"] = _etag(acted.version)
        return ReleaseChanged.of(acted)

    return router


def _marks(held: HeldComplaint) -> Iterable[MarkSpan]:
    for path, text in held.body.texts().items():
        for marker in markers_in(text):
            yield MarkSpan.model_validate(
                {
                    "field": path,
                    "start": marker.start,
                    "end": marker.end,
                    "kind": marker.kind,
                    "person": marker.person or None,
                }
            )


def _position(waiting: WaitingComplaint) -> list[object]:
    is_later, recorded_on, complaint_id = waiting.position
    return [is_later, recorded_on.isoformat(), str(complaint_id)]


def _shown_state(state: ReleaseState) -> StateOfWaiting:
    return "returned" if state is ReleaseState.RETURNED else "waiting"


def _etag(version: int) -> str:
    return f'"{version}"'
