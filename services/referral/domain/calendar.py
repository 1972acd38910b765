"""Days and working days of England and Wales, for deadlines."""

from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

_DAY = timedelta(days=1)
_SATURDAY = 5


@lru_cache(maxsize=1024)
def due_day(starts_on: date, calendar: Literal["days", "working_days"], count: int) -> date:
    """The day at whose end a time of `count` days runs out; the day on which it starts does not count."""
    if calendar == "days":
        return starts_on + count * _DAY
    day = starts_on
    while count:
        day += _DAY
        count -= is_working_day(day)
    return day


def is_working_day(day: date) -> bool:
    """Neither weekend nor bank holiday in England and Wales."""
    return day.weekday() < _SATURDAY and day not in _bank_holidays(day.year)


@lru_cache(maxsize=64)
def _bank_holidays(year: int) -> frozenset[date]:
    # Imported here: it costs half a second and some memory, and only who counts working days needs it.
    from holidays import country_holidays  # noqa: PLC0415

    return frozenset(country_holidays("GB", subdiv="ENG", years=year))
