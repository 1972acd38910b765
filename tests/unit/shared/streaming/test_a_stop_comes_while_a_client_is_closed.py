"""A stop comes while a client is closed.

The broker went, the follower closes its consumer to come anew, and in that moment the service is told to
stop. The closing was cancelled half way, or before it began: the consumer stayed a member of its group, and
its partitions were read by nobody until its session was over. Kafka's own jars showed it.
"""

import asyncio
from typing import Any

import pytest

from shared.streaming import kafka
from shared.streaming.broker import BrokerUnavailable

_STEPS = 12


class Client:
    """What aiokafka's clients are in this: their closing takes a few turns of the loop."""

    made: list["Client"]

    def __init__(self, **_: Any) -> None:
        self.is_closed = False
        self.made.append(self)

    def subscribe(self, topics: list[str]) -> None:
        pass

    async def start(self) -> None:
        await asyncio.sleep(0)

    async def stop(self) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        self.is_closed = True


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> list[Client]:
    """Those that were made so far."""
    Client.made = []
    monkeypatch.setattr(kafka, "AIOKafkaConsumer", Client)
    monkeypatch.setattr(kafka, "AIOKafkaProducer", Client)
    return Client.made


@pytest.mark.parametrize("steps", range(_STEPS))
async def test_a_consumer_is_closed_all_the_same(clients: list[Client], steps: int) -> None:
    async def follow() -> None:
        async with kafka.KafkaBroker(lambda: "127.0.0.1:1").subscription("topic", "group"):
            raise BrokerUnavailable("gone")

    await _stopped_after(steps, asyncio.create_task(follow()))
    assert all(client.is_closed for client in clients)


@pytest.mark.parametrize("steps", range(_STEPS))
async def test_a_publishers_two_clients_are_closed_both(clients: list[Client], steps: int) -> None:
    async def publish() -> None:
        async with kafka.KafkaBroker(lambda: "127.0.0.1:1").publisher("topic"):
            raise BrokerUnavailable("gone")

    await _stopped_after(steps, asyncio.create_task(publish()))
    assert all(client.is_closed for client in clients)


async def test_who_is_stopped_twice_waits_too(clients: list[Client]) -> None:
    stopping = asyncio.create_task(kafka._stopped(Client(), Client()))
    for _ in range(2):
        await asyncio.sleep(0)
        stopping.cancel()
    await asyncio.wait([stopping])
    assert stopping.cancelled()
    assert [client.is_closed for client in clients] == [True, True]


async def _stopped_after(steps: int, task: asyncio.Task[None]) -> None:
    for _ in range(steps):
        await asyncio.sleep(0)
    was_over = task.done()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled() or was_over
    if was_over:
        assert isinstance(task.exception(), BrokerUnavailable)
