"""The leases of a `FakeStore`."""

import asyncio
from uuid import uuid4

from shared.store.leases import Lease
from tests.fakes.store import FakeStore

_LOOKS_EVERY = 0.05


class FakeLeases:
    def __init__(self, store: FakeStore) -> None:
        self._store = store

    async def take(self, name: str) -> Lease | None:
        return self._store.take_lease(name, uuid4())

    async def keep(self, lease: Lease) -> None:
        while self._store.renew_lease(lease):
            await asyncio.sleep(_LOOKS_EVERY)

    async def give_up(self, lease: Lease) -> None:
        if self._store.renew_lease(lease):
            self._store.expire_lease(lease.name)
