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
    """The case."""
    complaint_ids: tuple[UUID, ...]
    """The complaints that it assesses."""
    status: CaseStatus
    """How far the case is, after this event."""


class ReferralKey(Contract):
    referral_id: UUID
    """The package that the recipient gets."""
    case_id: UUID
    """The case that it was made from."""


class SubjectKey(Contract):
    complaint_id: UUID
    """The complaint."""
    subject: SubjectIndex
    """Which of its subjects, by its place in the list, from 0."""


class Act(Contract):
    """What a person did: `by` is their account, `at` the exact time, which is sealed with the rest."""

    by: Text
    """The account of the person who acted."""
    at: AwareDatetime
    """The exact time of the act, in UTC."""


class IndicatedCriterion(Contract):
    """A referral criterion that an allegation indicates; `allegation` is an index, null for the whole."""

    code: CriterionCode
    """The referral criterion."""
    source: Text
    """Its source in law."""
    complaint_id: UUID
    """The complaint that indicates it."""
    allegation: Count | None = None
    """Which of the complaint's allegations indicates it, by its place in the list, from 0; null for the
    complaint as a whole."""
    category: CategoryCode | None = None
    """The kind of wrong that indicates it; null where something else does."""


class Deadline(Contract):
    """Counted in Europe/London by `calendar`; `because_of` is the criterion or act that started it."""

    rule: Code
    """The rule that sets it, as a code."""
    version: Text
    """The version of the rule table."""
    calendar: Literal["days", "working_days"]
    """The days that count."""
    starts_on: Day
    """The day on which the time began to run."""
    due_on: Day
    """The last day on which it is met."""
    because_of: Text
    """The criterion, or the act, that started it."""
    owner: Literal["charity", "authority"]
    """The body that has to meet it."""


class Recommendation(Contract):
    """What the policy advises: criteria and why. Never a verdict of misconduct.

    `force` is the one that most of the complaints are about.
    """

    policy_version: Text
    """The version of the rules that it was made by."""
    force: ForceSlug = "unknown"
    """The police force that most of the complaints are about."""
    criteria: tuple[IndicatedCriterion, ...] = ()
    """The referral criteria that are indicated, each with the allegation that it came from."""
    priority: Count
    """The urgency: the weight of the gravest criterion and what comes on top of it. Higher comes first."""
    recipient: Recipient | None = None
    """The body that it should go to; null where none is due."""
    deadlines: tuple[Deadline, ...] = ()
    """The deadlines that run."""
    explanation: tuple[Text, ...] = ()
    """The reasons in sentences."""


class Disposition(Contract):
    """A decision for one allegation of one complaint."""

    complaint_id: UUID
    """The complaint."""
    allegation: Count | None = None
    """Which of its allegations, by its place in the list, from 0; null for the complaint as a whole."""
    outcome: Outcome
    """What is decided."""
    recipient: Recipient | None = None
    """The body that it goes to, where it is referred or signposted."""
    reason_code: Code
    """The reason, as a code."""


class CaseOpened(Contract):
    recommendation: Recommendation
    """What the policy advises."""


class CaseAssessed(Contract):
    recommendation: Recommendation
    """What the policy advises now."""


class CaseDecided(Act):
    dispositions: tuple[Disposition, ...]
    """What is decided, for each allegation."""
    reason: Text
    """The reason in the assessor's words."""
    needs_approval: bool
    """Whether the decision waits for a second person."""
    approval_grounds: tuple[ApprovalGround, ...] = ()
    """Why it waits for a second person."""


class CaseApproved(Act):
    approve: bool
    """Whether the second person agrees."""
    reason: Text
    """The reason in the second person's words."""


class CaseReferred(Contract):
    referral_ids: tuple[UUID, ...]
    """The packages that are sent."""
    recipient: Recipient
    """The body that they go to."""
    criteria: tuple[CriterionCode, ...] = ()
    """The criteria that they name."""


class CaseDeadlineMissed(Contract):
    deadline: Deadline
    """The deadline."""
    days_late: Count
    """How many days have passed since it was due."""


class CaseOutcomeRecorded(Act):
    referral_id: UUID
    """The package that it came of."""
    outcome: Code
    """What came of it, as a code."""
    text: Text | None = None
    """What came of it, in the recipient's words."""


class CaseReopened(Contract):
    because_of: Text
    """What opened it again."""
    criteria: tuple[CriterionCode, ...] = ()
    """Criteria that are new."""


class CaseMerged(Contract):
    """`merged_into` survives, with the earliest deadline and all dispatches."""

    merged_into: UUID
    """The case that it is a part of now."""


class CasePart(Contract):
    case_id: UUID
    """The case."""
    complaint_ids: tuple[UUID, ...]
    """The complaints that it has now."""


class CaseSplit(Contract):
    parts: tuple[CasePart, ...]
    """The cases that came of it."""


class ReferralDispatched(Act):
    recipient: Recipient
    """The body that the package goes to."""
    complaint_ids: tuple[UUID, ...]
    """The complaints in it."""
    criteria: tuple[CriterionCode, ...] = ()
    """The criteria that it names."""


class ReferralAcknowledged(Act):
    reference: Text | None = None
    """The recipient's own number for it."""


class ReferralQuestionAsked(Act):
    complaint_id: UUID
    """The complaint that it is about."""
    question: Text
    """The question to the caller."""


class ReferralCorrected(Act):
    what: Text
    """What was wrong, and what is right."""


class ReferralWithdrawn(Act):
    reason: Text
    """The reason for it."""


class Officer(Contract):
    """Who the subject is, as far as the recipient says."""

    name: Text | None = None
    """The officer's name."""
    rank: Text | None = None
    """The officer's rank."""
    collar_number: Text | None = None
    """The officer's collar or warrant number."""
    force: ForceSlug | None = None
    """The officer's police force."""
    unit: Text | None = None
    """The officer's unit or station."""


class SubjectIdentified(Act):
    officer: Officer
    """The officer that the subject is."""
    reason: Text
    """How that is known."""


class SubjectExcluded(Act):
    """The subject is not the officer of the pattern, or not this one."""

    officer: Officer | None = None
    """The officer that the subject is not; null for the officer of the pattern."""
    reason: Text
    """How that is known."""
