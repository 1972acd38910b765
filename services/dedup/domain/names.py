"""The parts of an officer's name as a caller tells it: perhaps a forename alone, initials, a rank in front.

A single word may be a forename or a surname. How many people bear it as either decides where one side
outweighs the other by more than `DECISIVE`; else it stays undecided and can agree with either.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from services.dedup.domain.folding import fold, is_unanswered, words_in
from services.dedup.domain.model import load_population
from services.dedup.domain.words import (
    ABBREVIATED_RANKS,
    DESCRIBING,
    FORENAMES,
    NAMES_LIKE_TITLES,
    PARTICLES,
    PERSONS,
    SUFFIXES,
    TITLES,
    UNANSWERED,
)

DECISIVE: Final = 4.0
"""Measured in 7-matching.md: below this ratio either reading is wrong too often."""
_MOST_INITIALS: Final = 3

_PARENTHESES = re.compile(r"[(\[{][^)\]}]*[)\]}]?")
# "Brown from Hove nick", "a man in uniform".
_BESIDE = re.compile(r"\s(?:in|with|who|from|at|of)\s")
# "a/sgt", "t/dc", "d/insp": an acting, temporary or detective rank.
_ACTING = re.compile(r"(?<![\w])[atdcps]{1,2}\s*/\s*(?=[a-z])")
_DOTTED = re.compile(r"(?<![\w.])((?:[a-z]\.\s?){1,4}[a-z]?)(?![\w])")
_DASHES = re.compile(r"\s*[-\u00ad\u2010-\u2015\u2212\u2043\ufe58\ufe63\uff0d]\s*")
_INITIALS = re.compile(r"[A-Z]{2}|(?:[A-Z]\.?\s?){1,3}")


class Name(NamedTuple):
    """Each part is empty where it is unknown.

    Attributes:
        initials: of all forenames, or of the whole name where only initials are known (no `surname` then).
        either: a single word that may be the forename or the surname; both of these are empty then.
        number: a collar number that stood in the name.
    """

    surname: str = ""
    forename: str = ""
    initials: str = ""
    either: str = ""
    number: str = ""


@lru_cache(maxsize=8192)
def name_of(text: str | None) -> Name:
    """ "PC David C" has no surname, forename david, initials dc; "DC" and "J. K." are initials; "SMITH,
    John" is turned round; "PC 4471 Brockway (Hampshire)" is Brockway, number 4471."""
    folded = _without_short_ranks(_BESIDE.split(_PARENTHESES.sub(" ", fold(text)))[0])
    if not folded.strip() or is_unanswered(folded):
        return Name()
    if _are_initials(text or ""):
        letters = "".join(words_in(folded))
        return Name() if letters in ("pc", "ps") else Name(initials=letters)
    before, comma, after = folded.partition(",")
    if comma and (turned := _without_titles(_words(before))) and (first := _without_titles(_words(after))):
        return _of_words(_named([*first, *turned]), is_turned=True)
    return _of_words(_named(_without_titles(_words(folded))), is_turned=False)


def _are_initials(text: str) -> bool:
    letters = re.sub(r"[^A-Za-z]", "", text)
    return text.isascii() and (len(letters) <= 2 or bool(_INITIALS.fullmatch(text.strip())))


def _without_short_ranks(folded: str) -> str:
    """ "p.c. brown" and "a/sgt brown" with the rank as one word."""
    folded = _ACTING.sub(" ", folded)

    def joined(match: re.Match[str]) -> str:
        letters = re.sub(r"[.\s]", "", match[1])
        return f"{letters} " if letters in TITLES else match[0]

    return _DOTTED.sub(joined, folded)


def _words(folded: str) -> list[str]:
    # A double name is one word, with whatever dash it is written.
    return words_in(_DASHES.sub("", folded))


def _without_titles(words: list[str]) -> list[str]:
    """Titles stand at the beginning: "John Constable" has a surname, and so has "PC Constable"."""
    rest = words
    while rest and (rest[0] in TITLES or rest[0].isdigit()) and not (len(rest) == 1 and rest[0].isdigit()):
        if rest[0].isdigit() and not any(word.isalpha() for word in rest):
            break
        if rest[0].isdigit():
            # A number between rank and name stays; it is taken out as a collar number.
            return [rest[0], *_without_titles(rest[1:])]
        rest = rest[1:]
    if not rest and len(words) > 1 and words[-1] in NAMES_LIKE_TITLES and words[0] in ABBREVIATED_RANKS:
        return words[-1:]
    return rest


def _named(words: list[str]) -> tuple[list[str], str]:
    """(words of the name, collar number)."""
    number = ""
    named = []
    for place, word in enumerate(words):
        if any(c.isdigit() for c in word):
            number = number or (word.lstrip("0") if len(word) > 1 else "")
        elif word not in SUFFIXES or (place == 0 and len(words) == 1):
            named.append(word)
    if named and all(word in PERSONS or word in DESCRIBING or word in UNANSWERED for word in named):
        # "White officer" is a description; "White" and "Short" after a rank are names.
        is_name = len(named) == 1 and (named[0] in NAMES_LIKE_TITLES or named[0] not in PERSONS | UNANSWERED)
        named = named if is_name else []
    return named, number


def _of_words(told: tuple[list[str], str], *, is_turned: bool) -> Name:
    words, number = told
    joined = _with_particles(words)
    if not joined:
        return Name(number=number)
    if len(joined) == 1:
        is_surname = len(words) > 1 or joined[0] in NAMES_LIKE_TITLES
        return Name(joined[0], number=number) if is_surname else _single(joined[0])._replace(number=number)
    *forenames, surname = joined
    if not is_turned and _is_forename(surname) and not _may_be_forename(forenames[0]):
        forenames, surname = [surname], forenames[0]
    initials = "".join(word[0] for word in forenames)[:_MOST_INITIALS]
    forename = forenames[0] if len(forenames[0]) > 1 else ""
    if len(surname) == 1:
        return Name("", forename, initials[:1] + surname, "", number)
    return Name(surname, forename, initials, "", number)


def _single(word: str) -> Name:
    if len(word) == 1:
        return Name(initials=word)
    forename, surname = FORENAMES.get(word, 0.0), load_population().shares.get(word, 0.0)
    if not forename and not surname:
        # Neither list has it: rare forenames are told alone as rare surnames are.
        return Name(either=word)
    if surname > DECISIVE * forename:
        return Name(surname=word)
    if surname * DECISIVE < forename:
        return Name(forename=word, initials=word[0])
    return Name(either=word)


def _is_forename(word: str) -> bool:
    return bool(_single(word).forename)


def _may_be_forename(word: str) -> bool:
    return len(word) == 1 or word in FORENAMES


def _with_particles(words: list[str]) -> list[str]:
    """`van der Berg` and `O Brien` are one surname."""
    if len(words) < 2:
        return words
    begin = len(words) - 1
    while begin > 0 and words[begin - 1] in PARTICLES and len(words[-1]) > 1:
        begin -= 1
    if begin == 0 and words[0] not in FORENAMES:
        return ["".join(words)]
    if begin == 0:
        begin = 1
    return [*words[:begin], "".join(words[begin:])]
