"""Requests that wait to be written, in their order: bounded in number, in bytes and in time.

A database that is slow for a moment must not fill the memory of a service, nor be sent what its callers gave
up long ago; and a batch holds the store's lock for as long as its bytes take to write. A request whose caller
is gone before it is taken is never written.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Sequence

from shared.store.requests import Appended, AppendRequest, StoreBusy

BATCH_LIMIT = 500
BATCH_BYTES = 4 * 2**20
"""Some 50 ms of writing. One request of more is a batch of its own."""
QUEUE_LIMIT = 5_000
QUEUE_BYTES = 64 * 2**20
QUEUE_SECONDS = 10.0
"""Whoever has waited for so long is refused: a client that has given up would send it again beside it."""


class Waiting:
    """A request and its caller's future.

    Attributes:
        size: about how many bytes it writes.
        numbered: what it becomes if the COMMIT that was sent goes through.
        tries: connections that were lost before that.
    """

    __slots__ = ("future", "is_queued", "numbered", "request", "since", "size", "tries")

    def __init__(self, request: AppendRequest, size: int) -> None:
        self.request, self.size = request, size
        self.since = time.monotonic()
        self.is_queued = False
        self.tries = 0
        self.numbered: Appended | None = None
        self.future: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()

    def resolve(self, outcome: Appended | Exception) -> None:
        if self.future.done():  # its caller was cancelled; the commit stands all the same
            return
        if isinstance(outcome, Appended):
            self.future.set_result(outcome)
        else:
            self.future.set_exception(outcome)


class AppendQueue:
    """`len()` counts those whose callers still wait."""

    def __init__(self) -> None:
        self._waiting: deque[Waiting] = deque()
        self._count = self._bytes = 0

    def __len__(self) -> int:
        return self._count

    def put(self, waiting: Waiting) -> None:
        """
        Raises:
            StoreBusy: too much waits already.
        """
        if self._count >= QUEUE_LIMIT or (self._count and self._bytes + waiting.size > QUEUE_BYTES):
            raise StoreBusy(f"{self._count} requests of {self._bytes} bytes wait to be written")
        self._waiting.append(waiting)
        waiting.is_queued = True
        self._count += 1
        self._bytes += waiting.size

    def put_back(self, taken: Sequence[Waiting]) -> None:
        """In front, in their order: they were taken, and are to be tried again."""
        now = time.monotonic()
        for waiting in reversed(taken):
            waiting.since = now
            self._waiting.appendleft(waiting)
            waiting.is_queued = True
            self._count += 1
            self._bytes += waiting.size

    def give_up(self, waiting: Waiting) -> None:
        """Its caller is gone. Where it was taken and numbered already, it stands."""
        self._leave(waiting)

    def take(self) -> list[Waiting]:
        """The next batch; [] where nobody waits."""
        taken: list[Waiting] = []
        size, oldest = 0, time.monotonic() - QUEUE_SECONDS
        while self._waiting and len(taken) < BATCH_LIMIT:
            waiting = self._waiting[0]
            if taken and size + waiting.size > BATCH_BYTES:
                break
            self._waiting.popleft()
            if not waiting.is_queued:
                continue  # it was given up
            self._leave(waiting)
            if waiting.since < oldest:
                waiting.resolve(StoreBusy(f"it was not written within {QUEUE_SECONDS:g} s"))
                continue
            taken.append(waiting)
            size += waiting.size
        return taken

    def drain(self) -> list[Waiting]:
        """All of them."""
        waiting = list(self._waiting)
        self._waiting.clear()
        for one in waiting:
            self._leave(one)
        return waiting

    def _leave(self, waiting: Waiting) -> None:
        if waiting.is_queued:
            waiting.is_queued = False
            self._count -= 1
            self._bytes -= waiting.size


def refuse(taken: Iterable[Waiting], fault: Exception) -> None:
    for waiting in taken:
        waiting.resolve(fault)
