"""Sixteen writers, four stores, two processes, and a reader that follows by position.

Whatever interleaving the machine comes up with, the reader sees exactly what was appended, in order, and
never a number before the one below it.
"""

import asyncio
import secrets

from shared.store.postgres import PostgresStore
from tests.integration.shared.store.children import Child
from tests.unit.shared.store.examples import PUBLIC

WRITERS, APPENDS = 8, 40  # in each process


async def test_a_reader_that_follows_by_position_sees_all_of_it_in_order(store_url: str) -> None:
    seed = secrets.randbelow(10**6)
    print(f"seed {seed}")
    with (
        Child("writers", store_url, WRITERS, APPENDS, seed) as one,
        Child("writers", store_url, WRITERS, APPENDS, seed + 1) as other,
    ):
        for child in (one, other):
            assert await asyncio.to_thread(child.tells) == "ready"
            child.go_on()
        finished = asyncio.gather(asyncio.to_thread(one.tells, 60), asyncio.to_thread(other.tells, 60))
        seen: list[tuple[str, int]] = []
        versions: dict[str, int] = {}
        slots: dict[int, int] = {}
        async with PostgresStore(store_url, PUBLIC) as store, asyncio.timeout(60):
            while not finished.done() or len(seen) < await store.head():
                for event in await store.read_log(len(seen), limit=37):
                    seen.append((str(event.event_id), event.position))
                    assert event.position == len(seen), "a gap, or a number twice"
                    versions[event.stream_id] = versions.get(event.stream_id, 0) + 1
                    assert event.version == versions[event.stream_id]
                    if event.slot is not None:
                        slots[event.slot] = slots.get(event.slot, 0) + 1
                        assert event.slot_sequence == slots[event.slot]
            assert await store.slot_heads() == slots
        appended = [(str(event_id), int(at)) for told in await finished for event_id, at in told]
    assert len(appended) > 2 * WRITERS * APPENDS
    assert sorted(appended, key=lambda numbered: numbered[1]) == seen
