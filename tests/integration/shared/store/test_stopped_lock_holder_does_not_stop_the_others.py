"""A process that is stopped while it holds the store's lock stops nobody for long.

A VM is paused, a process gets SIGSTOP, between numbering and COMMIT. Its connection stays open, so without
a limit PostgreSQL keeps its transaction and the lock, and every replica waits for ever. The session's
`idle_in_transaction_session_timeout` ends it. The process does not know: when it wakes, it must neither
believe that its events are in the log, nor append them a second time beside a commit that did happen.
"""

import asyncio
import signal
import time

from shared.store.postgres import PostgresStore
from shared.store.requests import Appended
from tests.conditions import wait_until
from tests.integration.shared.store.children import Child
from tests.unit.shared.store.examples import new_stream, one_event


async def test_appends_go_on_within_three_seconds_and_what_wakes_doubles_nothing(
    postgres_store: PostgresStore, store_url: str
) -> None:
    await postgres_store.append(one_event(new_stream()))
    with Child("stops_holding_the_lock", store_url) as child:
        event_id = await asyncio.to_thread(child.tells)
        assert await asyncio.to_thread(child.tells) == "holding"
        await asyncio.to_thread(wait_until, child.is_stopped, what="the lock holder was stopped")
        began = time.monotonic()
        async with asyncio.timeout(3):
            assert await postgres_store.append(one_event(new_stream())) == Appended((2,), (1,))
        print(f"held back for {time.monotonic() - began:.2f} s")
        assert event_id not in [str(event.event_id) for event in await postgres_store.read_log(0)]
        child.send(signal.SIGCONT)
        assert await asyncio.to_thread(child.tells) == [3]
    events = await postgres_store.read_log(0)
    assert [event.position for event in events] == [1, 2, 3]
    assert str(events[2].event_id) == event_id
