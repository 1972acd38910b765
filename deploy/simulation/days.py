"""The day of a happening as a caller remembers it."""

import calendar
from datetime import date
from random import Random
from typing import Final

from deploy.simulation.callers import Caller
from deploy.simulation.happenings import Happening
from deploy.simulation.rates import Rates
from deploy.simulation.weighted import pick
from deploy.simulation.world import END

_VAGUE: Final = 4.0
"""How much oftener the day of a vague happening is missing or told as a range."""


def days(happening: Happening, caller: Caller, rates: Rates, rng: Random) -> tuple[int, int] | None:
    """The first and the last day told, not after `END`; None where no day is told."""
    factor = _VAGUE if happening.is_vague else 1.0
    day, drawn = happening.day, rng.random() / factor
    if (drawn := drawn - rates.day_missing) < 0:
        return None
    if (drawn := drawn - rates.day_week) < 0:
        monday = day - date.fromordinal(day).weekday()
        return _until_end(monday, monday + 6) if rng.random() < 0.5 else _until_end(day - 3, day + 3)
    if (drawn := drawn - rates.day_month) < 0:
        said = date.fromordinal(day)
        first = day - said.day + 1
        return _until_end(first, first + calendar.monthrange(said.year, said.month)[1] - 1)
    if drawn - rates.day_range < 0:
        begin = day - rng.randrange(10, 60)
        return _until_end(begin, begin + rng.randrange(60, 100))
    if caller.errs(rates.day_shifted * factor / 2, rng):
        day = min(day + pick((-1, -1, -1, 1, 1, 1, -2, 2, -7, 7, 3, -3), rng), END)
    return day, day


def _until_end(begin: int, end: int) -> tuple[int, int]:
    return begin, min(end, END)
