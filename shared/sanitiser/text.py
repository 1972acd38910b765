"""Takes out of a text what leads to the caller, before anything is written to disk.

`sanitise` puts `[kind]` in the place of every trace and says where each was. It never raises, whatever the
text; doing it twice changes nothing more; the markers it knows are only ever exactly `[kind]`, so that
nothing hides in one. It takes time linear in the length of the text. It cannot know facts that only one
person knows; the caller is told so.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from shared.sanitiser import codes, home, names, numbers, online, spoken
from shared.sanitiser.reading import KINDS, MARKER, Reading, Recogniser, Span

__all__ = ["KINDS", "Redaction", "Sanitised", "TextKind", "sanitise"]

TextKind = Literal["narrative", "officer", "place", "reference"]
"""What a text is for. `narrative`: the caller speaks freely. `officer`: a field that describes a subject,
where names, registrations and numbers are the officer's. `place`: where it happened. `reference`: a partner
body's own number, whose digits stay."""

_CONTACT: Final[tuple[Recogniser, ...]] = (
    online.emails,
    online.links,
    online.handles,
    online.network_addresses,
    codes.national_insurance_numbers,
    codes.driving_licences,
    numbers.digits,
    spoken.spoken_digits,
)
_RECOGNISERS: Final[Mapping[TextKind, tuple[Recogniser, ...]]] = {
    "officer": (*_CONTACT, codes.postcodes),
    "place": (*_CONTACT, codes.inward_codes),
    "reference": (online.emails, online.links, online.handles),
    "narrative": (
        home.dates_of_birth,
        home.references,
        *_CONTACT,
        codes.postcodes,
        home.vehicles,
        home.addresses,
        names.introductions,
        names.self_descriptions,
        names.relatives,
        names.signatures,
    ),
}


@dataclass(frozen=True, slots=True)
class Redaction:
    """What was taken out: from `start` up to `end`, in code points of the text as sent."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Sanitised:
    """The text that may be kept, and what was taken out of the one that was sent, in its order."""

    text: str
    redactions: tuple[Redaction, ...]


def sanitise(text: str, kind: TextKind = "narrative") -> Sanitised:
    """The text without the caller's traces.

    What is left is read again until nothing more is found: a marker may bring together what was apart.
    Every round takes out at least one letter or digit, so this ends.
    """
    redactions: tuple[Redaction, ...] = ()
    while True:
        rendered = _Rendered(text, redactions)
        found = _found(rendered.text, kind)
        if not found:
            return Sanitised(rendered.text, redactions)
        redactions = _merged((*redactions, *map(rendered.as_sent, found)))


def _found(text: str, kind: TextKind) -> list[Span]:
    reading = Reading(text)
    spans = [span for recognise in _RECOGNISERS[kind] for span in recognise(reading)]
    if not spans:
        return []
    # What is only marker, or a part of one, is taken out already: this is why each round comes further.
    unmarked = MARKER.sub(lambda marker: " " * len(marker.group()), text)
    return [span for span in spans if any(map(str.isalnum, unmarked[span.start : span.end]))]


def _merged(redactions: Iterable[Redaction]) -> tuple[Redaction, ...]:
    """Those that overlap become one, of the kind of the longest; between equals the first found wins."""
    merged: list[Redaction] = []
    longest = 0
    for one in sorted(redactions, key=lambda one: (one.start, -one.end)):
        if merged and one.start < merged[-1].end:
            last = merged[-1]
            kind = one.kind if one.end - one.start > longest else last.kind
            longest = max(longest, one.end - one.start)
            merged[-1] = Redaction(last.start, max(last.end, one.end), kind)
        else:
            merged.append(one)
            longest = one.end - one.start
    return tuple(merged)


class _Rendered:
    """A text with its redactions replaced by markers, which knows where each part of it was."""

    def __init__(self, sent: str, redactions: tuple[Redaction, ...]) -> None:
        parts: list[str] = []
        self._starts: list[int] = []  # of each part in the rendered text
        self._sent: list[tuple[int, int, bool]] = []  # start and end as sent, is it a marker
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
            add(f"[{one.kind}]", one.start, one.end, marker=True)
            position = one.end
        add(sent[position:], position, len(sent), marker=False)
        self.text = "".join(parts)

    def as_sent(self, span: Span) -> Redaction:
        """A span of the rendered text in the text as sent; a marker that it touches belongs to it whole."""
        return Redaction(self._start(span.start), self._end(span.end), span.kind)

    def _start(self, position: int) -> int:
        part = bisect_right(self._starts, position) - 1
        start, _, marker = self._sent[part]
        return start if marker else start + position - self._starts[part]

    def _end(self, position: int) -> int:
        part = bisect_right(self._starts, position - 1) - 1
        start, end, marker = self._sent[part]
        return end if marker else start + position - self._starts[part]
