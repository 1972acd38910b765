"""From a sanitised complaint to its features: names, numbers, units, places and words in one spelling.

Nothing is guessed: what does not have the form of a name, number or day is left out, answers that are none
are missing, and a missing field weighs nothing. Pure and stable: the same complaint gives the same features
in every process.
"""

import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache

from services.dedup.domain.features import Features, Officer
from services.dedup.domain.folding import fold, is_unanswered, words_in
from services.dedup.domain.names import name_of
from services.dedup.domain.narratives import content, mentions, signature, words_of
from services.dedup.domain.phonetics import sound_of
from services.dedup.domain.words import (
    COMMON_IN_DESCRIPTIONS,
    COMMON_IN_PLACES,
    COMMON_IN_UNITS,
    DUTIES,
    LABELS,
    LOOKS,
    NOT_IN_NUMBERS,
    STREET_TYPES,
    UNANSWERED,
)
from shared.contracts.complaint import SanitisedComplaint, SanitisedSubject

MATCHED_ROLES = frozenset({"accused", "failed_to_act"})

_MOST_OFFICERS = 50
_MOST_PLACES = 6
_MOST_WORDS = 8

_POST_CODE_TAIL = re.compile(r"\b(\d{5})-\d{4}\b")
# What stands for a digit that was not seen, at either end of a number.
_UNSEEN = re.compile(r"^(?:[?*.#_-]|x{2,})+|(?:[?*.#_-]|x{2,})+$")
_NUMBER = re.compile(r"(?<![a-z])(?:[a-z]{1,3}[ -]?)?\d+(?: ?\d+)*(?:[ -]?[a-z]{1,3}(?![a-z]))?")
# "PC4471": the rank is no part of the number.
_LETTERS_THEN_DIGITS = re.compile(r"\b(?:pcso|wpc|pc|ps|sgt)(?=\d)")
# Current, prefix, suffix and Northern Irish plates, and the beginning of a current one.
_PLATE = re.compile(
    r"\b(?:([a-z]{2}[ -]?[0-9oi]{2}[ -]?[a-z]{3})|([a-z]\d{1,3}[ -]?[a-z]{3})"
    r"|([a-z]{3}[ -]?\d{1,4}(?:[ -]?[a-z])?)|([a-z]{2}[ -]?\d{2}))\b"
)
_CURRENT_PLATE = 7


def features_of(complaint: SanitisedComplaint, source_group: str) -> Features:
    """The features of one complaint."""
    incident = complaint.incident
    force = _known_force(incident.force if incident else None)
    first, last = _days(incident.from_ if incident else None, incident.to if incident else None)
    words = words_of(complaint.narrative)
    return Features(
        source_group=source_group,
        wish=complaint.wish,
        force=force,
        first_day=first,
        last_day=last,
        places=places_of(incident.place if incident else None),
        categories=tuple(sorted({allegation.code for allegation in complaint.allegations})),
        officers=tuple(
            _officer(index, subject, force)
            for index, subject in enumerate(complaint.subjects[:_MOST_OFFICERS])
            if subject.role in MATCHED_ROLES
        ),
        words=len(words),
        signature=signature(words),
        mentions=mentions(complaint.narrative),
        content=content(words),
    )


def collar_number_of(text: str | None) -> str:
    """`1234 AB` as `1234ab`, without leading noughts and signs for what was not seen; empty where it holds no
    digit, or noughts or nines alone (999 is the emergency number, not an officer's)."""
    folded = fold(text)
    if not folded or is_unanswered(folded):
        return ""
    folded = _LETTERS_THEN_DIGITS.sub(" ", folded.partition(" or ")[0])
    parts = [_UNSEEN.sub("", part) for part in folded.split()]
    found = _NUMBER.search(" ".join(part for part in parts if part and part not in NOT_IN_NUMBERS))
    number = "".join(words_in(found[0])).lstrip("0") if found else ""
    return "" if not set(number) - {"9"} and len(number) > 2 else number


@lru_cache(maxsize=8192)
def unit_of(text: str | None) -> tuple[str, str]:
    """(telling words, duties) of a unit, each sorted and once; a number without its leading noughts. "Hove
    nick" and "Hove Police Station" are one unit, "999 team" and "response" one duty."""
    folded = fold(text)
    if not folded or is_unanswered(folded):
        return "", ""
    telling, duties = set(), set()
    for word in words_in(folded):
        if (duty := DUTIES.get(word)) is not None:
            duties.add(duty)
        elif word not in COMMON_IN_UNITS and word not in UNANSWERED:
            telling.add(_number(word))
    return " ".join(sorted(telling)), " ".join(sorted(duties))


@lru_cache(maxsize=8192)
def places_of(text: str | None) -> tuple[str, ...]:
    """The telling words of a place. A street is one, whichever way it is written ("station road" of "Station
    Rd"), and so is a number with its label ("beat-713"); the rest are words of their own."""
    folded = _POST_CODE_TAIL.sub(r"\1", fold(text))
    if not folded or is_unanswered(folded):
        return ()
    streets: dict[str, None] = {}
    others: dict[str, None] = {}
    before = ""
    words = words_in(folded)
    for word, following in zip(words, (*words[1:], ""), strict=True):
        # In "Leeds Station Road" the station is a name.
        street = None if following in _ROADS else STREET_TYPES.get(word)
        if street is not None and before and before not in _NO_STREET:
            others.pop(before, None)
            streets[f"{before} {street}"] = None
            before = ""
        elif word.isdigit() and len(word) < 5:
            if before in LABELS:
                others[f"{before}-{_number(word)}"] = None
            before = ""
        else:
            if (
                word not in COMMON_IN_PLACES
                and len(word) > 2
                and word not in LABELS
                and following not in _ROADS
            ):
                others[word] = None
            before = word
    return (*sorted(streets), *sorted(others, key=lambda word: (-len(word), word)))[:_MOST_PLACES]


def vehicle_of(text: str | None) -> str:
    """The number plate in a text, or its beginning; empty where there is none. In a current plate an O or I
    in place of a digit is the digit."""
    found = _PLATE.search(fold(text))
    if not found:
        return ""
    plate = re.sub(r"[ -]", "", found[0])
    if len(plate) == _CURRENT_PLATE and found[1]:
        plate = plate[:2] + plate[2:4].replace("o", "0").replace("i", "1") + plate[4:]
    return plate if any(c.isdigit() for c in plate) else ""


@lru_cache(maxsize=8192)
def description_of(text: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(looks, other telling words), each sorted: "shaved head, limps" has the looks "hair none", "mark
    limp"."""
    folded = fold(text)
    if not folded or is_unanswered(folded):
        return (), ()
    looks, words = set(), set()
    for word in words_in(folded.replace("-", "")):
        if (look := LOOKS.get(word)) is not None:
            looks.add(look)
        elif word not in COMMON_IN_DESCRIPTIONS and word not in UNANSWERED and len(word) > 2:
            words.add(word)
    return tuple(sorted(looks)), tuple(sorted(words)[:_MOST_WORDS])


def _officer(index: int, subject: SanitisedSubject, force: str) -> Officer:
    name = name_of(subject.name)
    unit, duty = unit_of(subject.unit)
    looks, words = description_of(subject.description)
    seen_from, seen_to = _days(subject.seen_from, subject.seen_to)
    return Officer(
        subject=index,
        surname=name.surname,
        forename=name.forename,
        initials=name.initials,
        either=name.either,
        sound=sound_of(name.surname or name.either),
        collar_number=collar_number_of(subject.collar_number) or collar_number_of(name.number),
        force=_known_force(subject.force) or force,
        unit=unit,
        duty=duty,
        rank=rank_of(subject.rank) or rank_of(subject.name),
        vehicle=vehicle_of(subject.vehicle),
        looks=looks,
        words=words,
        seen_from=seen_from,
        seen_to=seen_to,
    )


# The highest first.
_RANKS = (
    ("chief officer", ("commissioner", "chief constable", "acc", "dcc", "commander")),
    ("superintendent", ("superintendent", "supt", "chief super", "dsupt", "csupt", "dcs")),
    ("inspector", ("inspector", "insp", "dci", "di", "lieutenant")),
    ("sergeant", ("sergeant", "sgt", "ds", "ps", "skipper", "sarge", "dsgt")),
    ("staff", ("pcso", "staff", "civilian", "detention")),
    ("constable", ("constable", "pc", "dc", "wpc", "officer", "detective", "tdc")),
)
_NTH_BY_SIGN = {sign: nth for nth, (_, signs) in enumerate(_RANKS) for sign in signs}
_NTH_BY_WORD = {sign: nth for sign, nth in _NTH_BY_SIGN.items() if " " not in sign}
_NTH_BY_WORDS = {sign: nth for sign, nth in _NTH_BY_SIGN.items() if " " in sign}


@lru_cache(maxsize=8192)
def rank_of(text: str | None) -> str:
    """The grade of the highest rank in a text: acting and temporary ranks count, for people call them so."""
    said = fold(text)
    found = [_NTH_BY_WORD[word] for word in words_in(said) if word in _NTH_BY_WORD]
    found += [nth for sign, nth in _NTH_BY_WORDS.items() if sign in said]
    return _RANKS[min(found)][0] if found else ""


# "the street", "police station" and "my road" are no streets.
_NO_STREET = frozenset(
    {
        "the", "a", "an", "in", "on", "at", "of", "near", "my", "our", "outside", "by", "police", "main",
        "same", "this", "that", "from", "to", "and", "behind", "opposite", "town", "city", "village",
        "shopping", "leisure", "community", "sports", "health",
    }
)  # fmt: skip
_ROADS = frozenset(
    word for word, street in STREET_TYPES.items() if street in ("road", "street", "lane", "avenue")
)


def _number(word: str) -> str:
    return word.lstrip("0") or "0" if word.isdigit() else word


def _known_force(slug: str | None) -> str:
    return "" if slug in (None, "unknown") else str(slug)


def _days(first: date | None, last: date | None) -> tuple[int, int]:
    """Either may be missing: a beginning alone is that day, so is an end alone."""
    known: Iterable[date] = [day for day in (first, last) if day is not None]
    ordinals = [day.toordinal() for day in known]
    return (min(ordinals), max(ordinals)) if ordinals else (0, 0)
