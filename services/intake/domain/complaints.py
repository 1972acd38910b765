"""Sanitises every text of a complaint, before anything of it is written to disk.

All texts are read together, so that one person has one number in all of them and a subject of the form stays
in each. The digits of a partner body's own number stay, and the receipt of an earlier complaint is left out.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from shared.contracts.complaint import (
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
_OF_SUBJECT: Final[dict[str, TextKind]] = {
    "name": "officer",
    "rank": "officer",
    "collar_number": "officer",
    "unit": "unit",
    "description": "narrative",
    "vehicle": "officer",
}


@dataclass(frozen=True, slots=True)
class SanitisedTexts:
    """The free texts of a complaint by the path of their field."""

    texts: dict[str, Sanitised]
    could_be_guessed: bool
    narrative_length: int
    """Of the narrative as sent, in code points."""

    @property
    def narrative(self) -> Sanitised:
        return self.texts[NARRATIVE]

    @property
    def doubts(self) -> tuple[tuple[str, Doubt], ...]:
        """(field, doubt): why a person should look before the complaint leaves intake."""
        doubts = tuple((field, doubt) for field, text in self.texts.items() for doubt in text.doubts)
        if self.could_be_guessed:
            doubts += ((NARRATIVE, Doubt("could_be_guessed", 0, self.narrative_length)),)
        return doubts

    def text(self, field: str) -> str | None:
        """A text as it may be kept; None where none was sent."""
        sanitised = self.texts.get(field)
        return None if sanitised is None else sanitised.text


def sanitise_body(body: ComplaintBody) -> SanitisedTexts:
    """Every free text of a complaint without traces, with the reasons for doubt."""
    fields = dict(_texts(body))
    sanitised = sanitise_texts(
        tuple(fields.values()), [subject.name for subject in body.subjects if subject.name]
    )
    return SanitisedTexts(
        dict(zip(fields, sanitised, strict=True)),
        could_be_guessed=body.could_be_guessed == "yes",
        narrative_length=len(body.narrative),
    )


def sanitise_complaint(body: ComplaintBody) -> tuple[SanitisedComplaint, tuple[RedactionCount, ...]]:
    """The complaint as it may be kept, and how many traces of which kind were in which field."""
    sanitised = sanitise_body(body)
    return with_texts(body, sanitised), _counted(sanitised)


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


def _texts(body: ComplaintBody) -> Iterator[tuple[str, Field]]:
    yield NARRATIVE, Field(body.narrative)
    for index, subject in enumerate(body.subjects):
        for name, kind in _OF_SUBJECT.items():
            if text := getattr(subject, name):
                yield f"subjects.{index}.{name}", Field(text, kind)
    if body.incident and body.incident.place:
        yield "incident.place", Field(body.incident.place, "place")
    if body.external_reference:
        yield "external_reference", Field(body.external_reference, "reference")


def _subject(index: int, sent: Subject, sanitised: SanitisedTexts) -> SanitisedSubject:
    return SanitisedSubject(
        role=sent.role,
        force=sent.force,
        seen_from=sent.seen_from,
        seen_to=sent.seen_to,
        **{name: getattr(sent, name) and sanitised.text(f"subjects.{index}.{name}") for name in _OF_SUBJECT},
    )


def _incident(sent: Incident, sanitised: SanitisedTexts) -> SanitisedIncident:
    return SanitisedIncident(
        from_=sent.from_,
        to=sent.to,
        place=sent.place and sanitised.text("incident.place"),
        force=sent.force,
    )


def _counted(sanitised: SanitisedTexts) -> tuple[RedactionCount, ...]:
    counts = Counter(
        (field, redaction.kind) for field, text in sanitised.texts.items() for redaction in text.redactions
    )
    return tuple(
        RedactionCount(field=field, kind=kind, count=count) for (field, kind), count in sorted(counts.items())
    )
