"""The levels into which two complaints, or two subjects, fall, field by field.

A field that one side lacks has no level: it weighs nothing. The names of the levels are those of the model
file. Every comparison is symmetric.
"""

from collections.abc import Iterable, Sequence

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from services.dedup.domain.features import (
    COLLAR_NUMBER,
    INITIALS,
    NAMED,
    SURNAME,
    UNIT,
    VEHICLE,
    Features,
    Officer,
)
from services.dedup.domain.narratives import similarity

MISSING = "missing"
"""The level of a field that one side lacks, in the conditions of the model; it weighs nothing."""

_SIMILAR_NAME = 0.9
_YEARS_NEAR = 2
_DAYS_A_YEAR = 365

_STRENGTH = {"number and name": 6, "full name": 5, "number": 4, "surname": 3, "similar": 2, "initials": 1}


def compare_incidents(
    one: Features, other: Features, common: Sequence[tuple[int, int, str]]
) -> dict[str, str]:
    """`common` is what `officers_in_common` found."""
    observed: dict[str, str] = {}
    told = one.told & other.told
    if (day := day_level(one, other)) != MISSING:
        observed["day"] = day
    if (officers := officers_level(told, common)) != MISSING:
        observed["officers"] = officers
    if told & UNIT:
        observed["unit"] = _unit_level(one.officers, other.officers)
    if one.places and other.places:
        observed["place"] = _shared(set(one.places), set(other.places))
    if one.force and other.force:
        observed["force"] = "same" if one.force == other.force else "different"
    if one.categories and other.categories:
        observed["category"] = _category_level(one.categories, other.categories)
    text = similarity(one.signature, other.signature)
    if text is not None:
        observed["narrative"] = _banded(text, (("same", 0.5), ("much", 0.2), ("some", 0.08)), "other")
    if one.mentions and other.mentions:
        shared = len(set(one.mentions) & set(other.mentions))
        observed["mentions"] = _banded(shared, (("three", 3), ("two", 2), ("one", 1)), "none")
    if told & VEHICLE:
        observed["vehicle"] = _vehicle_level(one.officers, other.officers)
    return observed


def day_level(one: Features, other: Features) -> str:
    """How far two times lie apart. A long time that overlaps is no better than a week."""
    first, last, other_first, other_last = one.first_day, one.last_day, other.first_day, other.last_day
    if not first or not other_first:
        return MISSING
    gap = max(first - other_last, other_first - last)
    # In the order of their frequency: most pairs lie apart.
    if gap > 31:
        return "apart"
    length = max(last - first, other_last - other_first)
    if gap <= 0 and length == 0:
        return "same"
    if gap <= 1 and length <= 3:
        return "next"
    return "week" if gap <= 7 and length <= 31 else "month"


def overlap(one: Features, other: Features) -> bool:
    """Whether the times of both have a day in common, as far as they are known."""
    if not one.first_day or not other.first_day:
        return True
    return one.first_day <= other.last_day and other.first_day <= one.last_day


def officers_in_common(
    one: Sequence[Officer], other: Sequence[Officer], *, at_least_similar: bool = False
) -> list[tuple[int, int, str]]:
    """(place in one, place in other, level) of officers who may be the same, the likeliest first, none twice.
    There are none where the complaints share no identity (`Features.identities`).

    With `at_least_similar` every such pair, in any order, without initials alone.
    """
    found = [
        (i, j, level) for i, x in enumerate(one) for j, y in enumerate(other) if (level := _identity(x, y))
    ]
    if at_least_similar:
        return [pair for pair in found if pair[2] != "initials"]
    if len(found) < 2:
        return found
    found.sort(key=lambda pair: (-_STRENGTH[pair[2]], _name_of(one[pair[0]]), pair))
    taken_one: set[int] = set()
    taken_other: set[int] = set()
    chosen = []
    for i, j, level in found:
        if i not in taken_one and j not in taken_other:
            taken_one.add(i)
            taken_other.add(j)
            chosen.append((i, j, level))
    return chosen


def compare_officers(x: Officer, y: Officer, one: Features, other: Features) -> dict[str, str]:
    observed: dict[str, str] = {"gap": _gap(x, y, one, other)}
    if x.surname and y.surname:
        observed["surname"] = _surname_level(x, y)
    forename = _forename_level(x, y)
    if forename:
        observed["forename"] = forename
    if x.collar_number and y.collar_number:
        observed["collar number"] = _number_level(x.collar_number, y.collar_number)
    if x.force and y.force:
        observed["force"] = "same" if x.force == y.force else "different"
    if x.unit and y.unit:
        observed["unit"] = _shared(set(x.unit.split()), set(y.unit.split()))
    if x.rank and y.rank:
        observed["rank"] = "same" if x.rank == y.rank else "different"
    if x.vehicle and y.vehicle:
        observed["vehicle"] = "same" if x.vehicle == y.vehicle else "different"
    if x.description and y.description:
        observed["description"] = _shared(set(x.description), set(y.description))
    return observed


def _identity(x: Officer, y: Officer) -> str:
    """How two officers may be the same, "" where nothing says so."""
    number = bool(x.collar_number) and x.collar_number == y.collar_number
    if number:
        return "number and name" if x.surname and x.surname == y.surname else "number"
    if x.surname and y.surname:
        if x.sound != y.sound or not _initials_fit(x, y):
            return ""
        if x.surname != y.surname:
            return "similar"
        return "full name" if x.forename and x.forename == y.forename else "surname"
    if not x.surname and not y.surname and len(x.initials) > 1 and x.initials == y.initials:
        return "initials"
    return ""


def officers_level(told: int, common: Sequence[tuple[int, int, str]]) -> str:
    """`told`: what both complaints tell of their officers; `common` is what `officers_in_common` found."""
    if not told & NAMED:
        return MISSING
    if sum(_STRENGTH[level] >= _STRENGTH["surname"] for _, _, level in common) > 1:
        return "several"
    if common:
        return common[0][2]
    return "other" if told & (SURNAME | COLLAR_NUMBER | INITIALS) else MISSING


def _unit_level(one: Iterable[Officer], other: Iterable[Officer]) -> str:
    units, others = {o.unit for o in one if o.unit}, {o.unit for o in other if o.unit}
    return "same" if units & others else "different"


def _vehicle_level(one: Iterable[Officer], other: Iterable[Officer]) -> str:
    vehicles, others = {o.vehicle for o in one if o.vehicle}, {o.vehicle for o in other if o.vehicle}
    return "same" if vehicles & others else "different"


def _category_level(one: Sequence[str], other: Sequence[str]) -> str:
    if set(one) & set(other):
        return "same"
    strands = {code.partition(".")[0] for code in one} & {code.partition(".")[0] for code in other}
    return "strand" if strands else "different"


def _surname_level(x: Officer, y: Officer) -> str:
    if x.surname == y.surname:
        return "same"
    if (
        x.sound == y.sound
        or JaroWinkler.similarity(x.surname, y.surname, score_cutoff=_SIMILAR_NAME) > 0
        or (len(x.surname) > 4 and DamerauLevenshtein.distance(x.surname, y.surname, score_cutoff=1) <= 1)
    ):
        return "similar"
    return "different"


def _forename_level(x: Officer, y: Officer) -> str:
    if x.forename and y.forename:
        if x.forename == y.forename:
            return "same"
        shorter, longer = sorted((x.forename, y.forename), key=len)
        if len(shorter) > 2 and longer.startswith(shorter):
            return "short form"
        return "initial" if x.forename[0] == y.forename[0] else "different"
    if x.initials and y.initials:
        return "initial" if x.initials[0] == y.initials[0] else "different"
    return ""


def _initials_fit(x: Officer, y: Officer) -> bool:
    return not x.initials or not y.initials or x.initials[0] == y.initials[0]


def _number_level(one: str, other: str) -> str:
    if one == other:
        return "same"
    if min(len(one), len(other)) >= 2 and (one in other or other in one):
        return "part"
    if min(len(one), len(other)) >= 4 and DamerauLevenshtein.distance(one, other, score_cutoff=1) <= 1:
        return "one digit"
    return "different"


def _gap(x: Officer, y: Officer, one: Features, other: Features) -> str:
    """Whether the two were seen within two years. Numbers, units and ranks change."""
    first, last = x.seen_from or one.first_day, x.seen_to or one.last_day
    other_first, other_last = y.seen_from or other.first_day, y.seen_to or other.last_day
    if not (first and other_first):
        return MISSING
    gap = max(first, other_first) - min(last or first, other_last or other_first)
    return "near" if gap <= _YEARS_NEAR * _DAYS_A_YEAR else "far"


def _shared(one: set[str], other: set[str]) -> str:
    shared = len(one & other)
    if not shared:
        return "different"
    return "same" if shared == min(len(one), len(other)) or shared > 1 else "some"


def _banded(value: float, levels: Sequence[tuple[str, float]], below: str) -> str:
    return next((name for name, least in levels if value >= least), below)


def _name_of(officer: Officer) -> tuple[str, str, str]:
    return officer.surname, officer.forename, officer.collar_number
