"""Complaints, cases and a policy for the tests of referral's domain, and how hypothesis makes them."""

import json
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from services.referral.domain.facts import CaseFacts, ComplaintFacts
from services.referral.domain.policy import Policy
from services.referral.domain.rules.table import load_rules
from shared.contracts.case_events import Recommendation
from shared.contracts.complaint import SanitisedComplaint
from shared.vocabulary import load_vocabulary

TUESDAY: Final = date(2026, 11, 24)
VOCABULARY: Final = load_vocabulary()
TABLE: Final = load_rules(VOCABULARY)
POLICY: Final = Policy(TABLE, VOCABULARY)
MUST: Final = frozenset(rule.code for rule in TABLE.criteria if rule.duty == "MUST")


def body(*codes: str, **members: Any) -> SanitisedComplaint:
    told = {"channel": "phone", "narrative": "x", "allegations": [{"code": code} for code in codes]}
    return SanitisedComplaint.model_validate_json(json.dumps({**told, **members}))


def told(number: int, *codes: str, on: date = TUESDAY, **members: Any) -> ComplaintFacts:
    return ComplaintFacts(UUID(int=number), on, body(*codes, **members))


def assessed(*complaints: ComplaintFacts, **more: Any) -> Recommendation:
    return POLICY.assess(CaseFacts(complaints, **more))


def codes(recommendation: Recommendation) -> set[str]:
    return {criterion.code for criterion in recommendation.criteria}


_flag = st.sampled_from([None, True, False])
_force = st.sampled_from([None, "unknown", "kent", "metropolitan", "police-scotland"])
_day = st.sampled_from([None, "2020-03-01"])
_text = st.sampled_from([None, "x", "I broke my arm"])

ANSWERS: Final[dict[str, SearchStrategy[Any]]] = {
    "channel": st.sampled_from(["phone", "web", "post", "partner"]),
    "narrative": st.sampled_from(["I think I made this up", "Everybody saw it", "?"]),
    "subjects.role": st.sampled_from(["accused", "failed_to_act", "witness", "mentioned"]),
    "subjects.name": st.sampled_from([None, "PC Smith", "Chief Constable Smith"]),
    "subjects.rank": st.sampled_from(
        [None, "PC", "Chief Constable", "Commissioner", "Deputy Commissioner", "t/chief constable"]
    ),
    "subjects.collar_number": _text,
    "subjects.force": _force,
    "subjects.unit": st.sampled_from([None, "Roads", "Professional Standards Department"]),
    "subjects.description": _text,
    "subjects.vehicle": _text,
    "subjects.seen_from": _day,
    "subjects.seen_to": _day,
    "allegations.code": st.sampled_from(sorted(VOCABULARY.categories)),
    "national_categories": st.lists(st.sampled_from("ABCDEFGHJKL"), unique=True, max_size=2),
    "incident.from": _day,
    "incident.to": _day,
    "incident.place": _text,
    "incident.force": _force,
    "risk.immediate_danger": _flag,
    "risk.ongoing_contact": _flag,
    "risk.child_involved": _flag,
    "risk.death_or_serious_injury": _flag,
    "wish": st.sampled_from(["pass_on", "ask_me_first", "only_with_another"]),
    "could_be_guessed": st.sampled_from(["yes", "no", "unknown"]),
    "external_reference": _text,
}
"""What may be told in each field of a complaint, by its path; `allegations.subjects` are `indexes`."""

subjects = st.lists(
    st.fixed_dictionaries(
        {"role": ANSWERS["subjects.role"]},
        optional={name: ANSWERS[f"subjects.{name}"] for name in ("name", "rank", "force", "unit")},
    ),
    max_size=3,
)


@st.composite
def bodies(draw: st.DrawFn) -> SanitisedComplaint:
    """Complaints that differ in what a policy might look at."""
    told_of = draw(subjects)
    members: dict[str, Any] = {
        "subjects": told_of,
        "allegations": [
            {"code": draw(ANSWERS["allegations.code"]), "subjects": draw(indexes(len(told_of)))}
            for _ in range(draw(st.integers(0, 3)))
        ],
        "national_categories": draw(ANSWERS["national_categories"]),
        "risk": {path.partition(".")[2]: draw(ANSWERS[path]) for path in ANSWERS if path.startswith("risk.")},
        "incident": {"force": draw(ANSWERS["incident.force"])},
    }
    return body(**members)


def indexes(of: int) -> SearchStrategy[list[int]]:
    """Some of so many subjects."""
    return st.lists(st.sampled_from(range(of)), unique=True) if of else st.just([])


@st.composite
def complaints(draw: st.DrawFn, least: int = 1, most: int = 4) -> list[ComplaintFacts]:
    """Distinct complaints of one case."""
    told_bodies = draw(st.lists(bodies(), min_size=least, max_size=most))
    days = st.integers(0, 30).map(lambda days: TUESDAY + timedelta(days=days))
    return [ComplaintFacts(UUID(int=n), draw(days), each) for n, each in enumerate(told_bodies, 1)]
