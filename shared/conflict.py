"""Conflict of interest: may the holder of an account learn that a complaint exists?

Not who is a subject of it, who serves in the unit of one, or who cannot be told apart from a subject by what
is known. That means that what is known of both agrees: a name or a collar number says that they may be one,
and nothing else that is known says that they are two. What is not known says nothing: a subject of whom
neither name nor number is told is nobody in particular, and a holder of whom nothing is known is hidden
nothing. How much of what is somebody else's is hidden, and how much of what is one's own is not, is measured
on a simulated stream by `tests/evaluation/shared/test_conflict.py`.

`RULE` goes up with every change of what is hidden, so that no verdict outlives the rule that it was given by.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from itertools import pairwise
from typing import Final

from pydantic import BaseModel, ConfigDict
from rapidfuzz.distance import OSA

from shared.contracts.complaint import SanitisedComplaint, SanitisedSubject
from shared.forenames import initials_of, may_be_one_forename
from shared.wording import contains_words, plain_words

RULE: Final = 2

_UNKNOWN: Final = frozenset({None, "", "unknown"})
_RANKS: Final = frozenset(
    {
        *("pc", "dc", "wpc", "ds", "ps", "sgt", "sergeant", "di", "insp", "inspector", "dci", "ci", "supt"),
        *(
            "superintendent",
            "dsupt",
            "constable",
            "officer",
            "detective",
            "pcso",
            "commander",
            "commissioner",
        ),
    }
)
_HONORIFICS: Final = _RANKS | {
    *("mr", "mrs", "ms", "miss", "dr", "sir", "dame", "lord", "lady", "chief", "police", "special"),
    *("acting", "temporary", "deputy", "assistant"),
}
_SAID_BEFORE_A_NUMBER: Final = _RANKS | {"number", "no", "collar", "shoulder", "badge", "warrant"}
_LEAST_OF_A_NUMBER: Final = 3
"""Characters of a collar number that say something where they are a part of another one."""


class Holder(BaseModel):
    """The police past or present of the person behind an account, as far as the account says."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    force: str | None = None
    unit: str | None = None
    name: str | None = None
    collar_number: str | None = None


def is_in_conflict(holder: Holder, complaints: Iterable[SanitisedComplaint]) -> bool:
    """Whether the holder may be a subject of one of the complaints, or serves in the unit of one."""
    known = _known(holder)
    return any(
        _is_named_in_the_narrative(known, complaint)
        or any(
            _serves_beside(known, subject, force) or _may_be(known, subject, force)
            for subject, force in _described(complaint)
        )
        for complaint in complaints
    )


def _described(complaint: SanitisedComplaint) -> Iterator[tuple[SanitisedSubject, str | None]]:
    """Every subject with its force, or the incident's: another subject's tells nothing about this one."""
    force = complaint.incident.force if complaint.incident is not None else None
    for subject in complaint.subjects:
        yield subject, force if subject.force in _UNKNOWN else subject.force


@dataclass(frozen=True, slots=True)
class _Known:
    """A holder with the words of what is known; `surname` is the last of `name`."""

    force: str | None
    unit: tuple[str, ...]
    name: tuple[str, ...]
    number: str

    @property
    def surname(self) -> str:
        return self.name[-1] if self.name and len(self.name[-1]) > 1 else ""


@lru_cache(maxsize=1024)
def _known(holder: Holder) -> _Known:
    force = None if holder.force in _UNKNOWN else holder.force
    return _Known(force, plain_words(holder.unit), _name(holder.name), _number(holder.collar_number))


# Units


def _serves_beside(holder: _Known, subject: SanitisedSubject, force: str | None) -> bool:
    if not holder.unit or not subject.unit or _agrees(holder.force, force) is False:
        return False
    theirs = plain_words(subject.unit)
    if not theirs:
        return False
    # Without the holder's force: every force has a "CID", but few units have the same name of several words.
    if holder.force is None and min(len(holder.unit), len(theirs)) < 2:
        return False
    return (
        contains_words(holder.unit, theirs)
        or contains_words(theirs, holder.unit)
        or sorted(holder.unit) == sorted(theirs)
    )


# Persons


class _Name(IntEnum):
    """How far two names agree."""

    DIFFERENT = 0
    UNKNOWN = 1
    FORENAME = 2
    INITIALS = 3
    SURNAME = 4
    FULL = 5


def _may_be(holder: _Known, subject: SanitisedSubject, force: str | None) -> bool:
    name = _compared(holder, _name(subject.name))
    same_force = _agrees(holder.force, force)
    if same_force is False:  # people move, and take only their whole name along
        return name is _Name.FULL
    number = _same_number(holder.number, _number(subject.collar_number))
    if number is _Number.SAME and (same_force or name > _Name.DIFFERENT):
        return True  # also under another name: a number has one bearer in a force, names are misheard
    match name:
        case _Name.FULL:
            return True  # also with another number: numbers change
        case _Name.SURNAME | _Name.INITIALS | _Name.FORENAME:
            return number is not _Number.DIFFERENT
        case _Name.UNKNOWN:
            return bool(same_force) and number is _Number.NEAR
        case _Name.DIFFERENT:
            return False


def _agrees(one: str | None, other: str | None) -> bool | None:
    """None where either is not known."""
    if one in _UNKNOWN or other in _UNKNOWN:
        return None
    return one == other


def _compared(holder: _Known, theirs: Sequence[str]) -> _Name:
    mine = holder.name
    if not mine or not theirs:
        return _Name.UNKNOWN
    if all(len(part) == 1 for part in theirs) or all(len(part) == 1 for part in mine):
        return _compared_initials(mine, theirs)
    if not _all_fit(mine, theirs, holder.surname):
        return _Name.DIFFERENT
    if holder.surname and any(_may_be_one_surname(holder.surname, part) for part in theirs if len(part) > 1):
        return _Name.FULL if len(theirs) > 1 and len(mine) > 1 else _Name.SURNAME
    return _Name.FORENAME


def _compared_initials(mine: Sequence[str], theirs: Sequence[str]) -> _Name:
    """The first and the last ones; a single letter, or a single name, says nothing if it fits."""
    if len(mine) == 1 or len(theirs) == 1:
        return _Name.UNKNOWN if _all_fit(mine, theirs, "") else _Name.DIFFERENT
    if not _part_fits(mine[0], theirs[0], "") or mine[-1][0] != theirs[-1][0]:
        return _Name.DIFFERENT
    return _Name.INITIALS


def _name(text: str | None) -> tuple[str, ...]:
    """The parts of a name without ranks and honorifics, "Carrick, David" turned round. Two letters are
    initials, also behind a rank."""
    surname, _, rest = (text or "").partition(",")
    words = plain_words(f"{rest} {surname}")
    named = [word for word in words if word not in _HONORIFICS] or list(words[-1:])
    if len(named) == 1 and len(named[0]) == 2:
        return tuple(named[0])
    return () if named and named[-1] in _HONORIFICS else tuple(named)


def _all_fit(mine: Sequence[str], theirs: Sequence[str], surname: str) -> bool:
    """Whether every part of the shorter name fits a part of the other, each another one."""
    shorter, longer = sorted((mine, theirs), key=len)
    left = list(longer)
    for part in sorted(shorter, key=len, reverse=True):
        fitting = [other for other in left if _part_fits(part, other, surname)]
        if not fitting:
            return False
        left.remove(max(fitting, key=len))
    return True


def _part_fits(one: str, other: str, surname: str) -> bool:
    if len(one) == 1 or len(other) == 1:
        return one[0] in initials_of(other) or other[0] in initials_of(one)
    if surname in {one, other}:
        return _may_be_one_surname(one, other)
    return may_be_one_forename(one, other) or _is_slip(one, other)


def _may_be_one_surname(one: str, other: str) -> bool:
    return one == other or _is_slip(one, other)


def _is_slip(one: str, other: str) -> bool:
    """One slip of the ear or of the hand; in a long word two."""
    shortest = min(len(one), len(other))
    most = 0 if shortest < 4 else 1 if shortest < 7 else 2
    return OSA.distance(one, other, score_cutoff=most) <= most


# Numbers


class _Number(IntEnum):
    DIFFERENT = 0
    UNKNOWN = 1
    NEAR = 2
    SAME = 3


def _number(text: str | None) -> str:
    return "".join(plain_words(text)).lstrip("0")


def _same_number(one: str, other: str) -> _Number:
    """Near is a part of a number, or one with a slip."""
    if not one or not other:
        return _Number.UNKNOWN
    if one == other:
        return _Number.SAME
    shorter, longer = sorted((one, other), key=len)
    is_part = len(shorter) >= _LEAST_OF_A_NUMBER and shorter in longer
    return _Number.NEAR if is_part or _is_slip(one, other) else _Number.DIFFERENT


# What is told freely


def _is_named_in_the_narrative(holder: _Known, complaint: SanitisedComplaint) -> bool:
    """By rank and surname, by the whole name, or by a number that is said to be one."""
    narrative = complaint.narrative.casefold()
    looked_for = [each for each in (holder.surname, holder.number) if each and each in narrative]
    if not looked_for:
        return False
    forces = {subject.force for subject in complaint.subjects} - _UNKNOWN
    if complaint.incident is not None:
        forces |= {complaint.incident.force} - _UNKNOWN
    if holder.force is not None and forces and holder.force not in forces:
        return False
    words = plain_words(complaint.narrative)
    for before, word in pairwise(words):
        if word == holder.surname and (
            before in _RANKS or any(may_be_one_forename(before, part) for part in holder.name[:-1])
        ):
            return True
        if word == holder.number and before in _SAID_BEFORE_A_NUMBER:
            return True
    return False
