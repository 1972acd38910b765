"""Weights: what they say, and that they add up."""

from datetime import date, timedelta
from itertools import combinations, product
from math import fsum
from typing import Any

import pytest
from hypothesis import given, settings

from services.dedup.domain.features import FORM, Features
from services.dedup.domain.model import Model, Population, load_model
from services.dedup.domain.scoring import Scorer
from services.dedup.domain.weights import Scored
from services.dedup.domain.zones import zone_of
from services.dedup.training.pairs import candidate_pairs, prepared
from services.dedup.training.streams import Stream
from tests.unit.services.dedup.examples import FEATURES, features

DAY = date(2020, 3, 1)
OFFICER = {"name": "Alan Brockway", "collar_number": "4471", "unit": "Basingstoke response"}


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer(load_model())


def night(day: date = DAY, **fields: Any) -> Features:
    incident = {"from": day, "to": day, "place": "Kempton Yard, Basingstoke", "force": "hampshire"}
    given_fields = {"incident": incident, "subjects": [OFFICER], "allegations": [{"code": "other.drugs"}]}
    return features(**{**given_fields, **fields})


def weight_of(scored: Scored, field: str) -> float | None:
    return next((step.weight for step in scored.waterfall if step.field == field), None)


def officers(scorer: Scorer, one: dict[str, Any], other: dict[str, Any]) -> Scored:
    return scorer.score_officers(features(subjects=[one]), 0, features(subjects=[other]), 0)


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
    one = {**OFFICER, "force": "hampshire"}
    married = {**OFFICER, "name": "Alan Marsh", "force": "hampshire"}
    assert zone_of(officers(scorer, one, married).weight, scorer.model.officer.zones) is not None


def test_a_common_surname_weighs_less_than_a_rare_one(scorer: Scorer) -> None:
    def alike(name: str) -> float:
        return officers(scorer, {"name": name}, {"name": name}).weight

    assert alike("Brockway") > alike("Fletcher") > alike("Smith")


def test_an_old_collar_number_that_differs_weighs_mildly(scorer: Scorer) -> None:
    moved = {**OFFICER, "collar_number": "9960"}
    scored = scorer.score_officers(night(), 0, night(DAY + timedelta(5 * 365), subjects=[moved]), 0)
    differing = weight_of(scored, "collar number")
    assert differing is not None and -4 < differing < 0


@pytest.mark.parametrize(
    ("more", "less"),
    [
        # Each agrees better than the one behind it.
        (("Alan Brockway", "Alan Brockway"), ("Brockway", "Alan Brockway")),
        (("Brockway", "Alan Brockway"), ("Brokway", "Alan Brockway")),
        (("Brokway", "Alan Brockway"), ("Marsh", "Alan Brockway")),
        (("Dave", "David Brockway"), ("Steve", "David Brockway")),
        (("David B", "David Brockway"), ("David M", "David Brockway")),
        (("Brockway, Alan", "Alan Brockway"), ("Brockway, Susan", "Alan Brockway")),
        (("PC Thomas", "Thomas Brockway"), ("PC Kelly", "Thomas Brockway")),
        (("DB", "David Brockway"), ("MK", "David Brockway")),
        (("Ann Smith-Jones", "Ann Jones"), ("Ann Marsh", "Ann Jones")),
    ],
)
def test_names_that_agree_better_weigh_more(
    scorer: Scorer, more: tuple[str, str], less: tuple[str, str]
) -> None:
    weights = [officers(scorer, {"name": a}, {"name": b}).weight for a, b in (more, less)]
    assert weights[0] > weights[1]


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("name", "Not known", "not known"),
        ("name", "two officers", "two officers"),
        ("name", "a policeman", "policeman"),
        ("name", "N/A", "n/a"),
        ("collar_number", "not seen", "not seen"),
        ("collar_number", "0000", "0000"),
        ("unit", "unknown", "Unknown"),
        ("unit", "police station", "police station"),
        ("description", "in uniform", "in uniform"),
        ("description", "not sure", "not sure"),
        ("vehicle", "police car", "police car"),
        ("vehicle", "unknown", "unknown"),
    ],
)
def test_two_answers_that_are_none_have_nothing_in_common(
    scorer: Scorer, field: str, one: str, other: str
) -> None:
    scored = officers(scorer, {field: one}, {field: other})
    assert [step.field for step in scored.waterfall] == ["prior"]


@pytest.mark.parametrize("name", ["Not known", "two officers", "PC", "-", "male officer"])
@pytest.mark.parametrize("unit", ["response", "Hove response", "roads policing", "Hove"])
def test_nobody_of_the_same_unit_is_never_accepted_as_one_officer(
    scorer: Scorer, name: str, unit: str
) -> None:
    subject = {"name": name, "unit": unit, "force": "metropolitan", "rank": "PC"}
    assert officers(scorer, subject, subject).weight < scorer.model.officer.zones.accept


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("PC John S\u00f8rensen", "PC John Sorensen"),
        ("Siobh\u00e1n O\u2019Brien", "Siobhan OBrien"),
        ("Zoe\u0308 Ball", "Zo\u00eb Ball"),
        ("Ann Smith\u2013Jones", "Ann Smith-Jones"),
        ("BROCKWAY, Alan", "Alan Brockway"),
        ("Mick Brockway", "Michael Brockway"),
        ("PC Brockway (Hampshire)", "Sgt Brockway"),
    ],
)
def test_one_name_in_two_spellings_is_one_officer(scorer: Scorer, one: str, other: str) -> None:
    subject = {"unit": "response", "force": "norfolk"}
    scored = officers(scorer, {**subject, "name": one}, {**subject, "name": other})
    assert zone_of(scored.weight, scorer.model.officer.zones) == "accepted"


def test_the_same_long_text_again_is_a_duplicate_but_not_on_another_day(scorer: Scorer) -> None:
    text = " ".join(f"word{number}" for number in range(60))
    found = scorer.incident(night(narrative=text), night(narrative=text))
    assert found is not None and (found.kind, found.zone) == ("duplicate", "accepted")
    undated = scorer.incident(features(narrative=text), features(narrative=text))
    assert undated is not None and undated.kind == "duplicate"
    later = scorer.incident(night(narrative=text), night(DAY + timedelta(90), narrative=text))
    assert later is None or later.kind != "duplicate"


def test_two_officers_of_one_complaint_are_matched_each_with_one(scorer: Scorer) -> None:
    other = {"name": "Sarah Okonjo", "collar_number": "118", "unit": "Basingstoke response"}
    one, two = night(subjects=[OFFICER, other]), night(subjects=[other, OFFICER])
    pairs = {(f.subject, f.other_subject) for f in scorer.pairs(one, two) if f.kind == "same_officer"}
    assert pairs == {(0, 1), (1, 0)}


@given(FEATURES, FEATURES)
@settings(deadline=None)
def test_a_waterfall_adds_up_and_fast_rejection_agrees(one: Features, other: Features) -> None:
    scorer = Scorer(load_model())
    scored = scorer.score_incident(one, other)
    assert scored.weight == fsum(step.weight for step in scored.waterfall)
    assert (scorer.incident(one, other) is not None) == (scored.weight >= scorer.model.incident.zones.review)
    kept = {(f.subject, f.other_subject) for f in scorer.pairs(one, other) if f.kind == "same_officer"}
    for i, x in enumerate(one.officers):
        for j, y in enumerate(other.officers):
            if (x.subject, y.subject) in kept:
                assert scorer.score_officers(one, i, other, j).weight >= scorer.model.officer.zones.review


@given(FEATURES, FEATURES)
@settings(deadline=None)
def test_a_pair_weighs_the_same_from_both_sides(one: Features, other: Features) -> None:
    scorer = Scorer(load_model())
    assert scorer.score_incident(one, other).weight == scorer.score_incident(other, one).weight
    for i in range(len(one.officers)):
        for j in range(len(other.officers)):
            there, back = scorer.score_officers(one, i, other, j), scorer.score_officers(other, j, one, i)
            assert there.weight == back.weight


def test_whoever_stops_at_a_bound_loses_no_match_and_finds_no_other(scorer: Scorer) -> None:
    """Most pairs are not compared to their end; the end of each is compared with here."""
    of = prepared(Stream(77, 250)).features
    model = scorer.model
    pairs = [*candidate_pairs(of), *combinations(range(60), 2)]
    matches = 0
    for a, b in pairs:
        one, other = of[a], of[b]
        found = scorer.pairs(one, other)
        whole = next((each for each in found if each.subject is None), None)
        weight = scorer.score_incident(one, other)
        assert whole == scorer.incident(one, other)
        if whole is None:
            assert weight.weight < model.incident.zones.review
        else:
            assert whole.scored == weight
        kept = {(each.subject, each.other_subject): each.scored for each in found if each is not whole}
        for i, j in product(range(len(one.officers)), range(len(other.officers))):
            ends = one.officers[i].subject, other.officers[j].subject
            scored = scorer.score_officers(one, i, other, j)
            if ends in kept:
                assert kept[ends] == scored
            elif scored.weight >= model.officer.zones.review:
                rivals = [kept[pair] for pair in kept if pair[0] == ends[0] or pair[1] == ends[1]]
                assert max(rival.weight for rival in rivals) >= scored.weight
        matches += len(found)
    assert len(pairs) > 2000
    assert matches > 100


def test_a_name_alone_is_one_identifier_and_a_number_beside_it_another(scorer: Scorer) -> None:
    def rests_on_one(**more: str) -> bool:
        subject = {"name": "Alan Brockway", **more}
        return officers(scorer, subject, subject).rests_on_one

    assert rests_on_one()
    assert not rests_on_one(collar_number="4471")


def test_the_model_was_made_on_the_present_features_and_knows_every_field() -> None:
    model = load_model()
    assert model.form == FORM
    for pair, fields in (
        (
            model.incident,
            {
                "day", "force", "place", "kind", "officers", "other officers", "number of officers",
                "narrative",
                "phrases", "names in the text",
            },
        ),
        (
            model.officer,
            {"name", "collar number", "force", "unit", "rank", "vehicle", "looks", "description"},
        ),
    ):  # fmt: skip
        assert set(pair.weights) == fields
        for group in pair.identifiers:
            assert set(group) <= fields


def test_a_model_whose_zones_are_the_wrong_way_round_is_refused() -> None:
    model = load_model().model_dump()
    model["incident"]["zones"] = {"review": 5.0, "accept": 1.0}
    with pytest.raises(ValueError, match="review must not be above accept"):
        Model.model_validate(model)
    with pytest.raises(ValueError):
        Population.model_validate({"version": "x", "other": 0, "shares": {}})
