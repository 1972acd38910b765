"""What a simulated stream holds, by the figures that the design plans by."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from itertools import combinations, pairwise
from statistics import mean

import orjson
import pytest

from deploy.simulation import Simulation, simulate
from deploy.simulation.evaluation import MANY_INCIDENTS
from deploy.simulation.purposes import PURPOSES, Purpose
from deploy.simulation.rates import draw_rates
from deploy.simulation.world import END
from shared.contracts.admission import Admission
from shared.contracts.complaint import read_complaint
from shared.vocabulary import load_vocabulary

CALLS = 2_000


@pytest.fixture(scope="module", params=PURPOSES)
def stream(request: pytest.FixtureRequest) -> Simulation:
    return simulate(CALLS, seed=5, purpose=request.param)


def true_pairs(stream: Simulation) -> list[tuple[int, int]]:
    of_incident: defaultdict[int, list[int]] = defaultdict(list)
    for index, incident in enumerate(stream.truth.incidents):
        of_incident[incident].append(index)
    return [pair for indexes in of_incident.values() for pair in combinations(indexes, 2)]


def accused(body: dict[str, object]) -> int:
    subjects = body.get("subjects", ())
    assert isinstance(subjects, list | tuple)
    return sum(subject.get("role", "accused") == "accused" for subject in subjects)


def cosines(texts: list[str], pairs: list[tuple[int, int]]) -> Iterator[float]:
    """TF-IDF over single words, smoothed and normalised as usual."""
    words = [Counter(re.findall(r"\b\w\w+\b", text.lower())) for text in texts]
    known = Counter(word for counted in words for word in counted)
    vectors = []
    for counted in words:
        vector = {
            word: count * (math.log((1 + len(texts)) / (1 + known[word])) + 1)
            for word, count in counted.items()
        }
        length = math.sqrt(sum(value * value for value in vector.values()))
        vectors.append({word: value / length for word, value in vector.items()})
    for one, other in pairs:
        yield sum(value * vectors[other].get(word, 0.0) for word, value in vectors[one].items())


def test_the_same_seed_is_the_same_stream_and_another_is_not() -> None:
    assert simulate(200, seed=7) == simulate(200, seed=7)
    assert simulate(200, seed=7).complaints != simulate(200, seed=8).complaints
    assert simulate(200, 7, "sealed").complaints != simulate(200, 7, "training").complaints


@pytest.mark.parametrize("calls", [1, 2, 50, 700])
def test_it_has_as_many_complaints_as_asked_for(calls: int) -> None:
    stream = simulate(calls, seed=1)
    assert len(stream.complaints) == len(stream.truth.incidents) == len(stream.truth.officers) == calls


def test_a_stream_without_calls_is_refused() -> None:
    with pytest.raises(ValueError, match="at least"):
        simulate(0, seed=1)


def test_every_body_is_a_complaint(stream: Simulation) -> None:
    admission = Admission(date.fromordinal(END), load_vocabulary())
    for body in stream.complaints:
        read_complaint(orjson.dumps(body), admission)


def test_the_truth_fits_the_bodies(stream: Simulation) -> None:
    for body, officers in zip(stream.complaints, stream.truth.officers, strict=True):
        roles = [subject.get("role", "accused") for subject in body.get("subjects", ())]
        assert len(roles) == len(officers)
        named = [officer for officer in officers if officer is not None]
        assert len(set(named)) == len(named)
        assert [role in ("accused", "failed_to_act") for role in roles] == [o is not None for o in officers]


def test_who_continues_a_call_comes_after_it_and_tells_of_the_same_incident(stream: Simulation) -> None:
    assert stream.truth.continues
    for later, earlier in stream.truth.continues.items():
        assert earlier < later
        assert stream.truth.incidents[earlier] == stream.truth.incidents[later]


def test_a_third_to_a_half_accuse_more_than_one_officer(stream: Simulation) -> None:
    share = sum(accused(body) > 1 for body in stream.complaints) / CALLS
    rate = draw_rates(stream.purpose, stream.seed).several_accused
    assert abs(share - rate) < 0.05


@pytest.mark.parametrize("calls", [700, CALLS])
def test_no_officer_is_in_more_than_fifteen_of_a_thousand(calls: int) -> None:
    most = simulate(calls, seed=9).truth.complaints_by_officer().most_common(1)[0][1]
    assert most <= 0.015 * calls


def test_some_officers_have_nine_incidents_over_years(stream: Simulation) -> None:
    many = stream.truth.officers_with(MANY_INCIDENTS)
    rate = draw_rates(stream.purpose, stream.seed).persistent_officers
    assert 0.6 * rate * CALLS <= len(many) <= 1.4 * rate * CALLS
    days = defaultdict(set)
    for body, officers in zip(stream.complaints, stream.truth.officers, strict=True):
        incident = body.get("incident", {})
        for officer in officers:
            days[officer].add(incident.get("from", ""))
    spans = [{day[:4] for day in days[officer]} for officer in many]
    assert sum(len(years) >= 3 for years in spans) > len(many) / 2


@pytest.mark.parametrize("purpose", PURPOSES)
def test_some_officers_with_nine_incidents_are_told_of_in_two_forces(purpose: Purpose) -> None:
    across = 0
    for seed in range(3):
        stream = simulate(CALLS, seed, purpose)
        forces = defaultdict(set)
        for body, officers in zip(stream.complaints, stream.truth.officers, strict=True):
            if (force := body.get("incident", {}).get("force")) is not None:
                for officer in officers:
                    forces[officer].add(force)
        across += sum(len(forces[officer]) > 1 for officer in stream.truth.officers_with(MANY_INCIDENTS))
    assert across >= 3


def test_there_are_enough_accounts_of_one_incident_to_find(stream: Simulation) -> None:
    assert 0.08 <= len(true_pairs(stream)) / CALLS <= 0.8


def test_accounts_of_one_incident_share_little_text(stream: Simulation) -> None:
    pairs = true_pairs(stream)
    texts = [body["narrative"] for body in stream.complaints]
    alike = sum(cosine > 0.3 for cosine in cosines(texts, pairs))
    assert 0.03 <= alike / len(pairs) <= 0.25


def test_accounts_of_one_incident_share_more_than_others_of_the_same_kind_but_are_never_sure_to(
    stream: Simulation,
) -> None:
    pairs = true_pairs(stream)
    texts = [body["narrative"] for body in stream.complaints]
    by_kind: defaultdict[str, list[int]] = defaultdict(list)
    for index, body in enumerate(stream.complaints):
        if body.get("allegations"):
            by_kind[body["allegations"][0]["code"]].append(index)
    others = [
        (one, other)
        for indexes in by_kind.values()
        for one, other in pairwise(indexes)
        if stream.truth.incidents[one] != stream.truth.incidents[other]
    ]
    same, unrelated = sorted(cosines(texts, pairs)), sorted(cosines(texts, others))
    assert mean(same) > 1.5 * mean(unrelated)
    # The least alike fifth of the true pairs is less alike than the most alike fifth of the unrelated.
    assert same[len(same) // 5] < unrelated[-len(unrelated) // 5]


def test_accounts_of_one_incident_mostly_agree_on_the_day_and_seldom_on_the_category(
    stream: Simulation,
) -> None:
    days, categories = [], []
    for one, other in true_pairs(stream):
        first, second = stream.complaints[one], stream.complaints[other]
        when = first.get("incident", {}).get("from"), second.get("incident", {}).get("from")
        if all(when):
            days.append(when[0] == when[1])
        if first.get("allegations") and second.get("allegations"):
            categories.append(first["allegations"][0]["code"] == second["allegations"][0]["code"])
    assert 0.6 <= sum(days) / len(days) <= 0.93
    assert 0.25 <= sum(categories) / len(categories) <= 0.65


def test_other_incidents_happen_on_the_same_day_by_the_same_officers(stream: Simulation) -> None:
    incidents = defaultdict(set)
    for body, incident, officers in zip(
        stream.complaints, stream.truth.incidents, stream.truth.officers, strict=True
    ):
        for officer in officers:
            if officer is not None:
                incidents[officer, body.get("incident", {}).get("from")].add(incident)
    confusable = sum(day is not None and len(found) > 1 for (_, day), found in incidents.items())
    assert confusable >= CALLS / 1000


def test_callers_leave_traces_of_the_kinds_that_nobody_has(stream: Simulation) -> None:
    text = "\n".join(body["narrative"] for body in stream.complaints)
    phones = re.findall(r"\b0\d{4} \d{6}\b", text)
    assert len(phones) > CALLS / 50
    assert all(phone.startswith("07700 900") for phone in phones)
    addresses = re.findall(r"\S+@\S+", text)
    assert addresses
    assert all(address.lower().rstrip(".").endswith("@example.org") for address in addresses)
    assert re.search("my name is |you are talking to |the name is ", text, re.IGNORECASE)
    assert not re.search(r"[<>{}|]", text)


def test_contacts_without_a_complaint_come_as_numbers(stream: Simulation) -> None:
    known = load_vocabulary().dispositions
    assert {contact["disposition"] for contact in stream.contacts} <= set(known)
    assert sum(contact["count"] for contact in stream.contacts) == round(0.15 * CALLS)
