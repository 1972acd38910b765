"""Where more complaints share a key than are compared, those with the most evidence are taken."""

from services.dedup.domain.candidates import CANDIDATE_CAP, KEY_CAP, best_candidates


def test_all_are_taken_where_they_are_few_and_never_oneself() -> None:
    assert sorted(best_candidates({"a": [1, 2], "b": [2, 3, 9]}, 9, 10)) == [1, 2, 3]


def test_a_rare_key_stands_before_a_frequent_one_and_two_keys_before_one() -> None:
    crowd = list(range(100, 100 + KEY_CAP))
    found = {"rare": [1], "frequent": [2, *crowd], "another frequent": [2, 3]}
    assert best_candidates(found, 0, 1) == [1] or best_candidates(found, 0, 1) == [2]
    assert set(best_candidates(found, 0, 3)) == {1, 2, 3}


def test_of_equals_not_everybody_takes_the_same_few() -> None:
    """By the lowest ids all would be compared with the same complaints, and never with one another."""
    crowd = list(range(1000))
    chosen = [frozenset(best_candidates({"key": crowd}, one, CANDIDATE_CAP)) for one in range(20)]
    assert all(len(each) == CANDIDATE_CAP for each in chosen)
    assert len(set(chosen)) == 20
    assert len(frozenset.union(*chosen)) > 500


def test_the_order_in_which_keys_and_complaints_come_changes_nothing() -> None:
    found = {f"key {n}": [(n * 7 + k * 3) % 400 for k in range(60)] for n in range(30)}
    turned = {key: found[key][::-1] for key in reversed(found)}
    assert sorted(best_candidates(found, -1, 80)) == sorted(best_candidates(turned, -1, 80))
