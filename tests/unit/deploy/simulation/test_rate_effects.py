"""The rates of a stream show in its complaints: what the table says happens as often as it says."""

from collections import Counter
from dataclasses import replace
from random import Random
from statistics import mean, median

import pytest

from deploy.simulation.callers import new_caller
from deploy.simulation.happenings import Accused
from deploy.simulation.names import names_of
from deploy.simulation.offline import LabelledComplaint, labelled_complaints
from deploy.simulation.police_words import police_words_of
from deploy.simulation.purposes import PURPOSES, Purpose
from deploy.simulation.rates import Rates, draw_rates
from deploy.simulation.stream import describer_of, world_of

COMPLAINTS = 3_000
SEED = 11


@pytest.fixture(scope="module", params=PURPOSES)
def stream(request: pytest.FixtureRequest) -> tuple[Purpose, Rates, list[LabelledComplaint]]:
    purpose: Purpose = request.param
    return purpose, draw_rates(purpose, SEED), list(labelled_complaints(purpose, SEED, COMPLAINTS))


Stream = tuple[Purpose, Rates, list[LabelledComplaint]]


def accused(labelled: list[LabelledComplaint]) -> list[dict[str, str]]:
    return [
        subject
        for one in labelled
        for subject, officer in zip(one.body.get("subjects", ()), one.officers, strict=True)
        if officer is not None
    ]


def test_fields_are_given_as_often_as_the_rates_say(stream: Stream) -> None:
    _, rates, labelled = stream
    subjects = accused(labelled)
    for field, rate in (
        ("rank", rates.rank_given),
        ("force", rates.force_given),
        ("vehicle", rates.vehicle_given),
    ):
        assert mean(field in subject for subject in subjects) == pytest.approx(rate, abs=0.03)
    for field, rate in (("force", rates.incident_force_given), ("place", 1 - rates.place_missing)):
        share = mean(field in one.body.get("incident", {}) for one in labelled)
        assert share == pytest.approx(rate, abs=0.03)
    assert mean("allegations" not in one.body for one in labelled) == pytest.approx(
        rates.kind_missing, abs=0.015
    )


def test_answers_that_are_none_come_as_often_as_the_rates_say(stream: Stream) -> None:
    purpose, rates, labelled = stream
    subjects = accused(labelled)
    for field, missing in (
        ("name", rates.name_missing),
        ("unit", 1 - rates.unit_given),
        ("description", 1 - rates.description_given),
    ):
        none = set(police_words_of(purpose).non_answers[field])
        share = mean(subject.get(field) in none for subject in subjects)
        assert share == pytest.approx(missing * rates.non_answer, abs=0.015)


def test_names_are_missing_as_often_as_the_rates_say(stream: Stream) -> None:
    purpose, rates, labelled = stream
    none = set(police_words_of(purpose).non_answers["name"])
    missing = mean(subject.get("name", "") in {"", *none} for subject in accused(labelled))
    assert missing == pytest.approx(rates.name_missing, abs=0.05)


def test_names_are_partial_as_often_as_the_rates_say(stream: Stream) -> None:
    """In the world of the stream itself, by the describer alone, for callers without slips."""
    purpose, rates, _ = stream
    weights = {
        name: getattr(rates, f"name_{name}")
        for name in ("full", "surname", "initial", "forename", "forename_letter", "letters", "turned")
    }
    exact = replace(
        rates,
        **dict.fromkeys(("name_in_title", "short_form", "other_spelling", "accents_dropped"), 0.0),
        **dict.fromkeys(("name_mistyped", "name_misheard", "name_missing", "collar_in_name"), 0.0),
    )
    officer = world_of(1, SEED, purpose).officers[0]
    accused_officer = Accused(officer, officer.postings[0])
    rng = Random(SEED)
    caller = replace(new_caller("woman", names_of(purpose), exact, rng), case="", slips=0.0)
    describer = describer_of(purpose, exact)
    names = Counter(describer.name(accused_officer, caller, rng) for _ in range(4_000))
    for form, name in (
        ("full", f"{officer.forename} {officer.postings[0].surname}"),
        ("surname", officer.postings[0].surname),
        ("forename", officer.forename),
    ):
        assert names[name] / 4_000 == pytest.approx(weights[form] / sum(weights.values()), abs=0.03)


def test_the_day_is_missing_or_a_range_as_often_as_the_rates_say(stream: Stream) -> None:
    _, rates, labelled = stream
    incidents = [one.body.get("incident", {}) for one in labelled]
    factor = 1 + 3 * rates.vague_day  # the days of vague happenings are four times as often uncertain
    missing = mean("from" not in incident for incident in incidents)
    assert missing == pytest.approx(rates.day_missing * factor, abs=0.02)
    ranges = mean(incident.get("from") != incident.get("to", incident.get("from")) for incident in incidents)
    expected = (rates.day_week + rates.day_month + rates.day_range) * factor
    assert ranges == pytest.approx(expected, abs=0.03)


def test_incidents_are_told_more_than_once_as_often_as_the_rates_say(stream: Stream) -> None:
    _, rates, labelled = stream
    accounts: dict[int, int] = {}
    for one in labelled:
        accounts[one.incident] = accounts.get(one.incident, 0) + 1
    share = mean(count > 1 for count in accounts.values())
    assert share == pytest.approx(rates.told_more_than_once, abs=0.03)


def test_two_officers_share_a_surname_about_as_often_as_in_the_country() -> None:
    """In England the squares of the surnames' shares add up to about 0.0008 (Smith 1.2 %, Jones 0.9 %), in
    Wales to about 0.01; colleagues with one surname come on top."""
    for purpose in PURPOSES:
        chances = []
        for seed in range(6):
            officers = world_of(2_000, seed, purpose).officers
            surnames = Counter(officer.postings[0].surname for officer in officers)
            same = sum(count * (count - 1) for count in surnames.values())
            chances.append(same / (len(officers) * (len(officers) - 1)))
        assert 0.0006 < median(chances) < 0.003
