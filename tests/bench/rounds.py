"""Alternating rounds of several sides, their medians, and the ratios between them.

What the reader gets: `measure` runs A B C, A B C, ...; a ratio is taken within each round, so that a slow
minute of the machine hits both of its sides, and the median of these ratios counts, with the least and the
greatest beside it. A round before them is not counted: in it memory is touched and files get their size.
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
class Side:
    """One of those measured. `measure` does it once and returns how many `Benchmark.unit` it was.

    Args:
        is_informative: shown beside the others, and part of no target.
    """

    name: str
    measure: Callable[[], float]
    note: str = ""
    is_informative: bool = False


@dataclass(frozen=True, slots=True)
class AtLeast:
    """`side` is at least `times` what `beside` is, in the median of the rounds."""

    side: str
    beside: str
    times: float


@dataclass(frozen=True, slots=True)
class AtMost:
    """`side` is at most `limit` of the benchmark's unit, in the median of the rounds."""

    side: str
    limit: float


@dataclass(frozen=True, slots=True)
class Reaches:
    """`side` is at least `limit` of the benchmark's unit, in the median of the rounds."""

    side: str
    limit: float


Target = AtLeast | AtMost | Reaches


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What one number of the targets says, and how it is measured.

    Args:
        number: S1, S2, ...
        prepared: a context in which the sides can be measured; it starts and ends what they need.
    """

    number: str
    title: str
    unit: str
    targets: tuple[Target, ...]
    prepared: Callable[[], AbstractContextManager[Sequence[Side]]]


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
class Measured:
    """All rounds of one benchmark: side -> what each round gave."""

    benchmark: Benchmark
    sides: Sequence[Side]
    rounds: dict[str, list[float]] = field(default_factory=dict)

    def spread(self, side: str) -> Spread:
        return Spread.of(self.rounds[side])

    def verdicts(self) -> Iterator[Verdict]:
        for target in self.benchmark.targets:
            if isinstance(target, AtLeast):
                pairs = zip(self.rounds[target.side], self.rounds[target.beside], strict=True)
                yield Verdict(target, Spread.of([one / other for one, other in pairs]))
            else:
                yield Verdict(target, self.spread(target.side))

    @property
    def holds(self) -> bool:
        return all(verdict.holds for verdict in self.verdicts())


def measure(benchmark: Benchmark, rounds: int, told: Callable[[str], None]) -> Measured:
    """Run `rounds` rounds after one that does not count; `told` hears what comes of each side."""
    with benchmark.prepared() as sides:
        result = Measured(benchmark, sides, {side.name: [] for side in sides})
        for number in range(rounds + 1):
            for side in sides:
                value = side.measure()
                if number > 0:
                    result.rounds[side.name].append(value)
                told(f"round {number} of {rounds}: {side.name} {value:,.4g} {benchmark.unit}")
    return result
