"""Free text made comparable: ranks, units, names, collar numbers."""

import re
import unicodedata
from collections.abc import Sequence

_WORDS = re.compile(r"[a-z0-9]+")


def plain_words(text: str | None) -> tuple[str, ...]:
    """The words of a text in small letters, without accents and punctuation; none of a missing one."""
    if not text:
        return ()
    folded = unicodedata.normalize("NFKD", text).casefold().replace("'", "").replace("\u2019", "")
    return tuple(_WORDS.findall("".join(c for c in folded if not unicodedata.combining(c))))


def contains_words(words: Sequence[str], phrase: Sequence[str]) -> bool:
    """Whether `phrase` stands in `words`, in one piece."""
    size = len(phrase)
    return any(tuple(words[at : at + size]) == tuple(phrase) for at in range(len(words) - size + 1))
