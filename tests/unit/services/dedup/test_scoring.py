"""Weights: what they say, and that they add up."""

from datetime import date, timedelta
from math import fsum, log2
from typing import Any

import pytest
from hypothesis import given

from services.dedup.domain.features import Features
from services.dedup.domain.model import Model, Population, load_model, load_population
from services.dedup.domain.scoring import Scorer
from services.dedup.domain.weights import Scored
from services.dedup.domain.zones import zone_of
from tests.unit.services.dedup.examples import FEATURES, features

DAY = date(2020, 3, 1)
OFFICER = {"name": "Alan Brockway", "collar_number": "4471", "unit": "Basingstoke response"}


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer(load_model(), load_population())


def night(day: date = DAY, **fields: Any) -> Features:
    incident = {"from": day, "to": day, "place": "Kempton Yard, Basingstoke", "force": "hampshire"}
    given_fields = {"incident": incident, "subjects": [OFFICER], "allegations": [{"code": "other.drugs"}]}
    return features(**{**given_fields, **fields})


def level(scored: Scored, field: str) -> str | None:
    return next((step.level for step in scored.waterfall if step.field == field), None)


def test_the_same_night_is_accepted(scorer: Scorer) -> None:
    found = scorer.incident(night(), night())
    assert found is not None and (found.kind, found.zone) == ("same_incident", "accepted")


def test_the_same_officer_unit_and_place_on_another_night_is_not_the_same_incident(scorer: Scorer) -> None:
    assert scorer.incident(night(), night(DAY + timedelta(60))) is None
    (officer,) = scorer.pairs(night(), night(DAY + timedelta(60)))
    assert (officer.kind, officer.zone, officer.subject, officer.other_subject) == (
        "same_officer",
        "accepted",
        0,
        0,
    )


def test_what_is_missing_weighs_nothing(scorer: Scorer) -> None:
    scored = scorer.score_incident(features(), night())
    assert [step.field for step in scored.waterfall] == ["prior"]


def test_another_surname_does_not_veto_a_collar_number(scorer: Scorer) -> None:
    one = features(subjects=[{**OFFICER, "force": "hampshire"}])
    married = features(subjects=[{**OFFICER, "name": "Alan Marsh", "force": "hampshire"}])
    scored = scorer.score_officers(one, 0, married, 0)
    assert level(scored, "surname") == "different"
    assert zone_of(scored.weight, scorer.model.officer.zones) is not None


def test_a_common_surname_weighs_less_than_a_rare_one(scorer: Scorer) -> None:
    def alike(name: str) -> float:
        one, other = (features(subjects=[{"name": name, "force": "kent"}]) for _ in range(2))
        return scorer.score_officers(one, 0, other, 0).weight

    population = load_population()
    difference = log2(population.shares["smith"] / population.other)
    assert alike("Ann Brockway") - alike("Ann Smith") == pytest.approx(difference)


def test_an_old_collar_number_that_differs_weighs_mildly(scorer: Scorer) -> None:
    def differ(days: int) -> float:
        moved = {**OFFICER, "collar_number": "9960"}
        scored = scorer.score_officers(night(), 0, night(DAY + timedelta(days), subjects=[moved]), 0)
        return next(step.weight for step in scored.waterfall if step.field == "collar number")

    assert differ(30) < differ(5 * 365) < 0


def test_narrative_category_and_mentions_are_capped_together(scorer: Scorer) -> None:
    text = " ".join(f"word{number} and Street{number}" for number in range(60))
    scored = scorer.score_incident(night(narrative=text), night(narrative=text))
    (cap,) = scorer.model.incident.caps
    assert fsum(s.weight for s in scored.waterfall if s.field in cap.fields or s.level == "cap") == (
        pytest.approx(cap.most)
    )


def test_the_same_long_text_again_is_a_duplicate_but_not_on_another_day(scorer: Scorer) -> None:
    text = " ".join(f"word{number}" for number in range(60))
    found = scorer.incident(night(narrative=text), night(narrative=text))
    assert found is not None and (found.kind, found.zone) == ("duplicate", "accepted")
    undated = scorer.incident(features(narrative=text), features(narrative=text))
    assert undated is not None and (undated.kind, undated.zone) == ("duplicate", "review")
    later = scorer.incident(night(narrative=text), night(DAY + timedelta(90), narrative=text))
    assert later is None or later.kind != "duplicate"


def test_two_officers_of_one_complaint_are_matched_each_with_one(scorer: Scorer) -> None:
    other = {"name": "Sarah Okonjo", "collar_number": "118", "unit": "Basingstoke response"}
    one, two = night(subjects=[OFFICER, other]), night(subjects=[other, OFFICER])
    pairs = {(f.subject, f.other_subject) for f in scorer.pairs(one, two) if f.kind == "same_officer"}
    assert pairs == {(0, 1), (1, 0)}


@given(FEATURES, FEATURES)
def test_a_waterfall_adds_up_and_fast_rejection_agrees(one: Features, other: Features) -> None:
    scorer = Scorer(load_model(), load_population())
    scored = scorer.score_incident(one, other)
    assert scored.weight == fsum(step.weight for step in scored.waterfall)
    assert (scorer.incident(one, other) is not None) == (scored.weight >= scorer.model.incident.zones.review)
    kept = {(f.subject, f.other_subject) for f in scorer.pairs(one, other) if f.kind == "same_officer"}
    for i, x in enumerate(one.officers):
        for j, y in enumerate(other.officers):
            if (x.subject, y.subject) in kept:
                assert scorer.score_officers(one, i, other, j).weight >= scorer.model.officer.zones.review


@given(FEATURES, FEATURES)
def test_a_pair_weighs_the_same_from_both_sides(one: Features, other: Features) -> None:
    scorer = Scorer(load_model(), load_population())
    for i in range(len(one.officers)):
        for j in range(len(other.officers)):
            there, back = scorer.score_officers(one, i, other, j), scorer.score_officers(other, j, one, i)
            assert there.weight == back.weight


def test_a_name_alone_is_one_identifier_and_a_number_beside_it_another(scorer: Scorer) -> None:
    def rests_on_one(**more: str) -> bool:
        subject = {"name": "Alan Brockway", "force": "kent", **more}
        one, other = (features(subjects=[subject]) for _ in range(2))
        return scorer.score_officers(one, 0, other, 0).rests_on_one

    assert rests_on_one()
    assert not rests_on_one(collar_number="4471")


def test_a_levels_weight_is_that_of_its_probabilities(scorer: Scorer) -> None:
    scored = scorer.score_incident(night(), night())
    day = next(c for c in scorer.model.incident.comparisons if c.field == "day").levels["same"]
    assert next(s.weight for s in scored.waterfall if s.field == "day") == log2(day.m / day.u)


def test_every_level_that_is_compared_stands_in_the_model() -> None:
    model = load_model()
    for pair, fields in (
        (
            model.incident,
            {"day", "officers", "unit", "place", "force", "category", "narrative", "mentions", "vehicle"},
        ),
        (
            model.officer,
            {"surname", "forename", "collar number", "force", "unit", "rank", "vehicle", "description"},
        ),
    ):
        assert {comparison.field for comparison in pair.comparisons} == fields
        for group in pair.identifiers:
            assert set(group) <= fields
        for cap in pair.caps:
            assert set(cap.fields) <= fields


def test_a_model_whose_zones_are_the_wrong_way_round_is_refused() -> None:
    model = load_model().model_dump()
    model["incident"]["zones"] = {"review": 5.0, "accept": 1.0}
    with pytest.raises(ValueError, match="review must not be above accept"):
        Model.model_validate(model)
    with pytest.raises(ValueError):
        Population.model_validate({"version": "x", "other": 0, "shares": {}})
