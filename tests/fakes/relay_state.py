"""What the relay remembers, in memory, on the leases of a `FakeStore`."""

from collections.abc import Mapping
from uuid import uuid4

from shared.store.leases import Lease
from shared.streaming.relay_state import Mark
from tests.fakes.store import FakeStore


class FakeRelayState:
    """
    Attributes:
        position: what was published, as the database has it.
        marks: the last acknowledged record of each partition.
    """

    def __init__(self, store: FakeStore) -> None:
        self._store = store
        self._epoch = 0
        self.position = 0
        self.marks: dict[int, Mark] = {}

    async def lead(self, topic: str) -> Lease | None:
        return self._store.take_lease(f"relay {topic}", uuid4())

    async def stay(self, lease: Lease) -> bool:
        return self._store.renew_lease(lease)

    async def give_up(self, lease: Lease) -> None:
        if self._store.renew_lease(lease):
            self._store.expire_lease(lease.name)

    async def load(self, topic: str, epoch: int) -> tuple[int, dict[int, Mark]] | None:
        if epoch < self._epoch:
            return None
        self._epoch = epoch
        return self.position, dict(self.marks)

    async def advance(self, topic: str, epoch: int, position: int, marks: Mapping[int, Mark]) -> bool:
        if epoch != self._epoch:
            return False
        self.position = position
        self.marks |= marks
        return True
