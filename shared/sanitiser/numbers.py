"""Numbers that lead to a person: telephone, NHS, card, account, and any other that is long.

Digits are looked at in runs: all digits that follow each other with nothing but spaces, dots, dashes and
the like between them. Nine digits or more are always taken out, whatever they are; no collar number, date,
time or sum is as long. Shorter ones only go where the words before them say what they are.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from stdnum import luhn
from stdnum.gb import nhs

from shared.sanitiser.reading import ANY_MARKER, Reading, Span

_SHORTEST_ANYWHERE: Final = 9
_SHORTEST_IN_CONTEXT: Final = 5

# A marker between digits is a separator too, or it could be typed into a number to hide it.
_SEPARATOR: Final = (
    r"(?:[\s.,/()_\-\u00ad\u00b7\u2010-\u2015\u2022\u200b-\u200d\u2060\u2212\ufeff]|" + ANY_MARKER + ")"
)
_RUN: Final = re.compile(rf"\d+(?:{_SEPARATOR}{{1,4}}\d+)*")
_PARTS: Final = re.compile(r"[,\n]")
_GROUP: Final = re.compile(r"\d+")

_DAY: Final = r"(?:0?[1-9]|[12][0-9]|3[01])"
_YEAR: Final = r"(?:(?:19|20)[0-9]{2}|[0-9]{2})"
_DATE: Final = (
    rf"(?:{_DAY}/{_DAY}/{_YEAR}|{_DAY}\.{_DAY}\.{_YEAR}|{_DAY}-{_DAY}-{_YEAR}"
    rf"|(?:19|20)[0-9]{{2}}[\-/.]{_DAY}[\-/.]{_DAY})"
)
# 07-10-20 12 34: a date ends where no further digits are tied to it.
DATES: Final = re.compile(
    rf"(?<!\d)(?<!\d[\-/.]){_DATE}(?:\s?[\-/\u2013\u2014]\s?{_DATE})*(?!\d)(?![\-/.]\d)"
)
_YEARS: Final = re.compile(r"(?:(?:19|20)[0-9]{2}(?:[/\-][0-9]{2})?[\s,/\-\u2013]*)+\Z")

IS: Final = r"(?:\W+(?:number|numbers|no|num|nr|is|was|on|at|me|us|back))*\W*\Z"
_SAYS_PHONE: Final = re.compile(
    r"\b(?:phone|telephone|tel|mobile|mob|landline|whatsapp|fax|my number|(?:contact|home|work) number"
    rf"|(?:call|ring|text|reach|contact) (?:me|us)){IS}"
)
_SAYS_ACCOUNT: Final = re.compile(rf"\b(?:account|acct|acc|a/c|s/c|sort\W?code|sort){IS}")
_SAYS_NHS: Final = re.compile(rf"\bnhs{IS}")
_SAYS_COLLAR: Final = re.compile(
    r"\b(?:collar|badge|shoulder|warrant|star|officers?|pcs?|constables?)\b[^.\n]*\Z"
)
CONTEXT: Final = 48


# `8831 0042 7716 9005`, `07-04-36, 2219 0453`: of a card or an account, whatever they are called
_CARD: Final = re.compile(r"(?<![\w/\-])[0-9]{4}([ \-.])[0-9]{4}(?:\1[0-9]{4}){2}(?:\1[0-9]{1,4})?(?![\w/])")
_SORT_CODE: Final = re.compile(
    r"(?<![\w/\-])[0-9]{2}([ \-])[0-9]{2}\1[0-9]{2}(?:,? (?:account|acc|acct|a/c|and|no|number|num|is)\b\.?:?){0,4},? [0-9]{4}[ \-]?[0-9]{4}(?![\w/\-])"
    r"|(?<![\w/\-])[0-9]{8},? (?:sort |code |is |s/c ){0,3}[0-9]{2}-[0-9]{2}-[0-9]{2}(?![\w/\-])",
    re.IGNORECASE,
)
_CARD_DIGITS: Final = re.compile(
    r"\b(?:card|account|acct|acc|a/c)\b[^.\n\d]{0,24}\b(?:ends|ending|end)(?: in| with|:)? ([0-9]{3,4})\b"
    r"|\b(?:exp|expiry|expires|valid (?:thru|to|until))\b(?: date|\.|:| is)? ?([01]?[0-9]/(?:20)?[0-9]{2})(?![/0-9])"
    r"|\b(?:cvv|cvc|security code|pin|pin (?:code|number|no))(?: is| was|:| =)? ([0-9]{3,6})\b"
    r"|\b(?:door|entry|lift|gate|key ?safe|key ?pad|alarm|buzzer|access|locker)(?:'s)? (?:code|number|pin|no\.?)(?: is| was|:| =|,)? ?\(?([a-z]?[0-9]{3,8}[a-z#*]?)"
)
_PAYMENT_WORDS: Final = frozenset(
    (
        "card",
        "account",
        "acct",
        "acc",
        "exp",
        "expiry",
        "expires",
        "valid",
        "cvv",
        "cvc",
        "pin",
        "code",
        "door",
        "entry",
        "lift",
        "gate",
        "locker",
    )
)


def payment_cards(reading: Reading) -> Iterator[Span]:
    """Cards and accounts in their usual groups, the ends of their numbers, and codes that open a door."""
    if reading.digits < 3:
        return
    if reading.digits >= 14:
        for found in reading.around_digits(_CARD, 0, 0):
            number = "".join(filter(str.isdecimal, found.group()))
            yield Span(found.start(), found.end(), "card" if luhn.is_valid(number) else "number")
        for found in reading.around_digits(_SORT_CODE, 0, 0):
            yield Span(found.start(), found.end(), "bank-account")
    if reading.has_any(_PAYMENT_WORDS):
        for found in _CARD_DIGITS.finditer(reading.low):
            yield Span(found.start(found.lastindex or 0), found.end(), "number")


_GUID: Final = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_CRIME_NUMBER: Final = re.compile(r"[0-9]{1,2}[a-z]{0,3}/[0-9]{3,7}/[0-9]{2,4}(?![0-9])")
# `GLOS-2024-0501-118`, `OPONI 2023-88124`
_DATED_NUMBER: Final = re.compile(r"20[0-9]{2}(?:[0-9]{4})?-[0-9]{2,}")
_NAMES_AN_EVENT: Final = re.compile(
    r"\b(?:crime|incident|cad|log|custody|case|police|report|occurrence|complaint|court|cps|urn|job|event|arrest|charge"
    r"|niche|storm|ref|reference|refs|numbers|rms|cris|connect|athena|iopc|psd|call|dispatch|exhibit|evidence|video|clip|bodycam|axon)"
    r"\b(?:\s|\.|\b(?:reference|ref|record|log|report|number|numbers|no|num|nr|id|is|was|of|as|given|cad|crime|from|101|999|its|it's|by|force)\b"
    r"|[:=#,\-/(]){0,10}(?:[a-z]{1,6}[0-9]{0,2}[a-z]{0,2}[/\-]?\s?)?\Z"
)


def _is_reference(reading: Reading, run: re.Match[str]) -> bool:
    """A number of an event, which stays: `crime ref 12230045871`, `20/418822/23`."""
    if _CRIME_NUMBER.match(reading.low, run.start()):
        return True
    if (
        _DATED_NUMBER.match(reading.text, run.start())
        and reading.text[run.start() - 2 : run.start() - 1].isupper()
    ):
        return True
    before = reading.before(run.start(), CONTEXT)
    return bool(_NAMES_AN_EVENT.search(before)) and not _MY_PHONE.search(before)


_MY_PHONE: Final = re.compile(
    r"\b(?:my|phone|mobile|mob|tel|telephone|text|ring|call me|whatsapp|landline|receipt)\b[^.\n]{0,30}\Z"
)


_NAME_AFTER: Final = re.compile(r" [A-Z][a-z]")


class _Group(NamedTuple):
    start: int
    end: int
    digits: str


def digits(reading: Reading) -> Iterator[Span]:
    """Telephone, NHS, card and account numbers, and any other of nine digits or more."""
    if reading.digits < _SHORTEST_IN_CONTEXT:
        return
    guids = [found.span() for found in _GUID.finditer(reading.low)] if reading.low.count("-") > 3 else []
    for run in _runs(reading):
        if guids and any(start <= run.start() < end for start, end in guids):
            continue
        if run.end() - run.start() < _SHORTEST_IN_CONTEXT:
            continue
        groups = [_group(found) for found in _GROUP.finditer(reading.text, run.start(), run.end())]
        length = sum(len(group.digits) for group in groups)
        if length < _SHORTEST_IN_CONTEXT or _is_reference(reading, run):
            continue
        if length < _SHORTEST_ANYWHERE:
            yield from _in_context(reading, groups)
        else:
            for piece in _without_dates(reading.text, groups):
                yield from _long(reading, piece)


def _runs(reading: Reading) -> Iterator[re.Match[str]]:
    position = 0
    for start, _ in reading.digit_runs:
        if start >= position and (run := _RUN.match(reading.text, start)):
            yield run
            position = run.end()


def _group(found: re.Match[str]) -> _Group:
    digits = found.group()
    if not digits.isascii():  # int() reads the decimal digits of every script
        digits = "".join(str(int(digit)) for digit in digits)
    return _Group(found.start(), found.end(), digits)


def _in_context(reading: Reading, groups: list[_Group]) -> Iterator[Span]:
    before = reading.before(groups[0].start, CONTEXT)
    if len(groups) == 1 and len(groups[0].digits) < 7 and _NAME_AFTER.match(reading.text, groups[0].end):
        return  # `on the phone was 44172 Harris`
    is_date = DATES.search(reading.text, groups[0].start, groups[-1].end)
    if _SAYS_ACCOUNT.search(before):
        yield Span(groups[0].start, groups[-1].end, "bank-account")
    elif not is_date and _SAYS_PHONE.search(before):
        yield Span(groups[0].start, groups[-1].end, "phone")


def _without_dates(text: str, groups: list[_Group]) -> Iterator[list[_Group]]:
    """The stretches of groups between dates, which stay."""
    dates = [found.span() for found in DATES.finditer(text, groups[0].start, groups[-1].end)]
    if text[groups[0].start - 1 : groups[0].start] == "+" and dates[:1] and dates[0][0] == groups[1].start:
        dates.pop(0)  # `+687 29.01.00`: after the code of a country
    piece: list[_Group] = []
    for group in groups:
        while dates and dates[0][1] <= group.start:
            dates.pop(0)
        if dates and dates[0][0] <= group.start:
            if piece:
                yield piece
            piece = []
        else:
            piece.append(group)
    if piece:
        yield piece


def _long(reading: Reading, groups: list[_Group]) -> Iterator[Span]:
    """A telephone number goes by itself where its length tells where it ends; what is left goes whole."""
    left: list[_Group] = []
    index = 0
    while index < len(groups):
        taken = _telephone(reading.text, groups, index)
        if taken:
            yield from _lists(reading, left)
            yield _span(reading.text, groups[index : index + taken], "phone")
            left = []
            index += taken
        else:
            left.append(groups[index])
            index += 1
    yield from _lists(reading, left)


def _telephone(text: str, groups: list[_Group], index: int) -> int:
    """How many groups from `index` on are one telephone number; 0 if none is."""
    first = groups[index]
    plus = first.start > 0 and text[first.start - 1 : first.start] in "+\uff0b"
    if not plus and first.digits[0] != "0":
        return 0
    number, previous = "", first.start
    best = 0
    for count, group in enumerate(groups[index : index + 16], start=1):
        if number and not (plus or number.startswith("07")) and "," in text[previous : group.start]:
            break
        previous = group.end
        number += group.digits
        if (plus and number.startswith("44")) or number.startswith("0044"):
            national = number.removeprefix("00").removeprefix("44").removeprefix("0")
            complete = len(national) in (9, 10)
        elif plus or number.startswith("00"):
            complete = 10 <= len(number) <= 15
        else:
            complete = len(number) in (10, 11)
        if complete:
            best = count
    return best


def _lists(reading: Reading, groups: list[_Group]) -> Iterator[Span]:
    """Commas and line ends part numbers, but within a telephone number."""
    number: list[_Group] = []
    for group in groups:
        if number and _PARTS.search(reading.text, number[-1].end, group.start):
            yield from _whole(reading, number)
            number = []
        number.append(group)
    yield from _whole(reading, number)


def _whole(reading: Reading, groups: list[_Group]) -> Iterator[Span]:
    number = "".join(group.digits for group in groups)
    if len(number) < _SHORTEST_ANYWHERE:
        return
    start, end = groups[0].start, groups[-1].end
    if _YEARS.match(reading.text[start:end]) or _are_collar_numbers(reading, groups):
        return
    before = reading.before(start, CONTEXT)
    lengths = [len(group.digits) for group in groups]
    if _SAYS_NHS.search(before) or (lengths in ([10], [3, 3, 4]) and nhs.is_valid(number)):
        kind = "nhs-number"
    elif _SAYS_ACCOUNT.search(before):
        kind = "bank-account"
    elif _SAYS_PHONE.search(before) or (len(number) == 10 and number[0] in "12378"):
        kind = "phone"
    elif 13 <= len(number) <= 19 and luhn.is_valid(number):
        kind = "card"
    else:
        kind = "number"
    yield _span(reading.text, groups, kind)


def _are_collar_numbers(reading: Reading, groups: list[_Group]) -> bool:
    """`PCs 1234 5678 9012`: numbers of one length in a row, after a word for officers."""
    lengths = {len(group.digits) for group in groups}
    return (
        len(lengths) == 1
        and 3 <= lengths.pop() <= 5
        and _SAYS_COLLAR.search(reading.before(groups[0].start, CONTEXT)) is not None
    )


def _span(text: str, groups: list[_Group], kind: str) -> Span:
    """From the first digit to the last, with the `+` or `(` that belongs to the first."""
    start, end = groups[0].start, groups[-1].end
    if text[max(0, start - 1) : start] == "(" and ")" in text[start:end]:
        start -= 1
    if text[max(0, start - 1) : start] in ("+", "\uff0b"):
        start -= 1
    return Span(start, end, kind)
