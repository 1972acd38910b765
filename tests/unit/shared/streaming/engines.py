"""What a flow runs on: two stores, a broker, and the ways in which a test hurts it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from shared.store.leases import Leases
from shared.store.port import Store
from shared.streaming.broker import Broker, Record
from shared.streaming.relay_state import RelayState
from tests.fakes.broker import FakeBroker
from tests.fakes.leases import FakeLeases
from tests.fakes.relay_state import FakeRelayState
from tests.fakes.store import FakeStore

TOPIC = "hotline.complaints.v1"
PUBLIC = frozenset({"complaint"})


class Ability(StrEnum):
    """What not every broker can do."""

    SHARED_GROUPS = "two members in a group, they make it rebalance without end"
    GROWTH = "growing a topic that keeps its records"


@dataclass(frozen=True, slots=True)
class Consumed:
    """An inbox row."""

    slot: int
    slot_sequence: int
    event_id: UUID
    subject: str
    state: str
    reason: str
    applied_no: int | None
    event: str


class Engines(Protocol):
    """`owner` is the store of the service whose events are followed, `follower` that of the other one."""

    @property
    def owner(self) -> Store: ...

    @property
    def follower(self) -> Store: ...

    @property
    def broker(self) -> Broker: ...

    @property
    def relay_state(self) -> RelayState: ...

    @property
    def leases(self) -> Leases: ...

    @property
    def topic(self) -> str:
        """The owner's; nobody else's at its broker."""

    @property
    def lacks(self) -> Collection[Ability]:
        """What the broker cannot do."""

    @property
    def fake(self) -> FakeBroker | None:
        """The broker, if it is the one in memory: it can be hurt in ways that no real one offers."""

    async def expire_lease(self) -> None:
        """The relay's lease runs out, whoever holds it."""

    async def inbox(self) -> list[Consumed]:
        """All inbox rows of the follower."""

    async def unreadable(self) -> list[tuple[int, str, int]]:
        """(partition, reason, kept bytes) of the records without a readable envelope."""

    async def held(self) -> list[Record]:
        """Everything that the topic holds, in order within each partition."""

    async def members(self, group: str) -> int:
        """How many the group has at this moment."""

    async def wipe_broker(self, partitions: int | None = None) -> None:
        """All that the topic held is gone, and what groups committed too; it has so many partitions, or as
        many as before."""

    async def add_partitions(self, total: int) -> None:
        """The topic has so many partitions from now on; without `Ability.GROWTH` it is empty then."""

    async def put(self, values: Sequence[bytes], partition: int) -> None:
        """Records that no relay of ours sent."""


class InMemory:
    """All of it in memory."""

    def __init__(self) -> None:
        self.owner = FakeStore(PUBLIC)
        self.follower = FakeStore()
        self.broker = FakeBroker()
        self.relay_state = FakeRelayState()
        self.leases = FakeLeases(self.owner)
        self.fake = self.broker
        self.topic = TOPIC
        self.lacks: Collection[Ability] = ()

    async def expire_lease(self) -> None:
        self.owner.expire_lease(f"relay {TOPIC}")

    async def inbox(self) -> list[Consumed]:
        return [
            Consumed(
                slot, sequence, row.entry.event_id, row.entry.subject, row.entry.state.value,
                row.entry.reason, row.applied_no, row.entry.event,
            )
            for (_, slot, sequence), row in sorted(self.follower.inbox.items())
        ]  # fmt: skip

    async def unreadable(self) -> list[tuple[int, str, int]]:
        return [(kept.partition, kept.reason, len(kept.value)) for kept in self.follower.unreadable]

    async def held(self) -> list[Record]:
        return self.broker.records(TOPIC)

    async def members(self, group: str) -> int:
        return len(self.broker.members(TOPIC, group))

    async def wipe_broker(self, partitions: int | None = None) -> None:
        if partitions is None:
            self.broker.wipe()
        else:
            self.broker.restart(partitions)

    async def add_partitions(self, total: int) -> None:
        self.broker.add_partitions(TOPIC, total)

    async def put(self, values: Sequence[bytes], partition: int) -> None:
        for value in values:
            self.broker.put(TOPIC, partition, value)
