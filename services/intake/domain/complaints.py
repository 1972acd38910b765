"""Sanitises every text of a complaint, before anything of it is written to disk.

All texts are read together, so that one person has one number in all of them and a subject of the form stays
in each. The digits of a partner body's own number stay, and the receipt of an earlier complaint is left out.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from services.intake.domain.marking import put_right
from shared.contracts.complaint import (
    FREE_TEXTS_OF_SUBJECT,
    ComplaintBody,
    Incident,
    SanitisedComplaint,
    SanitisedIncident,
    SanitisedSubject,
    Subject,
)
from shared.contracts.complaint_events import RedactionCount
from shared.sanitiser.doubts import Doubt
from shared.sanitiser.text import Field, Sanitised, TextKind, sanitise_texts

NARRATIVE: Final = "narrative"
_KINDS_OF_TEXT: Final[dict[str, TextKind]] = {
    "narrative": "narrative",
    "name": "officer",
    "rank": "officer",
    "collar_number": "officer",
    "unit": "unit",
    "description": "narrative",
    "vehicle": "officer",
    "place": "place",
    "external_reference": "reference",
}
"""By the last part of a text's path."""


@dataclass(frozen=True, slots=True)
class SanitisedTexts:
    """The free texts of a complaint by the path of their field."""

    texts: dict[str, Sanitised]
    added_doubts: tuple[tuple[str, Doubt], ...] = ()
    """(field, doubt): what the form says itself."""

    @property
    def narrative(self) -> Sanitised:
        return self.texts[NARRATIVE]

    @property
    def doubts(self) -> tuple[tuple[str, Doubt], ...]:
        """(field, doubt): why a person should look before the complaint leaves intake."""
        found = tuple((field, doubt) for field, text in self.texts.items() for doubt in text.doubts)
        return found + self.added_doubts

    def text(self, field: str) -> str | None:
        """A text as it may be kept; None where none was sent."""
        sanitised = self.texts.get(field)
        return None if sanitised is None else sanitised.text


def sanitise_body(body: ComplaintBody) -> SanitisedTexts:
    """Every free text of a complaint without traces, with the reasons for doubt."""
    sent = body.texts()
    sanitised = sanitise_texts(
        [Field(text, _KINDS_OF_TEXT[path.rpartition(".")[2]]) for path, text in sent.items()],
        [subject.name for subject in body.subjects if subject.name],
    )
    texts = dict(zip(sent, sanitised, strict=True))
    if body.masks or body.keep:
        texts = put_right(sent, texts, body.masks, body.keep)
    return SanitisedTexts(texts, tuple(_doubts_of_the_form(body)))


def _doubts_of_the_form(body: ComplaintBody) -> Iterator[tuple[str, Doubt]]:
    if body.could_be_guessed == "yes":
        yield NARRATIVE, Doubt("could_be_guessed", 0, len(body.narrative))
    for span in body.keep:
        yield span.field, Doubt("kept_by_handler", span.start, span.end)


def sanitise_complaint(body: ComplaintBody) -> tuple[SanitisedComplaint, tuple[RedactionCount, ...]]:
    """The complaint as it may be kept, and how many traces of which kind were in which field."""
    sanitised = sanitise_body(body)
    return with_texts(body, sanitised), counted(sanitised)


def with_texts(body: ComplaintBody, sanitised: SanitisedTexts) -> SanitisedComplaint:
    """The complaint with its texts as they may be kept."""
    return SanitisedComplaint(
        channel=body.channel,
        narrative=sanitised.narrative.text,
        subjects=tuple(_subject(index, sent, sanitised) for index, sent in enumerate(body.subjects)),
        allegations=body.allegations,
        national_categories=body.national_categories,
        incident=_incident(body.incident, sanitised) if body.incident else None,
        risk=body.risk,
        wish=body.wish,
        could_be_guessed=body.could_be_guessed,
        external_reference=sanitised.text("external_reference"),
    )


def _subject(index: int, sent: Subject, sanitised: SanitisedTexts) -> SanitisedSubject:
    return SanitisedSubject(
        role=sent.role,
        force=sent.force,
        seen_from=sent.seen_from,
        seen_to=sent.seen_to,
        **{
            name: getattr(sent, name) and sanitised.text(f"subjects.{index}.{name}")
            for name in FREE_TEXTS_OF_SUBJECT
        },
    )


def _incident(sent: Incident, sanitised: SanitisedTexts) -> SanitisedIncident:
    return SanitisedIncident(
        from_=sent.from_,
        to=sent.to,
        place=sent.place and sanitised.text("incident.place"),
        force=sent.force,
    )


def counted(sanitised: SanitisedTexts) -> tuple[RedactionCount, ...]:
    """How many traces of which kind were in which field."""
    counts = Counter(
        (field, redaction.kind) for field, text in sanitised.texts.items() for redaction in text.redactions
    )
    return tuple(
        RedactionCount(field=field, kind=kind, count=count) for (field, kind), count in sorted(counts.items())
    )
