"""Long work: aside from the event loop, or on it in turns."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

SHORT = 200
"""Pieces of work, of some microseconds each, that take less time than changing threads twice."""


async def aside(pieces: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `work` returns: pure work on so many pieces, in another thread where they are many.

    A thread shares the interpreter with the event loop, which gets its turn every five milliseconds.
    """
    if pieces <= SHORT:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)


class Turns:
    """Work on the event loop that is long only when many do it at once: one piece in each turn of the loop.

    Hundreds of handlers may be ready in the same turn. If each of them computed for some milliseconds, HTTP
    would wait for all, and the committer would hold the store's lock for longer than its session may.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def take(self, pieces: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work` returns, work on so many pieces; at once where they are few."""
        if pieces <= FEW:
            return work(*args, **kwargs)
        async with self._lock:
            await asyncio.sleep(0)
            return work(*args, **kwargs)


FEW = 24
"""Pieces of work, of some tens of microseconds each, that are done at once."""
