"""Telephone numbers that were spoken and written down as words: `oh seven seven double oh, hang on, 900 one two`."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from shared.sanitiser.lexicon import words
from shared.sanitiser.reading import Reading, Span, folded

_DIGITS: dict[str, str] = {
    **dict.fromkeys(("zero", "oh", "o", "nought", "naught", "nil", "sero", "dim"), "0"),
    **{
        "one": "1",
        "two": "2",
        "three": "3",
        "four": "4",
        "five": "5",
        "six": "6",
        "seven": "7",
        "eight": "8",
        "nine": "9",
    },
    **{
        "ten": "10",
        "eleven": "11",
        "twelve": "12",
        "thirteen": "13",
        "fourteen": "14",
        "fifteen": "15",
        "sixteen": "16",
    },
    **{
        "seventeen": "17",
        "eighteen": "18",
        "nineteen": "19",
        "twenty": "2",
        "thirty": "3",
        "forty": "4",
        "fifty": "5",
    },
    **{"sixty": "6", "seventy": "7", "eighty": "8", "ninety": "9", "hundred": "00", "thousand": "000"},
}
# From one to nine in Welsh, Polish, Romanian, Turkish, Spanish, Portuguese and Somali.
_ONE_TO_NINE: Final = (
    "un dau tri pedwar pump chwech saith wyth naw",
    "jeden dwa trzy cztery pięć sześć siedem osiem dziewięć",
    "unu doi trei patru cinci șase șapte opt nouă",
    "bir iki üç dört beş altı yedi sekiz dokuz",
    "uno dos tres cuatro cinco seis siete ocho nueve",
    "um dois três quatro cinco seis sete oito nove",
    "kow laba saddex afar shan lix toddoba siddeed sagaal",
)
for _language in _ONE_TO_NINE:
    _DIGITS |= zip(_language.split(), "123456789", strict=True)
_DIGITS |= {
    "dwy": "2",
    "tair": "3",
    "pedair": "4",
    "chwe": "6",
    "pum": "5",
    "sıfır": "0",
    "eber": "0",
    "yüz": "00",
}
_DIGITS |= {
    "on": "10",
    "yirmi": "2",
    "otuz": "3",
    "kırk": "4",
    "elli": "5",
    "altmış": "6",
    "yetmiş": "7",
    "seksen": "8",
    "doksan": "9",
}
_DIGITS |= {folded(word): value for word, value in _DIGITS.items()}
_TIMES: Final = {"double": 2, "triple": 3, "treble": 3}
_SPOKEN: Final = frozenset((*_DIGITS, *_TIMES)) - words("o on um shan beste elli pump opt hundred thousand")
_STARTS: Final = words("o oh on dim pump opt um")
_SHORTEST: Final = 7
_LONGEST_GAP: Final = 3
_FILLERS: Final = words(
    "and er erm um uh hang on then it's thats that's a wait so like no sorry the what is it plus ac yna"
)


# `O7700 9OO 884`
_LETTER_O: Final = re.compile(r"(?<!\w)(?:[0-9]{1,5}o{1,2}|o{1,2}[0-9]{1,6})[0-9o]{0,4}(?!\w)")


def spoken_digits(reading: Reading) -> Iterator[Span]:
    """Seven digits or more in a row of which at least two are words, with a filler or two between."""
    at = reading.tokens(_SPOKEN)
    low = reading.low
    if any(low[start - 1 : start] == "o" or low[end : end + 1] == "o" for start, end in reading.digit_runs):
        at = sorted({*at, *(i for i, word in enumerate(reading.lows) if _LETTER_O.match(word))})
    if len(at) < 2:
        return
    done = -1
    for i in at:
        if i <= done:
            continue
        first = i
        while first and reading.lows[first - 1] in _STARTS and reading.seps[first] in {" ", ", ", "-"}:
            first -= 1
        first = _back_over_figures(reading, first)
        end, stop, digits, words, values = _run(reading, first)
        counted = len(values) > 2 and all(after - before == 1 for before, after in pairwise(values))
        if words >= 2 and digits >= (_SHORTEST - (digits == words)) and not counted:
            yield Span(reading.starts[first], reading.ends[end], "phone")
        done = max(end, stop - 1, i)


def _back_over_figures(reading: Reading, i: int) -> int:
    while (
        i
        and reading.words[i - 1].isdecimal()
        and reading.words[i - 1].isascii()
        and reading.seps[i] in {" ", ", ", "-"}
        and len(reading.words[i - 1]) >= 2
    ):
        i -= 1
    return i


def _run(reading: Reading, first: int) -> tuple[int, int, int, int, list[int]]:
    """(last token, the one after what was looked at, digits, words among them, single values)."""
    lows, seps = reading.lows, reading.seps
    last = i = first
    digits = words = 0
    times = 1
    gap = 0
    values: list[int] = []
    while i < len(lows):
        low = lows[i]
        if i > first and any(c in ".!?\n;" for c in seps[i]) and seps[i] not in {". ", "... ", ".."}:
            break
        if i > first and seps[i] == ". " and low not in _DIGITS and low not in _TIMES:
            break
        parts = low.split("-") if "-" in low else (low,)
        if low in _TIMES:
            times = _TIMES[low]
        elif (
            (figures := low.replace("o", "0")).isdecimal()
            and figures.isascii()
            and len(low) <= 6
            and low != "o"
        ):
            digits += len(low) * times
            words += "o" in low  # `O7700 9OO 884`
            if len(low) == 1:
                values.append(int(low))
            times, last, gap = 1, i, 0
        elif all(part in _DIGITS for part in parts):
            for part in parts:
                digits += len(_DIGITS[part]) * times
                if len(_DIGITS[part]) == 1:
                    values.append(int(_DIGITS[part]))
            times, last, gap = 1, i, 0
            words += 1
        elif low in _FILLERS and gap < _LONGEST_GAP:
            gap += 1
        else:
            break
        i += 1
    return last, i, digits, words, values
