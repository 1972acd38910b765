"""Work that one process does at a time: the relay's and the resolver's.

Guarantee: `run` does the work while it holds the lease, stops it when the lease is lost, gives the lease up
when it ends, and tries again, until it is cancelled. Two may believe that they lead for a moment: so the work
guards what it writes with its lease. Failures are logged and end only that term.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import asyncpg
import structlog

from shared.sealing.jwe import NoKeyError
from shared.store.leases import Lease, Leases
from shared.store.requests import AppendRefused, StoreHalted, StoreUnavailable
from shared.streaming.broker import BrokerUnavailable
from shared.streaming.together import stand_together

POLL_SECONDS = 1.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_AWAY = (
    BrokerUnavailable,
    StoreUnavailable,
    StoreHalted,
    NoKeyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
)

log = structlog.get_logger(origin=__name__)


class Leader:
    """
    Args:
        name: of the lease.

    Attributes:
        is_leading: this process does the work now.
    """

    def __init__(self, name: str, leases: Leases) -> None:
        self._name, self._leases = name, leases
        self.is_leading = False

    async def run(self, work: Callable[[Lease], Coroutine[Any, Any, None]]) -> None:
        """Do `work` whenever this process leads. It ends its term by returning."""
        pause = _FIRST_PAUSE
        while True:
            begin = time.monotonic()
            try:
                await self._lead(work)
                pause = _FIRST_PAUSE
            except AppendRefused as fault:
                log.info("leader superseded", lease=self._name, reason=type(fault).__name__)
            except _AWAY as fault:
                log.warning("leader interrupted", lease=self._name, reason=type(fault).__name__)
                pause = _longer(pause, begin)
            except Exception:  # the loop's edge: a broken event must not take HTTP and the consumers down
                log.exception("leader failed", lease=self._name)
                pause = _longer(pause, begin)
            await asyncio.sleep(pause)

    async def _lead(self, work: Callable[[Lease], Coroutine[Any, Any, None]]) -> None:
        lease = await self._leases.take(self._name)
        if lease is None:
            await asyncio.sleep(POLL_SECONDS)
            return
        self.is_leading = True
        try:
            await stand_together(self._leases.keep(lease), work(lease))
        finally:
            self.is_leading = False
            with suppress(*_AWAY):
                await self._leases.give_up(lease)


def _longer(pause: float, begin: float) -> float:
    """The pause after a term that began at `begin`: a short one where all went well for long."""
    if time.monotonic() - begin > 2 * _LONGEST_PAUSE:
        return _FIRST_PAUSE
    return min(pause * 2, _LONGEST_PAUSE)
