"""Leadership by lease: a row with an epoch, an owner and an end, on the database's clock.

A session's advisory lock would be kept for ever by a stopped process; a lease runs out. A takeover raises
the epoch under the store's lock, so an append that names its epoch (`LeaseHeld`) is serialised with it:
whoever wakes after losing the lease is refused.

The database's clock may be set back, and another server's may be behind the one on which a lease was written.
No lease lasts longer than one period: an end further ahead than that is of another clock, and is brought
nearer by the first who wants the lease. A holder that lives writes its own end again before that.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread
from typing import Any, Protocol, TypeVar
from uuid import UUID, uuid4

import asyncpg
import structlog

from shared.store.pools import Pool, PoolLimits
from shared.store.requests import LeaseHeld, StoreUnavailable
from shared.store.sql import LOCK_KEY

LEASE_SECONDS = 5.0
STUCK_SECONDS = 60.0
"""An event loop that has not turned for so long leads nothing any more, for others could."""
_RENEWALS = 3
"""Renewals in the time of one lease."""
_CONNECT_SECONDS = 2.0
_STATEMENT_SECONDS = 4.0
_RETRY_SECONDS = 0.2
_AWAY = (
    StoreUnavailable,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)

_CLAMP = """
UPDATE leases SET expires = clock_timestamp() + make_interval(secs => $2)
WHERE name = $1 AND expires > clock_timestamp() + make_interval(secs => $2)
"""

_TAKE = """
INSERT INTO leases AS held (name, epoch, holder, expires)
VALUES ($1, 1, $2, clock_timestamp() + make_interval(secs => $3))
ON CONFLICT (name) DO UPDATE SET epoch = held.epoch + 1, holder = excluded.holder, expires = excluded.expires
WHERE held.expires < clock_timestamp()
RETURNING epoch
"""

_RENEW = """
UPDATE leases SET expires = clock_timestamp() + make_interval(secs => $4)
WHERE name = $1 AND holder = $2 AND epoch = $3 AND expires > clock_timestamp()
"""

_GIVE_UP = "UPDATE leases SET expires = '-infinity' WHERE name = $1 AND holder = $2 AND epoch = $3"

T = TypeVar("T")

log = structlog.get_logger(origin=__name__)


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease that `holder` took. Holding it is certain only within an append that guards it."""

    name: str
    holder: UUID
    epoch: int

    @property
    def guard(self) -> LeaseHeld:
        return LeaseHeld(self.name, self.epoch)


class Leases(Protocol):
    """What a leader needs; the tests' `FakeLeases` has it too."""

    async def take(self, name: str) -> Lease | None:
        """The lease, if it is free or has run out; None where another holds it."""

    async def keep(self, lease: Lease) -> None:
        """Extend the lease again and again; returns when it is lost."""

    async def give_up(self, lease: Lease) -> None:
        """Let the next one lead at once."""


class PooledLeases:
    """Leases on the connections of a pool.

    Each method raises as asyncpg does where the database is away; `keep` when it was away for the time of a
    lease.
    """

    def __init__(self, pool: Pool, seconds: float = LEASE_SECONDS) -> None:
        self._pool, self._seconds = pool, seconds

    async def take(self, name: str) -> Lease | None:
        return await take_lease(self._pool, name, uuid4(), self._seconds)

    async def keep(self, lease: Lease, is_wanted: Callable[[], bool] = lambda: True) -> None:
        """As `Leases.keep`; returns too when the lease is not wanted any more."""
        renewed = time.monotonic()
        while is_wanted():
            begin = time.monotonic()
            try:
                if not await renew_lease(self._pool, lease, self._seconds):
                    return
            except _AWAY:
                if begin - renewed > self._seconds:
                    raise
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            renewed = begin
            await asyncio.sleep(self._seconds / _RENEWALS)

    async def give_up(self, lease: Lease) -> None:
        await give_up_lease(self._pool, lease)


class PostgresLeases:
    """The leases of a process, on connections of their own in a thread of their own, which begins with the
    first use.

    Neither slow statements of the service nor a long computation on its event loop can cost a lease. Only a
    loop that stands still for `STUCK_SECONDS` does.
    """

    def __init__(self, database_url: str, seconds: float = LEASE_SECONDS) -> None:
        self._url, self._seconds = database_url, seconds
        self._thread: _LoopThread | None = None
        self._pool: Pool | None = None

    async def close(self) -> None:
        if self._thread is None:
            return
        if self._pool is not None:
            with suppress(TimeoutError):
                await self._thread.run(_closed(self._pool))
        await self._thread.end()

    async def take(self, name: str) -> Lease | None:
        return await self._there(lambda leases: leases.take(name))

    async def keep(self, lease: Lease) -> None:
        pulse = _Pulse(asyncio.get_running_loop())
        await self._there(lambda leases: leases.keep(lease, pulse.is_felt))

    async def give_up(self, lease: Lease) -> None:
        await self._there(lambda leases: leases.give_up(lease))

    async def _there(self, work: Callable[[PooledLeases], Coroutine[Any, Any, T]]) -> T:
        """Do it in the thread."""
        if self._thread is None:
            self._thread = _LoopThread("leases")
        return await self._thread.run(self._on_pool(work))

    async def _on_pool(self, work: Callable[[PooledLeases], Coroutine[Any, Any, T]]) -> T:
        if self._pool is None:
            # Made by whichever comes first: nothing is awaited between, for it opens no connection.
            self._pool = Pool(self._url, PoolLimits(4, _CONNECT_SECONDS, _STATEMENT_SECONDS))
        await self._pool.open()
        return await work(PooledLeases(self._pool, self._seconds))


class _LoopThread:
    """An event loop that runs in a thread."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` returns or raises there; a cancellation is passed on to it."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join)
        self._loop.close()


async def _closed(pool: Pool) -> None:
    async with asyncio.timeout(_CONNECT_SECONDS):
        await pool.close()


class _Pulse:
    """Whether an event loop still turns, seen from another thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._beat = time.monotonic()

    def is_felt(self) -> bool:
        if is_felt := time.monotonic() - self._beat < STUCK_SECONDS:
            self._loop.call_soon_threadsafe(self._beats)
        else:
            log.error("the event loop stands still: this process stops leading", seconds=STUCK_SECONDS)
        return is_felt

    def _beats(self) -> None:
        self._beat = time.monotonic()


async def take_lease(pool: Pool, name: str, holder: UUID, seconds: float = LEASE_SECONDS) -> Lease | None:
    """Take the lease if it is free or has run out; None where another holds it."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 1500")
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK_KEY)
        await connection.execute(_CLAMP, name, seconds)
        epoch = await connection.fetchval(_TAKE, name, holder, seconds)
    return None if epoch is None else Lease(name, holder, epoch)


async def renew_lease(pool: Pool, lease: Lease, seconds: float = LEASE_SECONDS) -> bool:
    """Extend the lease; False where it ran out or was taken over."""
    tag: str = await pool.execute(_RENEW, lease.name, lease.holder, lease.epoch, seconds)
    return tag == "UPDATE 1"


async def give_up_lease(pool: Pool, lease: Lease) -> None:
    """Let the next one lead at once."""
    await pool.execute(_GIVE_UP, lease.name, lease.holder, lease.epoch)
