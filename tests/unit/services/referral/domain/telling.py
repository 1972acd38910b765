"""Complaints, cases and a policy for the tests of referral's domain, and how hypothesis makes them."""

import json
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from hypothesis import strategies as st

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
_subjects = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["accused", "failed_to_act", "witness", "mentioned"])},
        optional={
            "rank": st.sampled_from(["PC", "Chief Constable", "Deputy Commissioner", "t/chief constable"]),
            "force": _force.filter(bool),
            "unit": st.sampled_from(["Roads", "Professional Standards Department"]),
        },
    ),
    max_size=3,
)


@st.composite
def bodies(draw: st.DrawFn) -> SanitisedComplaint:
    subjects = draw(_subjects)
    indexes = st.lists(st.sampled_from(range(len(subjects))), unique=True) if subjects else st.just([])
    categories = st.sampled_from(sorted(VOCABULARY.categories))
    members: dict[str, Any] = {
        "subjects": subjects,
        "allegations": [
            {"code": draw(categories), "subjects": draw(indexes)} for _ in range(draw(st.integers(0, 3)))
        ],
        "national_categories": draw(st.lists(st.sampled_from("ABCDEFGHJKL"), unique=True, max_size=2)),
        "risk": draw(
            st.fixed_dictionaries(
                {
                    "immediate_danger": _flag,
                    "ongoing_contact": _flag,
                    "child_involved": _flag,
                    "death_or_serious_injury": _flag,
                }
            )
        ),
        "incident": {"force": draw(_force)},
    }
    return body(**members)


@st.composite
def complaints(draw: st.DrawFn, least: int = 1, most: int = 4) -> list[ComplaintFacts]:
    """Distinct complaints of one case."""
    told_bodies = draw(st.lists(bodies(), min_size=least, max_size=most))
    days = st.integers(0, 30).map(lambda days: TUESDAY + timedelta(days=days))
    return [ComplaintFacts(UUID(int=n), draw(days), each) for n, each in enumerate(told_bodies, 1)]
