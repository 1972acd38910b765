"""What two narratives have in common, without keeping a word of them.

The signature is a one-permutation MinHash of the pairs of neighbouring words: each pair is hashed once and
falls into one of `BUCKETS`, which keep their least. The share of equal buckets estimates how much of the
texts is the same (Li, Owen, Zhang 2012). Mentions are hashes of names and numbers in the text: two accounts
of one event seldom share sentences, and often a street or a plate. Content are hashes of the telling words,
without their endings.
"""

import re
import zlib
from array import array
from collections.abc import Iterable, Sequence
from itertools import pairwise
from operator import eq

from services.dedup.domain.words import COMMON_IN_NARRATIVES, STOP_WORDS

BUCKETS = 32
BANDS = 8
_ROWS = 3
_MOST_MENTIONS = 40
_MOST_CONTENT = 96
_EMPTY = 0xFFFFFFFF

_WORD = re.compile(r"[a-z0-9]+")
# Accounts of one event differ in tense and number.
_ENDING = re.compile(r"(?<=[a-z]{3})(?:ing|edly|ed|ies|es|s|ly|e|y)$")
# A capital within a sentence, or a number of three digits and more.
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]{2,}|\b[A-Za-z]*\d{3,}[A-Za-z]*\b")


def words_of(narrative: str) -> list[str]:
    """The words in lower case."""
    return _WORD.findall(narrative.lower())


def signature(words: Sequence[str]) -> "array[int]":
    """Empty where there are fewer than eight words: too little to call two texts the same."""
    if len(words) < 8:
        return packed(())
    least = [_EMPTY] * BUCKETS
    crc = zlib.crc32
    for a, b in pairwise(words):
        hashed = crc(f"{a} {b}".encode()) * 0x9E3779B1 & 0xFFFFFFFF
        bucket, value = hashed & 31, hashed >> 5
        if value < least[bucket]:  # noqa: PLR1730  (`min` would take as long as the hash)
            least[bucket] = value
    return packed(least)


def packed(hashes: Iterable[int]) -> "array[int]":
    """Four bytes each: dedup keeps many of them in memory."""
    return array("I", hashes)


def similarity(one: Sequence[int], other: Sequence[int]) -> float | None:
    """The estimated share of word pairs in common, 0 to 1; None where a text is too short."""
    if not one or not other:
        return None
    equal = sum(map(eq, one, other))
    both_empty = 0
    if _EMPTY in one and _EMPTY in other:
        both_empty = sum([a == b == _EMPTY for a, b in zip(one, other, strict=True)])
    filled = BUCKETS - both_empty
    return (equal - both_empty) / filled if filled else None


def is_similar(one: Sequence[int], other: Sequence[int], least: float) -> bool:
    """Whether `similarity` is at least `least`; most pairs are far from it, and that is seen at once."""
    # Buckets that are empty in both count as equal here, so that the share is never less than the estimate.
    if sum(map(eq, one, other)) < least * BUCKETS:
        return False
    shared = similarity(one, other)
    return shared is not None and shared >= least


def bands(one: Sequence[int]) -> list[tuple[int, ...]]:
    """Groups of buckets that texts with much in common share; those with an empty bucket are left out."""
    groups = [tuple(one[n * _ROWS : (n + 1) * _ROWS]) for n in range(BANDS)] if one else []
    return [(n, *group) for n, group in enumerate(groups) if _EMPTY not in group]


def mentions(narrative: str) -> "array[int]":
    """Hashes of names and numbers in the text, sorted."""
    found = {name.lower() for name in _NAME.findall(narrative)} - COMMON_IN_NARRATIVES
    return packed(sorted({zlib.crc32(name.encode()) for name in found})[:_MOST_MENTIONS])


def content(words: Sequence[str]) -> "array[int]":
    """Hashes of the telling words, each once, sorted; of a very long text a part that does not depend on the
    order of its words."""
    telling = {_ENDING.sub("", word) for word in set(words) - STOP_WORDS if len(word) > 2}
    return packed(sorted({zlib.crc32(word.encode()) for word in telling})[:_MOST_CONTENT])
