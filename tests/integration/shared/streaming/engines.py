"""The flow's engines for real: PostgreSQL, with the embedded broker or the one in memory."""

from collections.abc import Sequence

from aiokafka import AIOKafkaProducer

from shared.store.postgres import PostgresStore
from shared.streaming.broker import Broker
from shared.streaming.kafka import KafkaBroker
from shared.streaming.relay_state import PostgresRelayState
from tests.engines import EmbeddedBroker
from tests.fakes.broker import FakeBroker
from tests.unit.shared.streaming.engines import TOPIC, Consumed

_INBOX = """
SELECT slot, slot_sequence, event_id, subject, state, reason, applied_no, event::text FROM inbox
ORDER BY slot, slot_sequence
"""


class OnPostgres:
    """Two databases, and a broker that a subclass names."""

    broker: Broker
    fake: FakeBroker | None

    def __init__(self, owner: PostgresStore, follower: PostgresStore) -> None:
        self.owner, self.follower = owner, follower
        self.relay_state = PostgresRelayState(owner.pool)

    async def expire_lease(self) -> None:
        await self.owner.pool.execute("UPDATE leases SET expires = clock_timestamp()")

    async def inbox(self) -> list[Consumed]:
        return [Consumed(*row) for row in await self.follower.pool.fetch(_INBOX)]

    async def unreadable(self) -> list[tuple[int, str, int]]:
        rows = await self.follower.pool.fetch("SELECT partition, reason, length(record) FROM unreadable")
        return [tuple(row) for row in rows]


class PostgresAndFakeBroker(OnPostgres):
    def __init__(self, owner: PostgresStore, follower: PostgresStore) -> None:
        super().__init__(owner, follower)
        self.broker = self.fake = self._fake = FakeBroker()

    async def wipe_broker(self) -> None:
        self._fake.wipe()

    async def add_partitions(self, total: int) -> None:
        self._fake.add_partitions(TOPIC, total)

    async def put(self, values: Sequence[bytes], partition: int) -> None:
        for value in values:
            self._fake.put(TOPIC, partition, value)


class PostgresAndEmbeddedBroker(OnPostgres):
    """Whatever happens to this broker, it comes back at another address with nothing in it."""

    def __init__(self, owner: PostgresStore, follower: PostgresStore, embedded: EmbeddedBroker) -> None:
        super().__init__(owner, follower)
        self._embedded = embedded
        self.broker = KafkaBroker(lambda: embedded.address)
        self.fake = None

    async def wipe_broker(self) -> None:
        self._embedded.kill()
        self._embedded.start()

    async def add_partitions(self, total: int) -> None:
        self._embedded.kill()
        self._embedded.start(total)

    async def put(self, values: Sequence[bytes], partition: int) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self._embedded.address) as producer:
            for value in values:
                await producer.send_and_wait(TOPIC, value, partition=partition)
