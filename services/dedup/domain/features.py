"""What is compared of a complaint, in a compact and frozen form, and its way into bytes and back.

Days are proleptic ordinals (`date.toordinal`), 0 where unknown. Texts are folded (`folding`) and empty where
unknown. Words of the narrative are 32-bit hashes: enough to compare, no text to read.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from enum import IntFlag
from itertools import takewhile
from sys import intern
from typing import Any, Final, NamedTuple

import orjson

from services.dedup.domain.narratives import packed

FORM = 2
"""The version of the form that `dump` writes. Form 1 (before names that may be either, duties and looks) is
still read, so that a rolling upgrade and an index that was not rebuilt yet lose no pair; its complaints are
compared by less until a rebuild. Any other form is refused, never guessed at."""


class Officer(NamedTuple):
    """One subject who takes part in matching officers.

    `subject` is its index in the complaint. `initials` are those of all forenames, or of the whole name
    where only initials are known (then `surname` is empty). `either` is a single word that may be the
    forename or the surname. `unit` is its telling words in order, `duty` the kinds of work in it. `looks`
    are traits with their values ("hair none"), `words` the rest of the description.
    """

    subject: int
    surname: str = ""
    forename: str = ""
    initials: str = ""
    either: str = ""
    sound: str = ""
    collar_number: str = ""
    force: str = ""
    unit: str = ""
    duty: str = ""
    rank: str = ""
    vehicle: str = ""
    looks: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    seen_from: int = 0
    seen_to: int = 0


class Told(IntFlag):
    """Fields of an officer of which something is known."""

    NAME = 1
    FORCE = 2
    NUMBER = 4
    UNIT = 8
    RANK = 16
    VEHICLE = 32
    LOOKS = 64
    WORDS = 128


def told_of(officer: Officer) -> int:
    """The `Told` of an officer, as the plain number, which compares faster."""
    has_name = officer.surname or officer.forename or officer.initials or officer.either
    known = (
        has_name, officer.force, officer.collar_number, officer.unit or officer.duty, officer.rank,
        officer.vehicle, officer.looks, officer.words,
    )  # fmt: skip
    return sum([flag.value for flag, value in zip(Told, known, strict=True) if value])


ONLY_WITH_ANOTHER: Final = "only_with_another"
"""The wish of a caller whose complaint is told to nobody until another source's matches the same officer."""


@dataclass(frozen=True, slots=True)
class Features:
    """A complaint as it is compared.

    `words` counts those of the narrative, `content` has the hashes of its telling ones; `told` has the known
    fields of each officer (`Told`). Texts are interned, for forces, units, places and names come again and
    again, and dedup keeps many features in memory.
    """

    source_group: str
    wish: str
    force: str
    first_day: int
    last_day: int
    places: tuple[str, ...]
    categories: tuple[str, ...]
    officers: tuple[Officer, ...]
    words: int
    signature: "array[int]"
    mentions: "array[int]"
    content: "array[int]"
    told: tuple[int, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("wish", "force"):
            object.__setattr__(self, name, intern(getattr(self, name)))
        for name in ("places", "categories"):
            object.__setattr__(self, name, tuple(map(intern, getattr(self, name))))
        object.__setattr__(self, "officers", tuple(map(_interned, self.officers)))
        object.__setattr__(self, "told", tuple(map(told_of, self.officers)))

    @property
    def is_dated(self) -> bool:
        return bool(self.first_day)


_BEFORE = tuple(takewhile(lambda name: name != "officers", (of.name for of in fields(Features))))


def dump(features: Features) -> bytes:
    """As JSON in the order of the fields; `load` reads it back."""
    officers = [list(officer) for officer in features.officers]
    values = [getattr(features, name) for name in _BEFORE]
    return orjson.dumps(
        [
            FORM,
            *values,
            officers,
            features.words,
            features.signature.tolist(),
            features.mentions.tolist(),
            features.content.tolist(),
        ]
    )


def load(raw: bytes) -> Features:
    """
    Raises:
        ValueError: another form, or no features at all.
    """
    form, *values = orjson.loads(raw)
    if form == 1:
        values = [*values[:7], [_of_form_1(*officer) for officer in values[7]], *values[8:], []]
    elif form != FORM:
        raise ValueError(f"features of form {form}; form {FORM} is known")
    source_group, wish, force, first, last, places, categories, *rest = values
    officers, words, signature, mentions, content = rest
    return Features(
        source_group,
        wish,
        force,
        first,
        last,
        places,
        categories,
        tuple(map(Officer._make, officers)),
        words,
        packed(signature),
        packed(mentions),
        packed(content),
    )


def _of_form_1(subject: int, *told: Any) -> Sequence[Any]:
    surname, forename, initials, sound, collar_number, force, unit, rank, vehicle, words, first, last = told
    return (
        subject, surname, forename, initials, "", sound, collar_number, force, unit, "", rank, vehicle, (),
        words, first, last,
    )  # fmt: skip


def _interned(officer: Officer) -> Officer:
    subject, *texts, looks, words, seen_from, seen_to = officer
    return Officer._make(
        (
            subject,
            *map(intern, texts),
            tuple(map(intern, looks)),
            tuple(map(intern, words)),
            seen_from,
            seen_to,
        )
    )
