"""The caller's name, where the caller or the call handler says that it is theirs.

Only an introduction makes a name the caller's: "my name is ...", "I'm ...", "this is ... calling", the
line after "Regards,", "the caller's name is ...", "my daughter ...". Names of officers, with a rank or
without, are never looked for, and stay. A partner's name stays as well: in `partner_abuse` the partner is
the accused.
"""

import re
from collections.abc import Iterator
from typing import Final

from shared.sanitiser.reading import ANY_MARKER, Reading, Span, phrases
from shared.sanitiser.words import (
    DEMONYMS,
    NOT_NAMES,
    PARTICLES,
    RANKS,
    TITLES,
    words,
)

# One marker before a name is passed over like a space, or it could be typed there to hide the name.
_GAP: Final = re.compile(rf"[ \t\u00a0]*(?:{ANY_MARKER}[ \t\u00a0]*)?")
_WORD: Final = re.compile(r"[ \t\u00a0]*([^\W\d_]+(?:['\u2019\-][^\W\d_]+)*)(\.?)")
_QUOTE: Final = "[\"'\u2018\u2019\u201c\u201d(]?"

_MY_NAME: Final = re.compile(
    r"\b(?:my|our|(?:the )?(?:caller|complainant|informant|victim)['\u2019]s"
    r"|(?:caller|complainant|informant|i)(?: \w+)? gave (?:her|his|their|my))"
    r" (?:(?:full|first|last|middle|maiden|real|own|birth|family|christian|given|legal|actual|married)[ -])*"
    r"(?:sur|fore)?names?(?:['\u2019]s\b| is\b| are\b| was\b| as\b| being\b|[ \t]?[:=\-]|,)+[ \t]*" + _QUOTE
)
_NAMES: Final = words("name names surname surnames forename forenames")
_LABEL: Final = re.compile(
    r"(?:^|\n)[ \t]*(?:(?:full|first|last|your|my) )?(?:sur)?name[ \t]*[:=\-]" + _QUOTE
)
_CALLED: Final = re.compile(
    r"\b(?:i am|i['\u2019]?m|i was) (?:called|named|known as)\b"
    r"|\bi go by(?: the name(?: of)?)?\b"
    r"|\b(?:please|you can|people|friends|everyone|everybody) calls? me\b"
    r"|\b(?:caller|complainant) (?:is (?:called|named)|named)\b"
)
_CALLED_WORDS: Final = words("called named known go call calls")
_CALLED_HINTS: Final = (" called", " named", " known as", " go by", " call me", " calls me")
_I_AM: Final = phrases("i'm ", "i\u2019m ", "im ", "i am ")
_APPOSITIONS: Final = phrases("i, ", "caller, ", "complainant, ", "informant, ")
# Call handlers write of the caller so: "Caller Jane Hale was drunk".
_SPOKEN_OF: Final = phrases("caller ", "complainant ", "informant ")
_THIS_IS: Final = phrases("this is ", "it's ", "it\u2019s ", "it is ")
_OPENING: Final = re.compile(
    r"\s*(?:(?:hi|hello|hiya|good (?:morning|afternoon|evening))\b[,.!]?\s*)?"
    r"(this is |it['\u2019]?s |it is )?"
)
_SPEAKING: Final = re.compile(r"[ \t]*,?[ \t]*(?:calling|speaking|here|ringing|phoning|writing)\b")
_SPEAKING_WORDS: Final = words("calling speaking here ringing phoning writing")
_VALEDICTIONS: Final = phrases(
    *("regards", "best", "best wishes", "yours", "yours faithfully", "yours sincerely", "yours truly"),
    *("faithfully", "sincerely", "sincerely yours", "respectfully", "cheers", "signed", "signed by"),
    *("thanks", "thanks again", "thanks in advance", "thanks so much", "thanks very much", "many thanks"),
    *("thank you", "thank you again", "thank you in advance", "thank you so much", "thank you very much"),
    *("love", "from"),
)
_TO_THE_NAME: Final = re.compile(r"(?:[ \t]*[,!:\-]+\s*|[ \t]*\.?[ \t]*\n\s*|[ \t]+)(?:-[ \t]*)?")
# `as regards David C`, `he took it from David C`.
_NO_VALEDICTION: Final = re.compile(r"(?:\b(?:as|with|in)[ \t]+regards|[^\n](?:love|from))\Z")
_LINE_END: Final = re.compile(r"[ \t.!]*(?:\n|\Z)")
_KIN: Final = re.compile(
    r"\b(?:my|our) (?:(?:little|older|younger|elder|eldest|youngest|baby|step|foster|twin|late|own|disabled"
    r"|teenage) ?)*(?:son|daughter|child|baby|boy|girl|grandson|granddaughter|niece|nephew|mother|mum|mom|dad"
    r"|father|sister|brother|aunt|auntie|uncle|cousin|grandmother|grandfather|nan|gran|grandad|stepson"
    r"|stepdaughter)(?:['\u2019]s name is|,? (?:who is )?(?:called|named)|,)?(?=[ \t])"
)
_POLICE: Final = re.compile(
    r"\b(?:pcs?|dc|ps|police\w*|officers?|sergeants?|inspector|constable|cops?|detective|serv(?:es|ing)|special)\b"
)
_THEY_SAID: Final = re.compile(
    r"\b(?:he|she|they|who|officer|pc|man|sergeant|constable)\b(?:\W+\w+){0,3}?\W+(?:said|says|told|replied|answered|shouted"
    r"|introduced)\b[^.!?]*\Z"
)
_MOST_WORDS: Final = 6


def introductions(reading: Reading) -> Iterator[Span]:
    """Where it is said outright what the caller is called. The name may be in lower case."""
    low = reading.low
    if reading.has_any(_NAMES):
        for found in _MY_NAME.finditer(low):
            yield from _given_name(reading, found)
        for found in _LABEL.finditer(low):
            yield from _name(reading, found.end(), lower_case=True)
    if reading.has_any(_CALLED_WORDS) and any(hint in low for hint in _CALLED_HINTS):
        for found in _CALLED.finditer(low):
            yield from _name(reading, found.end())


def _given_name(reading: Reading, found: re.Match[str]) -> Iterator[Span]:
    """A rank before it is passed over, unless the sentence reports what an officer said."""
    start = found.end()
    word = _WORD.match(reading.text, start)
    if word and word.group(1).lower() in RANKS:
        if _THEY_SAID.search(reading.before(found.start(), 60)):
            return
        start = word.end()
    yield from _name(reading, start, lower_case=True)


def self_descriptions(reading: Reading) -> Iterator[Span]:
    """`I'm Jane`, `I, Jane Smith,`, `caller Jane Smith`, `this is Jane Smith calling`, `Jane Smith speaking`:
    in capitals only."""
    for start in reading.after(_I_AM):
        for span in _name(reading, start, weak=True):
            # "I am David C's wife": the one who is named is somebody else.
            if reading.low[span.end - 2 : span.end] not in ("'s", "\u2019s"):
                yield span
    for start in reading.after(_APPOSITIONS):
        for span in _name(reading, start, weak=True):
            if reading.text[span.end : span.end + 1] == ",":
                yield span
    for start in reading.after(_SPOKEN_OF):
        yield from _name(reading, start + reading.text.startswith("(", start), weak=True)
    is_speaking = reading.has_any(_SPEAKING_WORDS)
    if is_speaking:
        for start in reading.after(_THIS_IS):
            yield from _speaking(reading, start)
    if opening := _OPENING.match(reading.low):
        if opening.group(1):
            yield from _name(reading, opening.end(), weak=True)
        elif is_speaking:
            yield from _speaking(reading, opening.end())


def _speaking(reading: Reading, start: int) -> Iterator[Span]:
    for span in _name(reading, start, weak=True):
        if _SPEAKING.match(reading.low, span.end):
            yield span


def signatures(reading: Reading) -> Iterator[Span]:
    """The name that ends a line after "Regards," and the like."""
    for end in reading.after(_VALEDICTIONS):
        gap = _TO_THE_NAME.match(reading.low, end)
        if gap is None or _NO_VALEDICTION.search(reading.before(end, 16)):
            continue
        for span in _name(reading, gap.end(), lower_case=True):
            if _LINE_END.match(reading.text, span.end):
                yield span


def relatives(reading: Reading) -> Iterator[Span]:
    """`my daughter Emma`; not if what follows tells that she is an officer, who may be the accused."""
    for found in reading.mine(_KIN):
        for span in _name(reading, found.end(), weak=True):
            if not _POLICE.search(reading.low, span.end, span.end + 50):
                yield span


def _name(reading: Reading, start: int, *, lower_case: bool = False, weak: bool = False) -> Iterator[Span]:
    """The name that begins at `start`, if one does.

    It goes on over capitalised words until a word that is no name, a rank, or a stop. With `lower_case` one
    or two words in lower case count too; if `weak`, a word all in capitals (`HIV`) or one that tells what
    somebody is (`Black`) does not begin one.
    """
    first = end = -1
    count = longest = 0
    gap = _GAP.match(reading.text, start)
    position = gap.end() if gap else start
    while count < _MOST_WORDS:
        word = _WORD.match(reading.text, position)
        if word is None:
            break
        text, lower = word.group(1), word.group(1).lower()
        if lower in RANKS or lower in NOT_NAMES:
            break
        if not _goes_on(reading, word, count=count, lower_case=lower_case, weak=weak):
            break
        if first < 0:
            first = word.start(1)
        end = word.end(1)
        is_short_for = word.group(2) and (len(text) == 1 or lower in TITLES)
        if lower not in TITLES and lower not in PARTICLES:
            count += 1
            longest = max(longest, len(text))
        if word.group(2) and not is_short_for:
            break
        position = word.end()
    if longest > (1 if weak else 0):  # `The complainant, Q.Z., ...` was made anonymous by whoever wrote it
        yield Span(first, end, "name")


def _goes_on(reading: Reading, word: re.Match[str], *, count: int, lower_case: bool, weak: bool) -> bool:
    text, lower = word.group(1), word.group(1).lower()
    if text[0].isupper() or lower in TITLES:
        shouted = weak and len(text) > 1 and text.isupper() and lower not in TITLES
        return not (shouted or (weak and count == 0 and lower in DEMONYMS))
    if lower in PARTICLES:
        following = _WORD.match(reading.text, word.end())
        while following and following.group(1).lower() in PARTICLES and following.group(1)[0].islower():
            following = _WORD.match(reading.text, following.end())
        return following is not None and following.group(1)[0].isupper()
    return lower_case and not text[0].isupper() and count < 2
