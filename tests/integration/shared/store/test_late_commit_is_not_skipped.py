"""An event that commits late is not skipped.

Two writers append at once. The first has its number, n, and has not committed; the second gets n+1 and
commits. A reader that polls `position > last` sees n+1, remembers it, and never looks below again: when n
becomes visible, nobody reads it. The window is as long as a commit, so it shows under load alone, and then
silently; several libraries shipped it. On a plain sequence the script below loses the event each time.

The store gives numbers under a lock that is held until the commit, so n+1 waits for n.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID, uuid4

import asyncpg
import pytest

from shared.store.postgres import PostgresStore
from shared.store.requests import AppendRequest
from tests.integration.shared.store.interposed import InterposedStore
from tests.integration.shared.store.sequence_store import TABLE, SequenceStore
from tests.integration.shared.store.waiting import lock_is_waited_for, until
from tests.unit.shared.store.examples import new_event, new_stream

LATE, PROMPT = uuid4(), uuid4()
Append = Callable[[UUID], Awaitable[object]]
Read = Callable[[int], Awaitable[list[tuple[int, UUID]]]]


@pytest.fixture
async def observer(store_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(store_url)
    yield connection
    await connection.close()


class Follower:
    """A reader that remembers the last position it saw, and reads what lies above."""

    def __init__(self, read: Read) -> None:
        self._read, self._last = read, 0
        self.seen: list[UUID] = []

    async def poll(self) -> None:
        for position, event_id in await self._read(self._last):
            self._last = position
            self.seen.append(event_id)


class Pause:
    """Holds a commit back until it is released."""

    def __init__(self) -> None:
        self.reached, self.released = asyncio.Event(), asyncio.Event()

    async def __call__(self, *_: object) -> None:
        self.reached.set()
        await self.released.wait()


async def late_commit(
    append_late: Append, pause: Pause, append_prompt: Append, read: Read, observer: asyncpg.Connection
) -> list[UUID]:
    """The script: what a reader has seen in the end."""
    follower = Follower(read)
    async with asyncio.timeout(20):
        late = asyncio.create_task(_run(append_late(LATE)))
        await pause.reached.wait()
        prompt = asyncio.create_task(_run(append_prompt(PROMPT)))

        async def committed_or_held_back() -> bool:
            return prompt.done() or await lock_is_waited_for(observer)

        await until(committed_or_held_back, what="the second writer committed, or waited")
        await follower.poll()
        pause.released.set()
        await late
        await prompt
    await follower.poll()
    return follower.seen


async def _run(appending: Awaitable[object]) -> None:
    await appending


async def test_the_store_holds_later_numbers_back(store_url: str, observer: asyncpg.Connection) -> None:
    pause = Pause()
    async with (
        InterposedStore(store_url, before=pause) as late,
        PostgresStore(store_url, frozenset()) as prompt,
    ):

        def through(store: PostgresStore) -> Append:
            return lambda event_id: store.append(AppendRequest((new_event(new_stream(), event_id),)))

        async def read(after: int) -> list[tuple[int, UUID]]:
            return [(event.position, event.event_id) for event in await prompt.read_log(after)]

        assert await late_commit(through(late), pause, through(prompt), read, observer) == [LATE, PROMPT]


async def test_a_plain_sequence_loses_the_event(store_url: str, observer: asyncpg.Connection) -> None:
    await observer.execute(f"DROP TABLE IF EXISTS numbered; {TABLE}")
    pause, unhindered = Pause(), Pause()
    unhindered.released.set()
    connections = [await asyncpg.connect(store_url) for _ in range(2)]
    late, prompt = SequenceStore(connections[0], pause), SequenceStore(connections[1], unhindered)
    try:
        assert await late_commit(late.append, pause, prompt.append, prompt.read, observer) == [PROMPT]
        assert [event_id for _, event_id in await prompt.read(0)] == [LATE, PROMPT], "it is there, unread"
    finally:
        for connection in connections:
            await connection.close()
