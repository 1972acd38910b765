"""Takes out of a text what leads to the caller or to any other private person, before anything is written to disk.

`sanitise_texts` reads all free texts of a complaint together, so that one person has one number in all of them;
`sanitise` reads one text. Each puts a marker in the place of every trace, says where each was, and gives the
reasons for which a person should look. Neither ever raises, whatever the text; doing it twice changes nothing
more; a marker stands for exactly one span, and what was typed like one hides nothing. Both take time linear in
the length of the text. They cannot know facts that only one person knows; the caller is told so.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from shared.sanitiser import (
    addresses,
    affiliations,
    birth,
    codes,
    homes,
    identity,
    numbers,
    online,
    spoken,
    vehicles,
    whereabouts,
)
from shared.sanitiser.doubts import Doubt, Reason, find_doubts
from shared.sanitiser.lexicon import STRONG
from shared.sanitiser.markers import Redaction, Rendered, highest_number, merged
from shared.sanitiser.persons import Person, Subject, find_persons, subjects_of
from shared.sanitiser.reading import KINDS, MARKER, Reading, Recogniser, Span
from shared.sanitiser.walk import Mention

__all__ = [
    "KINDS",
    "Doubt",
    "Field",
    "Reason",
    "Redaction",
    "Sanitised",
    "TextKind",
    "sanitise",
    "sanitise_texts",
]

TextKind = Literal["narrative", "officer", "unit", "place", "reference"]
"""What a text is for, and with it what may stay. `narrative`: somebody speaks freely. `officer`: a field that
describes a subject, whose names, registrations and numbers are the officer's. `unit`: the same for a unit or
station, but for the caller's kin. `place`: where it happened; streets and buildings stay, homes do not.
`reference`: a partner body's own number, whose digits stay."""

_CONTACT: Final[tuple[Recogniser, ...]] = (
    online.emails,
    online.links,
    online.handles,
    online.network_addresses,
    codes.national_insurance_numbers,
    codes.driving_licences,
    numbers.payment_cards,
    numbers.digits,
    spoken.spoken_digits,
)
_RECOGNISERS: Final[Mapping[TextKind, tuple[Recogniser, ...]]] = {
    "officer": (*_CONTACT, codes.postcodes, addresses.addresses),
    "unit": (*_CONTACT, codes.postcodes, addresses.addresses),
    "place": (*_CONTACT, codes.inward_codes, addresses.house_numbers),
    "reference": (online.emails, online.links, online.handles),
    "narrative": (
        birth.dates_of_birth,
        *_CONTACT,
        codes.postcodes,
        identity.identity_numbers,
        vehicles.vehicles,
        addresses.addresses,
        homes.homes,
        affiliations.schools,
        affiliations.businesses,
        affiliations.workplaces,
        whereabouts.whereabouts,
    ),
}
_WITH_PERSONS: Final = frozenset(("narrative", "unit", "place"))


@dataclass(frozen=True, slots=True)
class Field:
    """One free text of a complaint, and what it is for."""

    text: str
    kind: TextKind = "narrative"


@dataclass(frozen=True, slots=True)
class Sanitised:
    """The text that may be kept, what was taken out of the one that was sent, in its order, and the doubts."""

    text: str
    redactions: tuple[Redaction, ...]
    doubts: tuple[Doubt, ...] = ()


def sanitise(text: str, kind: TextKind = "narrative", subjects: Iterable[str | None] = ()) -> Sanitised:
    """One text without its traces. `subjects` are the names of the form's subjects, who stay."""
    return sanitise_texts((Field(text, kind),), subjects)[0]


def sanitise_texts(fields: Sequence[Field], subjects: Iterable[str | None] = ()) -> tuple[Sanitised, ...]:
    """All texts of a complaint without their traces, in their order; one person has one number in all of them.

    What is left is read again until nothing more is found: a marker may bring together what was apart. Every
    round takes out at least one letter or digit, so this ends.
    """
    known = subjects_of(subjects)
    numbering = _Numbering(max((highest_number(field.text) for field in fields), default=0))
    redactions: list[tuple[Redaction, ...]] = [()] * len(fields)
    rendered = [Rendered(field.text, ()) for field in fields]
    readings = [Reading(field.text) for field in fields]
    doubts: list[tuple[Doubt, ...]] = [()] * len(fields)
    changed = set(range(len(fields)))
    first = True
    while changed:
        found = _found(fields, readings, changed, known, numbering, with_doubts=first)
        if first:
            doubts = [
                tuple(
                    Doubt(reason, span.start, span.end)
                    for reason, span in ((reason, reading.as_sent(span)) for reason, span in of_text)
                )
                for reading, of_text in zip(readings, found.doubts, strict=True)
            ]
            first = False
        changed = set()
        for at, spans in found.spans.items():
            fresh = [rendered[at].as_sent(readings[at].as_sent(span), person) for span, person in spans]
            if not fresh:
                continue
            redactions[at] = merged((*redactions[at], *fresh))
            rendered[at] = Rendered(fields[at].text, redactions[at])
            readings[at] = (
                readings[at].replaced([(one.start, one.end, one.marker) for one in redactions[at]])
                if readings[at].sent is fields[at].text
                else Reading(rendered[at].text)
            )
            changed.add(at)
    return tuple(
        Sanitised(one.text, spans, of_text)
        for one, spans, of_text in zip(rendered, redactions, doubts, strict=True)
    )


@dataclass(frozen=True, slots=True)
class _Found:
    spans: dict[int, list[tuple[Span, int]]]
    doubts: list[list[tuple[Reason, Span]]]


_MOST_NAMESAKES: Final = 50


class _Numbering:
    """The numbers of persons: one for each, by their names, over all rounds."""

    def __init__(self, highest: int) -> None:
        self._highest = highest
        self._known: dict[str, list[tuple[frozenset[str], int]]] = {}

    def number(self, person: Person) -> int:
        names = frozenset(person.names)
        for known, number in self._known.get(min(names, default=""), ())[:_MOST_NAMESAKES]:
            if names <= known:
                return number
        self._highest += 1
        for name in names:
            self._known.setdefault(name, []).append((names, self._highest))
        return self._highest


def _found(
    fields: Sequence[Field],
    readings: Sequence[Reading],
    changed: set[int],
    subjects: Sequence[Subject],
    numbering: _Numbering,
    *,
    with_doubts: bool,
) -> _Found:
    spans: dict[int, list[tuple[Span, int]]] = {
        at: [(span, 0) for recognise in _RECOGNISERS[fields[at].kind] for span in recognise(readings[at])]
        for at in sorted(changed)
    }
    for at, found in spans.items():
        found.extend(_repeated(readings[at], found))
    with_persons = [at for at, field in enumerate(fields) if field.kind in _WITH_PERSONS]
    of_persons = [readings[at] for at in with_persons]
    persons = find_persons(of_persons, subjects)
    for person in persons:
        if person.stays:
            continue
        number = 0
        for index, mention in person.mentions:
            at = with_persons[index]
            if fields[at].kind != "narrative" and not _is_plainly_private(
                readings[at], mention, fields[at].kind
            ):
                continue
            number = number or numbering.number(person)
            reading = readings[at]
            span = Span(reading.starts[mention.title], reading.ends[mention.last], "name")
            spans.setdefault(at, []).append((span, number))
    for at in with_persons:
        if at in spans:
            spans[at] = _without_vehicles_of_officers(
                readings[at], spans[at], persons, with_persons.index(at)
            )
    doubts: list[list[tuple[Reason, Span]]] = [[] for _ in fields]
    if with_doubts:
        masked = [[span for span, _ in spans.get(at, ())] for at in with_persons]
        told = find_doubts(of_persons, persons, masked, subjects)
        doubts = [told[with_persons.index(at)] if at in with_persons else [] for at in range(len(fields))]
    return _Found({at: _unmarked(readings[at], of_text) for at, of_text in spans.items()}, doubts)


_LEAST_REPEATED: Final = 5
_REPEATED: Final = frozenset(("address", "school", "workplace", "handle", "identity-number"))
_MOST_REPEATED: Final = 60


def _repeated(reading: Reading, spans: Sequence[tuple[Span, int]]) -> list[tuple[Span, int]]:
    """The same words again, where nothing beside them says what they are: `no signal at Skelgill End`."""
    found: list[tuple[Span, int]] = []
    known = {
        reading.low[span.start : span.end]: span.kind
        for span, _ in spans[:_MOST_REPEATED]
        if span.kind in _REPEATED
    }
    for words, kind in known.items():
        if len(words) < _LEAST_REPEATED or not words[0].isalnum() or reading.low.count(words) < 2:
            continue
        position = reading.low.find(words)
        while position >= 0:
            end = position + len(words)
            if (
                not reading.low[position - 1 : position].isalnum()
                and not reading.low[end : end + 1].isalnum()
            ):
                found.append((Span(position, end, kind), 0))
            position = reading.low.find(words, end)
    return found


_OWNED: Final = re.compile(
    r"(?:'s|s)? (?:[\w\-]+ ){0,3}(?:car|van|bike|vehicle|motor|plate|reg|registration)\b|,? (?:drives|drove|owns|was driving|driving)\b"
)
_MINE: Final = re.compile(r"\b(?:my|mine|our|clr's|caller's)\b")
_NEAR: Final = 80


def _without_vehicles_of_officers(
    reading: Reading, spans: list[tuple[Span, int]], persons: Sequence[Person], index: int
) -> list[tuple[Span, int]]:
    """Without the registrations of `Dave's car`, where Dave is police."""
    if not any(span.kind == "vehicle" for span, _ in spans):
        return spans
    ends = sorted(
        (reading.ends[mention.last], person.stays)
        for person in persons
        for at, mention in person.mentions
        if at == index
    )
    kept = []
    for span, number in spans:
        if span.kind == "vehicle":
            nearest = bisect_right(ends, (span.start, True)) - 1
            if nearest >= 0:
                end, stays = ends[nearest]
                if (
                    stays
                    and span.start - end < _NEAR
                    and _OWNED.match(reading.low, end)
                    and not _MINE.search(reading.low, end, span.start)
                ):
                    continue
        kept.append((span, number))
    return kept


def _is_plainly_private(reading: Reading, mention: Mention, kind: TextKind) -> bool:
    """In a field for something else a name is a person's only where the words around it say so: `outside Janet
    Hale's house`, `lives with my sister Ann`."""
    if mention.is_self or mention.is_kin or mention.titled:
        return True
    after = mention.last + 1
    is_owner = after < len(reading.words) and reading.seps[after] == "'" and reading.lows[after] == "s"
    return kind == "place" and bool(reading.flags[mention.first] & STRONG) and (mention.is_whole or is_owner)


def _unmarked(reading: Reading, spans: list[tuple[Span, int]]) -> list[tuple[Span, int]]:
    """Without those that are only marker, or a part of one: they are taken out already, so each round comes
    further."""
    if "[" not in reading.text or not spans:
        return [one for one in spans if any(map(str.isalnum, reading.text[one[0].start : one[0].end]))]
    unmarked = MARKER.sub(lambda marker: " " * len(marker.group()), reading.text)
    return [one for one in spans if any(map(str.isalnum, unmarked[one[0].start : one[0].end]))]
