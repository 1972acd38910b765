"""Markers in the place of what was taken out, and the way from a text with markers to the text as sent."""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from shared.sanitiser.reading import Span


@dataclass(frozen=True, slots=True)
class Redaction:
    """What was taken out: from `start` up to `end`, in code points of the text as sent. `person` tells persons
    apart, from 1, in all fields of a complaint; 0 where it is no person's name."""

    start: int
    end: int
    kind: str
    person: int = 0

    @property
    def marker(self) -> str:
        """What stands in its place, such as `[phone]` or `[name-1]`."""
        return f"[{self.kind}-{self.person}]" if self.person else f"[{self.kind}]"


_NUMBERED: Final = re.compile(r"\[name-([0-9]{1,6})\]")


def highest_number(text: str) -> int:
    """The highest number of a person's marker that was typed into a text."""
    if "[name-" not in text:
        return 0
    return max((int(number) for number in _NUMBERED.findall(text)), default=0)


def merged(redactions: Iterable[Redaction]) -> tuple[Redaction, ...]:
    """Those that overlap become one, of the kind of the longest; between equals the first found wins."""
    united: list[Redaction] = []
    longest = 0
    for one in sorted(redactions, key=lambda one: (one.start, -one.end)):
        if united and one.start < united[-1].end:
            last = united[-1]
            best = one if one.end - one.start > longest else last
            longest = max(longest, one.end - one.start)
            united[-1] = Redaction(last.start, max(last.end, one.end), best.kind, best.person)
        else:
            united.append(one)
            longest = one.end - one.start
    return tuple(united)


class Rendered:
    """A text with its redactions replaced by markers, which knows where each part of it was."""

    def __init__(self, sent: str, redactions: tuple[Redaction, ...]) -> None:
        if not redactions:
            self.text = sent
            self._starts, self._sent = [0], [(0, len(sent), False)]
            return
        parts: list[str] = []
        self._starts = []  # of each part in the rendered text
        self._sent = []  # start and end as sent, is it a marker
        length = position = 0

        def add(part: str, start: int, end: int, *, marker: bool) -> None:
            nonlocal length
            parts.append(part)
            self._starts.append(length)
            self._sent.append((start, end, marker))
            length += len(part)

        for one in redactions:
            if position < one.start:
                add(sent[position : one.start], position, one.start, marker=False)
            add(one.marker, one.start, one.end, marker=True)
            position = one.end
        add(sent[position:], position, len(sent), marker=False)
        self.text = "".join(parts)

    def as_sent(self, span: Span, person: int = 0) -> Redaction:
        """A span of the rendered text in the text as sent; a marker that it touches belongs to it whole."""
        return Redaction(self.start(span.start), self.end(span.end), span.kind, person)

    def start(self, position: int) -> int:
        """Where a character was in the text as sent."""
        part = bisect_right(self._starts, position) - 1
        start, _, marker = self._sent[part]
        return start if marker else start + position - self._starts[part]

    def end(self, position: int) -> int:
        """Where the character before `position` ended in the text as sent."""
        part = bisect_right(self._starts, position - 1) - 1
        start, end, marker = self._sent[part]
        return end if marker else start + position - self._starts[part]
