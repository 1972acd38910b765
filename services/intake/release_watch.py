"""What operators watch of the release queue, beside the metrics of every service (`shared.watching`).

- `hotline_releases{state}`: complaints that wait for a release reviewer (`waiting`) or for their call handler
  (`returned`); down to fifty;
- `hotline_releases_before_today{state}`: those recorded on earlier days, exactly;
- `hotline_releases_oldest_days{state}`: how many days ago the oldest of these was recorded; 0 where there is
  none.

A complaint that begins to wait is a contact, so that those of today are told roughly; the others change at
midnight, or when somebody deals with them.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import NamedTuple

import asyncpg

from services.intake import read_models
from services.intake.internal_events import ReleaseState
from shared.store.postgres import PostgresStore
from shared.store.requests import StoreUnavailable
from shared.watching import INTERVAL_SECONDS
from shared.web.metrics import Metrics


class _Counts(NamedTuple):
    all_days: int = 0
    earlier: int = 0
    oldest_days: int = 0


class ReleaseWatch:
    """Adds the figures of the queue to the metrics; `keep` asks the database for them."""

    def __init__(self, metrics: Metrics, store: PostgresStore, today: Callable[[], date]) -> None:
        self._store, self._today = store, today
        self._counts: Mapping[str, _Counts] | None = None
        for state in (ReleaseState.WAITING, ReleaseState.RETURNED):
            metrics.contact_gauge(
                "hotline_releases",
                "Complaints that wait for their release, rounded down to fifty",
                partial(self._read, state, 0),
                state=state.value,
            )
            metrics.gauge(
                "hotline_releases_before_today",
                "Complaints of earlier days that wait for their release",
                partial(self._read, state, 1),
                state=state.value,
            )
            metrics.gauge(
                "hotline_releases_oldest_days",
                "Days since the oldest complaint that waits was recorded, if that was before today",
                partial(self._read, state, 2),
                state=state.value,
            )

    async def keep(self) -> None:
        """Ask the database every now and then, until cancelled."""
        while True:
            try:
                await self.look()
            except (StoreUnavailable, asyncpg.PostgresError):
                self._counts = None  # rather no figure than an old one
            await asyncio.sleep(INTERVAL_SECONDS)

    async def look(self) -> None:
        """Ask the database once.

        Raises:
            StoreUnavailable: it is away.
        """
        today = self._today()
        rows = await self._store.fetch(read_models.COUNT_WAITING, today)
        self._counts = {
            row["state"]: _Counts(
                row["all_days"], row["earlier"], (today - row["oldest"]).days if row["oldest"] else 0
            )
            for row in rows
        }

    def _read(self, state: ReleaseState, which: int) -> int | None:
        return None if self._counts is None else self._counts.get(state.value, _Counts())[which]
