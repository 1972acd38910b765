"""The day is London's, in summer and in winter, wherever the machine stands."""

from datetime import UTC, date, datetime, tzinfo

import pytest

from shared import clock


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2026, 6, 30, 22, 59, tzinfo=UTC), date(2026, 6, 30)),
        (datetime(2026, 6, 30, 23, 0, tzinfo=UTC), date(2026, 7, 1)),
        (datetime(2026, 12, 31, 23, 59, tzinfo=UTC), date(2026, 12, 31)),
    ],
)
def test_the_day_is_that_of_london(now: datetime, day: date, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stopped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Stopped":
            return cls.fromtimestamp(now.timestamp(), tz)

    monkeypatch.setattr(clock, "datetime", Stopped)
    assert clock.today() == day
