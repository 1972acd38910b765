"""What a caller says of home and belongings: address, date of birth, car, numbers of their own matters.

The words before decide: "I live at 12 Acacia Avenue" goes, "he stopped me on Acacia Avenue" stays; "my car,
AB12 CDE" goes, "the police car AB12 CDE" stays. A crime reference or custody number goes too: whoever has
access to police systems reads from it who the caller is.
"""

import re
from collections.abc import Iterator
from typing import Final

from shared.sanitiser.numbers import DATES
from shared.sanitiser.reading import ANY_MARKER, MARKER, Reading, Span
from shared.sanitiser.words import words

_STREET: Final = (
    "avenue|ave|street|st|road|rd|lane|ln|close|drive|dr|crescent|cres|court|ct|way|place|terrace|gardens|grove"
    "|hill|park|square|sq|walk|mews|row|green|rise|view|parade|house|buildings|estate|tower|towers|mansions"
    "|villas|cottage|cottages|yard|gate|vale|mount|heights|lodge|quay|wharf|embankment|circus|broadway"
)
_NO_STREET: Final = (
    "a|an|the|and|or|but|my|his|her|their|our|this|that|same|next|other|main|whole|fear|near|nearby|with|where|when"
    "|who|which|is|was|were|in|on|at|to|by|from|for|because|so|i|he|she|they|we|it|not|no|then|police|dark"
)
_WORD: Final = rf"(?!(?:{_NO_STREET})\b)[\w'\u2019.\-]{{1,30}},?[ \t]+"
_NUMBER: Final = r"[0-9]{1,4}[ \t]?[a-z]?\b(?:[ \t]?[\-/][ \t]?[0-9]{1,4})?,?[ \t]+"
_FLAT: Final = (
    r"(?:(?:flat|apartment|apt|unit|room|house|number|no)\.?[ \t]*(?:[0-9]{1,4}[a-z]?|[a-z])\b,?[ \t]*)"
)
_PLACE: Final = re.compile(
    rf"{_FLAT}?(?:the[ \t]+)?(?:{_NUMBER})?(?:{_WORD}){{1,4}}?(?:{_STREET})\b(?! back)\.?"
    rf"|(?:{_FLAT}|(?:the[ \t]+)?{_NUMBER})(?:{_WORD}){{0,2}}?(?=[,.;:!?\n]|(?:{_NO_STREET})\b|\Z)"
    rf"|{_FLAT}|[0-9]{{1,4}}[a-z]?[ \t]+[\w'\u2019\-]{{3,30}}"
)
_ADDRESS: Final = words("address")
_LIVING: Final = re.compile(
    r"\b(?:i|we|caller|complainant)(?:['\u2019](?:m|ve|re))?"
    r"(?: (?:am|are|have|was|were|used to|currently|still|now|also|both|all|who|is|has))*"
    r" (?:live[sd]?|living|reside[sd]?|residing|stay(?:s|ed|ing)?)\s+(?:at|on|in)\s+"
)
_LIVE: Final = words("live lives lived living reside resides resided residing stay stays stayed staying")
_MY_HOME: Final = re.compile(
    r"\b(?:my|our) (?:own )?(?:house|home|flat|apartment|bungalow|bedsit|room|place|property|hostel"
    r"|front door|doorstep|parents['\u2019]? (?:house|home))(?:,? (?:which )?is)?,? (?:at|on|in)\s+"
)
_HOMES: Final = words("house home flat apartment bungalow bedsit room place property hostel door doorstep")
_MY_ADDRESS: Final = re.compile(
    r"\b(?:my|our|her|his|caller['\u2019]s|complainant['\u2019]s) (?:home |postal |current |full |old |new )*"
    r"address(?: is| was| =|:| -|,)+\s*|(?:^|\n)[ \t]*(?:home |my |postal )?address[ \t]*[:=\-][ \t]*"
)
_TO_THE_END: Final = re.compile(
    r"(?:(?!\.[ \n]|[ \t](?:and|but|where|when|because|so|i|he|she|they)\b)[^\n;!?]){1,120}"
)
_MARKER_AND_SPACE: Final = re.compile(rf"{ANY_MARKER}[ \t]*")
_STREET_WORD: Final = re.compile(rf"\b(?:{_STREET})\b|\d")


def addresses(reading: Reading) -> Iterator[Span]:
    """Where the caller lives, as far as they say that they live there. A town alone stays."""
    low = reading.low
    if reading.has_any(_ADDRESS):
        for found in _MY_ADDRESS.finditer(low):
            rest = _TO_THE_END.match(low, found.end())
            if MARKER.match(low, found.end()):
                yield from _place(reading, found.end())
            elif rest and _is_address(rest_as_sent := reading.text[rest.start() : rest.end()]):
                yield Span(rest.start(), rest.start() + len(rest_as_sent.rstrip()), "address")
    if reading.has_any(_LIVE):
        for found in _LIVING.finditer(low):
            yield from _place(reading, found.end())
    if reading.has_any(_HOMES):
        for found in reading.mine(_MY_HOME):
            yield from _place(reading, found.end())


def _place(reading: Reading, start: int) -> Iterator[Span]:
    """A place that looks like an address. One marker before it is passed over, as a space would be: it may
    have been typed there to hide what follows."""
    if marker := _MARKER_AND_SPACE.match(reading.low, start):
        start = marker.end()
    if place := _PLACE.match(reading.low, start):
        yield Span(start, start + len(place.group().rstrip(" \t,.")), "address")


def _is_address(text: str) -> bool:
    """`my address is known to him` is none."""
    return bool(_STREET_WORD.search(text.lower())) or text[0].isupper()


_MONTH: Final = (
    "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b"
)
_SOME_DAY: Final = (
    r"(?:[0-9]{1,4}[ \t]?[/.\- ][ \t]?[0-9]{1,2}[ \t]?[/.\- ][ \t]?[0-9]{1,4}|[0-9]{6,8}"
    rf"|[0-9]{{1,2}}(?:st|nd|rd|th)?(?: day)?(?: of)?,? {_MONTH}(?:[, ]{{1,2}}(?:[0-9]{{4}}|[0-9]{{2}})\b)?"
    rf"|{_MONTH} (?:the )?[0-9]{{1,2}}(?:st|nd|rd|th)?\b(?:[, ]{{1,2}}[0-9]{{4}}\b)?|{_MONTH} [0-9]{{4}}\b)"
)
_BIRTH_HINTS: Final = ("birth", "born", "dob", "d.o.b")
_BIRTH: Final = re.compile(
    r"\b(?:date of birth|d\.?o\.?b\b\.?|birth ?date|birthday|born)(?:[\s:=,\-]|is\b|was\b|on\b|in\b|the\b)*"
    rf"({_SOME_DAY})"
)


def dates_of_birth(reading: Reading) -> Iterator[Span]:
    """Dates after "born on", "date of birth", "DOB". A year alone stays."""
    low = reading.low
    if reading.digits and any(hint in low for hint in _BIRTH_HINTS):
        for found in _BIRTH.finditer(low):
            yield Span(found.start(1), found.end(1), "date-of-birth")


_REGISTRATION: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Z]{2}[0-9]{2}\s?[A-Z]{3}|[a-z]{2}[0-9]{2}\s?[a-z]{3}|[A-Z][0-9]{1,3}\s?[A-Z]{3}"
    r"|[A-Z]{3}\s?[0-9]{1,3}[A-Z]|[A-Z]{1,3}\s?[0-9]{1,4})(?![A-Za-z0-9])"
)
# Before 1963 and in Northern Ireland: too little to go by without a word for it.
_OLD_FORM: Final = re.compile(r"[A-Z]{1,3}\s?[0-9]{1,4}\Z")
_SAYS_PLATE: Final = re.compile(r"\b(?:reg|registration|plate|plates)\W+(?:(?:number|no|num|is|was)\W+)*\Z")
_MINE: Final = re.compile(
    r"\b(?:my|our)\b([^.!?\n]*?\b(?:car|van|vehicle|bike|motorbike|motorcycle|scooter|taxi|cab|lorry|truck"
    r"|reg|registration|plate|number plate)\b[^.!?\n]*)\Z"
    r"|\bi (?:was |am |had been )?(?:drive|drove|driving|own|owned)\b([^.!?\n]*)\Z"
)
_OTHERS: Final = re.compile(r"\b(?:police|patrol|marked|officers?|his|their|her|pc|another|the other)\b")
_NEAR: Final = 110


def vehicles(reading: Reading) -> Iterator[Span]:
    """The registration of the caller's own car, by the words before it in the sentence."""
    if not reading.digits or not ("my " in reading.low or "our " in reading.low or "i " in reading.low):
        return
    for found in reading.around_digits(_REGISTRATION, 1, 4):
        before = reading.before(found.start(), _NEAR)
        if _OLD_FORM.match(found.group()) and not _SAYS_PLATE.search(before):
            continue
        mine = _MINE.search(before)
        if mine and not _OTHERS.search(mine.group(1) or mine.group(2) or ""):
            yield Span(found.start(), found.end(), "vehicle")


_NUMBERED: Final = (
    "crime|incident|cad|log|custody|case|police report|report|occurrence|complaint|court|cps|urn|job|event"
    "|arrest|charge|summons|niche|victim|booking|reference|ref"
)
_REFERENCE_HINTS: Final = ("ref", "num", " no", "cad", "urn", "#", "record", " id", "log", "report", "nr")
_LABELLED: Final = re.compile(
    rf"\b(?:(?:{_NUMBERED})\.?[ \t]?"
    r"(?:(?:reference|ref|record|log|report|number|no|num|nr|id)\b\.?[ \t]?|#[ \t]?)+"
    r"(?:(?:is|was|of|given|as)\b[ \t]?|[:=#\-][ \t]?)*"
    r"|(?:ref|reference|cad|urn)[ \t]?[:#]?[ \t]?)((?:[a-z]{1,6}[/\-]?)?)\Z"
)
_NUMBER_ON: Final = re.compile(r"[0-9][0-9a-z/\-]*")
_LABEL: Final = 60


def references(reading: Reading) -> Iterator[Span]:
    """Numbers of the caller's own matters with the police, by their label; at least three digits."""
    if reading.digits < 3:
        return
    for first, _ in reading.digit_runs:
        before = reading.before(first, _LABEL)
        if not any(hint in before for hint in _REFERENCE_HINTS):
            continue
        label, rest = _LABELLED.search(before), _NUMBER_ON.match(reading.low, first)
        if label is None or rest is None:
            continue
        number = label.group(1) + rest.group().rstrip("-/")
        if sum(map(str.isdecimal, number)) >= 3 and not DATES.fullmatch(number):
            start = first - len(label.group(1))
            yield Span(start, start + len(number), "reference")
