"""What the policy decides from: complaints as they were told, and what became of their case so far.

Nothing here speaks of credibility, of the channel or of the weight of a match: the policy cannot depend on
what it is not given (nature, not merits).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Final
from uuid import UUID

from shared.contracts.complaint import SanitisedComplaint

UNKNOWN: Final = "unknown"
"""The slug of the force where nobody said which."""


@dataclass(frozen=True, slots=True)
class ComplaintFacts:
    """One complaint of a case; `clear_on` is the day from which its deadlines count."""

    complaint_id: UUID
    clear_on: date
    body: SanitisedComplaint

    @property
    def force(self) -> str:
        """The force of the first subject that acted or failed to act, else of the incident, else unknown."""
        return force_of(self.body)


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """The complaints of one case.

    Attributes:
        settled: those that a final decision of the case has dealt with; their deadlines have ended.
        news: complaint -> day, for new information about a case that was decided before.
        called_in_on: the day on which the oversight body required the referral.
    """

    complaints: tuple[ComplaintFacts, ...]
    settled: frozenset[UUID] = frozenset()
    news: Mapping[UUID, date] = field(default_factory=lambda: MappingProxyType({}))
    called_in_on: date | None = None

    @property
    def force(self) -> str:
        return commonest_force(complaint.force for complaint in self.complaints)


def force_of(body: SanitisedComplaint) -> str:
    """The force that a complaint is about."""
    for subject in body.subjects:
        if subject.role in {"accused", "failed_to_act"} and subject.force not in {None, UNKNOWN}:
            return str(subject.force)
    if body.incident is not None and body.incident.force is not None:
        return body.incident.force
    return UNKNOWN


def commonest_force(forces: Iterable[str]) -> str:
    """The force that most complaints of a case are about; of equals the first by name."""
    counted = Counter(force for force in forces if force != UNKNOWN)
    return min(counted, key=lambda force: (-counted[force], force), default=UNKNOWN)
