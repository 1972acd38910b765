"""Reasons for which a person should look at a text before it leaves: where the sanitiser may have missed somebody."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from shared.sanitiser.languages import is_other_language
from shared.sanitiser.persons import Person, Subject
from shared.sanitiser.reading import Reading, Span

Reason = Literal[
    "unplaced_person",
    "other_language",
    "same_name",
    "many_persons",
    "name_in_form",
    "could_be_guessed",
    "kept_by_handler",
]
"""`unplaced_person`: a name that may be a person's and may be police or not. `other_language`: neither English nor
Welsh. `same_name`: an officer and a private person of one name. `many_persons`: so many that one may be missed.
`name_in_form`: a name that was masked is a part of a subject's in the form. `could_be_guessed`: the caller thinks
so. `kept_by_handler`: it was to be masked, and who took the call said that it stays. The last two are not found here:
whoever reads the form adds them."""

MANY: Final = 7


@dataclass(frozen=True, slots=True)
class Doubt:
    """A reason to look: from `start` up to `end`, in code points of the text as sent."""

    reason: Reason
    start: int
    end: int


def find_doubts(
    readings: Sequence[Reading],
    persons: Sequence[Person],
    left: Sequence[Sequence[int]],
    subjects: Sequence[Subject],
) -> list[list[tuple[Reason, Span]]]:
    """The doubts of each text, as spans of its reading."""
    found: list[list[tuple[Reason, Span]]] = [[] for _ in readings]
    masked = [person for person in persons if not person.stays]
    kept_names = {name for person in persons if person.stays for name in person.names}
    form_names = {name for subject in subjects for name in subject.names}
    for person in persons:
        at, mention = person.mentions[0]
        span = Span(readings[at].starts[mention.title], readings[at].ends[mention.last], "name")
        if not person.stays:
            if person.names & kept_names:
                found[at].append(("same_name", span))
            elif person.names & form_names:
                found[at].append(("name_in_form", span))
        if person.is_unplaced:
            found[at].append(("unplaced_person", span))
    if len(masked) >= MANY:
        at, mention = masked[-1].mentions[0]
        found[at].append(
            (
                "many_persons",
                Span(readings[at].starts[mention.title], readings[at].ends[mention.last], "name"),
            )
        )
    for at, reading in enumerate(readings):
        found[at] += [
            ("unplaced_person", Span(reading.starts[token], reading.ends[token], "name"))
            for token in left[at]
        ]
        if reading.text and is_other_language(reading):
            found[at].append(("other_language", Span(0, len(reading.text), "name")))
    return found
