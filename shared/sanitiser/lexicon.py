"""Words with flags: names, places, ranks, kin and the like, read from the data files in `gazetteers/`.

`lexicon()` maps a word in lower case without accents to the sum of its flags; `places()` holds the places of
more than one word. Both are read at their first use, in about a tenth of a second, and take 30 MiB.
Every file tells its source and licence; `gazetteers/LICENCES.md` has the licences.
"""

import re
from functools import cache
from pathlib import Path
from typing import Final

GIVEN: Final = 1 << 0
RARE_GIVEN: Final = 1 << 1
SURNAME: Final = 1 << 2
ENGLISH: Final = 1 << 3
PLACE: Final = 1 << 4
RANK: Final = 1 << 5
POLICE: Final = 1 << 6
TITLE: Final = 1 << 7
KIN: Final = 1 << 8
ROLE: Final = 1 << 9
CALLER: Final = 1 << 10
PARTICLE: Final = 1 << 11
CALLED: Final = 1 << 12
STREET: Final = 1 << 13
BUILDING: Final = 1 << 14
SCHOOL: Final = 1 << 15
ORG: Final = 1 << 16
HARMLESS: Final = 1 << 17
MONTH: Final = 1 << 18
NUMBER: Final = 1 << 19
VERB: Final = 1 << 20
GREETING: Final = 1 << 21
THANKS: Final = 1 << 22
INTRO: Final = 1 << 23
NICKNAME: Final = 1 << 24
COMMON: Final = 1 << 25
STRONG: Final = 1 << 26  # a given name that is at home in the UK

_SECTIONS: Final = {
    "rank": RANK,
    "police": POLICE,
    "title": TITLE,
    "kin": KIN,
    "role": ROLE,
    "caller": CALLER,
    "particle": PARTICLE,
    "called": CALLED,
    "street": STREET,
    "building": BUILDING,
    "school": SCHOOL,
    "org": ORG,
    "harmless": HARMLESS,
    "month": MONTH,
    "number": NUMBER,
    "verb": VERB,
    "greeting": GREETING,
    "thanks": THANKS,
    "intro": INTRO,
    "nickname": NICKNAME,
}
_FILES: Final = {
    "english.txt": ENGLISH,
    "english_common.txt": COMMON,
    "given_names.txt": GIVEN,
    "given_names_uk.txt": GIVEN | STRONG,
    "given_names_strong.txt": GIVEN | STRONG,
    "given_names_rare.txt": RARE_GIVEN,
    "surnames.txt": SURNAME,
}
_GAZETTEERS: Final = Path(__file__).parent / "gazetteers"
_BY_THE_WATER: Final = ("on-", "upon-", "by-", "next-", "in-", "under-", "le-")
_SECTION: Final = re.compile(r"\[(\w+)\]\Z")


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


@cache
def lexicon() -> dict[str, int]:
    """The flags of every word that has any."""
    flags: dict[str, int] = {}
    for name, flag in _FILES.items():
        for word in " ".join(_lines(name)).split():
            flags[word] = flags.get(word, 0) | flag
    for place in _lines("places.txt") + _lines("places_uk.txt"):
        # `Clacton-on-Sea` is called `Clacton`.
        first, _, rest = place.partition("-")
        word = first if rest.startswith(_BY_THE_WATER) else place
        if " " not in word:
            flags[word] = flags.get(word, 0) | PLACE
    section = 0
    for line in _lines("vocabulary.txt"):
        if found := _SECTION.match(line):
            section = _SECTIONS[found.group(1)]
            continue
        for word in line.split():
            flags[word] = flags.get(word, 0) | section
    return flags


def flags_of_compound(word: str) -> int:
    """The flags of a word that no list has, by its parts: `ellie-mae`, `mbeki-turner`, `o'hanlon`, `mccarthy-jones`."""
    if "-" in word:
        known = lexicon()
        parts = [known.get(part, 0) for part in word.split("-") if part]
        if len(parts) > 1:
            if all(flags & GIVEN and not flags & COMMON for flags in parts):
                return GIVEN | (STRONG if parts[0] & STRONG else 0)
            if all(flags & SURNAME and not flags & COMMON for flags in parts):
                return SURNAME
            if all(flags & ENGLISH for flags in parts):
                return ENGLISH
    elif word.startswith("و"):  # Arabic `and`
        return lexicon().get(word[1:], 0) & (GIVEN | SURNAME)
    elif word[1:2] == "'" and len(word) > 3:
        return lexicon().get(word[2:], 0) & SURNAME
    return 0


@cache
def places() -> frozenset[str]:
    """Places of two words or more, in lower case without accents, with single spaces."""
    return frozenset(place for place in _lines("places.txt") + _lines("places_uk.txt") if " " in place)


@cache
def public_names() -> frozenset[str]:
    """Names of figures of fiction, history and public life, which name nobody of a complaint."""
    return frozenset(line for line in _lines("public_names.txt"))


def _lines(name: str) -> list[str]:
    text = (_GAZETTEERS / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]
