"""When the recommendations of so many complaints are there, and when nothing is on its way any more.

What each service published and consumed is told by 240 numbers that never fall and have no gaps, so that
their sums do. They are read down the stream, each service after those that it follows: what was there when
an owner was read is there for good, so that one reading proves it. Nothing else may happen meanwhile:
no further complaint, and no decision.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg

from tests.failure.cluster import Cluster

Databases = Mapping[str, asyncpg.Connection]

LOOKS_EVERY = 0.1
PATIENCE = 3600.0

PUBLISHED = """
SELECT coalesce(sum((SELECT max(slot_sequence) FROM events WHERE slot = each)), 0)::bigint
FROM generate_series(0, 239) AS each
"""
CONSUMED = "SELECT coalesce(sum(at), 0)::bigint FROM cursors WHERE source = $1"
IS_RESOLVED = """
SELECT coalesce((SELECT at FROM cursors WHERE source = 'resolver'), 0)
    >= coalesce((SELECT max(position) FROM events WHERE slot IS NULL), 0)
"""


async def are_recommended(databases: Databases, complaints: int) -> bool:
    """All complaints are compared, resolved into incidents and patterns, and assessed in their cases."""
    dedup, referral = databases["dedup"], databases["referral"]
    return bool(
        await dedup.fetchval(CONSUMED, "intake") >= complaints
        and await dedup.fetchval(IS_RESOLVED)
        and await referral.fetchval(CONSUMED, "intake") >= complaints
        and await referral.fetchval(CONSUMED, "dedup") >= await dedup.fetchval(PUBLISHED)
    )


async def is_at_rest(databases: Databases, complaints: int) -> bool:
    """And what referral tells the others of it has arrived there."""
    if not await are_recommended(databases, complaints):
        return False
    told = await databases["referral"].fetchval(PUBLISHED)
    return all(
        [await databases[follower].fetchval(CONSUMED, "referral") >= told for follower in ("intake", "dedup")]
    )


@asynccontextmanager
async def opened(urls: Mapping[str, str]) -> AsyncIterator[Databases]:
    """A connection to the database of each service."""
    async with AsyncExitStack() as stack:
        databases = {}
        for service, url in urls.items():
            databases[service] = await asyncpg.connect(url)
            stack.push_async_callback(databases[service].close)
        yield databases


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Returns when it holds.

    Raises:
        RuntimeError: it did not within `PATIENCE`.
    """
    deadline = time.monotonic() + PATIENCE
    while not await condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"after {PATIENCE:g} s something was still on its way")
        await asyncio.sleep(LOOKS_EVERY)


def verify(cluster: Cluster) -> None:
    """
    Raises:
        RuntimeError: `./hotline verify` finds something.
    """
    verified = cluster.hotline("verify", "--wait", "0")
    if verified.returncode != 0:
        raise RuntimeError(f"./hotline verify failed: {verified.stdout}{verified.stderr}")
