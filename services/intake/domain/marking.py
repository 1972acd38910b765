"""Spans that a person points at, put into texts: what is masked too, and what stays although it was found.

Positions are code points of the text that the person saw. A span never splits a character from its combining
marks: it is made longer until it has them all.
"""

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from shared.contracts.spans import TextSpan
from shared.sanitiser.markers import Redaction, Rendered, highest_number, merged
from shared.sanitiser.reading import MARKER
from shared.sanitiser.text import Sanitised


class Moved:
    """The way from a text to the same text with markers in the place of its redactions.

    Args:
        redactions: in their order, none overlapping another one.
    """

    def __init__(self, redactions: Sequence[Redaction]) -> None:
        self._starts = [one.start for one in redactions]
        self._ends = [one.end for one in redactions]
        self._markers: list[tuple[int, int]] = []
        shift = 0
        for one in redactions:
            at = one.start + shift
            self._markers.append((at, at + len(one.marker)))
            shift += len(one.marker) - (one.end - one.start)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where a span is in the text with markers; what ends in a redaction has all of its marker."""
        return self._start(start), self._end(end)

    def _start(self, position: int) -> int:
        at = bisect_right(self._starts, position) - 1
        if at < 0:
            return position
        begin, end = self._markers[at]
        return begin if position < self._ends[at] else end + position - self._ends[at]

    def _end(self, position: int) -> int:
        at = bisect_left(self._starts, position) - 1
        if at < 0:
            return position
        _, end = self._markers[at]
        return end if position <= self._ends[at] else end + position - self._ends[at]


def put_right(
    sent: Mapping[str, str],
    found: Mapping[str, Sanitised],
    masks: Iterable[TextSpan],
    keep: Iterable[TextSpan],
) -> dict[str, Sanitised]:
    """The sanitised texts by path, with masks added to what was found, and without what is to stay.

    Args:
        sent: the same texts as sent, which the spans are of.
    """
    redactions = {path: list(text.redactions) for path, text in found.items()}
    for path, spans in _by_field(keep).items():
        redactions[path] = [
            *_without(sent[path], redactions[path], [_whole(sent[path], span) for span in spans])
        ]
    for path, added in _as_redactions(sent, redactions, masks).items():
        redactions[path] += added
    changed = {}
    for path, text in found.items():
        united = merged(redactions[path])
        changed[path] = (
            text
            if united == text.redactions
            else replace(text, text=Rendered(sent[path], united).text, redactions=united)
        )
    return changed


def mask_more(texts: Mapping[str, str], masks: Iterable[TextSpan]) -> dict[str, tuple[str, Moved]]:
    """Texts that have markers already, with more of them: path -> (new text, the way to it), of those that
    change. A mask that touches a marker takes its whole place."""
    markers = {path: markers_in(text) for path, text in texts.items()}
    changed = {}
    for path, added in _as_redactions(texts, markers, masks).items():
        touched = [
            marker
            for marker in markers[path]
            if any(marker.start < mask.end and mask.start < marker.end for mask in added)
        ]
        united = merged((*added, *touched))
        if set(united) != set(touched):
            changed[path] = Rendered(texts[path], united).text, Moved(united)
    return changed


def markers_in(text: str) -> list[Redaction]:
    """The markers that stand in a text, as spans of it."""
    if "[" not in text:
        return []
    found = []
    for marker in MARKER.finditer(text):
        kind, _, number = marker.group()[1:-1].rpartition("-")
        is_numbered = number.isdecimal()
        found.append(
            Redaction(
                marker.start(),
                marker.end(),
                kind if is_numbered else marker.group()[1:-1],
                int(number) if is_numbered else 0,
            )
        )
    return found


def _as_redactions(
    texts: Mapping[str, str], known: Mapping[str, Iterable[Redaction]], masks: Iterable[TextSpan]
) -> dict[str, list[Redaction]]:
    """Masks by path; each person has the number that is asked for, that of the same name, or the next."""
    numbers: dict[str, int] = {}
    highest = max((highest_number(text) for text in texts.values()), default=0)
    for path, redactions in known.items():
        for one in redactions:
            if one.person:
                numbers.setdefault(_name(texts[path][one.start : one.end]), one.person)
                highest = max(highest, one.person)
    added: dict[str, list[Redaction]] = {}
    for mask in masks:
        start, end = _whole(texts[mask.field], mask)
        person = 0
        if mask.kind == "name":
            name = _name(texts[mask.field][start:end])
            person = mask.person or numbers.get(name, highest + 1)
            numbers.setdefault(name, person)
            highest = max(highest, person)
        added.setdefault(mask.field, []).append(Redaction(start, end, mask.kind, person))
    return added


def _name(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _by_field(spans: Iterable[TextSpan]) -> dict[str, list[TextSpan]]:
    grouped: dict[str, list[TextSpan]] = {}
    for span in spans:
        grouped.setdefault(span.field, []).append(span)
    return grouped


def _whole(text: str, span: TextSpan) -> tuple[int, int]:
    """The span with all of the combining marks of its characters, and the letter of its first one."""
    start, end = span.start, span.end
    while start > 0 and _is_mark(text[start]):
        start -= 1
    while end < len(text) and _is_mark(text[end]):
        end += 1
    return start, end


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M"


def _without(
    text: str, redactions: Iterable[Redaction], kept: Sequence[tuple[int, int]]
) -> Iterable[Redaction]:
    """What is left of redactions beside the spans that are kept: nothing without a letter or a digit."""
    ordered = sorted(kept)
    for one in redactions:
        start = one.start
        for begin, end in ordered:
            if end <= start or begin >= one.end:
                continue
            if begin > start:
                yield from _piece(text, replace(one, start=start, end=begin))
            start = max(start, end)
        if start == one.start:
            yield one
        elif start < one.end:
            yield from _piece(text, replace(one, start=start))


def _piece(text: str, piece: Redaction) -> Iterable[Redaction]:
    if any(map(str.isalnum, text[piece.start : piece.end])):
        yield piece
