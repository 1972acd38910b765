"""The recommendation: what it must say, and what can never change it."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final, get_args
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from services.referral.domain.facts import CaseFacts, ComplaintFacts
from shared.contracts.case_events import IndicatedCriterion, Recommendation
from shared.contracts.complaint import Allegation, SanitisedComplaint
from tests.unit.services.referral.domain.telling import (
    ANSWERS,
    MUST,
    POLICY,
    TABLE,
    TUESDAY,
    VOCABULARY,
    assessed,
    body,
    codes,
    complaints,
    indexes,
    subjects,
    told,
)


def musts(recommendation: Recommendation) -> set[IndicatedCriterion]:
    return {criterion for criterion in recommendation.criteria if criterion.code in MUST}


# Nature, not merits


@given(
    complaints(),
    st.fixed_dictionaries(
        {
            "channel": st.sampled_from(["phone", "web", "post", "partner"]),
            "narrative": st.sampled_from(["I think I made this up", "Everybody saw it", "?"]),
            "could_be_guessed": st.sampled_from(["yes", "no", "unknown"]),
            "wish": st.sampled_from(["pass_on", "ask_me_first", "only_with_another"]),
            "external_reference": st.sampled_from([None, "17"]),
        }
    ),
)
def test_neither_channel_nor_credibility_nor_wish_changes_anything(
    told_: list[ComplaintFacts], merits: dict[str, str]
) -> None:
    others = [
        ComplaintFacts(one.complaint_id, one.clear_on, one.body.model_copy(update=merits)) for one in told_
    ]
    assert assessed(*others) == assessed(*told_)


@given(complaints(least=2))
def test_an_added_complaint_never_loses_a_criterion_nor_lowers_a_priority(
    told_: list[ComplaintFacts],
) -> None:
    *before, added = told_
    earlier, later = assessed(*before), assessed(*before, added)
    assert set(earlier.criteria) <= set(later.criteria)
    assert later.priority >= earlier.priority
    due = {deadline.rule: deadline.due_on for deadline in later.deadlines}
    assert all(due[deadline.rule] <= deadline.due_on for deadline in earlier.deadlines)


@given(complaints(), st.integers(1, 5))
def test_the_number_of_reporters_removes_no_must(told_: list[ComplaintFacts], repeated: int) -> None:
    again = [
        ComplaintFacts(UUID(int=100 * n + one.complaint_id.int), one.clear_on, one.body)
        for n in range(1, repeated + 1)
        for one in told_
    ]
    assert musts(assessed(*told_)) <= musts(assessed(*told_, *again))


@given(complaints().flatmap(lambda told_: st.tuples(st.just(told_), st.permutations(told_))))
def test_the_order_of_the_complaints_does_not_matter(
    orders: tuple[list[ComplaintFacts], list[ComplaintFacts]],
) -> None:
    one, other = orders
    assert assessed(*one) == assessed(*other)


@given(complaints())
def test_every_criterion_names_origin_version_and_source(told_: list[ComplaintFacts]) -> None:
    recommendation = assessed(*told_)
    by_id = {one.complaint_id: one.body for one in told_}
    assert recommendation.policy_version == TABLE.version
    for criterion in recommendation.criteria:
        assert criterion.source == VOCABULARY.criteria[criterion.code].source
        origin = by_id[criterion.complaint_id]
        if criterion.allegation is not None:
            assert origin.allegations[criterion.allegation].code == criterion.category
        assert any(criterion.code in line for line in recommendation.explanation)
    assert recommendation.recipient is not None
    assert POLICY.knows_recipient(recommendation.recipient)
    assert len(set(recommendation.criteria)) == len(recommendation.criteria)


@given(complaints())
def test_what_must_be_referred_is_due_at_the_end_of_the_next_day(told_: list[ComplaintFacts]) -> None:
    recommendation = assessed(*told_)
    days = {one.complaint_id: one.clear_on for one in told_}
    starts = [days[criterion.complaint_id] for criterion in musts(recommendation)]
    due = [deadline.due_on for deadline in recommendation.deadlines if deadline.rule == "mandatory_referral"]
    assert due == ([min(starts) + timedelta(days=1)] if starts else [])


# No answer takes a duty away

_FROM_NOTHING: Final = {
    "subjects.role": "a witness is accused of nothing",
    "subjects.name": "a name may say the rank",
    "subjects.rank": "who is a chief officer is what the rule asks",
    "allegations.code": "what is alleged",
    "national_categories": "what is alleged",
    "risk.death_or_serious_injury": "its own question: a yes that is taken back was its only ground",
}
"""The fields that tell what is alleged, and of whom: they may take back what they said themselves, but an
answer where there was none takes nothing away."""


def _fields(model: type[BaseModel], path: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        at = f"{path}{field.alias or name}"
        (inner, *_) = [*(t for t in _types(field.annotation) if issubclass(t, BaseModel)), None]
        yield from [at] if inner is None else _fields(inner, f"{at}.")


def _types(annotation: Any) -> list[type]:
    found = [annotation] if isinstance(annotation, type) else []
    return found + [each for argument in get_args(annotation) for each in _types(argument)]


def test_every_field_of_a_complaint_is_tried() -> None:
    assert {*ANSWERS, "allegations.subjects"} == set(_fields(SanitisedComplaint))
    assert _FROM_NOTHING.keys() <= ANSWERS.keys()


@settings(max_examples=300)
@given(complaints(most=2), st.sampled_from(sorted({*ANSWERS, "allegations.subjects"})), st.data())
def test_no_answer_takes_a_duty_away(told_: list[ComplaintFacts], path: str, data: st.DataObject) -> None:
    """Force with "broke my arm" and a no to `death_or_serious_injury` lost SERIOUS_ASSAULT: one field answers
    one question, and lowers no duty that another one made."""
    first, *others = told_
    members = first.body.model_dump(mode="json", by_alias=True)
    part, _, field = path.rpartition(".")
    parts = members[part] if part else members
    for answers in parts if isinstance(parts, list) else [parts]:
        if path == "allegations.subjects":
            answers[field] = data.draw(indexes(len(members["subjects"])))
        elif path not in _FROM_NOTHING or answers[field] in (None, False, []):
            answers[field] = data.draw(ANSWERS[path])
    later = ComplaintFacts(first.complaint_id, first.clear_on, body(**members))
    assert duties(assessed(*told_)) <= duties(assessed(later, *others))


@given(complaints(most=2), subjects, st.lists(ANSWERS["allegations.code"]), ANSWERS["national_categories"])
def test_more_that_is_told_takes_no_duty_away(
    told_: list[ComplaintFacts], more: list[Any], codes_: list[str], letters: list[Any]
) -> None:
    first, *others = told_
    members = first.body.model_dump(mode="json", by_alias=True)
    for allegation in members["allegations"]:  # those about everybody are about everybody who was there
        allegation["subjects"] = first.body.subjects_of(
            Allegation.model_validate_json(json.dumps(allegation))
        )
    members["subjects"] += more
    members["allegations"] += [{"code": code} for code in codes_]
    members["national_categories"] = [*dict.fromkeys([*members["national_categories"], *letters])]
    later = ComplaintFacts(first.complaint_id, first.clear_on, body(**members))
    assert duties(assessed(*told_)) <= duties(assessed(later, *others))


def duties(recommendation: Recommendation) -> set[tuple[UUID, str]]:
    """What must be referred, of which complaint, on which ground."""
    return {(criterion.complaint_id, criterion.code) for criterion in musts(recommendation)}


@pytest.mark.parametrize(
    ("before", "answer"),
    [
        ({"allegations": [{"code": "other.excessive_force"}]}, {"risk": {"death_or_serious_injury": False}}),
        ({"subjects": [{"rank": "Commissioner"}]}, {"incident": {"force": "kent"}}),
        (
            {"subjects": [{"rank": "Deputy Commissioner"}], "incident": {"force": "metropolitan"}},
            {"subjects": [{"rank": "Deputy Commissioner", "force": "kent"}]},
        ),
    ],
)
def test_a_duty_stands_whatever_another_answer_says(before: dict[str, Any], answer: dict[str, Any]) -> None:
    assert duties(assessed(told(1, **before)))
    assert duties(assessed(told(1, **before))) <= duties(assessed(told(1, **{**before, **answer})))


# Criteria


@pytest.mark.parametrize(
    ("complaint", "code"),
    [
        (told(1, risk={"death_or_serious_injury": True}), "DSI"),
        (told(1, "partner_abuse.violence"), "SERIOUS_ASSAULT"),
        (told(1, "sexual.rape_or_assault"), "SERIOUS_SEXUAL"),
        (told(1, "sexual.abuse_of_position"), "SERIOUS_CORRUPTION"),
        (told(1, "other.perverting_justice"), "SERIOUS_CORRUPTION"),
        (told(1, "hate.transphobic"), "DISCRIMINATION"),
        (told(1, national_categories=["F"]), "DISCRIMINATION"),
        (told(1, "influence.bribery"), "RELEVANT_OFFENCE"),
        (told(1, subjects=[{"rank": "Chief Constable"}]), "CHIEF_OFFICER"),
        (told(1, subjects=[{"name": "Acting Chief Constable J. Smith"}]), "CHIEF_OFFICER"),
        (told(1, subjects=[{"rank": "Deputy Commissioner", "force": "metropolitan"}]), "CHIEF_OFFICER"),
        # Only two forces have one: who names another force was mistaken in one of the two.
        (told(1, subjects=[{"rank": "Deputy Commissioner", "force": "kent"}]), "CHIEF_OFFICER"),
        (told(1, "partner_abuse.coercive_control"), "GRAVITY"),
        (told(1, "other.failure_of_duty"), "VOLUNTARY"),
        (told(1, "advantage.misuse_of_systems"), "VETTING"),
    ],
)
def test_what_indicates_a_criterion(complaint: ComplaintFacts, code: str) -> None:
    assert code in codes(assessed(complaint))


@pytest.mark.parametrize(
    ("complaint", "code"),
    [
        (told(1, "other.incivility"), "VETTING"),
        (told(1, risk={"death_or_serious_injury": False}), "DSI"),
        (told(1, subjects=[{"rank": "Deputy Chief Constable"}]), "CHIEF_OFFICER"),
        (told(1, subjects=[{"rank": "Police and Crime Commissioner"}]), "CHIEF_OFFICER"),
        (told(1, subjects=[{"rank": "Chief Constable", "role": "witness"}]), "CHIEF_OFFICER"),
        (told(1, "other.unlawful_search"), "DISCRIMINATION"),
    ],
)
def test_what_does_not_indicate_it(complaint: ComplaintFacts, code: str) -> None:
    assert code not in codes(assessed(complaint))


def test_a_search_beside_hate_is_aggravated() -> None:
    recommendation = assessed(told(1, "other.unlawful_search", "hate.racist"))
    assert {c.allegation for c in recommendation.criteria if c.code == "DISCRIMINATION"} == {0, 1}


def test_what_is_of_the_same_incident_as_a_must_is_referred_with_it() -> None:
    recommendation = assessed(told(1, "hate.racist"), told(2, "other.incivility"))
    (same,) = [c for c in recommendation.criteria if c.code == "SAME_INCIDENT"]
    assert (same.complaint_id, same.allegation) == (UUID(int=2), None)
    both = assessed(
        told(1, "hate.racist"), told(2, "other.incivility", risk={"death_or_serious_injury": True})
    )
    assert {c.complaint_id.int for c in both.criteria if c.code == "SAME_INCIDENT"} == {1, 2}
    assert "SAME_INCIDENT" not in codes(assessed(told(1, "hate.racist")))


def test_news_and_call_in_are_referred() -> None:
    called = assessed(told(1), called_in_on=TUESDAY)
    assert codes(called) == {"CALL_IN"}
    news = assessed(told(1), settled=frozenset({UUID(int=1)}), news={UUID(int=1): TUESDAY})
    assert codes(news) == {"REFER_AGAIN"}
    assert [d.starts_on for d in news.deadlines if d.rule == "mandatory_referral"] == [TUESDAY]


def test_a_settled_complaint_starts_no_clock() -> None:
    one = told(1, "hate.racist")
    assert assessed(one, settled=frozenset({one.complaint_id})).deadlines == ()


# Recipients and deadlines


@pytest.mark.parametrize(
    ("members", "recipient"),
    [
        ({"incident": {"force": "kent"}}, "professional_standards:kent"),
        ({"subjects": [{"force": "essex"}], "incident": {"force": "kent"}}, "professional_standards:essex"),
        ({"subjects": [{"rank": "chief constable", "force": "kent"}]}, "local_policing_body:kent"),
        ({"subjects": [{"unit": "Kent Professional Standards Department", "force": "kent"}]}, "iopc"),
        ({"subjects": [{"unit": "counter-corruption", "force": "kent"}]}, "iopc"),
        ({"subjects": [{"rank": "chief constable", "force": "police-scotland"}]}, "pirc"),
        ({"incident": {"force": "northern-ireland"}}, "poni"),
        ({}, "iopc"),
    ],
)
def test_the_recipient(members: dict[str, Any], recipient: str) -> None:
    assert assessed(told(1, "hate.racist", **members)).recipient == recipient


def test_working_days_leave_out_weekends_and_bank_holidays() -> None:
    christmas_eve = date(2026, 12, 24)
    (deadline,) = assessed(told(1, on=christmas_eve)).deadlines
    # 25 Christmas, 26 and 27 a weekend, 28 Boxing Day in lieu, 1 January; 29, 30, 31, 4, 5 count.
    assert (deadline.calendar, deadline.due_on) == ("working_days", date(2027, 1, 5))
    assert (deadline.version, deadline.owner) == (TABLE.version, "charity")


def test_a_day_counts_also_on_a_weekend() -> None:
    friday = date(2026, 11, 27)
    recommendation = assessed(told(1, "hate.racist", on=friday))
    assert min(d.due_on for d in recommendation.deadlines) == date(2026, 11, 28)


def test_danger_comes_first() -> None:
    calm, danger = told(1, "hate.racist"), told(1, "hate.racist", risk={"immediate_danger": True})
    assert assessed(danger).priority > assessed(calm).priority


def test_the_case_is_of_the_force_that_most_complaints_are_about() -> None:
    kent = [told(n, incident={"force": "kent"}) for n in (1, 2)]
    facts = CaseFacts((*kent, told(3, incident={"force": "essex"}), told(4)))
    assert facts.force == "kent"
