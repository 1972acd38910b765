"""What the routes of referral take and answer."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints

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
from shared.contracts.contract import VISIBLE, Code, Telling, Text
from shared.errors import FieldError, Unprocessable
from shared.sanitiser.free_text import Sanitise
from shared.vocabulary import Vocabulary

Reason = Annotated[Telling, StringConstraints(min_length=1, max_length=5_000), VISIBLE, Sanitise()]
ReasonCode = Annotated[Code, StringConstraints(max_length=60)]
# A body that somebody is pointed to (`signpost`) is named freely; the known ones are left as they are.
NamedRecipient = Annotated[Text, StringConstraints(min_length=1, max_length=200), Sanitise()]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class DispositionMade(_Body):
    """For one allegation, by its index; without it, for a complaint as a whole."""

    complaint_id: UUID
    allegation: Annotated[int, Field(ge=0, lt=50, strict=True)] | None = None
    outcome: Outcome
    recipient: NamedRecipient | None = None
    reason_code: ReasonCode


class DecisionMade(_Body):
    """Either `dispositions`, or `outcome` and `reason_code` (with `recipient`) for all allegations."""

    dispositions: Annotated[tuple[DispositionMade, ...], Field(min_length=1, max_length=2_500)] | None = None
    outcome: Outcome | None = None
    recipient: NamedRecipient | None = None
    reason_code: ReasonCode | None = None
    reason: Reason

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
    approve: StrictBool
    reason: Reason


class CaseListed(BaseModel):
    case_id: UUID
    version: int
    status: CaseStatus
    force: str
    priority: int
    criteria: list[str]
    due_on: date | None
    opened_on: date
    merged_into: UUID | None

    @classmethod
    def of(cls, row: CaseRow) -> "CaseListed":
        shown = {name: value for name, value in row._asdict().items() if name in cls.model_fields}
        return cls.model_validate(shown)


class ComplaintOfCase(BaseModel):
    """`follow_ups` is what the caller added later."""

    complaint_id: UUID
    recorded_on: date
    body: SanitisedComplaint
    follow_ups: list[str]


class HistoryEntry(BaseModel):
    """`details` is what the event says beside ids and status: who did what, why, and when."""

    version: int
    type: str
    on: date
    status: CaseStatus
    complaint_ids: list[UUID]
    details: dict[str, Any]


class ReferralMade(BaseModel):
    referral_ids: list[UUID]
    recipient: str
    criteria: list[str]
    on: date


class CaseShown(BaseModel):
    """A merged case lives on as `merged_into`. `deadline` is the earliest that still runs."""

    case_id: UUID
    version: int
    status: CaseStatus
    force: str
    priority: int
    opened_on: date
    complaints: list[ComplaintOfCase]
    recommendation: Recommendation
    criteria: list[IndicatedCriterion]
    deadline: Deadline | None
    deadlines: list[Deadline]
    needs_approval: bool
    referrals: list[ReferralMade]
    merged_into: UUID | None
    merged_cases: list[UUID]
    history: list[HistoryEntry]

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


class CaseChanged(BaseModel):
    """`needs_approval`: the decision waits for a second person."""

    case_id: UUID
    version: int
    status: CaseStatus
    needs_approval: bool
    referral_ids: list[UUID]

    @classmethod
    def of(cls, case: Case) -> "CaseChanged":
        return cls(
            case_id=case.case_id,
            version=case.version,
            status=case.status,
            needs_approval=case.pending is not None,
            referral_ids=[each for _, made in case.referrals for each in made.referral_ids],
        )


class CriterionInForce(BaseModel):
    code: str
    what: str
    source: str
    duty: Literal["MUST", "RECORD", "MAY", "NOTIFY"]
    weight: int
    deadline: str | None
    indicated_by: IndicatedBy


class PolicyInForce(BaseModel):
    """The rules by which recommendations are made."""

    version: str
    criteria: list[CriterionInForce]
    deadlines: list[DeadlineRule]
    priority: PriorityRule
    second_person_strands: list[str]

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
