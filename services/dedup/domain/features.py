"""What is compared of a complaint, in a compact and frozen form, and its way into bytes and back.

Days are proleptic ordinals (`date.toordinal`), 0 where unknown. Texts are lower-case and without accents;
empty where unknown. Words of the narrative are 32-bit hashes: enough to compare, no text to read.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any, Final, NamedTuple

import orjson

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


@dataclass(frozen=True, slots=True)
class Features:
    """A complaint as it is compared.

    `identities` and `told` follow from the officers, and are made here once instead of in every comparison:
    most end with them. Two complaints without a common identity have no officer in common. `told` has the
    bits above of what is told of any officer.
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
    signature: tuple[int, ...]
    mentions: tuple[int, ...]
    identities: frozenset[str] = field(init=False, compare=False, repr=False)
    told: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "identities", frozenset(_identities(self.officers)))
        object.__setattr__(self, "told", _told(self.officers))

    @property
    def is_dated(self) -> bool:
        return bool(self.first_day)


_FIELDS = tuple(of.name for of in fields(Features) if of.init)
_BEFORE, _AFTER = _FIELDS[: _FIELDS.index("officers")], _FIELDS[_FIELDS.index("officers") + 1 :]


def dump(features: Features) -> bytes:
    """As JSON in the order of the fields; `load` reads it back."""
    officers = [list(officer) for officer in features.officers]
    values = [getattr(features, name) for name in _BEFORE]
    after = [getattr(features, name) for name in _AFTER]
    return orjson.dumps([FORM, *values, officers, *after])


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
        source_group, wish, force, first, last, tuple(places), tuple(categories),
        tuple([_officer(*officer) for officer in officers]), words, tuple(signature), tuple(mentions),
    )  # fmt: skip


def _officer(*values: Any) -> Officer:
    *before, description, seen_from, seen_to = values
    return Officer._make((*before, tuple(description), seen_from, seen_to))


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
