"""One reading of a text for all recognisers: normalised, in tokens, with the way back to the text as sent.

`Reading.text` is the text in compatibility form (NFKC), of one script within a word, without invisible
characters and loose combining marks, with plain quotes and dashes, ASCII digits, and any stretch of white
space as one space, or one line end if it holds one. `Reading.low` is the same in lower case, each character at
its place. `Reading.as_sent` maps a span back to the code points as sent; a span never parts a character from
its marks. Everything takes time linear in the length of the text.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence, Set
from itertools import accumulate, repeat
from typing import Final, NamedTuple

from shared.sanitiser.lexicon import ENGLISH, flags_of_compound, lexicon

KINDS: Final = (
    "address",
    "bank-account",
    "card",
    "date-of-birth",
    "driving-licence",
    "email",
    "handle",
    "identity-number",
    "ip-address",
    "link",
    "name",
    "national-insurance",
    "nhs-number",
    "number",
    "phone",
    "postcode",
    "reference",
    "school",
    "vehicle",
    "workplace",
)
"""Every kind of trace. `[kind]` stands where one was, for a person's name `[name-1]`, `[name-2]`."""

ANY_MARKER: Final = rf"\[(?:{'|'.join(KINDS)})(?:-[0-9]{{1,6}})?\]"
MARKER: Final = re.compile(ANY_MARKER)


class Span(NamedTuple):
    """`start` and `end` in code points."""

    start: int
    end: int
    kind: str


Recogniser = Callable[["Reading"], Iterator[Span]]

_TOKEN: Final = re.compile(rf"({ANY_MARKER}|\w+(?:['\-](?!s\b)\w+)*)")
# What is not plain: anything but printable ASCII with single spaces.
_UNEVEN: Final = re.compile(r"[^ -~]+(?: +[^ -~]+)*|  +(?:[^ -~]+ *)*")
_ENDS_OF_LINE: Final = frozenset("\n\r\v\f\x85\u2028\u2029")
_PLAIN: Final = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc\u02b9\u00b4\u0060\u02bb", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-"),
    "\u0130": "I",
}
_PLAIN_AT_ITS_PLACE: Final = str.maketrans(_PLAIN)
_LOOKALIKES: Final = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u051b\u04bb\u0432\u043a\u043c\u043d\u0442"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0423\u0406\u0408\u0405"
    "\u03b1\u03bf\u03c1\u03c5\u03bd\u03b9\u03ba\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\u0261\u026a\u0131",
    "aeopcyxijsdwhBkmhtABEKMHOPCTXYIJSaopuvikABEZHIKMNOPTYXgii",
)
_MIXED_WORD: Final = re.compile(r"[^\W\d_]+")
_LATIN: Final = re.compile(r"[a-zA-Z]")
_OTHER_SCRIPT: Final = re.compile(r"[\u0370-\u052f\u0261\u026a\u0131]")


_BITS: Final[dict[frozenset[str], int]] = {}
_SETS_OF: Final[dict[str, int]] = {}  # the bits of the sets that have the word


def _bit_of(words: frozenset[str]) -> int:
    bit = _BITS[words] = 1 << len(_BITS)
    for word in words:
        _SETS_OF[word] = _SETS_OF.get(word, 0) | bit
    return bit


class Reading:
    """A text as the recognisers see it.

    `words`, `lows`, `starts`, `ends` and `flags` are its tokens: as written, in lower case without accents,
    where they stand in `text`, and the flags of the lexicon. `seps[i]` is what stands before token `i`;
    `seps[-1]` ends the text. `at` has the tokens of each word. `is_caseless`: capitals tell nothing, for the text is
    all in capitals, or all but without any; `is_shouted`: it is all in capitals.
    """

    __slots__ = (
        "_asked",
        "_at",
        "_known",
        "_pieces",
        "_sets",
        "digit_runs",
        "digits",
        "ends",
        "flags",
        "is_caseless",
        "is_shouted",
        "low",
        "lows",
        "sent",
        "seps",
        "starts",
        "text",
        "words",
    )

    def __init__(self, sent: str) -> None:
        self.sent = sent
        # (start in the text, start as sent, end as sent or 0 for a plain stretch), where they are not the same.
        self._pieces: list[tuple[int, int, int]] = []
        self.text = sent if sent.isascii() else sent.translate(_PLAIN_AT_ITS_PLACE)
        if not _is_plain(self.text):
            self._normalise()
        parts = _TOKEN.split(self.text)
        self.seps, self.words = parts[0::2], parts[1::2]
        self._locate(parts)
        low = self.low
        if self.text.isascii():
            self.lows = [low[s:e] for s, e in zip(self.starts, self.ends, strict=True)]
        else:
            self.lows = [folded(low[s:e]) for s, e in zip(self.starts, self.ends, strict=True)]
        self.flags = list(map(lexicon().get, self.lows, repeat(0)))
        if not low.isascii() or "-" in low or "'" in low:
            for i in [i for i, flags in enumerate(self.flags) if not flags]:
                self.flags[i] = flags_of_compound(self.lows[i])
        self._known = frozenset(self.lows)

    def _locate(self, parts: list[str]) -> None:
        text = self.text
        low = text.lower()
        if len(low) != len(text):  # no character of a normalised text is longer in lower case but a few
            low = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
        self.low = low
        places = list(accumulate(map(len, parts)))
        self.starts, self.ends = places[0:-1:2], places[1::2]
        self._at: dict[str, list[int]] = {}
        self._asked = self._sets = 0
        self.is_caseless = _is_caseless(text)
        self.is_shouted = self.is_caseless and sum(map(str.isupper, text)) > sum(map(str.islower, text))
        self.digit_runs = tuple(_digit_runs(text))
        self.digits = sum(end - start for start, end in self.digit_runs)

    def replaced(self, replacements: Sequence[tuple[int, int, str]]) -> "Reading":
        """The reading of the text with (start, end, marker) in the place of what was there: the same as reading it
        anew, in a third of the time where markers take the place of whole tokens."""
        seps, words, lows, flags = [], [], [], []
        done = position = 0
        plain = not self._pieces
        for start, end, marker in replacements:
            first = bisect_left(self.starts, start)
            last = bisect_right(self.ends, end)
            plain = plain and first < last and first >= done and (first == 0 or self.ends[first - 1] <= start)
            if not plain or (last < len(self.starts) and self.starts[last] < end):
                return Reading(_with_markers(self.sent, replacements))
            if first > done:
                seps += [self.text[position : self.starts[done]], *self.seps[done + 1 : first]]
                position = self.ends[first - 1]
            words += [*self.words[done:first], marker]
            lows += [*self.lows[done:first], marker]
            flags += [*self.flags[done:first], 0]
            seps.append(self.text[position:start])
            done, position = last, end
        if done < len(self.words):
            seps += [self.text[position : self.starts[done]], *self.seps[done + 1 :]]
        else:
            seps.append(self.text[position:])
        new = Reading.__new__(Reading)
        new.words, new.lows, new.flags = (
            words + self.words[done:],
            lows + self.lows[done:],
            flags + self.flags[done:],
        )
        new.seps = seps
        parts = [""] * (2 * len(new.words) + 1)
        parts[0::2], parts[1::2] = seps, new.words
        new.text = new.sent = "".join(parts)
        if "  " in new.text:
            return Reading(new.text)
        new._pieces = []
        new._known = frozenset(new.lows)
        new._locate(parts)
        return new

    def as_sent(self, span: Span) -> Span:
        """A span of the normalised text in the code points of the text as sent."""
        if not self._pieces:
            return span
        return Span(self._sent(span.start)[0], self._sent(span.end - 1)[1], span.kind)

    def _sent(self, position: int) -> tuple[int, int]:
        """Start and end, in the text as sent, of the character at a position."""
        start, sent, end = self._pieces[bisect_right(self._pieces, (position, len(self.sent) + 1)) - 1]
        if end:
            return sent, end
        sent += position - start
        return sent, sent + 1

    def before(self, position: int, length: int) -> str:
        """What stands before a position, in lower case."""
        return self.low[max(0, position - length) : position]

    def has_any(self, words: frozenset[str]) -> bool:
        """Whether one of these is among its tokens. For the constant sets of the recognisers alone, each of which has
        a bit for good: all of them are asked of every text."""
        bit = _BITS.get(words)
        if bit is None:
            bit = _bit_of(words)
        if self._asked != len(_BITS):
            self._asked, self._sets = len(_BITS), 0
            for word in self._known.intersection(_SETS_OF):
                self._sets |= _SETS_OF[word]
        return bool(self._sets & bit)

    def tokens(self, words: frozenset[str]) -> list[int]:
        """The tokens that are one of these words, in their order. For the same sets as `has_any`."""
        return self._tokens(words) if self.has_any(words) else []

    def tokens_of(self, words: Set[str]) -> list[int]:
        """The same for any set of words."""
        return self._tokens(words) if not self._known.isdisjoint(words) else []

    def _tokens(self, words: Set[str]) -> list[int]:
        if not self._at:
            for i, word in enumerate(self.lows):
                self._at.setdefault(word, []).append(i)
        found = self._known & words
        if len(found) == 1:
            return self._at[next(iter(found))]
        return sorted(i for word in found for i in self._at[word])

    def matches(self, pattern: re.Pattern[str], words: frozenset[str]) -> Iterator[re.Match[str]]:
        """Matches, in lower case, of a pattern that begins with one of these words; none overlaps another."""
        end = 0
        for i in self.tokens(words):
            start = self.starts[i]
            if start >= end and (found := pattern.match(self.low, start)):
                yield found
                end = found.end()

    def around_digits(self, pattern: re.Pattern[str], nearest: int, farthest: int) -> Iterator[re.Match[str]]:
        """Matches of a pattern that begins that many characters before a run of digits."""
        for start, _ in self.digit_runs:
            for position in range(start - nearest, max(-1, start - farthest - 1), -1):
                if found := pattern.match(self.text, position):
                    yield found
                    break

    def _normalise(self) -> None:
        sent = self.sent
        parts: list[str] = []
        pieces = self._pieces
        length = position = 0

        def add(part: str, start: int, end: int) -> None:
            nonlocal length
            if part:
                parts.append(part)
                pieces.append((length, start, end))
                length += len(part)

        for uneven in _UNEVEN.finditer(sent):
            begin, end = uneven.span()
            if begin > position and sent[begin - 1] != " " and _joins(sent[begin]):
                begin -= 1  # the character that a mark belongs to
            add(sent[position:begin], position, 0)
            if (
                (stretch := uneven.group()).isspace()
                and stretch.isascii()
                and not (parts and parts[-1][-1] in _SPACES)
            ):
                while sent[end : end + 1] == " ":
                    end += 1
                add("\n" if not _ENDS_OF_LINE.isdisjoint(stretch) else " ", begin, end)
                position = end
                continue
            for character, first, last in _evened(sent, begin, end):
                if character in _SPACES and parts and parts[-1][-1] in _SPACES:
                    # White space on both sides of what was dropped, or two stretches that met.
                    self._widen(parts, last, character)
                    continue
                add(character, first, last)
            position = end
            if sent[position : position + 1] == " " and parts and parts[-1][-1] in _SPACES:
                position += 1
                self._widen(parts, position, " ")
        add(sent[position:], position, 0)
        text = "".join(parts)
        if _OTHER_SCRIPT.search(text):
            text = _MIXED_WORD.sub(_of_one_script, text)
        self.text = text
        if not text:
            pieces.clear()

    def _widen(self, parts: list[str], end: int, space: str) -> None:
        """The white space at the end reaches further; a line end in it counts."""
        if space == "\n":
            parts[-1] = parts[-1][:-1] + "\n"
        start, first, last = self._pieces[-1]
        if last or len(parts[-1]) == 1:
            self._pieces[-1] = (start, first, end)
        else:
            self._pieces.append((start + len(parts[-1]) - 1, first + len(parts[-1]) - 1, end))
            parts[-1:] = [parts[-1][:-1], parts[-1][-1]]


def _with_markers(text: str, replacements: Sequence[tuple[int, int, str]]) -> str:
    parts, position = [], 0
    for start, end, marker in replacements:
        parts += [text[position:start], marker]
        position = end
    return "".join([*parts, text[position:]])


_SPACES: Final = frozenset(" \n")


def _evened(sent: str, begin: int, end: int) -> Iterator[tuple[str, int, int]]:
    """(normalised, start, end) of every character with its marks; nothing for what is invisible."""
    position = begin
    while position < end:
        first = position
        position += 1
        while position < end and (_is_mark(sent[position]) or _is_invisible(sent[position])):
            position += 1
        cluster = sent[first:position]
        if cluster in {"\n", " "} or cluster.isspace() or cluster in _ENDS_OF_LINE:
            is_line_end = cluster in _ENDS_OF_LINE
            while position < end and (sent[position].isspace() or _is_invisible(sent[position])):
                is_line_end = is_line_end or sent[position] in _ENDS_OF_LINE
                position += 1
            yield "\n" if is_line_end else " ", first, position
        elif character := _normalised(cluster):
            yield character, first, position


def _normalised(cluster: str) -> str:
    visible = "".join(c for c in cluster if not _is_invisible(c))
    if not visible:
        return ""
    kept = []
    for c in unicodedata.normalize("NFKC", visible[0] if len(visible) == 1 else visible):
        if c in _PLAIN:
            kept.append(_PLAIN[c])
        elif c.isdecimal():
            kept.append(str(unicodedata.decimal(c)))
        elif c.isspace():
            kept.append(" ")
        elif not unicodedata.category(c).startswith("M"):
            kept.append(c)
    return "".join(kept).strip() or ("" if _is_mark(visible[0]) else visible[0])


def _is_plain(text: str) -> bool:
    """Whether there is nothing to normalise: printable ASCII with single spaces and single line ends."""
    return (
        text.isascii()
        and (text.isprintable() or text.replace("\n", "").isprintable())
        and not ("  " in text or "\n\n" in text or " \n" in text or "\n " in text)
    )


def _joins(character: str) -> bool:
    return _is_mark(character) or _is_invisible(character)


def _is_mark(character: str) -> bool:
    return character > "\u02ff" and unicodedata.category(character).startswith("M")


def _is_invisible(character: str) -> bool:
    return (
        character > "~" and unicodedata.category(character) in {"Cf", "Cc"} and character not in _ENDS_OF_LINE
    )


def _of_one_script(word: re.Match[str]) -> str:
    """A word that mixes Latin letters with letters that look like some, all in Latin ones."""
    letters = word.group()
    if letters.isascii() or not (_LATIN.search(letters) and _OTHER_SCRIPT.search(letters)):
        return letters
    return letters.translate(_LOOKALIKES)


_NO_DECOMPOSITION: Final = str.maketrans("łøđıŋħ", "lodinh")


def folded(low: str) -> str:
    """A word in lower case without accents."""
    if low.isascii():
        return low
    apart = unicodedata.normalize("NFKD", low.translate(_NO_DECOMPOSITION))
    return "".join(c for c in apart if not unicodedata.category(c).startswith("M"))


def _is_caseless(text: str) -> bool:
    """Whether capitals tell nothing: a text all in capitals, or all but without any."""
    if text.isascii():
        letters = text.encode()
        upper, lower = len(letters.translate(None, _NO_CAPITALS)), len(letters.translate(None, _NO_SMALL))
    else:
        upper, lower = sum(map(str.isupper, text)), sum(map(str.islower, text))
    return upper > lower or upper * 80 < lower


_NO_CAPITALS: Final = bytes(c for c in range(256) if not ord("A") <= c <= ord("Z"))
_NO_SMALL: Final = bytes(c for c in range(256) if not ord("a") <= c <= ord("z"))


def _digit_runs(text: str) -> Iterator[tuple[int, int]]:
    if not text.isascii():
        yield from (found.span() for found in _DIGITS.finditer(text))
        return
    # The same, ten times as fast where digits are few, as they are in what people tell.
    marked = text.encode().translate(_DIGITS_MARKED) + b" "
    start = marked.find(b"0")
    while start >= 0:
        end = marked.find(b" ", start)
        yield start, end
        start = marked.find(b"0", end)


_DIGITS_MARKED: Final = bytes(ord("0") if ord("0") <= c <= ord("9") else ord(" ") for c in range(256))
_DIGITS: Final = re.compile(r"[0-9]+")

__all__ = ["ANY_MARKER", "ENGLISH", "KINDS", "MARKER", "Reading", "Recogniser", "Span", "folded"]
