"""The flow's engines for real: PostgreSQL, with the broker in memory, the embedded one, or Kafka."""

import asyncio
from collections.abc import Collection, Sequence
from secrets import token_hex

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.store.leases import PooledLeases
from shared.store.postgres import PostgresStore
from shared.streaming.broker import Broker, Record
from shared.streaming.kafka import KafkaBroker
from shared.streaming.relay_state import PostgresRelayState
from tests.engines import EmbeddedBroker
from tests.engines.topics import Topics
from tests.fakes.broker import FakeBroker
from tests.unit.shared.streaming.engines import TOPIC, Ability, Consumed

_INBOX = """
SELECT slot, slot_sequence, event_id, subject, state, reason, applied_no, event::text FROM inbox
ORDER BY slot, slot_sequence
"""


class OnPostgres:
    """Two databases, and a broker that a subclass names."""

    broker: Broker
    fake: FakeBroker | None = None
    topic = TOPIC
    lacks: Collection[Ability] = ()

    def __init__(self, owner: PostgresStore, follower: PostgresStore) -> None:
        self.owner, self.follower = owner, follower
        self.relay_state = PostgresRelayState(owner.pool)
        self.leases = PooledLeases(owner.pool)

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

    async def held(self) -> list[Record]:
        return self._fake.records(TOPIC)

    async def members(self, group: str) -> int:
        return len(self._fake.members(TOPIC, group))

    async def wipe_broker(self, partitions: int | None = None) -> None:
        if partitions is None:
            self._fake.wipe()
        else:
            self._fake.restart(partitions)

    async def add_partitions(self, total: int) -> None:
        self._fake.add_partitions(TOPIC, total)

    async def put(self, values: Sequence[bytes], partition: int) -> None:
        for value in values:
            self._fake.put(TOPIC, partition, value)


class OverTheProtocol(OnPostgres):
    """A broker that is a process; a subclass says which, and where it is now."""

    def address(self) -> str:
        raise NotImplementedError

    async def held(self) -> list[Record]:
        count = await asyncio.to_thread(Topics(self.address()).partitions, self.topic)
        every = [TopicPartition(self.topic, partition) for partition in range(count)]
        async with AIOKafkaConsumer(bootstrap_servers=self.address(), enable_auto_commit=False) as reader:
            ends = await reader.end_offsets(every)
            reader.assign(every)
            await reader.seek_to_beginning(*every)
            records: list[Record] = []
            for at in every:
                while await reader.position(at) < ends[at]:
                    fetched = await reader.getmany(at, timeout_ms=200)
                    records += [
                        Record(at.partition, message.offset, message.value or b"")
                        for message in fetched.get(at, [])
                    ]
            return records

    async def put(self, values: Sequence[bytes], partition: int) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self.address()) as producer:
            for value in values:
                await producer.send_and_wait(self.topic, value, partition=partition)


class PostgresAndEmbeddedBroker(OverTheProtocol):
    """Whatever happens to this broker, it comes back at another address with nothing in it."""

    lacks = frozenset(Ability)

    def __init__(self, owner: PostgresStore, follower: PostgresStore, embedded: EmbeddedBroker) -> None:
        super().__init__(owner, follower)
        self._embedded = embedded
        self.broker = KafkaBroker(lambda: embedded.address)

    def address(self) -> str:
        return self._embedded.address

    async def members(self, group: str) -> int:
        raise NotImplementedError("it does not tell; there is one at most")

    async def wipe_broker(self, partitions: int | None = None) -> None:
        self._embedded.kill()
        self._embedded.start(partitions)

    async def add_partitions(self, total: int) -> None:
        await self.wipe_broker(total)


class PostgresAndKafka(OverTheProtocol):
    """A topic of its own on a Kafka that others use too: what a wipe deletes is the topic, which comes back
    under its name, and what groups committed of it. The clients keep their connections and learn nothing."""

    def __init__(self, owner: PostgresStore, follower: PostgresStore, address: str) -> None:
        super().__init__(owner, follower)
        self._address = address
        self.topic = f"test.{token_hex(8)}"
        self.broker = KafkaBroker(lambda: address, metadata_age_ms=500)
        self._topics = Topics(address)
        self._partitions = 12

    def address(self) -> str:
        return self._address

    async def open(self) -> None:
        await asyncio.to_thread(self._topics.create, self.topic, partitions=self._partitions)

    async def close(self) -> None:
        await asyncio.to_thread(self._topics.delete, self.topic)

    async def members(self, group: str) -> int:
        return await asyncio.to_thread(self._topics.members, group)

    async def wipe_broker(self, partitions: int | None = None) -> None:
        self._partitions = partitions or self._partitions
        await self.close()
        await self.open()

    async def add_partitions(self, total: int) -> None:
        self._partitions = total
        await asyncio.to_thread(self._topics.add_partitions, self.topic, total)
