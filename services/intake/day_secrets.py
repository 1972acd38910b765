"""The secret of each day, from which receipts are derived; destroyed after the next day's end."""

import asyncio
import secrets
from collections.abc import Callable
from datetime import date

import asyncpg
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap

from services.intake import read_models
from services.intake.domain.claims import IDEMPOTENCY, RECORDER, first_day_kept
from shared.sealing.jwe import KEY_BYTES
from shared.sealing.keys import KeyRing
from shared.store.postgres import PostgresStore
from shared.store.requests import StoreUnavailable
from shared.web import logs

TIDY_SECONDS = 900.0

_log = logs.logger(__name__)


class DaySecrets:
    """All replicas share them by the database, wrapped under the service's key-encryption key."""

    def __init__(self, store: PostgresStore, kek: KeyRing, today: Callable[[], date]) -> None:
        self._store, self._kek, self._today = store, kek, today
        self._known: dict[date, bytes] = {}

    async def of(self, day: date) -> bytes | None:
        """The secret of `day`, made if the day is today's; None where it was destroyed.

        Raises:
            StoreUnavailable: the database is away.
        """
        if (known := self._known.get(day)) is not None:
            return known
        if day == self._today():
            wrapped = aes_key_wrap(self._kek.current_key, secrets.token_bytes(KEY_BYTES))
            await self._store.fetch(read_models.MAKE_DAY_SECRET, day, self._kek.current, wrapped)
        row = await self._store.fetchrow(read_models.READ_DAY_SECRET, day)
        if row is None:
            return None
        secret: bytes = aes_key_unwrap(self._kek.keys[row["kek_id"]], row["wrapped"])
        self._known[day] = secret
        return secret

    async def compare(self) -> None:
        """A database that comes back may have been set back: destroy again the secrets that came back with
        it, give it those that it lost, and forget those in whose place it has others by now.

        Raises:
            StoreUnavailable: the database is away.
        """
        first = await self._destroy()
        known, self._known = self._known, {}
        for day, secret in known.items():
            if day >= first:
                wrapped = aes_key_wrap(self._kek.current_key, secret)
                await self._store.fetch(read_models.MAKE_DAY_SECRET, day, self._kek.current, wrapped)

    async def tidy(self) -> date:
        """Destroy the secrets, and drop the claims, of requests that cannot be repeated any more: by the
        database's day, for the clock of one replica may be wrong.

        Returns:
            The first day whose requests still can.

        Raises:
            StoreUnavailable: the database is away.
        """
        first = await self._destroy()
        for kind in (IDEMPOTENCY, RECORDER):
            await self._store.fetch(read_models.DROP_OLD_CLAIMS, kind, first.isoformat())
        return first

    async def _destroy(self) -> date:
        first = first_day_kept(await self._store.day())
        self._known = {day: secret for day, secret in self._known.items() if day >= first}
        await self._store.fetch(read_models.DESTROY_DAY_SECRETS, first)
        return first

    async def keep_tidy(self) -> None:
        """`tidy` every quarter of an hour, until cancelled."""
        while True:
            try:
                await self.tidy()
            except (StoreUnavailable, asyncpg.PostgresError) as fault:
                _log.warning("day secrets not tidied", reason=type(fault).__name__)
            await asyncio.sleep(TIDY_SECONDS)
