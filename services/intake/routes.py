"""The HTTP routes of intake."""

from collections import Counter
from datetime import date
from secrets import token_hex
from typing import Final
from uuid import UUID

from fastapi import Request, Response

from services.intake.contacts import Contacts
from services.intake.domain.complaints import NARRATIVE
from services.intake.importing import MEDIA_TYPE, ImportResponse
from services.intake.recording import Preview, Recorded, Recorder
from services.intake.shift import Shift
from shared.contracts.complaint import ComplaintBody, PreviewBody, SanitisedComplaint
from shared.contracts.complaint_events import ContactClosed, RedactionCount
from shared.errors import Conflict, NotFound, Unprocessable
from shared.sanitiser.doubts import Reason
from shared.sanitiser.text import Sanitised
from shared.web import openapi
from shared.web.auth import CallHandler
from shared.web.routing import Router
from shared.web.schemas import Schema

IMPORTS = "/v1/imports"

_LONGEST_KEY: Final = 200
# Declared by hand and read by `_request_key`: as a parameter of FastAPI's it took a fifth of the
# framework's time for a complaint.
_KEY_PARAMETER: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Any text that is this request's own. With it, sending the request again is safe until the"
    " end of the next day.",
    "schema": {"type": "string", "minLength": 1, "maxLength": _LONGEST_KEY, "examples": ["call-1"]},
}


_LOCATION: Final = {
    "Location": {"schema": {"type": "string"}, "description": "The address of the complaint, for staff."}
}


_VERSION: Final = {
    "headers": {
        "ETag": {
            "schema": {"type": "string", "examples": ['"3"']},
            "description": "Of a complaint that waits for its release, the version, for `If-Match`.",
        }
    }
}


def _request_key(request: Request) -> str:
    """The client's key. Without one, a repetition cannot be told from a second call.

    Raises:
        Unprocessable: it is empty or too long.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return token_hex(16)
    if not 1 <= len(key) <= _LONGEST_KEY:
        raise Unprocessable.field("Idempotency-Key", f"must have 1 to {_LONGEST_KEY} characters")
    return key


class RedactionOfKind(Schema):
    """How many traces of one kind were taken out."""

    kind: str
    """The kind of trace that was taken out, such as `phone`."""
    count: int
    """How many of this kind were taken out."""


class ComplaintAccepted(Schema):
    """`receipt` is shown this once: the caller comes back with it, and nobody else can."""

    complaint_id: UUID
    """The id of the complaint, for staff."""
    receipt: str
    """The 16 digits by which the caller, and nobody else, can come back. They are shown this once."""
    recorded_on: date
    """The day of the contact in Europe/London; no time is kept."""
    redactions: list[RedactionOfKind]
    """What was taken out, by kind."""
    held: bool
    """Whether a release reviewer looks at it before it leaves intake; nothing else is different."""


class ComplaintShown(Schema):
    """A complaint as it is kept."""

    complaint_id: UUID
    """The id of the complaint."""
    recorded_on: date
    """The day of the contact in Europe/London; no time is kept."""
    body: SanitisedComplaint
    """The complaint, without the caller's traces."""
    redactions: list[RedactionCount]
    """What was taken out, by field and kind."""
    held: bool
    """Whether it waits for its release, or for its correction where there is a `note`."""
    note: str | None
    """What a release reviewer asks who sent it back; null where it was not sent back."""


class ImportedLine(Schema):
    """One line of the answer."""

    line: int
    """The number of the line in what was sent, from 1."""
    complaint_id: UUID | None = None
    """The complaint that the line became, or had become before."""
    held: bool | None = None
    """True where it waits, or waited, for a release reviewer; else left out."""
    repeated: bool | None = None
    """True where the line was known from before; else left out."""
    error: dict[str, object] | None = None
    """Why the line was not kept: `detail`, `errors` by field, and `retry` where sending it again will do.
    Left out where it was kept."""


class ContactsClosed(Schema):
    """How many contacts were noted, under today's day."""

    count: int
    """How many contacts were noted."""


class RedactedSpan(Schema):
    """What would go: code points of the text as sent, from `start` up to `end`."""

    start: int
    """The first character that would go, counted in code points from 0."""
    end: int
    """The character after the last that would go."""
    kind: str
    """The kind of trace, such as `name`."""
    person: int | None = None
    """For a name, the number of the person in its mark: 1 for `[name-1]`."""


class DoubtfulSpan(Schema):
    """Why a person should look before the complaint leaves: code points of the text as sent."""

    reason: Reason
    """The reason: a person that could not be placed, another language, an officer and a private person of one
    name, many persons, a masked name that is also in the form, that the caller could be guessed, or that
    something is to be kept."""
    start: int
    """The first character that it is about, counted in code points from 0."""
    end: int
    """The character after the last that it is about."""
    field: str
    """The field that the text is in, such as `narrative` or `subjects.0.description`."""


class PreviewedText(Schema):
    """Another text of the form, without the traces."""

    field: str
    """The path of the text, such as `subjects.0.description`."""
    text: str
    """The text as it would be kept."""
    redactions: list[RedactedSpan]
    """What would be taken out of it."""


class Previewed(Schema):
    """The text without the traces, what they were, and what is in doubt."""

    narrative: str
    """The text as it would be kept."""
    redactions: list[RedactedSpan]
    """What would be taken out of it."""
    doubts: list[DoubtfulSpan]
    """Where a person should look, in all texts of the form."""
    held: bool
    """Whether a release reviewer would look at it before it leaves intake."""
    other_texts: list[PreviewedText]
    """The other texts of the form."""


def routers(recorder: Recorder, contacts: Contacts, shift: Shift) -> list[Router]:
    """The routes of intake."""
    router = Router(prefix="/v1", tags=["complaints"])

    @router.post(
        "/complaints",
        status_code=201,
        response_model=ComplaintAccepted,
        responses={
            200: {"model": ComplaintAccepted, "description": "It was recorded before; the same answer"},
            201: {"headers": _LOCATION},
            **openapi.problems(Conflict),
        },
        openapi_extra=openapi.request_body(ComplaintBody) | {"parameters": [_KEY_PARAMETER]},
    )
    async def record_complaint(caller: CallHandler, request: Request) -> Response:
        """Record a complaint. The same key and body again, until the end of the next day, answer the same."""
        recorded = await recorder.record(await request.body(), caller.subject, _request_key(request))
        return Response(  # a model returned would be validated once more
            _accepted(recorded).model_dump_json(),
            status_code=200 if recorded.is_repeated else 201,
            headers={"Location": f"/v1/complaints/{recorded.complaint_id}"},
            media_type="application/json",
        )

    @router.get("/complaints/{complaint_id}", responses={200: _VERSION, **openapi.problems(NotFound)})
    async def show_complaint(caller: CallHandler, complaint_id: UUID, response: Response) -> ComplaintShown:
        """Show a complaint as it is kept, without the caller's traces, to its recorder: on the same day, and
        where it came back to be corrected."""
        seen = await shift.complaint(caller, complaint_id)
        if seen.held_version is not None:
            response.headers["ETag"] = f'"{seen.held_version}"'
        return ComplaintShown(
            complaint_id=complaint_id,
            recorded_on=seen.recorded_on,
            body=seen.body,
            redactions=list(seen.redactions),
            held=seen.held_version is not None,
            note=seen.note,
        )

    @router.post(
        "/imports",
        status_code=200,
        response_class=ImportResponse,
        responses={200: {"model": ImportedLine, "description": "A line for each line, in their order"}},
        openapi_extra=openapi.request_body(ComplaintBody, MEDIA_TYPE, is_required=False),
    )
    async def import_complaints(caller: CallHandler) -> Response:
        """Record a stream of complaint bodies, one a line. The same file again changes nothing."""
        return ImportResponse(recorder, caller.subject)

    @router.post(
        "/contacts",
        status_code=201,
        responses={200: {"model": ContactsClosed, "description": "They were noted before"}},
        openapi_extra={"parameters": [_KEY_PARAMETER]},
    )
    async def close_contacts(
        caller: CallHandler, contact: ContactClosed, request: Request, response: Response
    ) -> ContactsClosed:
        """Note contacts that made no complaint, such as the abandoned calls of a day."""
        if await contacts.close(contact, caller.subject, _request_key(request)):
            response.status_code = 200
        return ContactsClosed(count=contact.count)

    @router.post(
        "/sanitise",
        status_code=200,
        response_model=Previewed,
        openapi_extra=openapi.request_body(PreviewBody),
    )
    async def preview_sanitising(_: CallHandler, request: Request) -> Previewed:
        """Preview what would be taken out of a narrative, and what is in doubt. Nothing is stored."""
        return _previewed(recorder.preview(await request.body()))

    return [router]


def _previewed(preview: Preview) -> Previewed:
    texts = preview.texts.texts
    return Previewed(
        narrative=texts[NARRATIVE].text,
        redactions=_spans(texts[NARRATIVE]),
        doubts=[
            DoubtfulSpan(reason=doubt.reason, start=doubt.start, end=doubt.end, field=field)
            for field, doubt in preview.texts.doubts
        ],
        held=preview.is_held,
        other_texts=[
            PreviewedText(field=field, text=text.text, redactions=_spans(text))
            for field, text in texts.items()
            if field != NARRATIVE
        ],
    )


def _spans(text: Sanitised) -> list[RedactedSpan]:
    return [
        RedactedSpan(start=one.start, end=one.end, kind=one.kind, person=one.person or None)
        for one in text.redactions
    ]


def _accepted(recorded: Recorded) -> ComplaintAccepted:
    by_kind: Counter[str] = Counter()
    for redaction in recorded.redactions:
        by_kind[redaction.kind] += redaction.count
    return ComplaintAccepted(
        complaint_id=recorded.complaint_id,
        receipt=recorded.receipt,
        recorded_on=recorded.recorded_on,
        redactions=[RedactionOfKind(kind=kind, count=count) for kind, count in sorted(by_kind.items())],
        held=recorded.is_held,
    )
