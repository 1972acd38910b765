"""Sanitises every text of a complaint, before anything of it is written to disk.

The digits of a partner body's own number stay, and the receipt of an earlier complaint is left out.
"""

from collections import Counter

from shared.contracts.complaint import (
    ComplaintBody,
    Incident,
    SanitisedComplaint,
    SanitisedIncident,
    SanitisedSubject,
    Subject,
)
from shared.contracts.complaint_events import RedactionCount
from shared.sanitiser.text import TextKind, sanitise


def sanitise_complaint(body: ComplaintBody) -> tuple[SanitisedComplaint, tuple[RedactionCount, ...]]:
    """The complaint as it may be kept, and how many traces of which kind were in which field."""
    counts: Counter[tuple[str, str]] = Counter()

    def clean(field: str, text: str | None, kind: TextKind) -> str | None:
        return text and clean_text(field, text, kind)

    def clean_text(field: str, text: str, kind: TextKind) -> str:
        sanitised = sanitise(text, kind)
        for redaction in sanitised.redactions:
            counts[field, redaction.kind] += 1
        return sanitised.text

    def clean_subject(field: str, sent: Subject) -> SanitisedSubject:
        return SanitisedSubject(
            role=sent.role,
            name=clean(f"{field}.name", sent.name, "officer"),
            rank=clean(f"{field}.rank", sent.rank, "officer"),
            collar_number=clean(f"{field}.collar_number", sent.collar_number, "officer"),
            force=sent.force,
            unit=clean(f"{field}.unit", sent.unit, "officer"),
            description=clean(f"{field}.description", sent.description, "narrative"),
            vehicle=clean(f"{field}.vehicle", sent.vehicle, "officer"),
            seen_from=sent.seen_from,
            seen_to=sent.seen_to,
        )

    def clean_incident(sent: Incident) -> SanitisedIncident:
        return SanitisedIncident(
            from_=sent.from_,
            to=sent.to,
            place=clean("incident.place", sent.place, "place"),
            force=sent.force,
        )

    complaint = SanitisedComplaint(
        channel=body.channel,
        narrative=clean_text("narrative", body.narrative, "narrative"),
        subjects=tuple(clean_subject(f"subjects.{index}", sent) for index, sent in enumerate(body.subjects)),
        allegations=body.allegations,
        national_categories=body.national_categories,
        incident=clean_incident(body.incident) if body.incident else None,
        risk=body.risk,
        wish=body.wish,
        could_be_guessed=body.could_be_guessed,
        external_reference=body.external_reference
        and clean_text("external_reference", body.external_reference, "reference"),
    )
    return complaint, tuple(
        RedactionCount(field=field, kind=kind, count=count) for (field, kind), count in sorted(counts.items())
    )
