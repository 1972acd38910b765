"""Dates of birth, in figures and in words."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from shared.sanitiser.lexicon import (
    GIVEN,
    HARMLESS,
    ORG,
    PLACE,
    POLICE,
    RANK,
    RARE_GIVEN,
    STREET,
    SURNAME,
    words,
)
from shared.sanitiser.lexicon import MONTH as MONTH_WORD
from shared.sanitiser.reading import Reading, Span

MONTH: Final = (
    "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|ionawr|chwefror|mawrth|ebrill|mai|mehefin|gorffennaf|awst|medi"
    r"|hydref|tachwedd|rhagfyr)\b"
)
_ORDINAL: Final = (
    "(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth"
    "|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|twentieth|thirtieth"
    "|twenty[ -](?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)|thirty[ -]first)"
)
_TENS: Final = "(?:twenty|thirty|forty|fourty|fifty|sixty|seventy|eighty|ninety)"
_UNIT: Final = "(?:one|two|three|four|five|six|seven|eight|nine)"
_TEENS: Final = "(?:ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen)"
_YEAR: Final = (
    rf"(?:(?:nineteen|twenty|two thousand(?: and)?)(?:[ -](?:oh[ -])?(?:{_TENS}|{_TEENS}|{_UNIT}))?(?:[ -]{_UNIT})?"
    rf"|{_TENS}(?:[ -]{_UNIT})?|(?:19|20)?[0-9]{{2}}\b|'[0-9]{{2}}\b)"
)
_CARDINAL: Final = rf"(?:{_TEENS}|(?:twenty|thirty)(?:[ -]{_UNIT})?|{_UNIT})"
_DAY: Final = rf"(?:[0-9]{{1,2}}(?:st|nd|rd|th)?\b|{_ORDINAL}|{_CARDINAL}\b)"
_SOME_DAY: Final = (
    r"(?:[0-9]{1,4}\s?[/.\- ]\s?[0-9]{1,2}\s?[/.\- ]\s?[0-9]{1,4}|[0-9]{6,8}\b"
    rf"|{_DAY}(?: day)?(?: of)?,? (?:the )?(?:{MONTH}|{_ORDINAL}|[0-9]{{1,2}}(?:st|nd|rd|th))(?:,? (?:of )?{_YEAR})?"
    rf"|{MONTH} (?:the )?{_DAY}(?:,? (?:of )?{_YEAR})?|{MONTH} [0-9]{{4}}\b)"
)
_HINTS: Final = words(
    "birth birthdate birthday born dob geni urodzony urodzona urodzil urodzilam urodzilem nascut nascuta nacido nacida naci nascido nascida nasci dogum dogumlu"
)
_BIRTH: Final = re.compile(
    r"\b(?:date of birth|d\.?o\.?b\b\.?|birth ?date|birthday|born|(?:dyddiad )?geni|urodz\w{0,20}|nascut\w{0,20}|naci\w{0,20}|nasci\w{0,20}|dogum\w{0,20})"
    r"(?:[\s:=,?(\-]|\bis\b|\bwas\b|\bon\b|\bin\b|\bthe\b|\bme\b|\bcaller\b|\bar\b|\bpe\b|\bel\b|\bem\b"
    r"|\bof\b|\bgiven\b|\band\b|\bi\b|\bi'm\b|\bsays\b|\bsaid\b|\bsaying\b|\bit's\b|\bits\b|\bas\b|\bhe\b|\bshe\b|\ba\b){0,12}"
    rf"({_SOME_DAY})"
)
_BEFORE: Final = re.compile(
    rf"({_SOME_DAY})[ ,(\-]{{1,3}}(?:is )?(?:my|her|his|their)? ?(?:date of birth|d\.?o\.?b\b|birthday)"
)
_DATE: Final = r"[0-9]{1,2}([/.\- ])[0-9]{1,2}\1(?:19|20)?[0-9]{2}(?![0-9/])"
# `b. 22.11.1983`, `b 3/4/81`
_BORN: Final = re.compile(rf"(?<![\w'])[bB](?:\.\s?|\s|:\s?){_DATE}")
# `MCKENZIE, ROWAN 14/02/1990`, `Eunice, F, 14/01/1939`, `[name-1] (14/02/1990)`
_BESIDE_NAME: Final = re.compile(
    r"(?:[A-Z][\w'\-]{1,30}|\[name-[0-9]{1,6}\])(?:,? \(?(?:[MFmf]|[Mm]ale|[Ff]emale)\b)?[,)]?\s?[,(\-]?\s?\(?\Z"
)
_OLD_DATE: Final = re.compile(r"[0-9]{1,2}([/.\-])[0-9]{1,2}\1(?:19[0-9]{2}|200[0-9])(?![0-9/])")
_LONGEST_NAME: Final = 60


def dates_of_birth(reading: Reading) -> Iterator[Span]:
    """Dates after "born on", "b.", "date of birth", "DOB", or before it, and dates of before 2010 right after the
    name of somebody who is no officer. A year alone stays."""
    if any(end - start == 4 for start, end in reading.digit_runs):
        for found in reading.around_digits(_OLD_DATE, 0, 0):
            if _is_beside_private_name(reading, found.start()):
                yield Span(found.start(), found.end(), "date-of-birth")
    if reading.has_any(_B):
        for found in reading.around_digits(_BORN, 1, 4):
            yield Span(found.start(), found.end(), "date-of-birth")
    low = reading.low
    if reading.has_any(_HINTS) or "d.o.b" in low:
        for pattern in (_BIRTH, _BEFORE):
            for found in pattern.finditer(low):
                yield Span(found.start(1), found.end(1), "date-of-birth")


_B: Final = frozenset("b")


def _is_beside_private_name(reading: Reading, position: int) -> bool:
    before = _BESIDE_NAME.search(reading.text, max(0, position - _LONGEST_NAME), position)
    if before is None:
        return False
    i = bisect_right(reading.starts, before.start()) - 1
    if (
        reading.flags[i] & (PLACE | POLICE | RANK | MONTH_WORD | HARMLESS | ORG | STREET)
        and not reading.flags[i] & GIVEN
    ):
        return False
    if not (
        reading.words[i][0] == "["
        or reading.flags[i] & (GIVEN | RARE_GIVEN | SURNAME)
        or not reading.flags[i]
    ):
        return False
    return not any(flags & (RANK | POLICE) for flags in reading.flags[max(0, i - 3) : i])
