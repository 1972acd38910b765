"""What callers call units, stations and looks, and the answers that are none."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from deploy.simulation.purposes import Purpose, read_table

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PoliceWords:
    """The words of one purpose. `units` by kind of unit, `non_answers` by field, `looks` by thing to see and
    what it is, `origin` by community."""

    units: Mapping[str, Words]
    stations: Words
    non_answers: Mapping[str, Words]
    looks: Mapping[str, Mapping[str, Words]]
    gender: Mapping[str, Words]
    origin: Mapping[str, Words]
    mentioned: Words


@cache
def police_words_of(purpose: Purpose) -> PoliceWords:
    """The words of a purpose, read once."""
    table = read_table(purpose, "police")
    return PoliceWords(
        _by_name(table["units"]),
        tuple(table["stations"]),
        _by_name(table["non_answers"]),
        {kind: _by_name(values) for kind, values in table["looks"].items()},
        _by_name(table["gender"]),
        _by_name(table["origin"]),
        tuple(table["mentioned"]),
    )


def _by_name(table: Mapping[str, list[str]]) -> dict[str, Words]:
    return {name: tuple(words) for name, words in table.items()}
