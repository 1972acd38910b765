"""Alternating rounds of several sides, their medians, and the ratios between them.

What the reader gets: `measure` runs A B C, A B C, ...; a ratio is taken within each round, so that a slow
minute of the machine hits both of its sides, and the median of these ratios counts, with the least and the
greatest beside it. A round before them is not counted: in it memory is touched and files get their size.
What takes so long that it is run once, and warm long before its end, says so (`is_single`).
How it fails: a side that cannot be measured raises, and the run ends.
"""

import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

ROUNDS = 7
LEAST_ROUNDS = 5
"""Fewer than this say nothing on a shared machine."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the numbers that a side tells each time."""

    name: str
    value: float
    unit: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """One of those measured. `measure` does it once and returns how many `Benchmark.unit` it was, the figure
    of the side's name; or several figures, the same ones each time.
    """

    name: str
    measure: Callable[[], float | Sequence[Figure]]
    note: str = ""

    def figures(self, unit: str) -> Sequence[Figure]:
        measured = self.measure()
        if isinstance(measured, float):
            return (Figure(self.name, measured, unit, self.note),)
        return measured


@dataclass(frozen=True, slots=True)
class AtLeast:
    """`figure` is at least `times` what `beside` is, in the median of the rounds."""

    figure: str
    beside: str
    times: float


@dataclass(frozen=True, slots=True)
class AtMost:
    """`figure` is at most `limit` of its unit, in the median of the rounds."""

    figure: str
    limit: float


@dataclass(frozen=True, slots=True)
class Reaches:
    """`figure` is at least `limit` of its unit, in the median of the rounds."""

    figure: str
    limit: float


Target = AtLeast | AtMost | Reaches


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What one number of the targets says, and how it is measured.

    Args:
        number: S1, S2, ...
        unit: of the sides that tell one figure.
        prepared: a context in which the sides can be measured; it starts and ends what they need.
        is_single: one run is all, whatever is asked for.
        is_on_kafka: it needs Apache Kafka's jars.
    """

    number: str
    title: str
    targets: tuple[Target, ...]
    prepared: Callable[[], AbstractContextManager[Sequence[Side]]]
    unit: str = ""
    is_single: bool = False
    is_on_kafka: bool = False


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, least and greatest of the rounds."""

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target beside what was measured: a ratio for `AtLeast`, the unit for the others."""

    target: Target
    measured: Spread

    @property
    def holds(self) -> bool:
        if isinstance(self.target, AtLeast):
            return self.measured.median >= self.target.times
        if isinstance(self.target, Reaches):
            return self.measured.median >= self.target.limit
        return self.measured.median <= self.target.limit


@dataclass(slots=True)
class Series:
    """One figure, round by round."""

    name: str
    unit: str
    note: str
    rounds: list[float] = field(default_factory=list)

    @property
    def spread(self) -> Spread:
        return Spread.of(self.rounds)


@dataclass(slots=True)
class Measured:
    """All rounds of one benchmark: its figures by their names, in the order in which they are shown."""

    benchmark: Benchmark
    figures: dict[str, Series] = field(default_factory=dict)

    def add(self, figure: Figure) -> None:
        series = self.figures.setdefault(figure.name, Series(figure.name, figure.unit, figure.note))
        series.rounds.append(figure.value)

    @property
    def rounds(self) -> int:
        return min(len(series.rounds) for series in self.figures.values())

    def verdicts(self) -> Iterator[Verdict]:
        for target in self.benchmark.targets:
            measured = self.figures[target.figure]
            if isinstance(target, AtLeast):
                pairs = zip(measured.rounds, self.figures[target.beside].rounds, strict=True)
                yield Verdict(target, Spread.of([one / other for one, other in pairs]))
            else:
                yield Verdict(target, measured.spread)

    @property
    def holds(self) -> bool:
        return all(verdict.holds for verdict in self.verdicts())

    @property
    def is_enough(self) -> bool:
        """Whether there are as many rounds as its figures need."""
        return self.benchmark.is_single or self.rounds >= LEAST_ROUNDS


def measure(benchmark: Benchmark, rounds: int, told: Callable[[str], None]) -> Measured:
    """Run `rounds` rounds after one that does not count; `told` hears what comes of each side."""
    uncounted = 0 if benchmark.is_single else 1
    rounds = 1 if benchmark.is_single else rounds
    result = Measured(benchmark)
    with benchmark.prepared() as sides:
        for number in range(1 - uncounted, rounds + 1):
            for side in sides:
                for figure in side.figures(benchmark.unit):
                    if number > 0:
                        result.add(figure)
                    told(f"round {number} of {rounds}: {figure.name} {figure.value:,.4g} {figure.unit}")
    return result
