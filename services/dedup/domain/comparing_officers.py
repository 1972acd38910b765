"""The levels into which two subjects fall, field by field: may they be one officer?

A field that one side lacks has no level: it weighs nothing. Levels are named as the model file names them, in
words for the waterfall. Every comparison is symmetric and looks at nothing but the two.
"""

from functools import lru_cache
from typing import Final

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from services.dedup.domain.features import Features, Officer
from services.dedup.domain.model import load_population
from services.dedup.domain.phonetics import sound_of
from services.dedup.domain.words import FORENAMES, RARE_LOOKS, SHORT_FORMS

_SIMILAR_NAME: Final = 0.9
_LEAST_TYPED: Final = 5
"""Letters of a name in which one wrong letter is more likely a slip than another name."""
_COMMON_SURNAME: Final = 0.002
_KNOWN_SURNAME: Final = 0.0005
_COMMON_FORENAME: Final = 0.005
_DAYS_NEAR: Final = 2 * 365
"""Collar numbers, units and ranks last for some years: after more than two a difference tells little."""
_FREQUENT_DUTIES: Final = frozenset({"response", "neighbourhood", "detectives", "roads"})

Levels = list[tuple[str, str]]
"""(field, level) of each field that both sides have, in the order of fields."""


def compare_officers(
    x: Officer, y: Officer, one: Features, other: Features, name: str | None = None
) -> Levels:
    """The levels of subjects `x` of complaint `one` and `y` of `other`; `name`: their `name_level`, if it is
    known already."""
    observed: Levels = []
    if name := name_level(x, y) if name is None else name:
        observed.append(("name", name))
    if x.collar_number and y.collar_number:
        number = number_level(x.collar_number, y.collar_number)
        if number == "different":
            number = f"different, {_when(x, y, one, other)}"
        elif x.force and y.force and x.force != y.force:
            number = f"{number}, other force"
        observed.append(("collar number", number))
    if x.force and y.force:
        observed.append(("force", "same" if x.force == y.force else "different"))
    if (x.unit or x.duty) and (y.unit or y.duty) and (unit := _unit_level(x.unit, x.duty, y.unit, y.duty)):
        if unit.startswith("other"):
            unit = f"{unit}, {_when(x, y, one, other)}"
        elif x.force and y.force and x.force != y.force:
            unit = f"{unit}, other force"
        observed.append(("unit", unit))
    if x.rank and y.rank:
        observed.append(("rank", _rank_level(x.rank, y.rank)))
    if x.vehicle and y.vehicle:
        observed.append(("vehicle", _vehicle_level(x.vehicle, y.vehicle)))
    if x.looks and y.looks:
        observed.append(("looks", _looks_level(x.looks, y.looks)))
    if x.words and y.words:
        shared = len(set(x.words) & set(y.words))
        observed.append(("description", "two words" if shared > 1 else "one word" if shared else "none"))
    return observed


def name_level(x: Officer, y: Officer) -> str:  # noqa: PLR0911  (one for each kind of answer)
    """ "" where nothing of the names can be compared."""
    if x.either or y.either:
        return _undecided_level(x, y)
    if x.surname and y.surname:
        return _full_level(x, y)
    last, other_last = _last_initial(x), _last_initial(y)
    if x.forename and y.forename:
        if not same_forename(x.forename, y.forename):
            return "other forename"
        known = (
            "" if not (last and other_last) else " and initial" if last == other_last else ", other surname"
        )
        return f"forename{known}, {_rarity_of_forename(x.forename, y.forename)}"
    first, other_first = x.initials[:1], y.initials[:1]
    if (first and other_first and first != other_first) or (last and other_last and last != other_last):
        return "other initials"
    if not (first and other_first):
        return ""
    return "initials" if last and other_last else "one initial"


@lru_cache(maxsize=65536)
def same_forename(one: str, other: str) -> bool:
    """One name, a short form of the other, or short forms of one."""
    if one == other:
        return True
    forms, others = SHORT_FORMS.get(one), SHORT_FORMS.get(other)
    if forms and others and not forms.isdisjoint(others):
        return True
    shorter, longer = (one, other) if len(one) <= len(other) else (other, one)
    return len(shorter) > 3 and longer.startswith(shorter)


def number_level(one: str, other: str) -> str:
    """How two collar numbers agree: callers see parts of them, and leave letters out."""
    if one == other:
        return "same"
    digits, other_digits = _digits(one), _digits(other)
    if digits == other_digits:
        return "same digits" if len(digits) > 2 else "same two digits"
    shorter, longer = sorted((digits, other_digits), key=lambda number: (len(number), number))
    if len(shorter) >= 2 and (longer.startswith(shorter) or longer.endswith(shorter)):
        return "part" if len(shorter) > 2 else "part of two"
    if len(shorter) >= 4 and DamerauLevenshtein.distance(one, other, score_cutoff=1) <= 1:
        return "one digit off"
    return "different"


def _full_level(x: Officer, y: Officer) -> str:
    if x.surname == y.surname:
        agrees, what = _forenames_agree(x, y), "surname"
    elif similar_surname(x.surname, y.surname):
        agrees, what = _forenames_agree(x, y), "similar surname"
    elif (
        x.forename
        and y.forename
        and same_forename(x.forename, y.surname)
        and same_forename(x.surname, y.forename)
    ):
        return "turned round"
    elif x.forename and y.forename and same_forename(x.forename, y.forename):
        return "forename, other surname, " + _rarity_of_forename(x.forename, y.forename)
    else:
        return "different"
    if what == "similar surname":
        return f"{what}{agrees}"
    return f"{what}{agrees}, {_rarity_of_surname(x.surname)}"


def _forenames_agree(x: Officer, y: Officer) -> str:
    if x.forename and y.forename:
        return " and forename" if same_forename(x.forename, y.forename) else ", other forename"
    if x.initials and y.initials:
        return " and initial" if x.initials[0] == y.initials[0] else ", other forename"
    return ""


def _undecided_level(x: Officer, y: Officer) -> str:
    """Of a single word that may be the forename or the surname."""
    if not x.either or (y.either and y.either < x.either):
        x, y = y, x
    word = x.either
    names = (y.either, y.surname, y.forename)
    if word in names:
        return f"one word, {_rarity_of_word(word)}"
    if not any(names):
        return ""
    for name in names:
        if name and same_forename(word, name):
            return "one word, short form"
    for name in names:
        if name and similar_surname(word, name):
            return "one word, similar"
    return "other word" if y.either or (y.surname and y.forename) else "other single word"


@lru_cache(maxsize=65536)
def similar_surname(one: str, other: str) -> bool:
    """Likely one name, misheard or mistyped, or a part of a double name."""
    shorter, longer = (one, other) if len(one) <= len(other) else (other, one)
    if len(shorter) < 2:
        return False
    if JaroWinkler.similarity(one, other, score_cutoff=_SIMILAR_NAME) > 0:
        return True
    if len(shorter) >= _LEAST_TYPED:
        if DamerauLevenshtein.distance(one, other, score_cutoff=1) <= 1:
            return True
        if longer.startswith(shorter) or longer.endswith(shorter):
            return True
    return sound_of(one) == sound_of(other)


def _last_initial(officer: Officer) -> str:
    if officer.surname:
        return officer.surname[0]
    return officer.initials[-1] if len(officer.initials) > 1 else ""


def _rarity_of_word(word: str) -> str:
    share = max(FORENAMES.get(word, 0.0), load_population().share(word))
    return "common" if share >= _COMMON_SURNAME else "known" if share >= _KNOWN_SURNAME else "rare"


def _rarity_of_surname(surname: str) -> str:
    share = load_population().share(surname)
    return "common" if share >= _COMMON_SURNAME else "known" if share >= _KNOWN_SURNAME else "rare"


def _rarity_of_forename(one: str, other: str) -> str:
    share = max(FORENAMES.get(one, 0.0), FORENAMES.get(other, 0.0))
    return "common" if share >= _COMMON_FORENAME else "known" if share else "rare"


@lru_cache(maxsize=16384)
def _digits(number: str) -> str:
    return "".join(c for c in number if c.isdigit())


def _when(x: Officer, y: Officer, one: Features, other: Features) -> str:
    """Whether the two were seen within two years."""
    first, last = x.seen_from or one.first_day, x.seen_to or one.last_day
    other_first, other_last = y.seen_from or other.first_day, y.seen_to or other.last_day
    if not (first and other_first):
        return "at some time"
    gap = max(first, other_first) - min(last or first, other_last or other_first)
    return "near in time" if gap <= _DAYS_NEAR else "years apart"


@lru_cache(maxsize=16384)
def _unit_level(unit: str, duty: str, other_unit: str, other_duty: str) -> str:
    """ "" where one side tells the place alone and the other the duty alone."""
    duties = ""
    if duty and other_duty:
        shared = set(duty.split()) & set(other_duty.split())
        duties = "no" if not shared else "frequent" if shared <= _FREQUENT_DUTIES else "rare"
    if unit and other_unit:
        if unit == other_unit:
            return {"": "same", "no": "same place, other duty"}.get(duties, "same place and duty")
        if set(unit.split()) & set(other_unit.split()):
            return "partly the same"
        return "other place" if duties in ("", "no") else "other place, same duty"
    return {"": "", "no": "other duty", "frequent": "same frequent duty", "rare": "same rare duty"}[duties]


_GRADES: Final = ("constable", "sergeant", "inspector", "superintendent", "chief officer")


def _rank_level(one: str, other: str) -> str:
    if one == other:
        return "both constables" if one == "constable" else "same"
    if one not in _GRADES or other not in _GRADES:
        return "different"
    return "next" if abs(_GRADES.index(one) - _GRADES.index(other)) == 1 else "different"


def _vehicle_level(one: str, other: str) -> str:
    if one == other:
        return "same"
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) >= 3 and longer.startswith(shorter):
        return "beginning"
    if len(shorter) >= 6 and DamerauLevenshtein.distance(one, other, score_cutoff=1) <= 1:
        return "one sign off"
    return "different"


@lru_cache(maxsize=65536)
def _looks_level(one: tuple[str, ...], other: tuple[str, ...]) -> str:
    """Traits that single out count apart; a trait with another value on each side is a conflict."""
    shared = set(one) & set(other)
    traits, others = {look.partition(" ")[0] for look in one}, {look.partition(" ")[0] for look in other}
    agreeing = {look.partition(" ")[0] for look in shared}
    conflicts = len((traits & others) - agreeing)
    rare = len(agreeing & RARE_LOOKS)
    common = len(shared) - rare
    if rare:
        level = "a mark and more" if common else "a mark"
    else:
        level = ("none", "one", "two", "three")[min(common, 3)]
    return f"{level}, a conflict" if conflicts == 1 else f"{level}, conflicts" if conflicts else level
