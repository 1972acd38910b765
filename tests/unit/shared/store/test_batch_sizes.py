"""What is told of commits stands still between one fiftieth and the next."""

from shared.store.batch_sizes import BOUNDS, BatchSizes, Histogram


def test_a_single_commit_changes_nothing_that_is_told() -> None:
    sizes = BatchSizes()
    for _ in range(49):
        sizes.add(1)
    assert sizes.told == Histogram()
    sizes.add(3)
    fifty = sizes.told
    assert (sum(fifty.counts), fifty.requests) == (50, 52)
    assert (fifty.counts[BOUNDS.index(1)], fifty.counts[BOUNDS.index(5)]) == (49, 1)
    for size in (500, *[1] * 48):
        sizes.add(size)
        assert sizes.told == fifty
    sizes.add(1)
    assert (sum(sizes.told.counts), sizes.told.counts[-1]) == (100, 1)


def test_the_last_thousand_are_there_for_a_look() -> None:
    sizes = BatchSizes()
    for size in range(1, 401):
        sizes.add(size)
    assert list(sizes) == list(range(1, 401))
