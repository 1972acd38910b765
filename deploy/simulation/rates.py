"""The rates of a stream, drawn anew for each from one table of ranges: `data/rates.toml`.

Each range is cut into eight slices of one width. A purpose draws from slices of its own, four for `sealed`
and two for each other, whose means are that of the range: no stream has a rate that one of another purpose
could have, and none is easier than another by its purpose.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Final, NamedTuple

from deploy.simulation.purposes import DATA, Purpose

SLICES: Final[Mapping[Purpose, tuple[int, ...]]] = {
    "sealed": (0, 3, 4, 7),
    "training": (1, 6),
    "tuning": (2, 5),
}
_COUNT: Final = 8


class Range(NamedTuple):
    """One row of the table."""

    lowest: float
    highest: float
    meaning: str
    source: str

    def slices(self, purpose: Purpose) -> tuple[tuple[float, float], ...]:
        """From which to below which a purpose draws."""
        width = (self.highest - self.lowest) / _COUNT
        return tuple(
            (self.lowest + number * width, self.lowest + (number + 1) * width) for number in SLICES[purpose]
        )


@dataclass(frozen=True, slots=True)
class Rates:
    """One number for each row of the table, which says what it means."""

    persistent_officers: float
    incidents_beyond_nine: float
    told_more_than_once: float
    further_account: float
    same_caller: float
    with_receipt: float
    sent_again: float
    several_accused: float
    stood_by: float
    on_scene: float
    same_night: float
    same_officer_again: float
    years: float
    recent: float
    largest_force: float
    vague_day: float
    minority: float
    women: float
    tenure: float
    leaves_force: float
    new_number: float
    stays_in_town: float
    promoted: float
    married: float
    namesake: float
    double_barrelled: float
    nobody_described: float
    accused_left_out: float
    name_missing: float
    name_full: float
    name_surname: float
    name_initial: float
    name_forename: float
    name_forename_letter: float
    name_letters: float
    name_turned: float
    name_in_title: float
    short_form: float
    other_spelling: float
    accents_dropped: float
    name_mistyped: float
    name_misheard: float
    collar_given: float
    collar_cut: float
    collar_swapped: float
    collar_misread: float
    collar_letters_lost: float
    collar_in_name: float
    rank_given: float
    rank_wrong: float
    force_given: float
    force_wrong: float
    force_unknown: float
    unit_given: float
    unit_station: float
    unit_wrong: float
    description_given: float
    look_told: float
    look_wrong: float
    vehicle_given: float
    plate_partial: float
    plate_misread: float
    vehicle_in_words: float
    non_answer: float
    seen_dates: float
    role_left_out: float
    day_missing: float
    day_shifted: float
    day_week: float
    day_month: float
    day_range: float
    incident_force_given: float
    place_missing: float
    town_alone: float
    street_alone: float
    neighbouring_town: float
    venue_told: float
    street_short: float
    street_mistyped: float
    kind_changed: float
    kind_other: float
    kind_missing: float
    second_kind: float
    beat_told: float
    fact_otherwise: float
    details: float
    detail_told: float
    stock_sentences: float
    short_text: float
    day_in_text: float
    place_in_text: float
    name_in_text: float
    word_mistyped: float
    texting: float
    lower_case: float
    upper_case: float
    traces: float


@cache
def table() -> Mapping[str, Range]:
    """The ranges by name, in the order of the file."""
    content = tomllib.loads((DATA / "rates.toml").read_text(encoding="utf-8"))
    return {name: Range(*row) for name, row in content.items()}


def draw_rates(purpose: Purpose, seed: int) -> Rates:
    """The rates of one stream; those of another seed differ."""
    rng = Random(f"rates {purpose} {seed}")  # noqa: S311  (a seeded stream, no secret)
    return Rates(**{name: rng.uniform(*rng.choice(row.slices(purpose))) for name, row in table().items()})
