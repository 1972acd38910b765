"""The lexicon of normalising, as data: titles, answers that are none, words without information, and the
words by which people name duties, looks and streets."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

_DATA: Final = Path(__file__).parent / "data"


class _Words(BaseModel):
    """Each text holds words with spaces between them; each mapping has the canonical word as its key.

    Attributes:
        titles: ranks and forms of address, removed from the beginning of a name alone.
        abbreviated_ranks, names_like_titles: "PC Constable" is an officer named Constable.
        unanswered: an answer of these words alone is none ("not known").
        persons, describing: "two officers", "the tall one" name nobody.
        common_streets: names of streets that every town has.
        not_in_numbers: short words beside a collar number that are no letters of it ("ends in 71").
        labels: words that make a name with the number behind them ("beat 713").
        looks: trait -> value -> words.
        rare_looks: traits that single somebody out.
        stop_words: words of a narrative that are no evidence of anything.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    titles: str
    abbreviated_ranks: str
    names_like_titles: str
    suffixes: str
    particles: str
    unanswered: str
    persons: str
    describing: str
    places: str
    street_types: dict[str, str]
    common_streets: str
    labels: str
    not_in_numbers: str
    units: str
    duties: dict[str, str]
    descriptions: str
    looks: dict[str, dict[str, str]]
    rare_looks: str
    narratives: str
    stop_words: str


class _Forenames(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    about: str
    common: str
    known: str
    short_forms: dict[str, str]


def _canonical(words_of: Mapping[str, str]) -> dict[str, str]:
    """word -> its key; of two keys the first one counts."""
    found: dict[str, str] = {}
    for key, words in words_of.items():
        for word in words.split():
            found.setdefault(word, key)
    return found


def _set(*texts: str) -> frozenset[str]:
    return frozenset(word for text in texts for word in text.split())


def _looks(traits: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """word -> "trait value"."""
    found: dict[str, str] = {}
    for trait, values in traits.items():
        for word, value in _canonical(values).items():
            found.setdefault(word, f"{trait} {value}")
    return found


def _short_forms(of: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
    """forename -> the canonical forenames that it may stand for, itself among them."""
    found: dict[str, set[str]] = {}
    for name, forms in of.items():
        for form in (name, *forms):
            found.setdefault(form, {form}).add(name)
    return {form: frozenset(names) for form, names in found.items()}


_WORDS: Final = _Words.model_validate_json((_DATA / "words.json").read_bytes())
_FORENAMES: Final = _Forenames.model_validate_json((_DATA / "forenames.json").read_bytes())

TITLES: Final = _set(_WORDS.titles)
ABBREVIATED_RANKS: Final = _set(_WORDS.abbreviated_ranks)
NAMES_LIKE_TITLES: Final = _set(_WORDS.names_like_titles)
SUFFIXES: Final = _set(_WORDS.suffixes)
PARTICLES: Final = _set(_WORDS.particles)
UNANSWERED: Final = _set(_WORDS.unanswered)
PERSONS: Final = _set(_WORDS.persons)
DESCRIBING: Final = _set(_WORDS.describing)
COMMON_IN_PLACES: Final = _set(_WORDS.places)
STREET_TYPES: Final = _canonical(_WORDS.street_types)
COMMON_STREETS: Final = _set(_WORDS.common_streets)
LABELS: Final = _set(_WORDS.labels)
NOT_IN_NUMBERS: Final = _set(_WORDS.not_in_numbers)
COMMON_IN_UNITS: Final = _set(_WORDS.units)
DUTIES: Final = _canonical(_WORDS.duties)
COMMON_IN_DESCRIPTIONS: Final = _set(_WORDS.descriptions)
LOOKS: Final = _looks(_WORDS.looks)
RARE_LOOKS: Final = _set(_WORDS.rare_looks)
# Capitalised in any complaint.
COMMON_IN_NARRATIVES: Final = _set(_WORDS.narratives)
STOP_WORDS: Final = _set(_WORDS.stop_words)
SHORT_FORMS: Final = _short_forms({name: forms.split() for name, forms in _FORENAMES.short_forms.items()})

_SHARE_OF_COMMON: Final = 0.01
_SHARE_OF_KNOWN: Final = 0.0008
FORENAMES: Final[Mapping[str, float]] = {
    **dict.fromkeys(SHORT_FORMS, _SHARE_OF_KNOWN),
    **dict.fromkeys(_set(_FORENAMES.known), _SHARE_OF_KNOWN),
    **dict.fromkeys(_set(_FORENAMES.common), _SHARE_OF_COMMON),
}
"""Forename -> about how many people bear it; forenames that are not listed are rare."""
