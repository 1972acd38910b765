"""The offline interface: labelled complaints, and the score of an answer."""

from itertools import combinations

import pytest

from deploy.simulation.offline import LabelledComplaint, labelled_complaints, score
from deploy.simulation.purposes import PURPOSES, Purpose


@pytest.fixture(scope="module")
def labelled() -> list[LabelledComplaint]:
    return list(labelled_complaints("tuning", 3, 1_200))


@pytest.mark.parametrize("purpose", PURPOSES)
def test_labels_fit_the_bodies_and_the_stream_is_repeatable(purpose: Purpose) -> None:
    labelled = list(labelled_complaints(purpose, 3, 200))
    assert labelled == list(labelled_complaints(purpose, 3, 200))
    assert len(labelled) == 200
    assert all(len(one.officers) == len(one.body.get("subjects", ())) for one in labelled)


def test_the_truth_as_an_answer_scores_full_marks(labelled: list[LabelledComplaint]) -> None:
    incidents = {index: one.incident for index, one in enumerate(labelled)}
    patterns = {
        (index, subject): officer
        for index, one in enumerate(labelled)
        for subject, officer in enumerate(one.officers)
        if officer is not None
    }
    weights = {
        pair: float(incidents[pair[0]] == incidents[pair[1]])
        for pair in combinations(range(len(labelled)), 2)
    }
    scores = score(labelled, incidents, patterns, weights)
    assert scores.pairs.true > 0
    assert scores.pairs.f1 == scores.recall_at_precision == 1.0
    assert scores.officers.found == scores.officers.many > 0


def test_an_empty_answer_finds_nothing(labelled: list[LabelledComplaint]) -> None:
    scores = score(labelled, {}, {})
    assert (scores.pairs.right, scores.officers.found, scores.recall_at_precision) == (0, 0, None)
