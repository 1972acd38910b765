"""Given what happened to a case, when something is decided, then these events follow."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.referral.domain import case as cases
from services.referral.domain.case import Act, Case, CaseEvent, evolve, facts_of
from services.referral.domain.facts import CaseFacts, ComplaintFacts
from shared.contracts.case_events import CaseReferred, Disposition
from tests.unit.services.referral.domain.telling import (
    MUST,
    POLICY,
    TUESDAY,
    VOCABULARY,
    codes,
    complaints,
    told,
)

CASE, OTHER = UUID(int=1000), UUID(int=1001)
_ids = count(1)


def new_id() -> UUID:
    return UUID(int=5000 + next(_ids))


def act(by: str = "anna", days: int = 0) -> Act:
    return Act(by, datetime(2026, 11, 24, 12, 0, tzinfo=UTC), TUESDAY + timedelta(days=days))


def opened(*complaints_: ComplaintFacts) -> Case:
    return after(None, cases.open_case(CASE, CaseFacts(complaints_), POLICY, TUESDAY))


def after(case: Case | None, events: Iterable[CaseEvent]) -> Case:
    for event in events:
        case = evolve(case, event)
    assert case is not None
    return case


def types(events: Iterable[CaseEvent]) -> list[str]:
    return [event.type.name.removeprefix("hotline.case.").removesuffix(".v1") for event in events]


def disposition(one: ComplaintFacts, outcome: Any, allegation: int | None = None, **more: Any) -> Disposition:
    return Disposition(
        complaint_id=one.complaint_id, allegation=allegation, outcome=outcome, reason_code="seen", **more
    )


def decide(
    case: Case, *facts: ComplaintFacts, outcome: Any = "refer", in_pattern: bool = False
) -> list[CaseEvent]:
    made = [disposition(one, outcome) for one in facts]
    return cases.decide(
        case, facts_of(case, facts), made, "Seen.", act(), POLICY, in_pattern=in_pattern, new_id=new_id
    )


def test_a_case_opens_with_its_recommendation() -> None:
    case = opened(told(1, "hate.racist"))
    assert (case.version, case.status, case.complaint_ids) == (1, "open", (UUID(int=1),))
    assert case.due_on == TUESDAY + timedelta(days=1)


def test_a_complaint_that_comes_is_assessed_with_the_others() -> None:
    one, two = told(1, "other.incivility"), told(2, "hate.racist")
    events = cases.assess(opened(one), [one, two], POLICY, TUESDAY)
    assert types(events) == ["assessed"]
    case = after(opened(one), events)
    assert case.status == "open"
    assert case.members_version == case.version == 2
    assert codes(case.recommendation) >= {"DISCRIMINATION", "SAME_INCIDENT"}


@given(complaints(), st.sampled_from(["refer", "no_further_action", "signpost", "more_information"]))
def test_a_must_is_ended_by_two_people_or_not_at_all(told_: list[ComplaintFacts], outcome: Any) -> None:
    case = opened(*told_)
    decided = after(case, decide(case, *told_, outcome=outcome))
    if codes(case.recommendation) & MUST and outcome in {"no_further_action", "signpost"}:
        assert decided.status == "decided"
        assert decided.pending is not None
        assert decided.due_on == case.due_on  # the clock runs on
        with pytest.raises(cases.SamePerson):
            cases.approve(decided, True, "Yes.", act("anna"), new_id)
        assert after(decided, cases.approve(decided, True, "Yes.", act("berta"), new_id)).status == "closed"
    elif outcome == "refer":
        assert decided.status == "referred"


@pytest.mark.parametrize(
    ("members", "recipient", "ground"),
    [
        ({}, "iopc", "another_recipient"),
        ({"wish": "ask_me_first"}, None, "ask_me_first"),
        ({"could_be_guessed": "yes"}, None, "could_be_guessed"),
    ],
)
def test_what_the_caller_or_the_rules_did_not_expect_is_sent_by_two_people_or_not_at_all(
    members: dict[str, Any], recipient: str | None, ground: str
) -> None:
    one = told(1, "hate.racist", incident={"force": "kent"}, **members)
    case = opened(one, told(2, incident={"force": "kent"}))
    made = [disposition(one, "refer", recipient=recipient), disposition(told(2), "refer")]
    facts = facts_of(case, [one, told(2, incident={"force": "kent"})])

    def decided(at: Case) -> list[CaseEvent]:
        return cases.decide(at, facts, made, "Seen.", act(), POLICY, in_pattern=False, new_id=new_id)

    waits = after(case, decided(case))
    assert (waits.status, waits.referrals, waits.due_on) == ("decided", (), case.due_on)
    assert waits.pending is not None and waits.pending.approval_grounds == (ground,)
    with pytest.raises(cases.AwaitsSecondPerson):
        decided(waits)
    with pytest.raises(cases.SamePerson):
        cases.approve(waits, True, "Yes.", act("anna"), new_id)
    sent = after(waits, cases.approve(waits, True, "Yes.", act("berta"), new_id))
    assert (sent.status, bool(sent.referrals)) == ("referred", True)
    refused = after(waits, cases.approve(waits, False, "No.", act("berta"), new_id))
    assert (refused.status, refused.referrals) == ("assessed", ())


@pytest.mark.parametrize("members", [{}, {"could_be_guessed": "no"}, {"wish": "only_with_another"}])
def test_one_person_sends_to_the_recommended_body_what_may_be_passed_on(members: dict[str, Any]) -> None:
    one = told(1, "hate.racist", incident={"force": "kent"}, **members)
    assert after(opened(one), decide(opened(one), one)).status == "referred"


def test_the_wish_of_a_caller_whose_complaint_is_not_sent_needs_nobody() -> None:
    one, two = told(1, "hate.racist"), told(2, "other.incivility", wish="ask_me_first")
    case = opened(one, two)
    made = [disposition(one, "refer"), disposition(two, "more_information")]
    events = cases.decide(
        case, facts_of(case, [one, two]), made, "x", act(), POLICY, in_pattern=False, new_id=new_id
    )
    assert after(case, events).pending is None


@given(complaints())
def test_asking_for_more_stops_no_clock(told_: list[ComplaintFacts]) -> None:
    case = opened(*told_)
    asked = after(case, decide(case, *told_, outcome="more_information"))
    assert (asked.status, asked.due_on) == ("assessed", case.due_on)
    assert asked.recommendation == case.recommendation


@pytest.mark.parametrize("strand", ["sexual", "partner_abuse"])
def test_the_guarded_strands_need_two(strand: str) -> None:
    for code in VOCABULARY.categories:
        if code.startswith(strand + "."):
            one = told(1, code)
            assert after(opened(one), decide(opened(one), one, outcome="no_further_action")).pending


def test_a_pattern_needs_two() -> None:
    one = told(1, "other.incivility")
    assert types(decide(opened(one), one, outcome="no_further_action")) == ["decided"]
    assert not after(opened(one), decide(opened(one), one, outcome="no_further_action")).pending
    assert after(opened(one), decide(opened(one), one, outcome="no_further_action", in_pattern=True)).pending


@given(complaints(least=2), st.sampled_from(["refer", "no_further_action"]))
def test_an_added_complaint_opens_a_decided_case_again_and_loses_no_criterion(
    told_: list[ComplaintFacts], outcome: Any
) -> None:
    before = told_[:-1]
    case = opened(*before)
    decided = after(case, decide(case, *before, outcome=outcome))
    again = after(decided, cases.assess(decided, told_, POLICY, TUESDAY + timedelta(days=9)))
    assert again.status == "open"
    assert again.pending is None
    assert set(case.recommendation.criteria) <= set(again.recommendation.criteria)
    if decided.status in cases.FINAL:
        assert "REFER_AGAIN" in codes(again.recommendation)
        assert again.due_on is not None
    if outcome == "refer":
        assert again.referrals == decided.referrals


@given(complaints(least=3, most=5))
def test_news_stays_news_until_the_next_decision(told_: list[ComplaintFacts]) -> None:
    first, second, *rest = told_
    case = opened(first)
    referred = after(case, decide(case, first))
    again = after(referred, cases.assess(referred, [first, second], POLICY, TUESDAY + timedelta(days=3)))
    more = after(again, cases.assess(again, told_, POLICY, TUESDAY + timedelta(days=5)))
    named = {c.complaint_id for c in more.recommendation.criteria if c.code == "REFER_AGAIN"}
    assert named == {one.complaint_id for one in [second, *rest]}
    assert min(d.starts_on for d in more.recommendation.deadlines) <= TUESDAY + timedelta(days=3)
    done = after(more, decide(more, *told_))
    assert (done.status, done.news, done.due_on) == ("referred", {}, None)


def test_a_new_match_opens_a_closed_case_again() -> None:
    one = told(1, "other.incivility")
    closed = after(opened(one), decide(opened(one), one, outcome="no_further_action"))
    events = cases.assess(closed, [one], POLICY, TUESDAY, told=one.complaint_id, because_of=cases.BY_PATTERN)
    assert types(events) == ["reopened", "assessed"]
    assert codes(after(closed, events).recommendation) == {"REFER_AGAIN"}


def test_one_referral_for_each_recipient_with_the_criteria_of_what_it_gets() -> None:
    one = told(1, "hate.racist", "sexual.images", incident={"force": "kent"})
    case = opened(one)
    made = [
        disposition(one, "refer", 0),
        disposition(one, "refer", 1, recipient="iopc"),
    ]
    events = cases.decide(
        case, facts_of(case, [one]), made, "x", act(), POLICY, in_pattern=False, new_id=new_id
    )
    events += cases.approve(after(case, events), True, "Yes.", act("berta"), new_id)
    referred = [event.sealed for event in events if isinstance(event.sealed, CaseReferred)]
    assert [(each.recipient, each.criteria) for each in referred] == [
        ("iopc", ("RELEVANT_OFFENCE", "SERIOUS_SEXUAL", "VETTING")),
        ("professional_standards:kent", ("DISCRIMINATION", "VETTING")),
    ]
    assert len({each.referral_ids for each in referred}) == 2


@pytest.mark.parametrize("needs_approval", [False, True])
def test_what_a_decision_asks_for_is_found_where_it_breaks_off(needs_approval: bool) -> None:
    one = told(1, "hate.racist", "sexual.images", "sexual.rape_or_assault", incident={"force": "kent"})
    first = cases.open_case(CASE, CaseFacts((one,)), POLICY, TUESDAY)
    made = [
        disposition(one, "refer", 0),
        disposition(one, "refer", 1, recipient="iopc" if needs_approval else None),
        disposition(one, "no_further_action" if needs_approval else "refer", 2),
    ]
    sent_to = ["iopc", "professional_standards:kent"] if needs_approval else ["professional_standards:kent"]
    case = after(None, first)
    decision = cases.decide(
        case, facts_of(case, [one]), made, "x", act(), POLICY, in_pattern=False, new_id=new_id
    )
    if needs_approval:
        decision += cases.approve(after(case, decision), True, "Yes.", act("berta"), new_id)
    last = [*first, *decision]
    complete = len(last) - len(sent_to)
    assert types(last)[complete - 1 :] == [
        "approved" if needs_approval else "decided", *["referred"] * len(sent_to)
    ]  # fmt: skip
    for known in range(complete, len(last) + 1):
        left = cases.referrals_left(last[:known], TUESDAY, lambda: CASE)
        assert [(each.clear, each.day) for each in left] == [(each.clear, each.day) for each in last[known:]]
        bodies = [each.sealed.recipient for each in left if isinstance(each.sealed, CaseReferred)]
        assert bodies == sent_to[known - complete :]
    for known in range(1, complete):
        assert cases.referrals_left(last[:known], TUESDAY, new_id) == []
    rejected = [*first, *decide(case, one, outcome="no_further_action")]
    rejected += cases.approve(after(None, rejected), False, "No.", act("berta"), new_id)
    assert cases.referrals_left(rejected, TUESDAY, new_id) == []


def test_a_decided_case_is_not_decided_again() -> None:
    one = told(1)
    referred = after(opened(one), decide(opened(one), one))
    with pytest.raises(cases.AlreadyDecided):
        decide(referred, one)
    with pytest.raises(cases.NothingToApprove):
        cases.approve(referred, True, "x", act("berta"), new_id)


def test_a_merged_case_names_where_it_lives_on() -> None:
    one = told(1)
    merged = after(opened(one), cases.merge(opened(one), OTHER, TUESDAY))
    assert (merged.status, merged.complaint_ids, merged.merged_into) == ("merged", (), OTHER)
    with pytest.raises(cases.CaseIsMerged) as refusal:
        decide(merged, one)
    assert refusal.value.merged_into == OTHER


def test_a_split_case_is_assessed_for_what_remains() -> None:
    one, two = told(1, "hate.racist"), told(2, "other.incivility")
    case = opened(one, two)
    events = cases.split(case, {CASE: [two.complaint_id], OTHER: [one.complaint_id]}, [two], POLICY, TUESDAY)
    assert types(events) == ["split", "assessed"]
    left = after(case, events)
    assert left.complaint_ids == (two.complaint_id,)
    assert codes(left.recommendation) == set()


def test_a_split_voids_a_decision_that_waits() -> None:
    one, two = told(1, "hate.racist"), told(2, "hate.racist")
    case = opened(one, two)
    waits = after(case, decide(case, one, two, outcome="no_further_action"))
    parts = {CASE: [two.complaint_id], OTHER: [one.complaint_id]}
    left = after(waits, cases.split(waits, parts, [two], POLICY, TUESDAY))
    assert (left.status, left.pending) == ("open", None)


def test_a_final_decision_ends_the_deadlines_on_its_day() -> None:
    one = told(1, "hate.racist")
    case = opened(one)
    made = [disposition(one, "refer")]
    events = cases.decide(
        case, facts_of(case, [one]), made, "x", act(days=1), POLICY, in_pattern=False, new_id=new_id
    )
    done = after(case, events)
    assert {settled.on for settled in done.settled_deadlines} == {TUESDAY + timedelta(days=1)}
    assert len(done.settled_deadlines) == 2
    assert [status for status, _ in done.steps] == ["open", "decided", "referred"]


def _wrong() -> Iterator[tuple[list[Disposition], str]]:
    one, stranger = told(1, "hate.racist", "other.drugs"), told(9)
    yield [disposition(stranger, "refer")], "dispositions.0.complaint_id"
    yield [disposition(one, "refer", 7)], "dispositions.0.allegation"
    yield [disposition(one, "refer", 0)], "dispositions"
    yield [disposition(one, "refer"), disposition(one, "refer", 0)], "dispositions.1.allegation"
    yield [disposition(one, "refer", recipient="nobody")], "dispositions.0.recipient"
    yield [disposition(one, "refer", recipient="professional_standards:unknown")], "dispositions.0.recipient"
    yield [disposition(one, "no_further_action", recipient="iopc")], "dispositions.0.recipient"


@pytest.mark.parametrize(("made", "field"), list(_wrong()))
def test_a_wrong_disposition_is_named(made: list[Disposition], field: str) -> None:
    one = told(1, "hate.racist", "other.drugs")
    case = opened(one)
    with pytest.raises(cases.WrongDisposition) as refusal:
        cases.decide(case, facts_of(case, [one]), made, "x", act(), POLICY, in_pattern=False, new_id=new_id)
    assert refusal.value.field == field
