"""Tasks that stand and fall together: whichever ends first, however it does, ends the others.

Task groups are not enough here. They take a task that ended by a stray `CancelledError` for one that was
cancelled on purpose, and go on without it; aiokafka lets the cancellation of its own tasks out of its calls.
And in Python 3.11 a group that is cancelled from outside while one of its tasks fails raises the failure
alone: a loop that catches it would outlive its own cancellation.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

from shared.streaming.broker import BrokerUnavailable


class StrayCancellation(BrokerUnavailable):
    """A task ended by a cancellation that nobody asked for."""


async def stand_together(*running: Coroutine[Any, Any, None]) -> None:
    """Run all until the first ends; the others are cancelled and waited for.

    Raises:
        StrayCancellation: it was cancelled from within. Or whatever it failed with.
    """
    await _run(running, asyncio.FIRST_COMPLETED)


async def all_together(*running: Coroutine[Any, Any, None]) -> None:
    """Run all until all have ended, or one fails; as `stand_together`."""
    await _run(running, asyncio.FIRST_EXCEPTION)


async def _run(running: Iterable[Coroutine[Any, Any, None]], until: str) -> None:
    if not (tasks := [asyncio.create_task(each) for each in running]):
        return
    try:
        done, _ = await asyncio.wait(tasks, return_when=until)
    finally:
        await cancelled(*tasks)
    for task in done:
        raise_failure(task)


async def cancelled(*tasks: asyncio.Task[None]) -> None:
    """Cancel them, and wait until they have ended, however they do."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # seen: asyncio would complain of one that nobody looked at


def raise_failure(task: asyncio.Task[None]) -> None:
    """What a task that has ended failed with, if it did.

    Raises:
        StrayCancellation: as `stand_together`.
    """
    if task.cancelled():
        raise StrayCancellation("a task was cancelled from within")
    task.result()
