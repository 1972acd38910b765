"""One live case for each incident: what moves when dedup tells its members."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from services.referral.domain.placement import CaseRank, Placement, Regrouping, noting, regroup

DAY = date(2026, 11, 24)
A, B, C = (UUID(int=n) for n in range(1, 4))
INCIDENT, EARLIER = UUID(int=11), UUID(int=12)
K, L = UUID(int=21), UUID(int=22)


def placed(complaint: UUID, case: UUID | None = None, incident: UUID | None = None, at: int = 0) -> Placement:
    return Placement(
        complaint,
        version=1,
        is_recorded=True,
        case_id=case,
        incident_id=incident,
        incident_sequence=at,
        recorded_on=DAY,
    )


def told(
    placements: list[Placement], members: list[UUID], has: UUID | None = None, decided: UUID | None = None
) -> Regrouping:
    """Dedup tells that incident INCIDENT has these members."""
    before = {placement.complaint_id: placement for placement in placements}
    noted = noting([before[member] for member in members], INCIDENT, 10, DAY)
    residents: dict[UUID, list[UUID]] = {}
    for placement in placements:
        if placement.case_id is not None:
            residents.setdefault(placement.case_id, []).append(placement.complaint_id)
    ranks = {case: CaseRank(case, case == decided, DAY + timedelta(days=case == K)) for case in residents}
    touched = {placement.case_id for placement in noted} | {has}
    return regroup(before, noted, INCIDENT, has, {k: v for k, v in residents.items() if k in touched}, ranks)


def test_an_older_membership_is_no_news() -> None:
    assert noting([placed(A, K, EARLIER, at=11)], INCIDENT, 10, DAY) == ()
    assert noting([placed(A, K, EARLIER, at=10)], INCIDENT, 10, DAY) == ()


def test_nothing_is_noted_of_an_erased_complaint() -> None:
    assert noting([Placement(A, is_erased=True)], INCIDENT, 10, DAY) == ()


def test_what_is_not_here_yet_is_noted_and_moves_nothing() -> None:
    plan = told([Placement(A), placed(B)], [A, B])
    assert [each.incident_id for each in plan.noted] == [INCIDENT, INCIDENT]
    assert (plan.joining, plan.target) == ((), None)


def test_two_cases_of_one_complaint_become_one_and_the_older_lives_on() -> None:
    plan = told([placed(A, K), placed(B, L)], [A, B])
    assert plan.target == L
    assert [each.complaint_id for each in plan.joining] == [A]
    assert plan.left == {K: frozenset()}


def test_a_case_that_people_decided_lives_on() -> None:
    assert told([placed(A, K), placed(B, L)], [A, B], decided=K).target == K


def test_a_case_that_keeps_others_does_not_move_as_a_whole() -> None:
    plan = told([placed(A, K, EARLIER, 5), placed(B, K, EARLIER, 5), placed(C, L)], [A, C])
    assert plan.target == L
    assert plan.left == {K: frozenset({B})}
    assert plan.freed == frozenset()


def test_what_leaves_a_case_alone_gets_a_new_one() -> None:
    plan = told([placed(A, K, EARLIER, 5), placed(B, K, EARLIER, 5)], [A])
    assert plan.target is None
    assert [each.complaint_id for each in plan.joining] == [A]
    assert plan.left == {K: frozenset({B})}


def test_an_incident_whose_case_is_taken_has_none_any_more() -> None:
    plan = told([placed(A, K, EARLIER, 5), placed(B, K, EARLIER, 5)], [A, B])
    assert (plan.target, plan.joining, plan.freed) == (K, (), frozenset({EARLIER}))
    plan = told([placed(A, K, INCIDENT, 5), placed(B, L, EARLIER, 5)], [A, B], has=K)
    assert (plan.target, plan.left, plan.freed) == (K, {L: frozenset()}, frozenset({EARLIER}))


def test_the_case_of_the_incident_keeps_those_who_came_with_it() -> None:
    plan = told([placed(A, K, INCIDENT, 5), placed(B, K, INCIDENT, 5), placed(C, L)], [A, B, C], has=K)
    assert plan.target == K
    assert [each.complaint_id for each in plan.joining] == [C]


def test_deadlines_count_from_the_release_of_what_was_held_back() -> None:
    later = DAY + timedelta(days=4)
    assert placed(A).clear_on == DAY
    assert Placement(A, recorded_on=DAY, released_on=later).clear_on == later
    assert Placement(A, recorded_on=later, released_on=DAY).clear_on == later
    with pytest.raises(ValueError, match="not arrived"):
        _ = Placement(A).clear_on
