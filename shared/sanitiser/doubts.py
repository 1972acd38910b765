"""Reasons for which a person should look at a text before it leaves: where the sanitiser may have missed somebody."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final, Literal

from shared.sanitiser.languages import is_other_language
from shared.sanitiser.opinion import candidates, likelihood
from shared.sanitiser.persons import Person, Subject
from shared.sanitiser.reading import Reading, Span
from shared.sanitiser.walk import Mention

Reason = Literal[
    "unplaced_person",
    "other_language",
    "same_name",
    "many_persons",
    "name_in_form",
    "could_be_guessed",
    "kept_by_handler",
]
"""`unplaced_person`: something that may lead to a private person though no rule says so, or a name that may be police
or not. `other_language`: neither English nor
Welsh. `same_name`: an officer and a private person of one name. `many_persons`: so many that one may be missed.
`name_in_form`: a name that was masked is a part of a subject's in the form. `could_be_guessed`: the caller thinks
so. `kept_by_handler`: it was to be masked, and who took the call said that it stays. The last two are not found here:
whoever reads the form adds them."""

MANY: Final = 9
RISK: Final = 0.88
"""From which chance on that a text still leads to somebody it is held."""
_MOST_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Doubt:
    """A reason to look: from `start` up to `end`, in code points of the text as sent."""

    reason: Reason
    start: int
    end: int


def find_doubts(
    readings: Sequence[Reading],
    persons: Sequence[Person],
    masked: Sequence[Sequence[Span]],
    subjects: Sequence[Subject],
) -> list[list[tuple[Reason, Span]]]:
    """The doubts of each text, as spans of its reading. `masked` are the spans that go."""
    found: list[list[tuple[Reason, Span]]] = [[] for _ in readings]
    private = [person for person in persons if not person.stays]
    kept_names = {name for person in persons if person.stays for name in person.names}
    form_names = {name for subject in subjects for name in subject.names}
    for person in private:
        if person.names & kept_names:
            if bare := next((one for one in person.mentions if _may_be_either(one[1], kept_names)), None):
                found[bare[0]].append(("same_name", _span(readings, *bare)))
        elif person.names & form_names:
            found[person.mentions[0][0]].append(("name_in_form", _span(readings, *person.mentions[0])))
    for person in persons:
        if person.is_unplaced:
            found[person.mentions[0][0]].append(("unplaced_person", _span(readings, *person.mentions[0])))
    if len(private) >= MANY:
        at, mention = private[-1].mentions[0]
        found[at].append(("many_persons", _span(readings, at, mention)))
    known = frozenset(form_names)
    for at, reading in enumerate(readings):
        found[at] += [("unplaced_person", span) for span in _unplaced(reading, masked[at], known)]
        if reading.text and is_other_language(reading):
            found[at].append(("other_language", Span(0, len(reading.text), "name")))
    return found


def _span(readings: Sequence[Reading], at: int, mention: Mention) -> Span:
    return Span(readings[at].starts[mention.title], readings[at].ends[mention.last], "name")


def _may_be_either(mention: Mention, kept_names: set[str]) -> bool:
    """`Marlow` where there is an officer of that name; not `Mrs Marlow`, not `Ann Marlow`."""
    return not mention.titled and len(mention.names) == 1 and mention.names[0] in kept_names


def _unplaced(reading: Reading, masked: Sequence[Span], known: frozenset[str]) -> list[Span]:
    """Those of the names, places and codes left that are likeliest to lead to somebody, where it is likely enough
    that one of them does."""
    told, risk = chances(reading, _tokens_of(reading, masked), known)
    if risk < RISK:
        return []
    return [span for _, span in sorted(told, key=lambda one: -one[0])[:_MOST_SHOWN]]


def chances(
    reading: Reading, hidden: Set[int], known: frozenset[str], weights: Mapping[str, float] | None = None
) -> tuple[list[tuple[float, Span]], float]:
    """The likelihood of each name, place and code outside the `hidden` tokens, and of any of them leading to somebody."""
    safe = 1.0
    told = []
    for first, last in candidates(reading):
        if hidden.isdisjoint(range(first, last + 1)):
            chance = likelihood(reading, first, last, known, weights)
            # The model was fitted to all of a text. Where the rules have been, less is left to find.
            safe *= 1 - chance * chance
            told.append((chance, Span(reading.starts[first], reading.ends[last], "name")))
    return told, 1 - safe


def _tokens_of(reading: Reading, spans: Sequence[Span]) -> set[int]:
    tokens: set[int] = set()
    for span in spans:
        tokens.update(range(bisect_right(reading.ends, span.start), bisect_left(reading.starts, span.end)))
    return tokens
