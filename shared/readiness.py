"""Whether a service can do its main job, and whether its software runs on its database at all.

Whoever asks, and however many, there is one look a second, and it opens no connection: it goes over the one
on which events are appended, so what it finds holds for them. Outside of the revisions that the software
runs on (`shared.store.revisions`) HTTP, relay and consumers wait, and begin again when the schema fits.
Kafka being away is no reason: what a service takes then is published later.
"""

import asyncio
import math
import time
from collections.abc import Callable, Coroutine, Mapping

import asyncpg
import structlog

from shared.store import revisions
from shared.store.committer import LOST, SURROUNDINGS
from shared.store.postgres import PostgresStore
from shared.store.requests import SchemaFault, StoreUnavailable
from shared.store.revisions import DatabaseRevision
from shared.streaming.together import cancelled, raise_failure

INTERVAL_SECONDS = 1.0
LOOK_SECONDS = 1.5
_NOT_SEEN = "the database was not seen yet"

log = structlog.get_logger(origin=__name__)


class Readiness:
    """Called, it answers what is not ready, by name, with the reason; nothing where all is well."""

    def __init__(self, service: str, store: PostgresStore) -> None:
        self._window, self._store = revisions.window(service), store
        self._looking: asyncio.Task[Mapping[str, str]] | None = None
        self._began = -math.inf
        self._misfit = _NOT_SEEN
        self._changed = asyncio.Event()
        self.is_ready = False

    async def __call__(self) -> Mapping[str, str]:
        now = time.monotonic()
        if self._looking is None or (self._looking.done() and now - self._began >= INTERVAL_SECONDS):
            self._began = now
            self._looking = asyncio.create_task(self._look(), name="look at the database")
        # Of all who wait for it, none takes it along when it goes.
        return await asyncio.shield(self._looking)

    @property
    def waits_for(self) -> Mapping[str, str]:
        """Why the service does not work on its database at all; nothing where it does. As last seen: a
        database that is away is not another one."""
        return {"schema": self._misfit} if self._misfit else {}

    async def keep(self) -> None:
        """Look once a second, until cancelled."""
        try:
            while True:
                await self()
                await asyncio.sleep(INTERVAL_SECONDS)
        finally:
            if self._looking is not None:
                self._looking.cancel()

    async def while_it_fits(self, run: Callable[[], Coroutine[None, None, None]]) -> None:
        """Run a task while the software runs on the database: it is cancelled when that ends, and begun anew
        when it is so again. Returns, or fails, when the task does."""
        while True:
            while self._misfit:
                await self._change()
            task = asyncio.create_task(run())
            try:
                while not (task.done() or self._misfit):
                    await self._change(task)
                if task.done():
                    raise_failure(task)
                    return
            finally:
                await cancelled(task)

    async def _change(self, *others: asyncio.Task[None]) -> None:
        changed = asyncio.create_task(self._changed.wait())
        try:
            await asyncio.wait([changed, *others], return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()

    async def _look(self) -> Mapping[str, str]:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                reasons = self._judged(await self._store.look())
        except SchemaFault as fault:
            reasons = {"schema": str(fault)}
        except StoreUnavailable as fault:
            reasons = {"database": str(fault)}
        except asyncpg.TargetServerAttributeNotMatched:
            reasons = {"database": "no server of its address takes writes"}
        except (*LOST, *SURROUNDINGS, asyncpg.PostgresError) as fault:
            # The type alone: a driver's message may name the account.
            reasons = {"database": type(fault).__qualname__}
        except Exception as fault:  # a look must not end the service
            log.exception("looking at the database failed")
            reasons = {"database": type(fault).__qualname__}
        self.is_ready = not reasons
        return reasons

    def _judged(self, found: DatabaseRevision) -> Mapping[str, str]:
        self._see(self._window.misfit(found))
        if self._misfit:
            return {"schema": self._misfit}
        if self._store.is_halted:
            return {"store": "store halted: its log has lost its tail. Run `./hotline recover`"}
        return {}

    def _see(self, misfit: str) -> None:
        if misfit == self._misfit:
            return
        if misfit:
            log.warning("waiting for another schema", reason=misfit)
        elif self._misfit != _NOT_SEEN:
            log.info("the schema fits again")
        self._misfit = misfit
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
