"""Where people live: house numbers with their streets, flats, house names, refuges, moorings, blocks of letters.

A house number with its street goes wherever it stands. A street, a house name or a building alone goes where
somebody lives there by the words before, or where it stands in the address of a letter; else it stays, for it is
where it happened. A town alone stays.
"""

import re
from collections.abc import Iterator
from typing import Final

from shared.sanitiser.lexicon import (
    COMMON,
    ENGLISH,
    GIVEN,
    HARMLESS,
    KIN,
    MONTH,
    PLACE,
    POLICE,
    RANK,
    ROLE,
    SURNAME,
    lexicon,
    words,
)
from shared.sanitiser.reading import ANY_MARKER, Reading, Span

_STREET: Final = (
    "avenue|ave|street|st|road|rd|lane|ln|close|crescent|cres|cresent|terrace|terr|gardens|gdns|grove|square|sq|mews|drive|drv|walk"
    "|court|ct|way|place|pl|row|rise|parade|boulevard|blvd|esplanade|promenade|wynd|loan|brae|vale|hill|park|green|view|quay|wharf"
    "|yard|gate|mount|embankment|broadway|circus|heights|steps|fold|croft|dene|bank|chase|ridge|drove|path|passage|alley|end|estate"
    "|buildings|mansions|villas|cottages|cottage|house|tower|towers|lodge|barn|farm|common|crossroads|meadow|meadows|field|fields|wood"
)
# In a text without capitals these are too common as words.
_SURE_STREET: Final = (
    "avenue|ave|street|st|road|rd|lane|ln|crescent|cres|cresent|terrace|terr|gardens|gdns|grove|square|sq|mews|close|drive|walk|way"
    "|court|place|boulevard|parade|wynd|brae|estate|cottages|villas|house|towers"
)
_NO_WORD: Final = (
    "a|an|the|and|or|but|my|his|her|their|our|this|that|same|next|other|main|whole|near|nearby|with|where|when|who|which|is|was|were"
    "|in|on|at|to|by|from|for|because|so|i|he|she|they|we|it|not|no|then|police|of|off|up|down|out|outside|inside|em|them|years|year"
    "|minutes|mins|hours|hrs|days|weeks|months|times|people|officers|men|women|lads|yards|miles|pm|am|january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec|monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tue|tues|wed|thu|thur|fri|sat|sun"
)
_NUMBER: Final = r"[0-9]{1,4}\s?[a-z]?(?:\s?[\-/]\s?[0-9]{1,4}[a-z]?)?\b"
_FLAT: Final = (
    r"(?:(?:(?:flat|apartment|apt|unit|room|plot|block|floor|studio|bedsit|maisonette|fflat)\.?\s?(?:no\.?\s?|number\s)?(?:[0-9]{1,4}[a-z]?|[a-z])\b"
    r"|[0-9]{1,2}/[0-9]{1,2})(?:,\s?|\s))"
)
_AFTER_NUMBER: Final = re.compile(
    rf"(?:no\.?\s?|number\s)?{_NUMBER},?\s(?:the\s)?(?:(?!(?:{_NO_WORD})\b)[\w'.\-]{{1,24}},?\s){{1,3}}?(?:{_STREET})\b(?!')"
)
_AFTER_NUMBER_SURE: Final = re.compile(
    rf"(?:no\.?\s?|number\s)?{_NUMBER},?\s(?:(?!(?:{_NO_WORD})\b)[\w'.\-]{{2,24}}\s){{1,3}}?(?:{_SURE_STREET})\b(?!')"
)
_STREET_FIRST: Final = re.compile(
    rf"{_NUMBER},?\s(?:heol|stryd|ffordd|maes|lon|lôn|bryn|clos|rhodfa|tan|pen|ty|rue|calle|rua|ulica|strada|via)\b(?:\s(?:y|yr|de|da|la|del|dos)\b)?\s[\w'\-]{{3,24}}"
)
_BEFORE_NUMBER: Final = re.compile(
    rf"(?:{_FLAT}|(?:[\w'\-]{{3,20}}\s)?(?:house|court|lodge|cottage|villas|buildings|towers?|estate),?\s|(?:no|number)\.?\s){{0,2}}\Z"
)
_FLAT_ALONE: Final = re.compile(
    r"(?:flat|apartment|apt|bedsit|maisonette|fflat)\.?\s?(?:no\.?\s?|number\s)?(?:[0-9]{1,4}[a-z]?\b|[a-z]\b(?=[,.]))"
    rf"(?:,?\s(?:the\s)?(?:(?!(?:{_NO_WORD})\b)[\w'.\-]{{2,24}}\s){{1,3}}?(?:{_STREET})\b)?"
)
_ROOM_ALONE: Final = re.compile(
    r"(?:room|rm)\.? (?:no\.? |number )?([a-z]?[0-9]{1,4}[a-z]?)\b(?!(?:,| at| of| in) (?:the )?(?:\w+ ){0,2}(?:court|police|station|nick|custody|hq))"
    r"|ward ([a-z]?[0-9]{1,3}[a-z]?)\b|(?:[a-h]|house ?block [0-9a-z])[ \-]wing(?:,? (?:cell )?[0-9a-z]{0,2}-?[0-9]{1,3}(?:-[0-9]{1,3})?\b)?"
    r"|cell [a-z]?[0-9]{1,2}-[0-9]{1,3}\b|houseblock [0-9a-z]{1,2}\b"
)
_ROOM_WORDS: Final = words(
    "room rm ward a b c d e f g h house houseblock cell a-wing b-wing c-wing d-wing e-wing f-wing g-wing h-wing"
)
_NO_HOME_ROOM: Final = re.compile(
    r"\b(?:interview|court|custody|committee|control|charge|exam|meeting|briefing|class|consulting|waiting|parade|seminar|incident|chat) ?\Z"
)
_ROOM: Final = re.compile(
    r"\b(?:hotel|hostel|refuge|house|ward|hmo|b&b|accommodation|number [0-9]{1,4})\b[^.\n]{0,40}?\b(?:room|rm)\s([0-9]{1,4}[a-z]?)\b|\broom ([0-9]{1,4})\b(?=[^.\n]{0,40}\b(?:hotel|hostel|refuge)\b)"
)
_STREET_THEN_NUMBER: Final = re.compile(
    rf"(?:[\w'.\-]{{2,24}}\s){{1,3}}(?:{_STREET}),?\s(?:at\s)?(?:no\.?|number|nr)\s?[0-9]{{1,4}}[a-z]?\b(?:,?\s(?:flat|room|apartment)\s[0-9]{{1,4}}[a-z]?)?"
)

_LIVE: Final = (
    r"(?:live[sd]?|living|reside[sd]?|residing|stay(?:s|ed|ing)?|lodg(?:e|es|ing)|moved|moving|based|housed|accommodated|rents?|renting"
    r"|put up|placed|byw|mieszkam|locuiesc|vivo|moro|oturuyorum)"
)
_LIVING: Final = re.compile(
    rf"(?:{_LIVE}(?: (?:back|now|still|currently|with \w{{1,30}}|alone|just|out|over|up|down|temporarily|me|yn|ar|mewn|w|na|na ulicy|pe|pe strada|la|en|em)){{0,4}}"
    r"(?: (?P<at>at|in|on|to|off|near|behind|yn|ar|mewn|w|na|pe|la|en|em))?"
    r"|(?:my|our|her|his|their|clr's|caller's|mum's|nan's|parents'|sister's|mother's|friend's|ip's) (?:own |new |old |current )?(?:house|home|flat|apartment|bungalow|bedsit|room|place|property"
    r"|hostel|front door|doorstep|drive|driveway|garden|kitchen|bedroom|hall|gaff|address|addr|croft|caravan|trailer)"
    r"(?:,? (?:which )?is|,? at|,? in|,? on|:| -|,){0,4}"
    r"|(?:refuge|hostel|shelter|safe ?house|women's aid|hotel|b&b|care home|nursing home|supported housing|temporary accommodation|halfway house|approved premises)(?: (?:called|named|on|at|in|is)){1,3}"
    r"|(?:moored|berthed|pitched|parked up)(?: (?:at|in|on)){1,3}"
    r"|my (?:boat|narrowboat|houseboat|caravan|van) is(?: (?:the|called))?"
    r"|(?:home |postal |current |full |new |caller's |clr's |my |her |his |our ){0,4}(?:address|addr)(?: is| was| =|:| -|,){1,4}"
    r"|cyfeiriad(?: yw|:| i yw){0,3}|adres(?:a)?(?: to|:| mea este){0,3})\s?(?P<the>the )?"
)
_CAPITAL_RUN: Final = re.compile(
    r"(?:the\s|The\s)?(?:[A-Z0-9][\w'&\-]{0,30}\.?|Ty|ty)(?:(?:,|(?<=St)|(?<=Rd)|(?<=Ave)|(?<!\.))\s(?:[A-Z0-9][\w'&\-]{0,30}\.?|the\s[A-Z]\w{0,30}|number [0-9]{1,5}|flat [0-9]{1,5}|room [0-9]{1,5}|no\.? ?[0-9]{1,5}|of\s[A-Z]\w{0,30}|y\s[A-Z]\w{0,30}|yr\s[A-Z]\w{0,30}|on\s(?=[A-Z]\w{0,30} (?:Street|Road|Square|Lane|Hill)))){0,7}"
)
_LOWER_RUN: Final = re.compile(
    rf"(?:the\s)?(?:{_FLAT})?(?:{_NUMBER},?\s)?(?:(?!(?:{_NO_WORD})\b)[\w'.\-]{{2,24}},?\s){{0,3}}?(?:{_SURE_STREET})\b"
    rf"|(?:{_FLAT}|{_NUMBER})(?:\s(?!(?:{_NO_WORD})\b)[\w'.\-]{{2,24}}){{0,2}}"
)
_HAS_STREET: Final = re.compile(
    rf"\b(?:{_STREET}|flat|room|caravan|forge|rectory|vicarage|bothy|mill|grange|manor|old|hall|heol|stryd|ffordd|maes|bungalow|cabin|boathouse|court|crofts?|refuge|hostel|lodgings)\b|[0-9]",
    re.IGNORECASE,
)
_HOME_SUFFIX: Final = re.compile(
    r"\b(?:at|in|into|from|to)\s((?:[A-Z][\w'\-]{0,30}\s){1,3}(?:Lodge|Cottage|Cottages|Care Home|Nursing Home|Residential Home|Hostel|Bungalow|Rectory|Vicarage|Caravan Park|Foyer))\b"
)
_LINE: Final = re.compile(r"[^\n]+")
_VALEDICTION: Final = re.compile(
    r"(?:\A|\n)[^\n]{0,30}\b(?:regards|sincerely|faithfully|truly|thanks|wishes|thank you|cofion|gywir|respectfully|gratefully)[^\n]{0,20}\n"
)
_SALUTATION: Final = re.compile(r"(?:\A|\n)(?:dear|to whom|annwyl|to:|re:)\b")
_BLOCK_LINE: Final = re.compile(
    rf"\b(?:{_STREET})\b|\b[a-z]{{1,2}}[0-9][0-9a-z]?\s?[0-9][a-z]{{2}}\b|\[postcode\]"
)
_NO_BLOCK_LINE: Final = re.compile(
    r"police|constable|hotline|office|solicitor|dear|\bre\b|subject|\[(?:name|email|phone)|@|[0-9]{6}|headquarters|to whom|charity|line\b|ref\b|reference"
)
# One marker before it is passed over, as a space would be: it may have been typed there to hide what follows.
_MARKER_BEFORE: Final = re.compile(rf"{ANY_MARKER},?\s?")
_HOME_SUFFIXES: Final = words("lodge cottage cottages home hostel bungalow rectory vicarage park foyer")
_HOMES: Final = words("""house home flat apartment bungalow bedsit room place property hostel front doorstep drive driveway garden kitchen bedroom hall
    gaff address addr croft caravan trailer boat narrowboat houseboat van""")
# The first words of `_LIVING`, with and without those of whose home it is.
_LIVE_VERBS: Final = words("""live lives lived living reside resides resided residing stay stays stayed staying lodge lodges lodging moved moving based
    housed accommodated rent rents renting put placed byw mieszkam locuiesc vivo moro oturuyorum refuge hostel shelter safehouse safe
    women hotel b care nursing supported temporary halfway approved moored berthed pitched parked cyfeiriad adres adresa""")
_LIVE_HINTS: Final = words("""live lives lived living reside resides resided residing stay stays stayed staying lodge lodges lodging moved moving based
    housed accommodated rent rents renting put placed byw mieszkam locuiesc vivo moro oturuyorum
    my our her his their clr caller mum nan parents sister mother friend ip home postal current full new address addr
    refuge hostel shelter safehouse safe women hotel b care nursing supported temporary halfway approved moored berthed pitched
    parked cyfeiriad adres adresa""")


def addresses(reading: Reading) -> Iterator[Span]:
    """Addresses of homes. A town alone stays, and so does a street where nobody is said to live."""
    low = reading.low
    caseless = reading.is_caseless
    if reading.digits:
        yield from _numbered(reading, caseless=caseless)
        for found in reading.matches(_FLAT_ALONE, _FLATS):
            yield Span(found.start(), found.end(), "address")
        yield from _house_numbers(reading)
        if not caseless:
            yield from _named_after_number(reading)
        for found in reading.matches(_ROOM_ALONE, _ROOM_WORDS):
            if not _NO_HOME_ROOM.search(reading.before(found.start(), 16)):
                yield Span(found.start(), found.end(), "address")
        if reading.has_any(_ROOMS):
            for found in _ROOM.finditer(low):
                group = 1 if found.group(1) else 2
                yield Span(found.start(group), found.end(group), "address")
    hints = _LIVE_HINTS if reading.has_any(_HOMES) else _LIVE_VERBS
    for found in reading.matches(_LIVING, hints):
        yield from _home(reading, found, caseless=caseless)
    if reading.has_any(_HOME_SUFFIXES):
        for found in _HOME_SUFFIX.finditer(reading.text):
            yield Span(found.start(1), found.end(1), "address")
    if "\n" in low:
        yield from _blocks(reading)


def house_numbers(reading: Reading) -> Iterator[Span]:
    """In a field that says where it happened: a home whole, elsewhere the number of a house alone."""
    if reading.has_any(_OWN_HOME):
        yield from addresses(reading)
        return
    if reading.digits:
        for span in _numbered(reading, caseless=reading.is_caseless):
            number = re.match(
                rf"(?:{_FLAT})?(?:no\.?\s?|number\s)?{_NUMBER}", reading.low[span.start : span.end]
            )
            if number:
                yield Span(span.start, span.start + len(number.group().rstrip(" ,")), "address")
        for found in reading.matches(_FLAT_ALONE, _FLATS):
            yield Span(found.start(), found.end(), "address")


_OWN_HOME: Final = words(
    "my our home kitchen bedroom bathroom lounge hallway garden doorstep caller's clr's victim's living lives live me mum's mother's"
)


def _numbered(reading: Reading, *, caseless: bool) -> Iterator[Span]:
    low, text = reading.low, reading.text
    pattern = _AFTER_NUMBER_SURE if caseless else _AFTER_NUMBER
    done = 0
    for start, _ in reading.digit_runs:
        if start < done or (start and (low[start - 1].isalnum() or low[start - 1] in "/.-#£$")):
            continue
        found = pattern.match(low, start) or _STREET_FIRST.match(low, start)
        if found is None or _DAY_AND_PLACE.match(low, start):
            continue
        if not caseless:
            words = re.findall(r"[^\W\d_][\w']*", text[found.start() : found.end()])
            if not all(
                word[0].isupper()
                for word in words
                if len(word) > 1 and word.lower() not in {"no", "number", "the", "y", "yr", "de"}
            ):
                continue
        before = _BEFORE_NUMBER.search(low, max(0, start - 40), start)
        begin = (
            before.start()
            if before and (before.start() == 0 or not low[before.start() - 1].isalnum())
            else start
        )
        if re.search(r"\b(?:pc|ps|sgt|dc|room|section|para|at)\s?\Z", low[max(0, begin - 8) : begin]) and low[
            max(0, begin - 3) : begin
        ].strip() in {"pc", "ps", "dc"}:
            continue
        done = found.end()
        yield Span(begin, found.end(), "address")
    yield from _number_last(reading)


_FLATS: Final = words("flat apartment apt bedsit maisonette fflat")
_NUMBERS: Final = words("no number num nos pitch plot berth house nr")
_ROOMS: Final = frozenset(("room", "rm"))


_BEFORE_HOUSE: Final = words(
    "at in of from to outside opposite we're i'm im is they're lives live shes hes next above below over past behind"
)
_NO_HOUSE: Final = words("of in times years minutes bus on")
_SHORT_NUMBER: Final = re.compile(r"[0-9]{1,3}[a-z]?\Z")


def _closes(reading: Reading, i: int) -> bool:
    """`over the road, no. 71.`: nothing is counted."""
    return i + 1 >= len(reading.words) or reading.seps[i + 1][0] in ",.;)\n"


def _house_numbers(reading: Reading) -> Iterator[Span]:
    """`at number 9`, `at no. 41`; not an officer's number, which is longer."""
    for i in reading.tokens(_NUMBERS):
        after = i + 1
        if (
            after < len(reading.words)
            and reading.seps[after] in {" ", ". ", "."}
            and _SHORT_NUMBER.match(reading.lows[after])
            and i
            and (
                (reading.seps[i] == " " and reading.lows[i - 1] in _BEFORE_HOUSE)
                or (reading.seps[i] == ", " and _closes(reading, after))
            )
            and not (
                after + 1 < len(reading.words)
                and reading.lows[after + 1] in _NO_HOUSE
                and reading.seps[after + 1] == " "
            )
        ):
            yield Span(reading.starts[i], reading.ends[after], "address")


_TO_HOUSE: Final = words("at to from outside into opposite is number no flat apartment no. visited entered")
_NO_NUMBER_BEFORE: Final = words(
    "bus route page section para room platform tram train line unit channel part class year article"
)
_NUMBERED: Final = words("para paras rifles scots commando squadron regiment brigade live")
_HOUSE_NUMBER: Final = re.compile(r"[0-9]{1,3}[a-z]?\Z")


def _named_after_number(reading: Reading) -> Iterator[Span]:
    """`at 14 Rowan`, `flat 6 Argyle`, `number 12, Larkrise`: a house number before a name without a word for a street."""
    for i, word in enumerate(reading.words):
        after = i + 1
        if not (
            i and word[0].isdecimal() and _HOUSE_NUMBER.match(reading.lows[i]) and after < len(reading.words)
        ):
            continue
        before = reading.lows[i - 1]
        if before not in _TO_HOUSE or before in _NO_NUMBER_BEFORE or reading.seps[i] not in {" ", ". "}:
            continue
        f = reading.flags[after]
        if (
            reading.seps[after] not in {" ", ", "}
            or not reading.words[after][0].isupper()
            or reading.words[after].isupper()
            or f & (COMMON | HARMLESS | MONTH | POLICE | RANK | ROLE | KIN)
            or (f & ENGLISH and not f & (GIVEN | SURNAME | PLACE))
            or reading.lows[after] in _NUMBERED
            or (reading.seps[after] == ", " and before not in {"number", "no", "flat", "apartment"})
        ):
            continue
        end = after
        if (
            end + 1 < len(reading.words)
            and reading.seps[end + 1] == " "
            and reading.words[end + 1][0].isupper()
            and not reading.flags[end + 1] & (POLICE | RANK)
        ):
            end += 1
        begin = i - 1 if before in {"number", "no", "flat", "apartment"} else i
        yield Span(reading.starts[begin], reading.ends[end], "address")


def _number_last(reading: Reading) -> Iterator[Span]:
    low = reading.low
    for i in reading.tokens(_NUMBERS):
        if i + 1 >= len(reading.words) or not reading.words[i + 1][0].isdecimal():
            continue
        position = reading.starts[i]
        begin = max(0, position - 60)
        for found in _STREET_THEN_NUMBER.finditer(low, begin, min(len(low), position + 40)):
            if found.end() > position:
                words = list(re.finditer(r"[\w'.\-]+", reading.text[found.start() : found.end()]))
                first = next((w.start() for w in words if w.group()[0].isupper()), None)
                if first is not None:
                    yield Span(found.start() + first, found.end(), "address")


def _home(reading: Reading, cue: re.Match[str], *, caseless: bool) -> Iterator[Span]:
    """The place that a word for living introduces, if it is more exact than a town."""
    start = cue.end()
    if cue.group("the"):
        start -= len(cue.group("the"))
    if start > len(reading.text):
        return
    if start and reading.low[start - 1].isalnum():
        return
    if marker := _MARKER_BEFORE.match(reading.low, start):
        start = marker.end()
    run = None if caseless else _CAPITAL_RUN.match(reading.text, start)
    if run is None or (not run.group()[0].isupper() and not _HAS_STREET.search(run.group())):
        run = _LOWER_RUN.match(reading.low, start) or run
    if run is None:
        return
    place = run.group().rstrip(" ,.")
    if not place or not _HAS_STREET.search(place):
        return
    if any(lexicon().get(word, 0) & RANK for word in place.lower().split()):
        return  # `stayed unwritten. Sergeant Deborah Lane`
    low = place.lower()
    if _IS_DAY.match(low):
        return
    if lexicon().get(low, 0) & PLACE or low in {
        "the",
        "a",
        "house",
        "home",
        "the house",
        "the road",
        "the street",
        "the park",
    }:
        return
    if re.fullmatch(r"[0-9]{1,2}(?:am|pm|:[0-9]{2})?|(?:19|20)[0-9]{2}", low) or re.match(
        r"[0-9]{1,2}(?::[0-9]{2}|\s?[ap]m)\b", low
    ):
        return
    if re.match(
        r"(?:19|20)[0-9]{2}\b|[0-9]+(?:st|nd|rd|th)\b|[0-9]+ (?:years|months|days|weeks|hours|times|minutes|of|officers|men)\b",
        low,
    ):
        return
    yield Span(start, start + len(place), "address")


_IS_DAY: Final = re.compile(
    r"[0-9]{1,2}(?:st|nd|rd|th)? (?:of )?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\b|[0-9]{1,2}/[0-9]{1,2}\Z"
)
_DAY_AND_PLACE: Final = re.compile(r"(?:[0-2]?[0-9]|3[01])/(?:0?[1-9]|1[0-2]), ")


def _blocks(reading: Reading) -> Iterator[Span]:
    """The lines of an address above `Dear ...` and below the signature of a letter."""
    low = reading.low
    if found := _SALUTATION.search(low, 0, 600):
        lines = list(_LINE.finditer(low, 0, found.start() + 1 if found.start() else 0))
        yield from _block(lines)
    last = None
    for found in _VALEDICTION.finditer(low):
        last = found
    if last:
        yield from _block(list(_LINE.finditer(low, last.end()))[1:7])


def _block(lines: list[re.Match[str]]) -> Iterator[Span]:
    if not any(_BLOCK_LINE.search(line.group()) and len(line.group()) < 60 for line in lines):
        return
    for line in lines:
        content = line.group().strip(" ,.")
        if (
            not content
            or len(content) > 60
            or _NO_BLOCK_LINE.search(content)
            or re.fullmatch(rf"(?:{ANY_MARKER}\s?,?\s?)+", content)
        ):
            continue
        if re.match(r"[0-9]{1,2}(?:st|nd|rd|th)? \w+ [0-9]{4}|[0-9./\-]+\Z", content):
            continue
        begin = line.start() + line.group().index(content[0])
        yield Span(begin, begin + len(content), "address")
