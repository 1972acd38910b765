"""Dates of birth, in figures and in words."""

import re
from collections.abc import Iterator
from typing import Final

from shared.sanitiser.lexicon import words
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
_DAY: Final = rf"(?:[0-9]{{1,2}}(?:st|nd|rd|th)?|{_ORDINAL})"
_SOME_DAY: Final = (
    r"(?:[0-9]{1,4}\s?[/.\- ]\s?[0-9]{1,2}\s?[/.\- ]\s?[0-9]{1,4}|[0-9]{6,8}\b"
    rf"|{_DAY}(?: day)?(?: of)?,? (?:the )?(?:{MONTH}|{_ORDINAL})(?:,? (?:of )?{_YEAR})?"
    rf"|{MONTH} (?:the )?{_DAY}(?:,? {_YEAR})?|{MONTH} [0-9]{{4}}\b)"
)
_HINTS: Final = words(
    "birth birthdate birthday born dob geni urodzony urodzona urodzil urodzilam urodzilem nascut nascuta nacido nacida naci nascido nascida nasci dogum dogumlu"
)
_BIRTH: Final = re.compile(
    r"\b(?:date of birth|d\.?o\.?b\b\.?|birth ?date|birthday|born|(?:dyddiad )?geni|urodz\w{0,20}|nascut\w{0,20}|naci\w{0,20}|nasci\w{0,20}|dogum\w{0,20})"
    r"(?:[\s:=,?(\-]|\bis\b|\bwas\b|\bon\b|\bin\b|\bthe\b|\bme\b|\bcaller\b|\bar\b|\bpe\b|\bel\b|\bem\b){0,12}"
    rf"({_SOME_DAY})"
)
_BEFORE: Final = re.compile(
    rf"({_SOME_DAY})[ ,(\-]{{1,3}}(?:is )?(?:my|her|his|their)? ?(?:date of birth|d\.?o\.?b\b|birthday)"
)
_LABEL_BEFORE: Final = re.compile(r"\(?b\.? ?([0-9]{1,2}[/.\-][0-9]{1,2}[/.\-][0-9]{2,4})")


def dates_of_birth(reading: Reading) -> Iterator[Span]:
    """Dates after "born on", "date of birth", "DOB", or before it. A year alone stays."""
    low = reading.low
    if reading.has_any(_HINTS) or "d.o.b" in low:
        for pattern in (_BIRTH, _BEFORE):
            for found in pattern.finditer(low):
                yield Span(found.start(1), found.end(1), "date-of-birth")
