"""Look-ups by key, many at a time: while one statement is under way, what is asked meanwhile gathers for the
next one, as appends gather for a commit. There is no timer, so that a single look-up waits for nobody.

What was committed before `of` was called is seen: a key never joins a statement that was sent already.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from itertools import chain
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Gathered(Generic[K, V]):
    """
    Args:
        ask: key -> value of all that there are of these keys, each named once.
    """

    def __init__(self, ask: Callable[[list[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._ask = ask
        self._waiting: list[tuple[Collection[K], asyncio.Future[dict[K, V]]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def of(self, keys: Collection[K]) -> dict[K, V]:
        """Those of `keys` that there are. Raises what `ask` raises."""
        if not keys:
            return {}
        future: asyncio.Future[dict[K, V]] = asyncio.get_running_loop().create_future()
        self._waiting.append((keys, future))
        if self._asking is None:
            # A task of its own: whoever asked first may be cancelled, and the others wait for the answer.
            self._asking = asyncio.create_task(self._ask_all(), name="gathered look-ups")
        return await future

    async def _ask_all(self) -> None:
        try:
            while self._waiting:
                taken, self._waiting = self._waiting, []
                named = dict.fromkeys(chain.from_iterable(keys for keys, _ in taken))
                try:
                    found = await self._ask(list(named))
                except Exception as fault:  # noqa: BLE001  (who asked is told, and decides)
                    for _, future in taken:
                        if not future.done():
                            future.set_exception(fault)
                else:
                    for keys, future in taken:
                        if not future.done():
                            future.set_result({key: found[key] for key in keys if key in found})
        finally:
            self._asking = None
