"""How long the launcher waits before it starts a child again."""

from hypothesis import given
from hypothesis import strategies as st

from deploy.local.children import Backoff


def test_each_delay_is_twice_the_one_before_up_to_the_cap() -> None:
    backoff = Backoff(first=1, cap=10, reset_after=60)
    assert [backoff.delay(ran_for=0) for _ in range(6)] == [1, 2, 4, 8, 10, 10]


def test_a_long_run_begins_anew() -> None:
    backoff = Backoff(first=1, cap=10, reset_after=60)
    for _ in range(5):
        backoff.delay(ran_for=0)
    assert backoff.delay(ran_for=60) == 1
    assert backoff.delay(ran_for=59.9) == 2


@given(st.lists(st.floats(min_value=0, max_value=1e6), max_size=60))
def test_no_delay_is_shorter_than_the_first_or_longer_than_the_cap(runs: list[float]) -> None:
    backoff = Backoff(first=0.2, cap=30, reset_after=60)
    assert all(0.2 <= backoff.delay(ran_for) <= 30 for ran_for in runs)
