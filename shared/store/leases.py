"""Leadership by lease: a row with an epoch, an owner and an end, on the database's clock.

A session's advisory lock would be kept for ever by a stopped process; a lease runs out. A takeover raises
the epoch under the store's lock, so an append that names its epoch (`LeaseHeld`) is serialised with it:
whoever wakes after losing the lease is refused.
"""

from dataclasses import dataclass
from uuid import UUID

from shared.store.pools import Pool
from shared.store.requests import LeaseHeld
from shared.store.sql import LOCK_KEY

LEASE_SECONDS = 5.0

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


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease that `holder` took. Holding it is certain only within an append that guards it."""

    name: str
    holder: UUID
    epoch: int

    @property
    def guard(self) -> LeaseHeld:
        return LeaseHeld(self.name, self.epoch)


async def take_lease(pool: Pool, name: str, holder: UUID, seconds: float = LEASE_SECONDS) -> Lease | None:
    """Take the lease if it is free or has run out; None where another holds it."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 1500")
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK_KEY)
        epoch = await connection.fetchval(_TAKE, name, holder, seconds)
    return None if epoch is None else Lease(name, holder, epoch)


async def renew_lease(pool: Pool, lease: Lease, seconds: float = LEASE_SECONDS) -> bool:
    """Extend the lease; False where it ran out or was taken over."""
    tag: str = await pool.execute(_RENEW, lease.name, lease.holder, lease.epoch, seconds)
    return tag == "UPDATE 1"


async def give_up_lease(pool: Pool, lease: Lease) -> None:
    """Let the next one lead at once."""
    await pool.execute(_GIVE_UP, lease.name, lease.holder, lease.epoch)
