"""What is compared of a complaint, in a compact and frozen form, and its way into bytes and back.

Days are proleptic ordinals (`date.toordinal`), 0 where unknown. Texts are lower-case and without accents;
empty where unknown. Words of the narrative are 32-bit hashes: enough to compare, no text to read.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from itertools import takewhile
from sys import intern
from typing import Final, NamedTuple

import orjson

from services.dedup.domain.narratives import packed

FORM = 1
"""The version of the form that `dump` writes. A form that is not known is indexed again, never guessed."""


class Officer(NamedTuple):
    """One subject who takes part in matching officers.

    `subject` is its index in the complaint. `initials` are those of all forenames, or of the whole name
    where only initials are known (then `surname` is empty).
    """

    subject: int
    surname: str = ""
    forename: str = ""
    initials: str = ""
    sound: str = ""
    collar_number: str = ""
    force: str = ""
    unit: str = ""
    rank: str = ""
    vehicle: str = ""
    description: tuple[str, ...] = ()
    seen_from: int = 0
    seen_to: int = 0

    @property
    def is_named(self) -> bool:
        return bool(self.surname or self.forename or self.initials or self.collar_number)


SURNAME: Final = 1
COLLAR_NUMBER: Final = 2
INITIALS: Final = 4
NAMED: Final = 8
VEHICLE: Final = 16
UNIT: Final = 32


ONLY_WITH_ANOTHER: Final = "only_with_another"
"""The wish of a caller whose complaint is told to nobody until another source's matches the same officer."""


@dataclass(frozen=True, slots=True)
class Features:
    """A complaint as it is compared.

    `identities` and `told` follow from the officers, and are made here once instead of in every comparison:
    most end with them. Two complaints without a common identity have no officer in common. `told` has the
    bits above of what is told of any officer. Texts are interned, for forces, units, places and names come
    again and again, and dedup keeps many features in memory.
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
    identities: tuple[str, ...] = field(init=False, compare=False, repr=False)
    told: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("wish", "force"):
            object.__setattr__(self, name, intern(getattr(self, name)))
        for name in ("places", "categories"):
            object.__setattr__(self, name, tuple(map(intern, getattr(self, name))))
        object.__setattr__(self, "officers", tuple(map(_interned, self.officers)))
        object.__setattr__(self, "identities", tuple(map(intern, dict.fromkeys(_identities(self.officers)))))
        object.__setattr__(self, "told", _told(self.officers))

    @property
    def is_dated(self) -> bool:
        return bool(self.first_day)

    def is_strange_to(self, other: "Features") -> bool:
        """Whether the two have no identity in common."""
        return frozenset(self.identities).isdisjoint(other.identities)


_BEFORE = tuple(takewhile(lambda name: name != "officers", (of.name for of in fields(Features))))


def dump(features: Features) -> bytes:
    """As JSON in the order of the fields; `load` reads it back."""
    officers = [list(officer) for officer in features.officers]
    values = [getattr(features, name) for name in _BEFORE]
    return orjson.dumps(
        [FORM, *values, officers, features.words, features.signature.tolist(), features.mentions.tolist()]
    )


def load(raw: bytes) -> Features:
    """
    Raises:
        ValueError: another form, or no features at all.
    """
    form, *values = orjson.loads(raw)
    if form != FORM:
        raise ValueError(f"features of form {form}; form {FORM} is known")
    source_group, wish, force, first, last, places, categories, officers, words, signature, mentions = values
    return Features(
        source_group, wish, force, first, last, places, categories, tuple(map(Officer._make, officers)),
        words, packed(signature), packed(mentions),
    )  # fmt: skip


def _interned(officer: Officer) -> Officer:
    subject, *texts, description, seen_from, seen_to = officer
    described = tuple(map(intern, description))
    return Officer._make((subject, *map(intern, texts), described, seen_from, seen_to))


def _identities(officers: Iterable[Officer]) -> Iterator[str]:
    """Everything by which `comparing.officers_in_common` takes two officers for the same: they share one."""
    for officer in officers:
        if officer.collar_number:
            yield f"number {officer.collar_number}"
        if officer.surname:
            yield f"sound {officer.sound}"
        elif officer.initials:
            yield f"initials {officer.initials}"


def _told(officers: Iterable[Officer]) -> int:
    told = 0
    for officer in officers:
        told |= (
            (SURNAME if officer.surname else 0)
            | (COLLAR_NUMBER if officer.collar_number else 0)
            | (INITIALS if officer.initials else 0)
            | (NAMED if officer.is_named else 0)
            | (VEHICLE if officer.vehicle else 0)
            | (UNIT if officer.unit else 0)
        )
    return told
