"""A second opinion on what the rules leave: how likely a word leads to a private person, by the words around it.

A logistic model over the flags of a word and of its neighbours, which knows no name and no place. It masks nothing:
where it holds something for private that the rules keep, a person looks. `training` makes its weights,
`opinion.json`, out of texts with labels. The share that `likelihood` gives is calibrated on those, not on callers.
"""

import json
import math
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from shared.sanitiser import lexicon as flags_of
from shared.sanitiser.lexicon import (
    CALLER,
    COMMON,
    ENGLISH,
    HARMLESS,
    KIN,
    MONTH,
    PLACE,
    POLICE,
    RANK,
    ROLE,
    TITLE,
    places,
    public_names,
    words,
)
from shared.sanitiser.reading import Reading
from shared.sanitiser.walk import ANY_GIVEN, ANY_NAME, POLICE_WORD, STOP

_FLAGS: Final = tuple(
    (name.lower(), getattr(flags_of, name))
    for name in [
        "GIVEN",
        "RARE_GIVEN",
        "SURNAME",
        "ENGLISH",
        "PLACE",
        "RANK",
        "POLICE",
        "TITLE",
        "KIN",
        "ROLE",
        "CALLER",
        "CALLED",
        "STREET",
        "BUILDING",
        "SCHOOL",
        "ORG",
        "HARMLESS",
        "MONTH",
        "NUMBER",
        "VERB",
        "GREETING",
        "THANKS",
        "COMMON",
        "STRONG",
    ]
)
_NEIGHBOURS: Final = 2
_BEFORE: Final = 8
_AFTER: Final = 5
_LONGEST: Final = 6
_FEWEST_DIGITS: Final = 3
_GROUPS: Final[Mapping[str, frozenset[str]]] = {
    "first": words("i i'm im i've my me mine we our us myself ive"),
    "he": words("he he's hes him his"),
    "she": words("she she's shes her hers"),
    "they": words("they their them they're"),
    "lives": words(
        "live lives lived living stay stays staying moved moves home house flat address resides rents lodges room above"
    ),
    "works": words(
        """work works worked working job shift employed boss manager runs run owns own teach teaches clean cleans nurse chef carer driver
        volunteer volunteers staff employer apprentice business"""
    ),
    "goes": words(
        "goes attends attend attending school college uni class club team plays play sings trains member church mosque"
    ),
    "station": words(
        "station nick custody cells cid response stn court unit squad section beat patrol suite hq based team shift division"
    ),
    "incident": words(
        "stopped outside near arrested seen driving parked happened stop searched pulled walked corner car van cctv scene"
    ),
    "says": words(
        "said says told saw heard witnessed knows asked rang called came went wants will won't can't"
    ),
    "ref": words("ref reference log crime incident cad number no custody case occurrence complaint"),
    "own": words(
        "passport account card licence member dob born nhs ni phone mobile tel text email plate reg"
    ),
}


def candidates(reading: Reading) -> Iterator[tuple[int, int]]:
    """The first and last tokens of everything that may be a name, a place or a code."""
    count = len(reading.words)
    end = -1
    capitals = not reading.is_shouted
    for i, word in enumerate(reading.words):
        if i <= end or not _may_begin(reading, i, capitals=capitals):
            continue
        end = i
        if capitals and word[0].isupper():
            while (
                end + 1 < count
                and end - i < _LONGEST
                and reading.seps[end + 1] in {" ", "-", " & "}
                and reading.words[end + 1][0].isupper()
                and reading.lows[end + 1] not in STOP
                and not reading.flags[end + 1] & RANK
            ):
                end += 1
        yield i, end


def _may_begin(reading: Reading, i: int, *, capitals: bool) -> bool:
    word, low, f = reading.words[i], reading.lows[i], reading.flags[i]
    if word[0] == "[" or low in STOP or f & RANK:
        return False
    if word[0].isdecimal():
        return sum(map(str.isdecimal, word)) >= _FEWEST_DIGITS
    if capitals and word[0].isupper():
        if f & (POLICE | MONTH | HARMLESS | KIN | ROLE | TITLE) and not f & ANY_GIVEN:
            return False
        return not (_starts_sentence(reading, i) and f & COMMON and not f & ANY_GIVEN)
    if not (reading.is_caseless or not f):
        return False
    return (
        len(low) > 2
        and low.isalpha()
        and not f & (POLICE | HARMLESS | KIN | ROLE | TITLE | MONTH | COMMON)
        and (not f & ENGLISH or bool(f & ANY_NAME))
    )


def _starts_sentence(reading: Reading, i: int) -> bool:
    return i == 0 or any(c in ".!?\n:" for c in reading.seps[i])


def features(reading: Reading, first: int, last: int, known: frozenset[str] = frozenset()) -> Iterator[str]:
    """The names of the features that hold for the tokens `first` to `last`. `known` are the names in the form."""
    flags, lows = reading.flags[first : last + 1], reading.lows[first : last + 1]
    word = reading.words[first]
    case = "digit" if word[0].isdecimal() else "title" if word[0].isupper() else "lower"
    if reading.is_shouted:
        case = "shout"
    joined = " ".join(lows)
    yield "bias"
    yield "case " + case
    yield f"length {min(last - first, 3)} {case}"
    yield from ("first " + name + " " + case for name in _names(flags[0]))
    if last > first:
        yield from ("last " + name for name in _names(flags[-1]))
    if joined in places():
        yield "is places"
    if joined in public_names():
        yield "is public"
    if not known.isdisjoint(lows):
        yield "is in form"
    if all(f & (PLACE | HARMLESS) for f in flags):
        yield "all places"
    if word[0].isdecimal():
        yield f"digits {min(sum(map(str.isdecimal, word)), 12)}"
    elif len(word) > 1 and word.isupper():
        yield f"capitals {len(word) < 5}"
    if _starts_sentence(reading, first):
        yield "starts " + case
    for back in range(1, _NEIGHBOURS + 1):
        yield from _neighbour(reading, first - back, f"-{back}")
    for ahead in range(1, _NEIGHBOURS + 1):
        yield from _neighbour(reading, last + ahead, f"+{ahead}")
    yield "sep- " + _sign(reading.seps[first])
    yield "sep+ " + _sign(reading.seps[last + 1])
    yield from _nearby(reading, first, last)


@lru_cache(maxsize=4096)
def _names(flags: int) -> tuple[str, ...]:
    return tuple(name for name, flag in _FLAGS if flags & flag) or ("unknown",)


def _sign(sep: str) -> str:
    return "line" if "\n" in sep else sep.strip()[:1] or "space"


def _neighbour(reading: Reading, i: int, where: str) -> tuple[str, ...]:
    if not 0 <= i < len(reading.words):
        return (where + " edge",)
    low, f = reading.lows[i], reading.flags[i]
    return _of_neighbour(low if f & COMMON or low in STOP else "", f, reading.words[i][0] == "[", where)


@lru_cache(maxsize=16_384)
def _of_neighbour(low: str, flags: int, is_marker: bool, where: str) -> tuple[str, ...]:
    names = [where + " " + low] if low else []
    if flags & ~(ENGLISH | COMMON):
        names += [where + " is " + name for name in _names(flags & ~(ENGLISH | COMMON))]
    if is_marker:
        names.append(where + " marker")
    return tuple(names)


def _nearby(reading: Reading, first: int, last: int) -> Iterator[str]:
    nearest = ""
    found: set[str] = set()
    for i in range(first - 1, max(-1, first - 1 - _BEFORE), -1):
        if any(c in ".!?\n" for c in reading.seps[i + 1]):
            break
        group = _group(reading, i)
        found.update("before " + name for name in group)
        nearest = nearest or next((name for name in group if name in _PEOPLE), "")
    for i in range(last + 1, min(len(reading.words), last + 1 + _AFTER)):
        if any(c in ".!?\n" for c in reading.seps[i]):
            break
        found.update("after " + name for name in _group(reading, i))
    yield from found
    yield "nearest " + nearest


_PEOPLE: Final = frozenset(("first", "he", "she", "they", "police", "kin", "role", "caller"))


def _group(reading: Reading, i: int) -> tuple[str, ...]:
    low = reading.lows[i]
    return _of_group(low if low in _GROUPED else "", reading.flags[i] & (POLICE_WORD | CALLER | KIN | ROLE))


@lru_cache(maxsize=4096)
def _of_group(low: str, flags: int) -> tuple[str, ...]:
    names = [name for name, group in _GROUPS.items() if low in group]
    if flags & POLICE_WORD:
        names.append("police")
    if flags & CALLER:
        names.append("caller")
    elif flags & KIN:
        names.append("kin")
    elif flags & ROLE:
        names.append("role")
    return tuple(names)


_GROUPED: Final = frozenset[str]().union(*_GROUPS.values())


@cache
def _weights() -> dict[str, float]:
    loaded: dict[str, float] = json.loads(
        (Path(__file__).parent / "opinion.json").read_text(encoding="utf-8")
    )["weights"]
    return loaded


def likelihood(
    reading: Reading, first: int, last: int, known: frozenset[str], weights: Mapping[str, float] | None = None
) -> float:
    """How likely the tokens `first` to `last` lead to a private person, from 0 to 1."""
    of = _weights() if weights is None else weights
    total = sum(of.get(name, 0.0) for name in features(reading, first, last, known))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))
