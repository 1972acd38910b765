"""Telephone numbers that were spoken and written down as words."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from shared.sanitiser.reading import Reading, Span

_DIGIT_WORDS: Final = {
    **dict.fromkeys(("zero", "oh", "o", "nought", "naught", "nil"), 0),
    **{"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9},
}
_TIMES: Final = {"double": 2, "triple": 3, "treble": 3}
_ITEM: Final = (
    rf"(?:(?:{'|'.join(_TIMES)})[\s\-]{{1,3}})?(?:{'|'.join(_DIGIT_WORDS)}|hundred|[0-9]{{1,6}})(?!\w)"
)
_SPOKEN: Final = re.compile(rf"(?<!\w){_ITEM}(?:[\s,.\-\u2013\u2014]{{1,3}}{_ITEM})*+")
_WORD: Final = re.compile(r"[a-z]+|[0-9]+")
_NUMBERS: Final = frozenset((*_DIGIT_WORDS, "hundred"))
_HINTS: Final = ("zero", "seven", "double", "treble", "triple", "nought", "oh ")
_SHORTEST_SPOKEN: Final = 7


def spoken_digits(reading: Reading) -> Iterator[Span]:
    """Seven digits or more of which some are words: `oh seven seven double oh, 900 one two three`."""
    if not reading.has_any(_NUMBERS) or not any(hint in reading.low for hint in _HINTS):
        return
    for found in _SPOKEN.finditer(reading.low):
        if found.end() - found.start() < _SHORTEST_SPOKEN:
            continue
        values, words = _values(_WORD.findall(found.group()))
        counted_aloud = all(after - before == 1 for before, after in pairwise(values))
        if words > 1 and len(values) >= _SHORTEST_SPOKEN and not counted_aloud:
            yield Span(found.start(), found.end(), "phone")


def _values(items: list[str]) -> tuple[list[int], int]:
    """The digits that were spoken, and how many items were words."""
    values: list[int] = []
    words = 0
    times = 1
    for item in items:
        if item in _TIMES:
            times = _TIMES[item]
            continue
        words += not item.isdecimal()
        if item == "hundred":
            spoken = [0, 0]
        elif item.isdecimal():
            spoken = [int(digit) for digit in item]
        else:
            spoken = [_DIGIT_WORDS[item]]
        values += spoken * times
        times = 1
    return values, words
