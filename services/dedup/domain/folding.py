"""One spelling of a text: lower case, Latin letters without their marks, no invisible characters.

Letters of other scripts stay whole: a vowel sign of Devanagari is no accent. Answers that are none ("not
known", "N/A", "-") become the empty text, and so does whatever the sanitiser put in place of a trace.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from services.dedup.domain.words import DESCRIBING, PERSONS, TITLES, UNANSWERED

_MARKER = re.compile(r"\[[^\]]*\]")
_WORD = re.compile(r"[a-z0-9]+")
_APOSTROPHES: Final = "'’‘ʼ`´ʹ′＇"  # noqa: RUF001  (they are meant)
# Letters that Unicode does not decompose, each with the spelling that people type instead.
_LETTERS: Final = str.maketrans(
    {
        "ø": "o", "ł": "l", "\u0131": "i", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ŧ": "t", "ŋ": "n",
        "æ": "ae", "œ": "oe", "ß": "ss", "ĸ": "k", "ə": "a", "ƒ": "f", "ɓ": "b", "ɗ": "d", "ɖ": "d", "ƙ": "k",
        "ŀ": "l",
    }
)  # fmt: skip
_WITHOUT_APOSTROPHES = str.maketrans(dict.fromkeys(_APOSTROPHES))


def fold(text: str | None) -> str:
    """The text in one spelling, however it was composed; apostrophes are taken out, so O'Brien is one
    word."""
    if not text:
        return ""
    if "[" in text:
        text = _MARKER.sub(" ", text)
    if text.isascii():
        return text.replace("'", "").replace("`", "").lower()
    found: list[str] = []
    is_marked = False
    for c in unicodedata.normalize("NFKD", text.translate(_WITHOUT_APOSTROPHES).casefold()).translate(
        _LETTERS
    ):
        category = unicodedata.category(c)
        if (category == "Mn" and is_marked) or category in ("Cf", "Cc"):
            # A soft hyphen or a zero-width space stands in the middle of a word.
            found.append(" " if c in "\t\n\r" else "")
            continue
        if category != "Mn":
            is_marked = unicodedata.name(c, "").startswith(("LATIN", "GREEK", "CYRILLIC"))
        found.append(c)
    return unicodedata.normalize("NFC", "".join(found).casefold())


def words_in(folded: str) -> list[str]:
    """The words of a folded text, with the digits in them; all else parts words."""
    if folded.isascii():
        return _WORD.findall(folded)
    return "".join(c if unicodedata.category(c)[0] in "LNM" else " " for c in folded).split()


@lru_cache(maxsize=4096)
def is_unanswered(folded: str) -> bool:
    """Whether nothing was answered: no word, or none but those of such answers ("did not catch it", "n/a",
    "two officers", "the tall one")."""
    words = words_in(folded)
    if all(word in UNANSWERED for word in words):
        return True
    *before, last = words
    return (last in PERSONS or (bool(before) and last in TITLES)) and all(
        word in PERSONS or word in DESCRIBING or word in UNANSWERED for word in before
    )
