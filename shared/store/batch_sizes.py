"""How many requests a commit carried: the last ones for a look, all of them as a histogram for operators.

On a quiet day a commit of intake is a contact, so the histogram that is told stands still and is renewed at
every fiftieth commit: a scrape shows that fifty more were made, and never that one was.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

STEP = 50
BOUNDS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
"""Upper bounds, inclusive; the last is the most that a batch holds."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """`counts[i]` commits carried up to `BOUNDS[i]` requests and more than the bound before; `requests`
    were carried by all of them."""

    counts: tuple[int, ...] = (0,) * len(BOUNDS)
    requests: int = 0


class BatchSizes:
    """Iterates over the sizes of the last thousand commits."""

    def __init__(self) -> None:
        self._last: deque[int] = deque(maxlen=1000)
        self._counts = [0] * len(BOUNDS)
        self._requests = 0
        self.told = Histogram()

    def add(self, size: int) -> None:
        self._last.append(size)
        self._counts[bisect_left(BOUNDS, size)] += 1
        self._requests += size
        if sum(self._counts) % STEP == 0:
            self.told = Histogram(tuple(self._counts), self._requests)

    def __iter__(self) -> Iterator[int]:
        return iter(tuple(self._last))
