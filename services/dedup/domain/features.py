"""What is compared of a complaint, in a compact and frozen form, and its way into bytes and back.

Days are proleptic ordinals (`date.toordinal`), 0 where unknown. Texts are lower-case and without accents;
empty where unknown. Words of the narrative are 32-bit hashes: enough to compare, no text to read.
"""

from dataclasses import dataclass, fields
from typing import Any

import orjson

FORM = 1
"""The version of the form that `dump` writes. A form that is not known is indexed again, never guessed."""


@dataclass(frozen=True, slots=True)
class Officer:
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


@dataclass(frozen=True, slots=True)
class Features:
    """A complaint as it is compared."""

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

    @property
    def is_dated(self) -> bool:
        return bool(self.first_day)


_OFFICER = tuple(field.name for field in fields(Officer))
_FIELDS = tuple(field.name for field in fields(Features))
_BEFORE, _AFTER = _FIELDS[: _FIELDS.index("officers")], _FIELDS[_FIELDS.index("officers") + 1 :]


def dump(features: Features) -> bytes:
    """As JSON in the order of the fields; `load` reads it back."""
    officers = [[getattr(officer, field) for field in _OFFICER] for officer in features.officers]
    values = [getattr(features, field) for field in _BEFORE]
    after = [getattr(features, field) for field in _AFTER]
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
        tuple(_officer(*officer) for officer in officers), words, tuple(signature), tuple(mentions),
    )  # fmt: skip


def _officer(*values: Any) -> Officer:
    *before, description, seen_from, seen_to = values
    return Officer(*(*before, tuple(description), seen_from, seen_to))
