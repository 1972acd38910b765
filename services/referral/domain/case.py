"""A case: the assessment of one incident, as a decider.

State comes from events alone (`evolve`), decisions are functions (state, facts, command) -> events. A case
opens with a recommendation and stays `open` until a person decides; `assessed` says that a person looked
and asked for more, which stops no clock. A decision that ends it without a referral, or sends it where the
caller or the rules did not expect it, may need a second person (`decided`); `referred` and `closed` are final
until new information re-opens the case. A `merged` case lives on in another one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final
from uuid import UUID

from services.referral.domain.facts import CaseFacts, ComplaintFacts
from services.referral.domain.policy import Policy
from shared.contracts.case_events import (
    ApprovalGround,
    CaseApproved,
    CaseAssessed,
    CaseDecided,
    CaseKey,
    CaseMerged,
    CaseOpened,
    CasePart,
    CaseReferred,
    CaseReopened,
    CaseSplit,
    CaseStatus,
    Deadline,
    Disposition,
    Recommendation,
)
from shared.contracts.contract import Contract
from shared.contracts.events import (
    CASE_APPROVED,
    CASE_ASSESSED,
    CASE_DECIDED,
    CASE_MERGED,
    CASE_OPENED,
    CASE_REFERRED,
    CASE_REOPENED,
    CASE_SPLIT,
    EventType,
)
from shared.errors import HotlineError

FINAL: Final[frozenset[CaseStatus]] = frozenset({"referred", "closed"})
DECIDED: Final[frozenset[CaseStatus]] = FINAL | {"decided", "approved"}
_ENDS_WITHOUT_REFERRAL: Final = frozenset({"no_further_action", "signpost"})

BY_COMPLAINT: Final = "complaint"
BY_FOLLOW_UP: Final = "follow_up"
BY_PATTERN: Final = "pattern"


class CaseRefused(HotlineError):
    """A decision that the case does not take."""


class CaseIsMerged(CaseRefused):
    def __init__(self, merged_into: UUID) -> None:
        super().__init__("the case was merged into another one")
        self.merged_into = merged_into


class WrongDisposition(CaseRefused):
    """`field` is a path into the dispositions, or the name of a field for all."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


class AlreadyDecided(CaseRefused):
    pass


class AwaitsSecondPerson(CaseRefused):
    pass


class NothingToApprove(CaseRefused):
    pass


class SamePerson(CaseRefused):
    pass


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One event of a case; `day` is the day on which it was recorded."""

    type: EventType[CaseKey, Contract]
    clear: CaseKey
    sealed: Contract
    day: date


@dataclass(frozen=True, slots=True)
class Settled:
    """A deadline that a final decision ended, on the day `on`."""

    deadline: Deadline
    on: date


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of a case from its events.

    Attributes:
        version: how many events it has.
        members_version: the version at which its complaints changed last.
        steps: status -> since, in the order in which it had them.
        pending: the decision that waits for a second person.
        settled: the complaints that a final decision has dealt with.
        news: complaint -> day, for new information since.
        referrals: with the day of each.
        merged_into: where it lives on.
    """

    case_id: UUID
    version: int
    status: CaseStatus
    complaint_ids: tuple[UUID, ...]
    opened_on: date
    recommendation: Recommendation
    members_version: int
    steps: tuple[tuple[CaseStatus, date], ...]
    pending: CaseDecided | None = None
    settled: frozenset[UUID] = frozenset()
    settled_deadlines: tuple[Settled, ...] = ()
    news: Mapping[UUID, date] = field(default_factory=dict)
    reopened_on: date | None = None
    referrals: tuple[tuple[date, CaseReferred], ...] = ()
    merged_into: UUID | None = None

    @property
    def due_on(self) -> date | None:
        """The earliest deadline that still runs."""
        if self.status in FINAL or self.status == "merged":
            return None
        return min((deadline.due_on for deadline in self.recommendation.deadlines), default=None)


# State


def evolve(case: Case | None, event: CaseEvent) -> Case:
    """The case after one more event.

    Raises:
        ValueError: the first event opens no case.
    """
    if case is None:
        return _opened(event)
    clear, sealed = event.clear, event.sealed
    was_final = case.status in FINAL
    case = replace(
        case,
        version=case.version + 1,
        members_version=(
            case.version + 1 if clear.complaint_ids != case.complaint_ids else case.members_version
        ),
        status=clear.status,
        pending=case.pending if clear.status == "decided" else None,
        complaint_ids=clear.complaint_ids,
        settled=case.settled & set(clear.complaint_ids),
        steps=case.steps if clear.status == case.status else (*case.steps, (clear.status, event.day)),
    )
    match sealed:
        case CaseAssessed():
            case = _assessed(case, sealed.recommendation)
        case CaseReopened():
            case = replace(case, reopened_on=event.day)
        case CaseDecided():
            case = replace(case, pending=sealed if sealed.needs_approval else None)
        case CaseReferred():
            case = replace(case, referrals=(*case.referrals, (event.day, sealed)))
        case CaseMerged():
            case = replace(case, merged_into=sealed.merged_into)
        case _:
            pass
    return _settled(case, event.day) if case.status in FINAL and not was_final else case


def _opened(event: CaseEvent) -> Case:
    sealed = event.sealed
    if not isinstance(sealed, CaseOpened):
        raise ValueError(f"{event.type.name} opens no case")  # noqa: TRY004  (a value from the log)
    return Case(
        case_id=event.clear.case_id,
        version=1,
        status=event.clear.status,
        complaint_ids=event.clear.complaint_ids,
        opened_on=event.day,
        recommendation=sealed.recommendation,
        members_version=1,
        steps=((event.clear.status, event.day),),
    )


def _assessed(case: Case, recommendation: Recommendation) -> Case:
    """New information is what stands as such in the recommendation: so a later one keeps it."""
    day = case.reopened_on
    again = {c.complaint_id for c in recommendation.criteria if c.code == "REFER_AGAIN"}
    news = {} if day is None else {each: case.news.get(each, day) for each in again}
    return replace(case, recommendation=recommendation, news=news)


def _settled(case: Case, day: date) -> Case:
    ended = tuple(Settled(deadline, day) for deadline in case.recommendation.deadlines)
    return replace(
        case,
        settled=frozenset(case.complaint_ids),
        settled_deadlines=(*case.settled_deadlines, *ended),
        news={},
        reopened_on=None,
    )


def facts_of(case: Case, complaints: Iterable[ComplaintFacts]) -> CaseFacts:
    """The facts of a case with these complaints."""
    return CaseFacts(tuple(complaints), case.settled, case.news)


# What happens by machine


def open_case(case_id: UUID, facts: CaseFacts, policy: Policy, day: date) -> list[CaseEvent]:
    """A case opens with its complaint and a recommendation, before and without any matching."""
    key = CaseKey(case_id=case_id, complaint_ids=_ids(facts), status="open")
    return [CaseEvent(CASE_OPENED, key, CaseOpened(recommendation=policy.assess(facts)), day)]


def assess(
    case: Case,
    complaints: Sequence[ComplaintFacts],
    policy: Policy,
    day: date,
    *,
    told: UUID | None = None,
    because_of: str = BY_COMPLAINT,
) -> list[CaseEvent]:
    """Assess again after complaints came or went, or something new was told about `told`, one of them.

    New information re-opens a case that was decided, and has to be referred again where that was final.
    """
    ids = tuple(sorted(complaint.complaint_id for complaint in complaints))
    added = set(ids) - set(case.complaint_ids)
    status: CaseStatus = case.status
    news = dict(case.news)
    events = []
    if case.status in DECIDED and (added or told):
        if case.settled:
            news |= dict.fromkeys(added or ({told} if told else set()), day)
        reopened = CaseReopened(because_of=because_of, criteria=("REFER_AGAIN",) if case.settled else ())
        status = "open"
        key = CaseKey(case_id=case.case_id, complaint_ids=case.complaint_ids, status=status)
        events.append(CaseEvent(CASE_REOPENED, key, reopened, day))
    elif case.settled and added:  # re-opened already: more of the new
        news |= dict.fromkeys(added, day)
    elif case.pending is not None and set(ids) != set(case.complaint_ids):
        status = "open"  # what waits for its second person was about other complaints
    facts = CaseFacts(
        tuple(complaints), case.settled & set(ids), {each: on for each, on in news.items() if each in ids}
    )
    assessed = CaseAssessed(recommendation=policy.assess(facts))
    key = CaseKey(case_id=case.case_id, complaint_ids=ids, status=status)
    return [*events, CaseEvent(CASE_ASSESSED, key, assessed, day)]


def merge(case: Case, survivor: UUID, day: date) -> list[CaseEvent]:
    """All complaints of the case are the survivor's now."""
    key = CaseKey(case_id=case.case_id, complaint_ids=(), status="merged")
    return [CaseEvent(CASE_MERGED, key, CaseMerged(merged_into=survivor), day)]


def split(
    case: Case,
    parts: Mapping[UUID, Iterable[UUID]],
    remaining: Sequence[ComplaintFacts],
    policy: Policy,
    day: date,
) -> list[CaseEvent]:
    """Complaints went to other cases; `parts` are all cases that it falls into, itself among them.

    A decision that waits for its second person was about all of them, and waits no more.
    """
    ids = tuple(sorted(complaint.complaint_id for complaint in remaining))
    listed = tuple(
        CasePart(case_id=part, complaint_ids=tuple(sorted(whole))) for part, whole in parts.items()
    )
    status: CaseStatus = "open" if case.status == "decided" else case.status
    key = CaseKey(case_id=case.case_id, complaint_ids=ids, status=status)
    event = CaseEvent(CASE_SPLIT, key, CaseSplit(parts=listed), day)
    return [event, *assess(evolve(case, event), remaining, policy, day)]


def end(case: Case, day: date) -> list[CaseEvent]:
    """Its last complaint was erased: there is nothing left to assess."""
    nothing = Recommendation(policy_version=case.recommendation.policy_version, priority=0)
    key = CaseKey(case_id=case.case_id, complaint_ids=(), status="closed")
    return [CaseEvent(CASE_ASSESSED, key, CaseAssessed(recommendation=nothing), day)]


# What people decide


@dataclass(frozen=True, slots=True)
class Act:
    """Who does it, and the exact time, which is sealed with it."""

    by: str
    at: datetime
    day: date


def decide(
    case: Case,
    facts: CaseFacts,
    dispositions: Sequence[Disposition],
    reason: str,
    act: Act,
    policy: Policy,
    *,
    in_pattern: bool,
    new_id: Callable[[], UUID],
) -> list[CaseEvent]:
    """A person's decision for every allegation.

    Raises:
        CaseRefused: see its kinds.
    """
    _require_open(case)
    dispositions = _checked(dispositions, facts, case.recommendation, policy)
    grounds = approval_grounds(case.recommendation, facts, dispositions, policy, in_pattern)
    needs_approval = bool(grounds)
    if needs_approval and case.pending is not None:
        raise AwaitsSecondPerson("a decision like this one waits for a second person already")
    decided = CaseDecided(
        by=act.by,
        at=act.at,
        dispositions=dispositions,
        reason=reason,
        needs_approval=needs_approval,
        approval_grounds=grounds,
    )
    outcome = _outcome(dispositions)
    status: CaseStatus = "decided" if needs_approval or outcome == "referred" else outcome
    events = [CaseEvent(CASE_DECIDED, _key(case, status), decided, act.day)]
    if not needs_approval:
        events += _referred(case, dispositions, act.day, new_id)
    return events


def approve(
    case: Case, is_approved: bool, reason: str, act: Act, new_id: Callable[[], UUID]
) -> list[CaseEvent]:
    """The second person's word on the decision that waits for it.

    Raises:
        CaseRefused: see its kinds.
    """
    if case.status == "merged" and case.merged_into is not None:
        raise CaseIsMerged(case.merged_into)
    if case.pending is None:
        raise NothingToApprove("no decision waits for a second person")
    if case.pending.by == act.by:
        raise SamePerson("the second person must be another one")
    approved = CaseApproved(by=act.by, at=act.at, approve=is_approved, reason=reason)
    if not is_approved:
        # Somebody looked, and the decision is still to be made: no clock stops.
        return [CaseEvent(CASE_APPROVED, _key(case, "assessed"), approved, act.day)]
    outcome = _outcome(case.pending.dispositions)
    status: CaseStatus = "approved" if outcome == "referred" else outcome
    events = [CaseEvent(CASE_APPROVED, _key(case, status), approved, act.day)]
    return events + _referred(case, case.pending.dispositions, act.day, new_id)


def approval_grounds(
    recommendation: Recommendation,
    facts: CaseFacts,
    dispositions: Iterable[Disposition],
    policy: Policy,
    in_pattern: bool,
) -> tuple[ApprovalGround, ...]:
    """Why one person may not decide this alone; nothing where one may.

    To end something without a referral takes two in a case that must be referred, in some strands and within
    a pattern. To send something takes two where it goes to another body than the recommended one, and where
    its caller asked to be asked first or could be guessed.
    """
    told = {complaint.complaint_id: complaint.body for complaint in facts.complaints}
    ends, sent = False, []
    for disposition in dispositions:
        ends = ends or disposition.outcome in _ENDS_WITHOUT_REFERRAL
        if disposition.outcome == "refer":
            sent.append(disposition)
    bodies = [told[disposition.complaint_id] for disposition in sent]
    holds: dict[ApprovalGround, bool] = {
        "must_be_referred": ends and policy.has_must(recommendation),
        "guarded_strand": ends and policy.has_guarded_strand(facts),
        "in_pattern": ends and in_pattern,
        "another_recipient": any(each.recipient != recommendation.recipient for each in sent),
        "ask_me_first": any(body.wish == "ask_me_first" for body in bodies),
        "could_be_guessed": any(body.could_be_guessed == "yes" for body in bodies),
    }
    return tuple(ground for ground, is_one in holds.items() if is_one)


def _require_open(case: Case) -> None:
    if case.status == "merged" and case.merged_into is not None:
        raise CaseIsMerged(case.merged_into)
    if case.status in FINAL:
        raise AlreadyDecided("the case is decided; new information re-opens it")


def _checked(
    dispositions: Sequence[Disposition], facts: CaseFacts, recommended: Recommendation, policy: Policy
) -> tuple[Disposition, ...]:
    """Each allegation has one disposition, and what is referred a recipient that there is."""
    allegations = {c.complaint_id: range(len(c.body.allegations)) for c in facts.complaints}
    open_ = {(each, number) for each, numbers in allegations.items() for number in numbers or (None,)}
    checked = []
    for place, one in enumerate(dispositions):
        at = f"dispositions.{place}"
        if one.complaint_id not in allegations:
            raise WrongDisposition(f"{at}.complaint_id", "must be a complaint of this case")
        if one.allegation is not None and one.allegation not in allegations[one.complaint_id]:
            raise WrongDisposition(f"{at}.allegation", "must be the index of an allegation of the complaint")
        meant = {(one.complaint_id, one.allegation)}
        if one.allegation is None:
            meant = {(one.complaint_id, number) for number in allegations[one.complaint_id] or (None,)}
        if not meant <= open_:
            raise WrongDisposition(f"{at}.allegation", "must have one disposition and no second")
        open_ -= meant
        checked.append(_with_recipient(one, at, recommended, policy))
    if open_:
        raise WrongDisposition("dispositions", "must hold one for every allegation of every complaint")
    return tuple(checked)


def _with_recipient(
    disposition: Disposition, at: str, recommended: Recommendation, policy: Policy
) -> Disposition:
    if disposition.outcome != "refer":
        if disposition.recipient is not None and disposition.outcome != "signpost":
            raise WrongDisposition(f"{at}.recipient", "goes with refer or signpost alone")
        return disposition
    recipient = disposition.recipient or recommended.recipient
    if recipient is None or not policy.knows_recipient(recipient):
        raise WrongDisposition(
            f"{at}.recipient", "must be a body that takes referrals, as in recommendations"
        )
    return disposition.model_copy(update={"recipient": recipient})


def _outcome(dispositions: Iterable[Disposition]) -> CaseStatus:
    """The status once a decision stands. Where more is asked for, the case stays undecided for that part."""
    outcomes = {disposition.outcome for disposition in dispositions}
    if "more_information" in outcomes:
        return "assessed"
    return "referred" if "refer" in outcomes else "closed"


def _referred(
    case: Case, dispositions: Sequence[Disposition], day: date, new_id: Callable[[], UUID]
) -> list[CaseEvent]:
    """One event a recipient."""
    referred = [disposition for disposition in dispositions if disposition.outcome == "refer"]
    status = _outcome(dispositions)
    events = []
    for recipient in sorted({str(disposition.recipient) for disposition in referred}):
        meant = {(d.complaint_id, d.allegation) for d in referred if d.recipient == recipient}
        criteria = {
            criterion.code
            for criterion in case.recommendation.criteria
            if (criterion.complaint_id, criterion.allegation) in meant
            or (criterion.complaint_id, None) in meant
            or (criterion.allegation is None and any(criterion.complaint_id == c for c, _ in meant))
        }
        sealed = CaseReferred(referral_ids=(new_id(),), recipient=recipient, criteria=tuple(sorted(criteria)))
        events.append(CaseEvent(CASE_REFERRED, _key(case, status), sealed, day))
    return events


def referrals_left(events: Iterable[CaseEvent], day: date, new_id: Callable[[], UUID]) -> list[CaseEvent]:
    """What the newest decision of a case still has to be followed by, where only a part of it is known."""
    case: Case | None = None
    left: list[CaseEvent] = []
    for event in events:
        dispositions = _final_dispositions(case, event.sealed)
        if case is not None and dispositions is not None:
            left = _referred(case, dispositions, day, new_id)
        else:
            left = left[1:] if event.type is CASE_REFERRED else []
        case = evolve(case, event)
    return left


def _final_dispositions(case: Case | None, sealed: Contract) -> tuple[Disposition, ...] | None:
    """Of a decision that stands with this event; None where it is none, or waits for a second person."""
    match sealed:
        case CaseDecided(needs_approval=False):
            return sealed.dispositions
        case CaseApproved(approve=True) if case is not None and case.pending is not None:
            return case.pending.dispositions
        case _:
            return None


def _key(case: Case, status: CaseStatus) -> CaseKey:
    return CaseKey(case_id=case.case_id, complaint_ids=case.complaint_ids, status=status)


def _ids(facts: CaseFacts) -> tuple[UUID, ...]:
    return tuple(sorted(complaint.complaint_id for complaint in facts.complaints))
