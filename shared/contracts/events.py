"""Every event that services publish: its type, its versions, and the models of its two parts.

`EVENTS` is the registry. Writing goes through the models, so that nothing is clear that is not listed;
reading ignores unknown members, so that an older reader understands a newer writer that only
added some. A payload that breaks its model raises pydantic's `ValidationError`, which quotes no value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Generic, Literal, TypeVar

import orjson

from shared.contracts import case_events as case
from shared.contracts import complaint_events as complaint
from shared.contracts import match_events as match
from shared.contracts.contract import Contract
from shared.contracts.envelope import SCHEMA_PREFIX

Clear = TypeVar("Clear", bound=Contract)
Sealed = TypeVar("Sealed", bound=Contract)
Clear_co = TypeVar("Clear_co", bound=Contract, covariant=True)
Sealed_co = TypeVar("Sealed_co", bound=Contract, covariant=True)
Owner = Literal["intake", "dedup", "referral"]


@dataclass(frozen=True, slots=True)
class EventType(Generic[Clear_co, Sealed_co]):
    """`name` stands as `type` in the envelope; `sealed` is None where all of an event is clear."""

    owner: Owner
    name: str
    clear: type[Clear_co]
    sealed: type[Sealed_co] | None
    schema_version: int = 1

    @property
    def dataschema(self) -> str:
        return SCHEMA_PREFIX + self.name

    def read_clear(self, clear: Mapping[str, object]) -> Clear_co:
        """The clear part out of an envelope's `data`.

        Raises:
            ValidationError: it breaks the model.
        """
        # Through JSON, where strict models still read "…" as a UUID or a day.
        return self.clear.model_validate_json(orjson.dumps(clear), extra="ignore")

    def read_sealed(self, plain: bytes) -> Sealed_co:
        """The sealed part, opened.

        Raises:
            ValidationError: it breaks the model.
            LookupError: this type has no sealed part.
        """
        if self.sealed is None:
            raise LookupError(f"{self.name} has no sealed part")
        return self.sealed.model_validate_json(plain, extra="ignore")


def _intake(name: str, clear: type[Clear], sealed: type[Sealed] | None = None) -> EventType[Clear, Sealed]:
    return EventType("intake", f"hotline.{name}.v1", clear, sealed)


def _dedup(name: str, clear: type[Clear]) -> EventType[Clear, Contract]:
    return EventType("dedup", f"hotline.{name}.v1", clear, None)


def _case(name: str, sealed: type[Sealed]) -> EventType[case.CaseKey, Sealed]:
    return EventType("referral", f"hotline.case.{name}.v1", case.CaseKey, sealed)


def _referral(name: str, sealed: type[Sealed]) -> EventType[case.ReferralKey, Sealed]:
    return EventType("referral", f"hotline.referral.{name}.v1", case.ReferralKey, sealed)


def _subject(name: str, sealed: type[Sealed]) -> EventType[case.SubjectKey, Sealed]:
    return EventType("referral", f"hotline.subject.{name}.v1", case.SubjectKey, sealed)


COMPLAINT_RECORDED: Final = _intake("complaint.recorded", complaint.ComplaintKey, complaint.ComplaintRecorded)
COMPLAINT_FOLLOWED_UP: Final = _intake(
    "complaint.followed_up", complaint.ComplaintKey, complaint.ComplaintFollowedUp
)
COMPLAINT_ERASED: Final[EventType[complaint.ComplaintErased, Contract]] = _intake(
    "complaint.erased", complaint.ComplaintErased
)
CONTACT_CLOSED: Final[EventType[complaint.ContactClosed, Contract]] = _intake(
    "contact.closed", complaint.ContactClosed
)
INCIDENT_CHANGED: Final = _dedup("incident.changed", match.IncidentChanged)
PATTERN_CHANGED: Final = _dedup("pattern.changed", match.PatternChanged)
CASE_OPENED: Final = _case("opened", case.CaseOpened)
CASE_ASSESSED: Final = _case("assessed", case.CaseAssessed)
CASE_DECIDED: Final = _case("decided", case.CaseDecided)
CASE_APPROVED: Final = _case("approved", case.CaseApproved)
CASE_REFERRED: Final = _case("referred", case.CaseReferred)
CASE_DEADLINE_MISSED: Final = _case("deadline_missed", case.CaseDeadlineMissed)
CASE_OUTCOME_RECORDED: Final = _case("outcome_recorded", case.CaseOutcomeRecorded)
CASE_REOPENED: Final = _case("reopened", case.CaseReopened)
CASE_MERGED: Final = _case("merged", case.CaseMerged)
CASE_SPLIT: Final = _case("split", case.CaseSplit)
REFERRAL_DISPATCHED: Final = _referral("dispatched", case.ReferralDispatched)
REFERRAL_ACKNOWLEDGED: Final = _referral("acknowledged", case.ReferralAcknowledged)
REFERRAL_QUESTION_ASKED: Final = _referral("question_asked", case.ReferralQuestionAsked)
REFERRAL_CORRECTED: Final = _referral("corrected", case.ReferralCorrected)
REFERRAL_WITHDRAWN: Final = _referral("withdrawn", case.ReferralWithdrawn)
SUBJECT_IDENTIFIED: Final = _subject("identified", case.SubjectIdentified)
SUBJECT_EXCLUDED: Final = _subject("excluded", case.SubjectExcluded)

_ALL: Final[tuple[EventType[Contract, Contract], ...]] = (
    COMPLAINT_RECORDED,
    COMPLAINT_FOLLOWED_UP,
    COMPLAINT_ERASED,
    CONTACT_CLOSED,
    INCIDENT_CHANGED,
    PATTERN_CHANGED,
    CASE_OPENED,
    CASE_ASSESSED,
    CASE_DECIDED,
    CASE_APPROVED,
    CASE_REFERRED,
    CASE_DEADLINE_MISSED,
    CASE_OUTCOME_RECORDED,
    CASE_REOPENED,
    CASE_MERGED,
    CASE_SPLIT,
    REFERRAL_DISPATCHED,
    REFERRAL_ACKNOWLEDGED,
    REFERRAL_QUESTION_ASKED,
    REFERRAL_CORRECTED,
    REFERRAL_WITHDRAWN,
    SUBJECT_IDENTIFIED,
    SUBJECT_EXCLUDED,
)

EVENTS: Final[Mapping[str, EventType[Contract, Contract]]] = MappingProxyType(
    {event.name: event for event in _ALL}
)
