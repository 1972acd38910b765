"""The body of a complaint: as a client sends it, and as it is kept and published once it was sanitised.

`read_complaint` turns bytes into a `ComplaintBody` or raises `Unprocessable` with the path of every wrong
field. The two models are siblings on purpose: what was sent cannot be passed for what was sanitised.
`SanitisedComplaint` has no limits of length (a marker may be longer than what it replaces) and no receipt.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import islice
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from shared.contracts import messages
from shared.contracts.admission import Admission
from shared.contracts.contract import (
    VISIBLE,
    CategoryCode,
    Contract,
    Day,
    ForceSlug,
    SubjectIndex,
    Telling,
    Text,
)
from shared.contracts.json_text import repeated_names, without_mark
from shared.contracts.spans import MOST_SPANS, TextSpan, require_spans_within
from shared.contracts.words import Channel, Guess, NationalLetter, SubjectRole, Wish
from shared.errors import FieldError, Unprocessable

LONGEST_NARRATIVE: Final = 20_000
MOST_SUBJECTS: Final = 50
MOST_ALLEGATIONS: Final = 50
_MOST_ERRORS: Final = 100

_BETWEEN_DIGITS: Final = re.compile(r"[\s.\-\u2013\u2014]+")


def _digits(receipt: str) -> str:
    return _BETWEEN_DIGITS.sub("", receipt)


Receipt = Annotated[
    str,
    StringConstraints(max_length=64, pattern=messages.RECEIPT),
    AfterValidator(_digits),
]
"""The 16 digits of a receipt; spaces, dots and dashes as people type them are taken out."""


def _not_before(begin: date | None, end: date | None) -> None:
    if begin is not None and end is not None and end < begin:
        raise PydanticCustomError("end_before_begin", "must not be before the beginning")


class _AnySubject(Contract):
    """A person as this complaint describes them."""

    role: SubjectRole = "accused"
    """What the caller says that the person did: only the accused, and those who failed to act, take part in
    matching."""
    name: Text | None = None
    """The name as far as it is known, such as `PC David C`; a part of it is enough."""
    rank: Text | None = None
    """The rank in the caller's words, such as `constable`."""
    collar_number: Text | None = None
    """The collar or warrant number, or what was seen of it, such as `1234AB`."""
    force: ForceSlug | None = None
    """The police force that the person belongs to."""
    unit: Text | None = None
    """The unit or station, such as `roads policing`."""
    description: Text | None = None
    """How the person looks and speaks."""
    vehicle: Text | None = None
    """The vehicle, best by its number plate, such as `AB12 CDE`."""
    seen_from: Day | None = None
    """The first day on which the caller met the person."""
    seen_to: Day | None = None
    """The last day on which the caller met the person; not before the first."""

    @field_validator("seen_to")
    @classmethod
    def _ends_after_it_began(cls, seen_to: date | None, info: ValidationInfo) -> date | None:
        _not_before(info.data.get("seen_from"), seen_to)
        return seen_to


class Allegation(Contract):
    """One kind of wrong. Without `subjects` it is about every `accused` one."""

    code: CategoryCode
    """The kind of wrong."""
    subjects: Annotated[tuple[SubjectIndex, ...], Field(max_length=MOST_SUBJECTS)] = ()
    """Which of the complaint's subjects it is about, by their places in the list, from 0; none means every
    accused one."""

    @field_validator("subjects")
    @classmethod
    def _each_subject_once(cls, subjects: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(subjects)) != len(subjects):
            raise PydanticCustomError("repeated_subject", "must name each subject once")
        return subjects


class _AnyIncident(Contract):
    """When and where it happened, as far as it is known."""

    from_: Day | None = Field(default=None, alias="from")
    """The first day on which it happened."""
    to: Day | None = None
    """The last day on which it happened; not before the first."""
    place: Text | None = None
    """Where it happened, in the caller's words."""
    force: ForceSlug | None = None
    """The police force in whose area it happened."""

    @field_validator("to")
    @classmethod
    def _ends_after_it_began(cls, to: date | None, info: ValidationInfo) -> date | None:
        _not_before(info.data.get("from_"), to)
        return to


class Risk(Contract):
    """What may not wait. A missing answer is not a no."""

    immediate_danger: bool | None = None
    """Whether somebody is in danger now."""
    ongoing_contact: bool | None = None
    """Whether the person is still in touch with the caller."""
    child_involved: bool | None = None
    """Whether a child is involved."""
    death_or_serious_injury: bool | None = None
    """Whether somebody died or was seriously injured."""


class _AnyComplaint(Contract):
    channel: Channel
    """How it reached the hotline."""
    narrative: Telling
    """What was told, after the caller's own traces were taken out; a mark such as `[phone]` stands in their
    place."""
    subjects: Annotated[tuple[_AnySubject, ...], Field(max_length=MOST_SUBJECTS)] = ()
    """The persons it is about, at most 50."""
    allegations: Annotated[tuple[Allegation, ...], Field(max_length=MOST_ALLEGATIONS)] = ()
    """What they are said to have done, at most 50."""
    national_categories: Annotated[tuple[NationalLetter, ...], Field(max_length=11)] = ()
    """The national complaint categories, each once."""
    incident: _AnyIncident | None = None
    """When and where it happened."""
    risk: Risk | None = None
    """What may not wait."""
    wish: Wish = "pass_on"
    """What the caller wants to be done with it."""
    could_be_guessed: Guess = "unknown"
    """Whether the caller thinks that what is told could show who told it."""
    external_reference: Text | None = None
    """A partner body's own number for it, such as `CH/2026/113`."""

    @field_validator("allegations")
    @classmethod
    def _about_subjects_that_are_there(
        cls, allegations: tuple[Allegation, ...], info: ValidationInfo
    ) -> tuple[Allegation, ...]:
        subjects = info.data.get("subjects")
        if subjects is None:  # wrong itself, and reported
            return allegations
        for number, allegation in enumerate(allegations):
            for place, subject in enumerate(allegation.subjects):
                if subject >= len(subjects):
                    # Pydantic reports this under `allegations`; `at` leads `field_errors` further down.
                    raise PydanticCustomError(
                        "no_such_subject",
                        "must be the index of one of the subjects",
                        {"at": f"{number}.subjects.{place}"},
                    )
        return allegations

    @field_validator("national_categories")
    @classmethod
    def _each_letter_once(cls, letters: tuple[NationalLetter, ...]) -> tuple[NationalLetter, ...]:
        if len(set(letters)) != len(letters):
            raise PydanticCustomError("repeated_letter", "must name each category once")
        return letters

    def subjects_of(self, allegation: Allegation) -> tuple[int, ...]:
        """The indexes of the subjects an allegation is about: those it names, else every accused one."""
        return allegation.subjects or tuple(
            index for index, subject in enumerate(self.subjects) if subject.role == "accused"
        )


class Subject(_AnySubject):
    """A subject as it was sent."""

    name: Annotated[Text, StringConstraints(max_length=200)] | None = None
    """The name as far as it is known, such as `PC David C`; a part of it is enough. At most 200
    characters."""
    rank: Annotated[Text, StringConstraints(max_length=100)] | None = None
    """The rank in the caller's words, such as `constable`. At most 100 characters."""
    collar_number: Annotated[Text, StringConstraints(max_length=40)] | None = None
    """The collar or warrant number, or what was seen of it, such as `1234AB`. At most 40 characters."""
    unit: Annotated[Text, StringConstraints(max_length=200)] | None = None
    """The unit or station, such as `roads policing`. At most 200 characters."""
    description: Annotated[Text, StringConstraints(max_length=2_000)] | None = None
    """How the person looks and speaks. At most 2,000 characters."""
    vehicle: Annotated[Text, StringConstraints(max_length=100)] | None = None
    """The vehicle, best by its number plate, such as `AB12 CDE`. At most 100 characters."""


class Incident(_AnyIncident):
    """An incident as it was sent."""

    place: Annotated[Text, StringConstraints(max_length=500)] | None = None
    """Where it happened, in the caller's words. At most 500 characters."""


_EXAMPLE: Final[dict[str, Any]] = {
    "channel": "phone",
    "narrative": "PC David C came to my door again. Ring me on 07700 900123.",
    "subjects": [{"name": "PC David C", "force": "hampshire", "unit": "roads policing"}],
    "allegations": [{"code": "sexual.abuse_of_position", "subjects": [0]}],
    "incident": {"from": "2020-03-01", "to": "2020-03-31", "force": "hampshire"},
    "risk": {"ongoing_contact": True},
    "wish": "ask_me_first",
}


def _drop_default(schema: dict[str, Any]) -> None:
    # Generated clients require what has a default in the schema; those of before send neither list.
    schema.pop("default", None)


_WITHOUT_DEFAULT: Final = Field(json_schema_extra=_drop_default)


class ComplaintBody(_AnyComplaint):
    """The body of `POST /v1/complaints`: all optional but `channel` and `narrative`."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    narrative: Annotated[Telling, StringConstraints(min_length=1, max_length=LONGEST_NARRATIVE), VISIBLE]
    """What the caller told, 1 to 20,000 characters. The caller's own traces are taken out before anything is
    kept."""
    subjects: Annotated[tuple[Subject, ...], Field(max_length=MOST_SUBJECTS)] = ()
    """The persons it is about, at most 50."""
    incident: Incident | None = None
    """When and where it happened."""
    external_reference: Annotated[Text, StringConstraints(max_length=200)] | None = None
    """A partner body's own number for it, such as `CH/2026/113`. At most 200 characters."""
    continues: Receipt | None = None
    """The receipt of an earlier complaint of the same caller: 16 digits, with spaces, dots or dashes between
    them as they are typed."""
    masks: Annotated[tuple[TextSpan, ...], Field(max_length=MOST_SPANS), _WITHOUT_DEFAULT] = ()
    """What is to be taken out of the texts as well, at most 500 spans of the texts as sent: what the preview
    missed."""
    keep: Annotated[tuple[TextSpan, ...], Field(max_length=MOST_SPANS), _WITHOUT_DEFAULT] = ()
    """What is to stay in the texts although the preview takes it out, at most 500 spans of the texts as sent.
    Each is a reason for doubt. Nothing may be in both lists."""

    @field_validator("masks", "keep")
    @classmethod
    def _of_texts_that_are_there(
        cls, spans: tuple[TextSpan, ...], info: ValidationInfo
    ) -> tuple[TextSpan, ...]:
        if spans and {"narrative", "subjects", "incident", "external_reference"} <= info.data.keys():
            require_spans_within(spans, dict(_texts(info.data)))
        return spans

    @field_validator("keep")
    @classmethod
    def _of_nothing_that_is_masked(
        cls, keep: tuple[TextSpan, ...], info: ValidationInfo
    ) -> tuple[TextSpan, ...]:
        masks: dict[str, list[tuple[int, int]]] = {}
        for mask in info.data.get("masks", ()):
            masks.setdefault(mask.field, []).append((mask.start, mask.end))
        for number, span in enumerate(keep):
            if any(start < span.end and span.start < end for start, end in masks.get(span.field, ())):
                raise PydanticCustomError(
                    "masked_and_kept", "must not overlap what is to be masked", {"at": f"{number}"}
                )
        return keep

    def texts(self) -> dict[str, str]:
        """Every free text as sent, by the path of its field."""
        return dict(_texts(vars(self)))


class PreviewBody(ComplaintBody):
    """The body of `POST /v1/sanitise`: that of a complaint, of which only `narrative` is needed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"narrative": "My name is Jane Smith."}]})

    channel: Channel = "phone"
    """How it reached the hotline."""


FREE_TEXTS_OF_SUBJECT: Final = ("name", "rank", "collar_number", "unit", "description", "vehicle")


def _texts(complaint: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(path, text) of every free text in the fields of a complaint, the narrative first."""
    yield "narrative", complaint["narrative"]
    for index, subject in enumerate(complaint["subjects"]):
        for name in FREE_TEXTS_OF_SUBJECT:
            if text := getattr(subject, name):
                yield f"subjects.{index}.{name}", text
    if complaint["incident"] and complaint["incident"].place:
        yield "incident.place", complaint["incident"].place
    if complaint["external_reference"]:
        yield "external_reference", complaint["external_reference"]


class SanitisedSubject(_AnySubject):
    """A subject without the caller's traces."""


class SanitisedIncident(_AnyIncident):
    """An incident without the caller's traces."""


class SanitisedComplaint(_AnyComplaint):
    """A complaint after the caller's own traces were removed: the only form in which it is kept."""

    subjects: Annotated[tuple[SanitisedSubject, ...], Field(max_length=MOST_SUBJECTS)] = ()
    """The persons it is about."""
    incident: SanitisedIncident | None = None
    """When and where it happened."""

    def texts(self) -> dict[str, str]:
        """Every free text, by the path of its field."""
        return dict(_texts(vars(self)))

    def with_texts(self, texts: Mapping[str, str]) -> "SanitisedComplaint":
        """The same with other texts in place of those that are there, by the path of the field."""
        subjects = tuple(
            subject.model_copy(
                update={
                    name: texts[path]
                    for name in FREE_TEXTS_OF_SUBJECT
                    if (path := f"subjects.{index}.{name}") in texts
                }
            )
            for index, subject in enumerate(self.subjects)
        )
        update: dict[str, Any] = {"subjects": subjects}
        update |= {name: texts[name] for name in ("narrative", "external_reference") if name in texts}
        if self.incident is not None and "incident.place" in texts:
            update["incident"] = self.incident.model_copy(update={"place": texts["incident.place"]})
        return self.model_copy(update=update)


def read_complaint(
    raw: bytes, admission: Admission, model: type[ComplaintBody] = ComplaintBody
) -> ComplaintBody:
    """The complaint in a request's body, or with `PreviewBody` what is to be previewed; a byte order mark
    before it is passed over.

    Raises:
        Unprocessable: it is no JSON in UTF-8, names a field twice, or fields are wrong; names each field,
            quotes none.
    """
    raw = without_mark(raw)
    if repeated := repeated_names(raw):
        raise Unprocessable(
            "The complaint says something twice; nothing was stored.",
            errors=[FieldError(_joined(path), "must be given once") for path in repeated[:_MOST_ERRORS]],
        )
    try:
        return model.model_validate_json(raw, context=admission)
    except ValidationError as error:
        errors = field_errors(error, raw)
    raise Unprocessable("The complaint is not as it should be; nothing was stored.", errors=errors)


def field_errors(error: ValidationError, raw: bytes = b"") -> tuple[FieldError, ...]:
    """What pydantic found, in our words, the first hundred.

    `raw` lets unreadable JSON be traced to the field that is to blame.
    """
    found = error.errors(include_url=False, include_input=False)
    if found[0]["type"] == "json_invalid":
        return tuple(islice(_unreadable(raw), _MOST_ERRORS)) or (FieldError("body", "must be JSON in UTF-8"),)
    return tuple(FieldError(_path(entry), messages.message(entry)) for entry in found[:_MOST_ERRORS])


_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}\Z")


def _path(entry: ErrorDetails) -> str:
    """`subjects.0.seen_to`. The name of an unknown field is the client's own and may be anything."""
    path = _joined(entry["loc"])
    return f"{path}.{at}" if (at := entry.get("ctx", {}).get("at")) else path


def _joined(path: tuple[int | str, ...]) -> str:
    parts = [part if isinstance(part, int) or _NAME.match(part) else "?" for part in path]
    return ".".join(map(str, parts)) or "body"


_UNFIT: Final = re.compile(f"[{messages.CONTROL_CHARACTERS}]")


def _unreadable(raw: bytes) -> Iterator[FieldError]:
    """The fields whose text made the JSON unreadable: lone surrogates, and controls that were not escaped.

    Slower and more lenient than the parser that refused it, and only asked then.
    """
    try:
        document = json.loads(raw, strict=False)
    except (ValueError, RecursionError):
        return
    waiting: list[tuple[tuple[str | int, ...], object]] = [((), document)]
    while waiting:
        path, value = waiting.pop()
        match value:
            case dict():
                waiting += (((*path, key), inner) for key, inner in value.items())
            case list():
                waiting += (((*path, index), inner) for index, inner in enumerate(value))
            case str():
                message = None
                if any("\ud800" <= character <= "\udfff" for character in value):
                    message = "must be text in Unicode, without lone surrogates"
                elif _UNFIT.search(value):
                    message = "must not hold control characters but tab and line ends"
                if message:
                    yield FieldError(_path({"type": "", "loc": path, "msg": "", "input": None}), message)
            case _:
                pass
