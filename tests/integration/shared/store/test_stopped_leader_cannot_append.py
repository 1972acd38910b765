"""A leader that was stopped and wakes after its lease was taken over cannot append.

It still believes that it leads: no clock of its own told it otherwise. Its append names the epoch of its
lease, and a takeover raised the epoch under the lock that appends are numbered under.
"""

import asyncio
import signal
from uuid import uuid4

from shared.store.leases import Lease, give_up_lease, renew_lease, take_lease
from shared.store.postgres import PostgresStore
from tests.conditions import wait_until
from tests.integration.shared.store.children import Child
from tests.integration.shared.store.waiting import until


async def test_the_append_of_a_leader_that_wakes_too_late_is_refused(
    postgres_store: PostgresStore, store_url: str
) -> None:
    with Child("leads", store_url, 1.0) as child:
        assert await asyncio.to_thread(child.tells) == 1
        child.go_on()
        assert await asyncio.to_thread(child.tells) == "appended", "while it leads"
        child.send(signal.SIGSTOP)
        await asyncio.to_thread(wait_until, child.is_stopped, what="the leader was stopped")
        taken: list[Lease] = []

        async def takeover() -> bool:
            lease = await take_lease(postgres_store.pool, "relay", uuid4())
            taken.extend([lease] if lease else [])
            return lease is not None

        await until(takeover, what="the lease ran out", seconds=10)
        assert taken[0].epoch == 2
        child.send(signal.SIGCONT)
        child.go_on()
        assert await asyncio.to_thread(child.tells) == "LeaseLost"
    assert await postgres_store.head() == 1


async def test_a_lease_is_renewed_by_its_holder_alone_and_given_up_at_once(
    postgres_store: PostgresStore,
) -> None:
    pool = postgres_store.pool
    lease = await take_lease(pool, "relay", uuid4())
    assert lease is not None
    assert await renew_lease(pool, lease)
    assert not await renew_lease(pool, Lease("relay", uuid4(), lease.epoch))
    assert not await renew_lease(pool, Lease("relay", lease.holder, lease.epoch + 1))
    assert await take_lease(pool, "resolver", uuid4()) is not None, "another lease"
    await give_up_lease(pool, lease)
    assert not await renew_lease(pool, lease)
    successor = await take_lease(pool, "relay", uuid4())
    assert successor is not None
    assert successor.epoch == lease.epoch + 1
    await give_up_lease(pool, lease)
    assert await renew_lease(pool, successor), "who lost it cannot give it up"
