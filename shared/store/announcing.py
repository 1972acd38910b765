"""Telling the readers of all processes that the log has grown: NOTIFY, soon after a commit.

What the reader gets: a wake-up after the last commit of a burst, and during it one each `PAUSE` at most; a
NOTIFY a commit would cost a tenth of the log's speed. How it fails: silently. A wake-up that is lost with a
connection is made up for by the readers' poll.
"""

import asyncio
from contextlib import suppress

import asyncpg

from shared.store.connections import AWAY, connect, is_writable

CHANNEL = "hotline_log"
PAUSE = 0.025
"""Seconds. Whoever is woken does what has come with a handful of round trips, however little it was: relay,
resolver, broker and followers take a sixth less of the processors than with 10 ms, and a complaint that
comes alone waits for nothing."""


class Announcer:
    """A connection of its own: within the committer's transaction NOTIFY would serialise the commits of all
    databases of the server, and after it hold up the next batch. It has nothing to lose, so it does not wait
    for the disk."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._is_due = False
        self._telling: asyncio.Task[None] | None = None
        self._connection: asyncpg.Connection | None = None

    def announce(self) -> None:
        """There was a commit."""
        self._is_due = True
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell(), name="announcer")

    async def close(self) -> None:
        """What is due is told first."""
        if self._telling is not None:
            await self._telling
        if self._connection is not None:
            await self._connection.close()

    async def _tell(self) -> None:
        while self._is_due:
            self._is_due = False
            with suppress(*AWAY):
                await (await self._connected()).execute(f"NOTIFY {CHANNEL}")
            await asyncio.sleep(PAUSE)

    async def _connected(self) -> "asyncpg.Connection":
        if self._connection is not None and not is_writable(self._connection):
            self._connection.terminate()  # NOTIFY is a write
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(
                self._url, timeout=5, command_timeout=5, server_settings={"synchronous_commit": "off"}
            )
        return self._connection
