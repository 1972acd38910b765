"""Payloads of the events that referral publishes: cases, referrals, and who a subject was found to be.

The clear parts are ids and a status; what people did, why and at what time is sealed.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, StringConstraints

from shared.contracts.contract import (
    CategoryCode,
    Code,
    Contract,
    Count,
    CriterionCode,
    Day,
    ForceSlug,
    SubjectIndex,
    Text,
)

CaseStatus = Literal["open", "assessed", "decided", "approved", "referred", "closed", "merged"]
Outcome = Literal["refer", "no_further_action", "more_information", "signpost"]
ApprovalGround = Literal[
    "must_be_referred",
    "guarded_strand",
    "in_pattern",
    "another_recipient",
    "ask_me_first",
    "could_be_guessed",
]
"""Why a decision needs a second person."""
Recipient = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class CaseKey(Contract):
    case_id: UUID
    complaint_ids: tuple[UUID, ...]
    status: CaseStatus


class ReferralKey(Contract):
    referral_id: UUID
    case_id: UUID


class SubjectKey(Contract):
    complaint_id: UUID
    subject: SubjectIndex


class Act(Contract):
    """What a person did: `by` is their account, `at` the exact time, which is sealed with the rest."""

    by: Text
    at: AwareDatetime


class IndicatedCriterion(Contract):
    """A referral criterion that an allegation indicates; `allegation` is an index, null for the whole."""

    code: CriterionCode
    source: Text
    complaint_id: UUID
    allegation: Count | None = None
    category: CategoryCode | None = None


class Deadline(Contract):
    """Counted in Europe/London by `calendar`; `because_of` is the criterion or act that started it."""

    rule: Code
    version: Text
    calendar: Literal["days", "working_days"]
    starts_on: Day
    due_on: Day
    because_of: Text
    owner: Literal["charity", "authority"]


class Recommendation(Contract):
    """What the policy advises: criteria and why. Never a verdict of misconduct.

    `force` is the one that most of the complaints are about.
    """

    policy_version: Text
    force: ForceSlug = "unknown"
    criteria: tuple[IndicatedCriterion, ...] = ()
    priority: Count
    recipient: Recipient | None = None
    deadlines: tuple[Deadline, ...] = ()
    explanation: tuple[Text, ...] = ()


class Disposition(Contract):
    """A decision for one allegation of one complaint."""

    complaint_id: UUID
    allegation: Count | None = None
    outcome: Outcome
    recipient: Recipient | None = None
    reason_code: Code


class CaseOpened(Contract):
    recommendation: Recommendation


class CaseAssessed(Contract):
    recommendation: Recommendation


class CaseDecided(Act):
    dispositions: tuple[Disposition, ...]
    reason: Text
    needs_approval: bool
    approval_grounds: tuple[ApprovalGround, ...] = ()


class CaseApproved(Act):
    approve: bool
    reason: Text


class CaseReferred(Contract):
    referral_ids: tuple[UUID, ...]
    recipient: Recipient
    criteria: tuple[CriterionCode, ...] = ()


class CaseDeadlineMissed(Contract):
    deadline: Deadline
    days_late: Count


class CaseOutcomeRecorded(Act):
    referral_id: UUID
    outcome: Code
    text: Text | None = None


class CaseReopened(Contract):
    because_of: Text
    criteria: tuple[CriterionCode, ...] = ()


class CaseMerged(Contract):
    """`merged_into` survives, with the earliest deadline and all dispatches."""

    merged_into: UUID


class CasePart(Contract):
    case_id: UUID
    complaint_ids: tuple[UUID, ...]


class CaseSplit(Contract):
    parts: tuple[CasePart, ...]


class ReferralDispatched(Act):
    recipient: Recipient
    complaint_ids: tuple[UUID, ...]
    criteria: tuple[CriterionCode, ...] = ()


class ReferralAcknowledged(Act):
    reference: Text | None = None


class ReferralQuestionAsked(Act):
    complaint_id: UUID
    question: Text


class ReferralCorrected(Act):
    what: Text


class ReferralWithdrawn(Act):
    reason: Text


class Officer(Contract):
    """Who the subject is, as far as the recipient says."""

    name: Text | None = None
    rank: Text | None = None
    collar_number: Text | None = None
    force: ForceSlug | None = None
    unit: Text | None = None


class SubjectIdentified(Act):
    officer: Officer
    reason: Text


class SubjectExcluded(Act):
    """The subject is not the officer of the pattern, or not this one."""

    officer: Officer | None = None
    reason: Text
