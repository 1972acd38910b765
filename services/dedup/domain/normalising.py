"""From a sanitised complaint to its features: names, numbers, units, places and words in one spelling.

Nothing is guessed: what does not have the form of a name, number or day is left out, and a missing field
weighs nothing. Pure and stable: the same complaint gives the same features in every process.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date

from services.dedup.domain.features import Features, Officer
from services.dedup.domain.narratives import mentions, signature, words_of
from services.dedup.domain.phonetics import sound_of
from services.dedup.domain.words import (
    COMMON_IN_DESCRIPTIONS,
    COMMON_IN_PLACES,
    COMMON_IN_UNITS,
    PARTICLES,
    SUFFIXES,
    TITLES,
)
from shared.contracts.complaint import SanitisedComplaint, SanitisedSubject

MATCHED_ROLES = frozenset({"accused", "failed_to_act"})

_MOST_OFFICERS = 50
_MOST_PLACES = 6
_MOST_DESCRIPTION = 12


_WORD = re.compile(r"[a-z0-9]+")
_NAME_WORD = re.compile(r"[a-z]+")
_ALPHANUMERIC = re.compile(r"[^a-z0-9]")
_INITIALS = re.compile(r"(?:[A-Z]\.?\s?){1,3}")
_MARKER = re.compile(r"\[[^\]]*\]")
_POST_CODE_TAIL = re.compile(r"\b(\d{5})-\d{4}\b")


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
    )


def name_of(text: str | None) -> tuple[str, str, str]:
    """(surname, forename, initials). "PC David C" has no surname, forename david, initials dc; "DC" and
    "J. K." are initials; "SMITH, John" is turned round."""
    text = _without_markers(text)
    if not text:
        return "", "", ""
    letters = re.sub(r"[^A-Za-z]", "", text)
    if len(letters) <= 2 or _INITIALS.fullmatch(text.strip()):
        return "", "", letters.lower()
    if "," in text:
        before, _, after = text.partition(",")
        text = f"{after} {before}"
    words = [word for word in _NAME_WORD.findall(plain(text.replace("'", "").replace("-", ""))) if word]
    words = [word for word in words if word not in TITLES and word not in SUFFIXES]
    if not words:
        return "", "", ""
    joined = _with_particles(words)
    if len(joined) == 1:
        return (joined[0], "", "") if len(joined[0]) > 1 else ("", "", joined[0])
    *forenames, surname = joined
    initials = "".join(word[0] for word in forenames)
    forename = forenames[0] if len(forenames[0]) > 1 else ""
    if len(surname) == 1:
        return "", forename, initials + surname
    return surname, forename, initials


def collar_number_of(text: str | None) -> str:
    """`1234 AB` as `1234ab`; without leading noughts; empty where it holds no digit."""
    number = _ALPHANUMERIC.sub("", plain(_without_markers(text))).lstrip("0")
    return number if any(character.isdigit() for character in number) else ""


def unit_of(text: str | None) -> str:
    """The telling words of a unit, sorted, once each; a number without its leading noughts."""
    words = _WORD.findall(plain(_without_markers(text)))
    return " ".join(sorted({_number(word) for word in words if word not in COMMON_IN_UNITS}))


def places_of(text: str | None) -> tuple[str, ...]:
    """The telling words of a place. A number takes the word before it along: "beat 713", "district 7"."""
    words = _WORD.findall(_POST_CODE_TAIL.sub(r"\1", plain(_without_markers(text))))
    telling: dict[str, None] = {}
    before = ""
    for word in words:
        if word.isdigit() and len(word) < 5:
            telling[f"{before} {_number(word)}".strip()] = None
        elif word not in COMMON_IN_PLACES and len(word) > 2 and not _is_label(word):
            telling[word] = None
        before = word if word.isalpha() else ""
    return tuple(sorted(telling, key=lambda place: (-_telling(place), place))[:_MOST_PLACES])


def plain(text: str) -> str:
    """Lower case, without accents."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).lower()


def _officer(index: int, subject: SanitisedSubject, force: str) -> Officer:
    surname, forename, initials = name_of(subject.name)
    seen_from, seen_to = _days(subject.seen_from, subject.seen_to)
    return Officer(
        subject=index,
        surname=surname,
        forename=forename,
        initials=initials,
        sound=sound_of(surname),
        collar_number=collar_number_of(subject.collar_number),
        force=_known_force(subject.force) or force,
        unit=unit_of(subject.unit),
        rank=_rank(subject.rank),
        vehicle=_ALPHANUMERIC.sub("", plain(_without_markers(subject.vehicle))),
        description=_telling_words(subject.description, COMMON_IN_DESCRIPTIONS)[:_MOST_DESCRIPTION],
        seen_from=seen_from,
        seen_to=seen_to,
    )


def _with_particles(words: list[str]) -> list[str]:
    """`van der Berg` and `O Brien` are one surname."""
    if len(words) < 2:
        return words
    begin = len(words) - 1
    while begin > 0 and words[begin - 1] in PARTICLES and len(words[-1]) > 1:
        begin -= 1
    return [*words[:begin], "".join(words[begin:])]


# The highest first.
_RANKS = (
    ("chief officer", ("commissioner", "chief constable", "acc", "dcc", "commander")),
    ("superintendent", ("superintendent", "supt", "chief super")),
    ("inspector", ("inspector", "insp", "dci", "di", "lieutenant")),
    ("sergeant", ("sergeant", "sgt", "ds", "ps", "skipper")),
    ("staff", ("pcso", "staff", "civilian", "custody", "detention")),
    ("constable", ("constable", "pc", "dc", "wpc", "officer", "detective")),
)
_NTH_BY_SIGN = {sign: nth for nth, (_, signs) in enumerate(_RANKS) for sign in signs}
_NTH_BY_WORD = {sign: nth for sign, nth in _NTH_BY_SIGN.items() if " " not in sign}
_NTH_BY_WORDS = {sign: nth for sign, nth in _NTH_BY_SIGN.items() if " " in sign}


def _rank(text: str | None) -> str:
    said = plain(_without_markers(text))
    found = [_NTH_BY_WORD[word] for word in _WORD.findall(said) if word in _NTH_BY_WORD]
    found += [nth for sign, nth in _NTH_BY_WORDS.items() if sign in said]
    return _RANKS[min(found)][0] if found else ""


def _without_markers(text: str | None) -> str:
    """Without what the sanitiser put in place of a trace: two removed names are not one name."""
    return _MARKER.sub(" ", text) if text else ""


def _telling_words(text: str | None, common: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted({w for w in _WORD.findall(plain(_without_markers(text))) if w not in common}))


def _is_label(word: str) -> bool:
    return word in {"beat", "district", "sector", "ward", "zone", "postcode"}


def _telling(place: str) -> int:
    """Places with a number in them tell most, then long words."""
    return 100 if any(c.isdigit() for c in place) else len(place)


def _number(word: str) -> str:
    return word.lstrip("0") or "0" if word.isdigit() else word


def _known_force(slug: str | None) -> str:
    return "" if slug in (None, "unknown") else str(slug)


def _days(first: date | None, last: date | None) -> tuple[int, int]:
    """Either may be missing: a beginning alone is that day, so is an end alone."""
    known: Iterable[date] = [day for day in (first, last) if day is not None]
    ordinals = [day.toordinal() for day in known]
    return (min(ordinals), max(ordinals)) if ordinals else (0, 0)
