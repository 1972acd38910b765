"""Two groups of subjects fit by what their members tell together."""

from typing import Any
from uuid import UUID

from services.dedup.domain.clusters import Node
from services.dedup.domain.model import load_model
from services.dedup.domain.profiles import MOST_COMPARED, Profiles
from services.dedup.domain.scoring import Scorer
from tests.unit.services.dedup.examples import features

SCORER = Scorer(load_model())


def fit(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> float:
    all_of_them = [features(subjects=[{"force": "kent", **subject}]) for subject in (*one, *other)]
    profiles = Profiles(SCORER, {UUID(int=n): each for n, each in enumerate(all_of_them)})
    nodes: list[Node] = [(UUID(int=n), 0) for n in range(len(all_of_them))]
    there, back = (
        profiles.fit(nodes[: len(one)], nodes[len(one) :]),
        profiles.fit(nodes[len(one) :], nodes[: len(one)]),
    )
    assert there == back
    return there


def test_two_single_subjects_fit_as_well_as_their_pair_weighs() -> None:
    one, other = {"name": "Alan Brockway"}, {"name": "Brockway", "unit": "Dover"}
    pair = SCORER.score_officers(
        features(subjects=[{"force": "kent", **one}]), 0, features(subjects=[{"force": "kent", **other}]), 0
    )
    assert abs(fit([one], [other]) - pair.weight) < 1e-9


def test_a_report_that_tells_little_takes_nothing_away() -> None:
    """In an average of pairs it would: that is why officers of nine reports were not found."""
    name, number = {"name": "Alan Brockway"}, {"collar_number": "4471"}
    assert fit([name, {}, {}], [name, number]) >= fit([name], [name])


def test_what_differs_keeps_groups_apart() -> None:
    assert fit([{"name": "Alan Brockway"}], [{"name": "Sarah Okonjo"}]) < 0


def test_a_large_group_costs_no_more_than_those_who_stand_for_it() -> None:
    asked = 0

    class Counting(Scorer):
        def levels_of_officers(self, *args: Any) -> list[tuple[str, float]]:
            nonlocal asked
            asked += 1
            return super().levels_of_officers(*args)

    every = {UUID(int=n): features(subjects=[{"name": "Alan Brockway"}]) for n in range(200)}
    nodes = [(id_, 0) for id_ in every]
    Profiles(Counting(load_model()), every).fit(nodes[:100], nodes[100:])
    assert asked == MOST_COMPARED**2


def test_an_erased_complaint_has_no_profile() -> None:
    profiles = Profiles(SCORER, {UUID(int=1): features(subjects=[{"name": "Alan Brockway"}])})
    assert profiles.fit([(UUID(int=1), 0)], [(UUID(int=2), 0)]) == SCORER.model.officer.prior
