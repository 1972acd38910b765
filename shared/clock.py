"""The day. A contact, and whatever follows from it by machine, is dated by its day in London."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

_LONDON = ZoneInfo("Europe/London")


def today() -> date:
    """The date in Europe/London now."""
    return datetime.now(_LONDON).date()
