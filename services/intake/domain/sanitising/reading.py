"""A text as the recognisers see it, and what they give back."""

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

KINDS: Final = (
    "address",
    "bank-account",
    "card",
    "date-of-birth",
    "driving-licence",
    "email",
    "handle",
    "ip-address",
    "link",
    "name",
    "national-insurance",
    "nhs-number",
    "number",
    "phone",
    "postcode",
    "reference",
    "vehicle",
)
"""Every kind of trace; `[kind]` stands where one was."""

ANY_MARKER: Final = rf"\[(?:{'|'.join(KINDS)})\]"
MARKER: Final = re.compile(ANY_MARKER)


class Span(NamedTuple):
    """`start` and `end` in code points."""

    start: int
    end: int
    kind: str


class Reading:
    """A text, the same in lower case with every character at its place, and where its digits are.

    Recognisers start from a word or a digit that is there: looking for all their patterns at every
    character would take ten times as long.
    """

    __slots__ = ("digit_runs", "digits", "low", "text")

    def __init__(self, text: str) -> None:
        low = text.lower()
        if len(low) != len(text):  # a few characters are two in lower case, such as İ
            low = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
        self.text = text
        self.low = low
        self.digit_runs = tuple(found.span() for found in _DIGITS.finditer(text))
        self.digits = sum(end - start for start, end in self.digit_runs)

    def before(self, position: int, length: int) -> str:
        """What stands before a position, in lower case."""
        return self.low[max(0, position - length) : position]

    def after(self, *phrases: str) -> Iterator[int]:
        """Where each of the phrases (in lower case) ends that begins as a word does."""
        for phrase in phrases:
            position = self.low.find(phrase)
            while position >= 0:
                if position == 0 or not _WORDLIKE.match(self.low, position - 1):
                    yield position + len(phrase)
                position = self.low.find(phrase, position + 1)

    def around_digits(self, pattern: re.Pattern[str], nearest: int, farthest: int) -> Iterator[re.Match[str]]:
        """Matches of a pattern that begins that many characters before a run of digits."""
        for start, _ in self.digit_runs:
            for position in range(start - nearest, max(-1, start - farthest - 1), -1):
                if found := pattern.match(self.text, position):
                    yield found
                    break


_DIGITS: Final = re.compile(r"\d+")
_WORDLIKE: Final = re.compile(r"[\w'\u2019]")

Recogniser = Callable[[Reading], Iterator[Span]]
