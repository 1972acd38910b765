"""Words that tell nothing, as data: titles and ranks in names, and what stands in every other place, unit,
description or narrative, so that sharing it is no sign of anything."""

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict


class _Words(BaseModel):
    """Each is a text of words with spaces between them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    titles: str
    suffixes: str
    particles: str
    places: str
    units: str
    descriptions: str
    narratives: str


_WORDS: Final = _Words.model_validate_json((Path(__file__).parent / "data" / "words.json").read_bytes())

# "PC David C" is David C; "Det. Sgt Smith" is Smith.
TITLES: Final = frozenset(_WORDS.titles.split())
SUFFIXES: Final = frozenset(_WORDS.suffixes.split())
PARTICLES: Final = frozenset(_WORDS.particles.split())
COMMON_IN_PLACES: Final = frozenset(_WORDS.places.split())
COMMON_IN_UNITS: Final = frozenset(_WORDS.units.split())
COMMON_IN_DESCRIPTIONS: Final = frozenset(_WORDS.descriptions.split())
# Capitalised in any complaint.
COMMON_IN_NARRATIVES: Final = frozenset(_WORDS.narratives.split())
