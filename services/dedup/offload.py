"""Work aside from the event loop, where it is long."""

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
