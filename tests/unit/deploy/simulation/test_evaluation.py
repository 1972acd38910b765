"""The arithmetic of the comparison with the truth, on examples that can be counted by hand."""

from deploy.simulation.evaluation import (
    Answer,
    Officers,
    Pairs,
    Reach,
    largest,
    officers_found,
    reach_of_pairs,
    recall_at_precision,
    same_incident_pairs,
)
from deploy.simulation.truth import Truth


def truth(*incidents: int, officers: tuple[tuple[int | None, ...], ...] = ()) -> Truth:
    return Truth(incidents, officers or ((),) * len(incidents), {})


def test_pairs_are_counted_in_the_truth_in_the_answer_and_in_both() -> None:
    # True: 0-1, 0-2, 1-2, 3-4. Found: 0-1, 2-3, 2-4, 3-4. In both: 0-1, 3-4.
    answer = Answer({0: "a", 1: "a", 2: "b", 3: "b", 4: "b"}, {})
    pairs = same_incident_pairs(answer, truth(1, 1, 1, 2, 2))
    assert pairs == Pairs(true=4, found=4, right=2)
    assert (pairs.precision, pairs.recall, pairs.f1) == (0.5, 0.5, 0.5)


def test_complaints_in_no_incident_are_alone_and_not_together() -> None:
    pairs = same_incident_pairs(Answer({0: "a", 1: "a"}, {}), truth(1, 1, 1, 2))
    assert pairs == Pairs(true=3, found=1, right=1)


def test_nothing_found_has_no_precision_and_nothing_to_find_no_recall() -> None:
    nothing_found = same_incident_pairs(Answer({}, {}), truth(1, 1))
    assert (nothing_found.precision, nothing_found.recall, nothing_found.f1) == (None, 0.0, 0.0)
    nothing_there = same_incident_pairs(Answer({}, {}), truth(1, 2))
    assert (nothing_there.precision, nothing_there.recall, nothing_there.f1) == (None, None, None)


def test_a_true_pair_is_accepted_or_waits_for_a_person_or_was_never_seen() -> None:
    # True: 0-1, 0-2, 1-2, 3-4. A pair that waits and is together all the same counts as accepted.
    answer = Answer({0: "a", 1: "a", 2: "b"}, {}, frozenset({(0, 1), (0, 2), (2, 3)}))
    assert reach_of_pairs(answer, truth(1, 1, 1, 2, 2)) == Reach(accepted=1, in_review=1, never_seen=2)


def nine(*more: int | None) -> Truth:
    """Officer 7 in nine complaints, then each of `more` in one."""
    officers = ((7,),) * 9 + tuple((officer,) for officer in more)
    return truth(*range(len(officers)), officers=officers)


def test_an_officer_is_found_where_one_pattern_holds_nine_of_his_complaints() -> None:
    together = {(index, 0): "p" for index in range(9)}
    assert officers_found(Answer({}, together), nine()) == Officers(many=1, found=1)
    assert officers_found(Answer({}, {**together, (8, 0): "q"}), nine()) == Officers(many=1, found=0)


def test_a_pattern_that_is_less_than_95_percent_one_officer_finds_nobody() -> None:
    with_another = {(index, 0): "p" for index in range(10)}
    assert officers_found(Answer({}, with_another), nine(8)) == Officers(many=1, found=0)
    nineteen = truth(*range(20), officers=((7,),) * 19 + ((8,),))
    twenty = {(index, 0): "p" for index in range(20)}
    assert officers_found(Answer({}, twenty), nineteen) == Officers(many=1, found=1)


def test_a_subject_who_is_nobody_in_the_truth_makes_a_pattern_less_pure() -> None:
    with_a_witness = {(index, 0): "p" for index in range(10)}
    assert officers_found(Answer({}, with_a_witness), nine(None)) == Officers(many=1, found=0)


def test_two_subjects_of_one_complaint_are_one_complaint() -> None:
    eight = truth(*range(8), officers=((7, 7),) + ((7,),) * 7)
    members = {(index, 0): "p" for index in range(8)} | {(0, 1): "p"}
    assert officers_found(Answer({}, members), eight) == Officers(many=0, found=0)


def test_the_largest_groups_come_first() -> None:
    assert largest(["a", "b", "a", "c", "a", "b"], 2) == [3, 2]


def test_complaints_that_were_not_taken_are_nothing_to_find() -> None:
    taken = Truth((1, 1, 1), ((7,), (7,), (8, None)), {1: 0, 2: 1}).only({0, 1})
    assert same_incident_pairs(Answer({}, {}), taken).true == 1
    assert taken.complaints_by_officer() == {7: 2}
    assert taken.continues == {1: 0}


def test_an_officer_of_nine_complaints_about_eight_incidents_is_not_counted() -> None:
    nine_complaints = truth(0, 0, *range(1, 8), officers=((7,),) * 9)
    together = {(index, 0): "p" for index in range(9)}
    assert officers_found(Answer({}, together), nine_complaints) == Officers(many=0, found=0)


def test_recall_at_a_precision_counts_to_the_lowest_weight_that_keeps_it() -> None:
    # True: 0-1, 0-2, 1-2, 3-4. In the order of weight: right, wrong, right, then a tie of right and wrong.
    weights = {(0, 1): 9.0, (0, 3): 8.0, (0, 2): 7.0, (3, 4): 6.0, (2, 4): 6.0}
    answer, of = Answer({}, {}, weights=weights), truth(1, 1, 1, 2, 2)
    assert recall_at_precision(answer, of, 1.0) == 1 / 4
    assert recall_at_precision(answer, of, 0.66) == 2 / 4
    assert recall_at_precision(answer, of, 0.6) == 3 / 4
    assert recall_at_precision(answer, truth(1, 2, 3, 4, 5), 0.9) is None
