"""Rounds: what is counted, which figures they give, and whether targets hold."""

import contextlib
from collections.abc import Iterator, Sequence

import pytest

from tests.bench.report import as_markdown, how_often
from tests.bench.rounds import AtLeast, AtMost, Benchmark, Figure, Reaches, Side, Target, measure


def benchmark(*sides: Side, targets: tuple[Target, ...] = (), is_single: bool = False) -> Benchmark:
    @contextlib.contextmanager
    def prepared() -> Iterator[Sequence[Side]]:
        yield sides

    return Benchmark("S0", "Something", targets, prepared, unit="things/s", is_single=is_single)


def told(*values: float) -> Side:
    return Side("ours", iter(values).__next__)


def quiet(_: str) -> None:
    pass


def test_the_first_round_does_not_count() -> None:
    measured = measure(benchmark(told(100.0, 1.0, 5.0, 3.0)), 3, quiet)
    assert measured.figures["ours"].rounds == [1.0, 5.0, 3.0]
    assert measured.figures["ours"].spread.median == 3.0


def test_of_a_single_run_the_first_counts_and_there_is_no_other() -> None:
    measured = measure(benchmark(told(100.0), is_single=True), 7, quiet)
    assert measured.figures["ours"].rounds == [100.0]
    assert how_often(measured) == "One run: no median."


def test_too_few_rounds_are_not_to_be_cited() -> None:
    assert how_often(measure(benchmark(told(*[1.0] * 5)), 4, quiet)).endswith(
        "Fewer than 5: not to be cited."
    )
    assert "cited" not in how_often(measure(benchmark(told(*[1.0] * 6)), 5, quiet))


def test_a_side_tells_several_figures_in_units_of_their_own() -> None:
    def run() -> Sequence[Figure]:
        return [Figure("speed", 400.0, "complaints/s"), Figure("memory", 601.0, "MiB", "of all")]

    targets = Reaches("speed", 400), AtMost("memory", 600)
    measured = measure(benchmark(Side("all", run), targets=targets), 2, quiet)
    assert [verdict.holds for verdict in measured.verdicts()] == [True, False]
    assert "| memory | 601 | 601 | 601 | MiB | of all |" in as_markdown([measured], {})


@pytest.mark.parametrize(("peer", "holds"), [((9.0, 1.0, 1.0, 8.0), True), ((9.0, 2.0, 1.0, 8.0), False)])
def test_ratios_are_taken_round_by_round(peer: tuple[float, ...], holds: bool) -> None:
    sides = told(9.0, 2.0, 1.0, 20.0), Side("peer", iter(peer).__next__)
    measured = measure(benchmark(*sides, targets=(AtLeast("ours", "peer", 2.0),)), 3, quiet)
    assert measured.holds == holds
