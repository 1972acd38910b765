"""The day. A contact, and whatever follows from it by machine, is dated by its day in London."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

_LONDON = ZoneInfo("Europe/London")


def today() -> date:
    """The date in Europe/London now, by this machine's clock. A service goes by its database's:
    `shared.store.server_clock`."""
    return datetime.now(_LONDON).date()


def day_of(timestamp: float) -> date:
    """The date in Europe/London at a POSIX timestamp."""
    return datetime.fromtimestamp(timestamp, _LONDON).date()
