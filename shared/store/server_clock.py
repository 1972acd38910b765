"""The day by the database's clock, which all replicas of a service share.

What the reader gets: one day for all replicas, whatever the clocks of their machines say; a replica that is
days ahead destroys nothing early and dates nothing late. The clock is read now and then, and carried on in
between. How it fails: `StoreUnavailable` while the database has never answered.
"""

import time
from datetime import date

import asyncpg

from shared.clock import day_of
from shared.store import sql
from shared.store.connections import connect
from shared.store.requests import StoreUnavailable

_ANSWER_SECONDS = 5.0


class ServerClock:
    """`read` asks the server, `today` does not."""

    def __init__(self) -> None:
        self._ahead: float | None = None  # of this process's monotonic clock, in seconds

    async def read(self, connection: "asyncpg.Connection") -> None:
        """Set it by the server's."""
        now = await connection.fetchval(sql.NOW, timeout=_ANSWER_SECONDS)
        # By the time of the answer: never ahead of the server, whose new day begins first.
        self._ahead = now.timestamp() - time.monotonic()

    @property
    def is_known(self) -> bool:
        """Whether the server has ever answered."""
        return self._ahead is not None

    def today(self) -> date:
        """The date in Europe/London.

        Raises:
            StoreUnavailable: the server has never answered.
        """
        if self._ahead is None:
            raise StoreUnavailable("the database has not told the day yet")
        return day_of(self._ahead + time.monotonic())


async def database_day(database_url: str) -> date:
    """The date in Europe/London by the database's clock now. Raises as `connect` does."""
    connection = await connect(database_url, timeout=10)
    try:
        day: date = await connection.fetchval(sql.DAY)
    finally:
        await connection.close()
    return day
