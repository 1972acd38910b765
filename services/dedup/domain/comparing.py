"""The levels into which two complaints fall, field by field: may they tell of one incident?

A field that one side lacks has no level: it weighs nothing. What a place, an officer or a text says depends
on how near the two times are, for the same officer stands at the same place on other days too: those levels
name the nearness. Every comparison is symmetric.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from math import sqrt
from typing import Final

from rapidfuzz.distance import DamerauLevenshtein

from services.dedup.domain.comparing_officers import Levels
from services.dedup.domain.features import Features
from services.dedup.domain.narratives import similarity
from services.dedup.domain.words import COMMON_STREETS

NEARNESSES: Final = ("near", "loose", "apart", "time unknown")
_WEEK: Final = 7
_MONTH: Final = 31
_SEASON: Final = 100
_YEAR: Final = 366
_LEAST_TYPED: Final = 5
"""Letters of a place in which one wrong letter is more likely a slip than another place."""
BANDS_OF_OFFICERS: Final = (-6.0, -3.0, -1.0, 1.0, 3.0, 5.0, 7.0, 9.0, 12.0)
_BANDS_OF_TEXT: Final = (0.05, 0.1, 0.15, 0.2, 0.27, 0.35, 0.5, 0.7)
_BANDS_OF_PHRASES: Final = (0.03, 0.08, 0.2, 0.5)
_LEAST_CONTENT: Final = 4


def compare_incidents(one: Features, other: Features, evidence: Sequence[float]) -> Levels:
    """All fields of two complaints; `evidence` as for `compare_circumstances`."""
    return [*compare_circumstances(one, other, evidence), *compare_texts(one, other)]


def compare_circumstances(one: Features, other: Features, evidence: Sequence[float]) -> Levels:
    """
    Args:
        evidence: what the best pair of subjects weighs for being one officer, and the best pair of two
            others, in bits; fewer where fewer can be compared.
    """
    nearness, observed = compare_settings(one, other)
    return [*observed, *compare_evidence(one, other, evidence, nearness)]


def compare_settings(one: Features, other: Features) -> tuple[str, Levels]:
    """The nearness of the two times, and the fields that no subject and no text has a part in."""
    observed: Levels = []
    day, nearness = time_level(one.first_day, one.last_day, other.first_day, other.last_day)
    if day:
        observed.append(("day", day))
    if one.force and other.force:
        observed.append(("force", "same" if one.force == other.force else "different"))
    if one.places and other.places:
        observed.append(("place", f"{_place_level(one.places, other.places)}, {nearness}"))
    if one.categories and other.categories:
        observed.append(("kind", f"{_kind_level(one.categories, other.categories)}, {nearness}"))
    return nearness, observed


def compare_evidence(one: Features, other: Features, evidence: Sequence[float], nearness: str) -> Levels:
    """The fields of the subjects; `evidence` as for `compare_circumstances`."""
    observed: Levels = []
    if evidence:
        observed.append(("officers", f"{band_of_officers(evidence[0])}, {nearness}"))
        if len(evidence) > 1:
            observed.append(("other officers", band_of_officers(evidence[1])))
        else:
            both_one = len(one.officers) == len(other.officers) == 1
            observed.append(("number of officers", "both one" if both_one else "one and more"))
    return observed


def compare_texts(one: Features, other: Features) -> Levels:
    """The fields of the narratives, which cost most."""
    observed: Levels = []
    if len(one.content) >= _LEAST_CONTENT and len(other.content) >= _LEAST_CONTENT:
        text = _band(_cosine(one.content, other.content), _BANDS_OF_TEXT)
        observed.append(("narrative", f"{text}, {kinds_of_texts(one, other)}"))
    if (phrases := similarity(one.signature, other.signature)) is not None:
        observed.append(("phrases", _band(phrases, _BANDS_OF_PHRASES)))
    if one.mentions and other.mentions:
        shared = len(set(one.mentions).intersection(other.mentions))
        observed.append(("names in the text", ("none", "one", "two", "three")[min(shared, 3)]))
    return observed


def kinds_of_texts(one: Features, other: Features) -> str:
    """Accounts of one kind of happening have words in common."""
    return "same kind" if _share_a_kind(one.categories, other.categories) else "other kind"


@lru_cache(maxsize=16384)
def _share_a_kind(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return not set(one).isdisjoint(other)


@lru_cache(maxsize=65536)
def time_level(first: int, last: int, other_first: int, other_last: int) -> tuple[str, str]:
    """(level, nearness) of two times; the level is empty where one is unknown."""
    if not first or not other_first:
        return "", "time unknown"
    gap = max(first - other_last, other_first - last)
    length = max(last - first, other_last - other_first)
    steps = _EXACT if length == 0 else _TOGETHER if gap <= 0 else _BESIDE
    measure = length if steps is _TOGETHER else gap
    level = next((level for most, *level in steps if measure <= most), None)
    if level is None or (level[1] == "loose" and length == 0):
        if length == 0 and _is_slip(first, other_first):
            return "a slip of the date", "loose"
        level = level or ["apart", "apart"]
    return level[0], level[1]


# (most days, level, nearness). Two exact days, by the gap; longer times that overlap, by the longer one;
# longer times that do not, by the gap.
_EXACT: Final = (
    (0, "same day", "near"), (1, "next day", "near"), (3, "three days", "near"), (_WEEK, "a week", "near"),
    (_MONTH, "a month", "loose"),
)  # fmt: skip
_TOGETHER: Final = (
    (_WEEK, "within a week", "near"), (_MONTH, "within a month", "near"),
    (_SEASON, "within a season", "loose"), (_YEAR, "within a year", "loose"),
    (1 << 30, "within years", "loose"),
)  # fmt: skip
_BESIDE: Final = ((_WEEK, "about a week", "loose"), (_MONTH, "a month", "loose"))


def overlap(one: Features, other: Features) -> bool:
    """Whether the times of both have a day in common, as far as they are known."""
    if not one.first_day or not other.first_day:
        return True
    return one.first_day <= other.last_day and other.first_day <= one.last_day


def _is_slip(one: int, other: int) -> bool:
    """Whether two days differ as a wrong year, a wrong month, or day and month in the other order would."""
    a, b = date.fromordinal(one), date.fromordinal(other)
    if (a.year, a.month, a.day) == (b.year, b.day, b.month):
        return True
    if a.day != b.day:
        return False
    months = abs((a.year - b.year) * 12 + a.month - b.month)
    return months in (1, 12)


@lru_cache(maxsize=65536)
def _place_level(one: tuple[str, ...], other: tuple[str, ...]) -> str:
    shared = set(one) & set(other)
    streets = {place for place in shared if " " in place}
    rest = len(shared) - len(streets)
    if streets:
        what = "common street" if all(s.split()[0] in COMMON_STREETS for s in streets) else "street"
        return f"same {what} and more" if rest else f"same {what}"
    if any(" " in place for place in one) and any(" " in place for place in other):
        if _are_similar([place for place in one if " " in place], [place for place in other if " " in place]):
            return "similar street and more" if rest else "similar street"
        return "other street" if not rest else "other street, same town"
    if rest > 1:
        return "two words"
    if rest:
        return "all of one" if min(len(one), len(other)) == 1 else "one word"
    return _apart_level(one, other)


def _apart_level(one: tuple[str, ...], other: tuple[str, ...]) -> str:
    """Of places that share no word."""
    if _are_similar(one, other):
        return "similar"
    return "other number" if _numbered(one) & _numbered(other) else "different"


def _are_similar(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two places differ by no more than a slip."""
    return any(
        min(len(a), len(b)) >= _LEAST_TYPED
        and not any(map(str.isdigit, a))
        and DamerauLevenshtein.distance(a, b, score_cutoff=1) <= 1
        for a in one
        for b in other
    )


def _numbered(places: Sequence[str]) -> set[str]:
    """The labels of numbers among places: of two beats or districts each one is certain to be another."""
    return {label for label, dash, _ in (place.partition("-") for place in places) if dash}


@lru_cache(maxsize=16384)
def _kind_level(one: tuple[str, ...], other: tuple[str, ...]) -> str:
    if shared := set(one) & set(other):
        # Most complaints of any force are of the strand `other`: duties, incivility, force.
        return "same frequent kind" if all(code.startswith("other.") for code in shared) else "same"
    if any(code.endswith("other") for code in (*one, *other)):
        return "one is other"
    strands = {code.partition(".")[0] for code in one} & {code.partition(".")[0] for code in other}
    return "same strand" if strands else "different"


def _cosine(one: Sequence[int], other: Sequence[int]) -> float:
    return len(set(one).intersection(other)) / sqrt(len(one) * len(other))


def band_of_officers(evidence: float) -> str:
    """The name of the band of a pair of subjects."""
    return _band(evidence, BANDS_OF_OFFICERS)


def _names_of_bands(bands: tuple[float, ...]) -> tuple[str, ...]:
    return (f"below {bands[0]:g}", *(f"{least:g} and more" for least in bands))


_NAMES_OF_BANDS: Final = {
    id(bands): _names_of_bands(bands) for bands in (BANDS_OF_OFFICERS, _BANDS_OF_TEXT, _BANDS_OF_PHRASES)
}


def _band(value: float, bands: tuple[float, ...]) -> str:
    """The name of the band of a value: it begins where the one below it ends."""
    return _NAMES_OF_BANDS[id(bands)][bisect_right(bands, value)]
