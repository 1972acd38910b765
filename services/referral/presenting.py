"""What the routes of referral take and answer."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StrictBool, StringConstraints

from services.referral.desk import CaseFile
from services.referral.domain.case import Case
from services.referral.domain.facts import CaseFacts
from services.referral.domain.rules.table import DeadlineRule, IndicatedBy, PriorityRule, RuleTable
from services.referral.read_models import CaseRow
from shared.contracts.case_events import (
    CaseStatus,
    Deadline,
    Disposition,
    IndicatedCriterion,
    Outcome,
    Recommendation,
)
from shared.contracts.complaint import SanitisedComplaint
from shared.contracts.contract import VISIBLE, Code, CriterionCode, ForceSlug, StrandCode, Telling, Text
from shared.errors import FieldError, Unprocessable
from shared.sanitiser.free_text import Sanitise
from shared.vocabulary import Vocabulary
from shared.web.schemas import Schema

Reason = Annotated[Telling, StringConstraints(min_length=1, max_length=5_000), VISIBLE, Sanitise()]
ReasonCode = Annotated[Code, StringConstraints(max_length=60)]
# A body that somebody is pointed to (`signpost`) is named freely; the known ones are left as they are.
NamedRecipient = Annotated[Text, StringConstraints(min_length=1, max_length=200), Sanitise()]


class _Body(Schema):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class DispositionMade(_Body):
    """For one allegation, by its index; without it, for a complaint as a whole."""

    complaint_id: UUID
    """The complaint of the case."""
    allegation: Annotated[int, Field(ge=0, lt=50, strict=True)] | None = None
    """Which of its allegations, by its place in the list, from 0; left out for the complaint as a whole."""
    outcome: Outcome
    """What is decided."""
    recipient: NamedRecipient | None = None
    """The body that it goes to, such as `hampshire: professional standards`; needed where it is referred or
    signposted. At most 200 characters."""
    reason_code: ReasonCode
    """The reason, as a code of small letters, such as `criterion_indicated`. At most 60 characters."""


class DecisionMade(_Body):
    """Either `dispositions`, or `outcome` and `reason_code` (with `recipient`) for all allegations."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "outcome": "refer",
                    "recipient": "hampshire: professional standards",
                    "reason_code": "criterion_indicated",
                    "reason": "A serious assault is indicated.",
                }
            ]
        }
    )

    dispositions: Annotated[tuple[DispositionMade, ...], Field(min_length=1, max_length=2_500)] | None = None
    """What is decided for each allegation; else `outcome`, for all of them."""
    outcome: Outcome | None = None
    """What is decided for all allegations; else `dispositions`."""
    recipient: NamedRecipient | None = None
    """The body that all of it goes to; needed where it is referred or signposted. At most 200 characters."""
    reason_code: ReasonCode | None = None
    """The reason for all allegations, as a code of small letters, such as `criterion_indicated`."""
    reason: Reason
    """The reason in words, 1 to 5,000 characters."""

    def dispositions_for(self, facts: CaseFacts) -> list[Disposition]:
        """
        Raises:
            Unprocessable: neither form, or both.
        """
        if self.dispositions is not None:
            given = {"outcome": self.outcome, "recipient": self.recipient, "reason_code": self.reason_code}
            errors = [
                FieldError(name, "must stand within the dispositions")
                for name, value in given.items()
                if value is not None
            ]
            if errors:
                raise Unprocessable("There are two decisions in one.", errors=errors)
            return [Disposition(**made.model_dump()) for made in self.dispositions]
        if self.outcome is None or self.reason_code is None:
            needed = {"outcome": self.outcome, "reason_code": self.reason_code}
            errors = [
                FieldError(name, "must be given, or dispositions")
                for name, value in needed.items()
                if value is None
            ]
            raise Unprocessable("The decision is not complete.", errors=errors)
        return [
            Disposition(
                complaint_id=complaint.complaint_id,
                outcome=self.outcome,
                recipient=self.recipient,
                reason_code=self.reason_code,
            )
            for complaint in facts.complaints
        ]


class ApprovalMade(_Body):
    """The second person's word."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"approve": True, "reason": "I agree."}]})

    approve: StrictBool
    """Whether the second person agrees."""
    reason: Reason
    """The reason in words, 1 to 5,000 characters."""


class CaseListed(Schema):
    """A case in a list."""

    case_id: UUID
    """The case."""
    version: int
    """How many events the case has had; a decision names it."""
    status: CaseStatus
    """How far the case is."""
    force: ForceSlug
    """The police force that most of its complaints are about."""
    priority: int
    """Its urgency; higher comes first."""
    criteria: list[CriterionCode]
    """The referral criteria that are indicated."""
    due_on: date | None
    """The day of the earliest deadline that runs; null without one."""
    opened_on: date
    """The day on which the case was opened."""
    merged_into: UUID | None
    """The case that it is a part of now; null for one that stands by itself."""

    @classmethod
    def of(cls, row: CaseRow) -> "CaseListed":
        shown = {name: value for name, value in row._asdict().items() if name in cls.model_fields}
        return cls.model_validate(shown)


class ComplaintOfCase(Schema):
    """`follow_ups` is what the caller added later."""

    complaint_id: UUID
    """The complaint."""
    recorded_on: date
    """The day of the contact in Europe/London; no time is kept."""
    body: SanitisedComplaint
    """The complaint, without the caller's traces."""
    follow_ups: list[str]
    """What the caller added later, the oldest first."""


class HistoryEntry(Schema):
    """`details` is what the event says beside ids and status: who did what, why, and when."""

    version: int
    """The number of the event in the case, from 1."""
    type: str
    """The kind of the event, such as `case.decided`."""
    on: date
    """The day of the event."""
    status: CaseStatus
    """How far the case was after it."""
    complaint_ids: list[UUID]
    """The complaints that the case had after it."""
    details: dict[str, Any]
    """What the event says beside ids and status, as the schema of its type describes it."""


class ReferralMade(Schema):
    """What was sent to a body."""

    referral_ids: list[UUID]
    """The packages that were sent."""
    recipient: str
    """The body that they went to."""
    criteria: list[CriterionCode]
    """The criteria that they name."""
    on: date
    """The day on which they were sent."""


class CaseShown(Schema):
    """A merged case lives on as `merged_into`. `deadline` is the earliest that still runs."""

    case_id: UUID
    """The case."""
    version: int
    """How many events the case has had; a decision names it, as in the `ETag`."""
    status: CaseStatus
    """How far the case is."""
    force: ForceSlug
    """The police force that most of its complaints are about."""
    priority: int
    """Its urgency; higher comes first."""
    opened_on: date
    """The day on which the case was opened."""
    complaints: list[ComplaintOfCase]
    """The complaints that it assesses, the oldest first."""
    recommendation: Recommendation
    """What the policy advises, and why."""
    criteria: list[IndicatedCriterion]
    """The referral criteria that are indicated."""
    deadline: Deadline | None
    """The earliest deadline that runs; null without one."""
    deadlines: list[Deadline]
    """All deadlines that run."""
    needs_approval: bool
    """Whether a decision waits for a second person."""
    referrals: list[ReferralMade]
    """What was sent, and to whom."""
    merged_into: UUID | None
    """The case that it is a part of now; null for one that stands by itself."""
    merged_cases: list[UUID]
    """The cases that are a part of this one."""
    history: list[HistoryEntry]
    """All that happened to it, the oldest first."""

    @classmethod
    def of(cls, file: CaseFile) -> "CaseShown":
        case, recommendation = file.case, file.case.recommendation
        running = () if case.due_on is None else recommendation.deadlines
        return cls(
            case_id=case.case_id,
            version=case.version,
            status=case.status,
            force=file.row.force,
            priority=recommendation.priority,
            opened_on=case.opened_on,
            complaints=[
                ComplaintOfCase(
                    complaint_id=told.complaint_id,
                    recorded_on=told.recorded_on,
                    body=told.body,
                    follow_ups=list(told.follow_ups),
                )
                for told in file.complaints
            ],
            recommendation=recommendation,
            criteria=list(recommendation.criteria),
            deadline=min(running, key=lambda each: (each.due_on, each.rule), default=None),
            deadlines=list(running),
            needs_approval=case.pending is not None,
            referrals=[
                ReferralMade(
                    referral_ids=list(made.referral_ids),
                    recipient=made.recipient,
                    criteria=list(made.criteria),
                    on=day,
                )
                for day, made in case.referrals
            ],
            merged_into=case.merged_into,
            merged_cases=list(file.merged_cases),
            history=[
                HistoryEntry(
                    version=version,
                    type=event.type.name,
                    on=event.day,
                    status=event.clear.status,
                    complaint_ids=list(event.clear.complaint_ids),
                    details=event.sealed.model_dump(mode="json", exclude_none=True),
                )
                for version, event in enumerate(file.events, 1)
            ],
        )


class CaseChanged(Schema):
    """`needs_approval`: the decision waits for a second person."""

    case_id: UUID
    """The case."""
    version: int
    """Its version after the act."""
    status: CaseStatus
    """How far the case is."""
    needs_approval: bool
    """Whether the decision waits for a second person."""
    referral_ids: list[UUID]
    """All packages that were made of the case."""

    @classmethod
    def of(cls, case: Case) -> "CaseChanged":
        return cls(
            case_id=case.case_id,
            version=case.version,
            status=case.status,
            needs_approval=case.pending is not None,
            referral_ids=[each for _, made in case.referrals for each in made.referral_ids],
        )


class CriterionInForce(Schema):
    """A referral criterion with its source in law and what indicates it."""

    code: CriterionCode
    """The criterion."""
    what: str
    """What indicates it, in words."""
    source: str
    """Its source in law."""
    duty: Literal["MUST", "RECORD", "MAY", "NOTIFY"]
    """What the law makes of it."""
    weight: int
    """What it adds to the urgency of a case."""
    deadline: str | None
    """The rule of its deadline, as a code; null without one."""
    indicated_by: IndicatedBy
    """What in a complaint indicates it."""


class PolicyInForce(Schema):
    """The rules by which recommendations are made."""

    version: str
    """The version of the rules."""
    criteria: list[CriterionInForce]
    """The referral criteria."""
    deadlines: list[DeadlineRule]
    """The rules of the deadlines."""
    priority: PriorityRule
    """How the urgency of a case is counted."""
    second_person_strands: list[StrandCode]
    """The strands in which a case may not end without a second person."""

    @classmethod
    def of(cls, table: RuleTable, vocabulary: Vocabulary) -> "PolicyInForce":
        return cls(
            version=table.version,
            criteria=[
                CriterionInForce(
                    what=vocabulary.criteria[rule.code].what,
                    **rule.model_dump(exclude={"duty"}),
                    duty=rule.duty.value,
                )
                for rule in table.criteria
            ],
            deadlines=list(table.deadlines),
            priority=table.priority,
            second_person_strands=sorted(table.approval.strands),
        )
