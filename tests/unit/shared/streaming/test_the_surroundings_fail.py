"""The surroundings fail.

The database, the keys or the broker are away. Every event fails then, and none of them is at fault: to park
them would make thousands of parked events out of one outage. They wait, in their order, and go on by
themselves.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from shared.sealing.keys import ServiceKeys
from shared.store.events import RecordedEvent
from shared.streaming.handling import SurroundingsFault
from shared.streaming.published import PublishedLog
from shared.streaming.relay import Relay
from tests.unit.shared.streaming.engines import InMemory
from tests.unit.shared.streaming.flow import FOLLOWER_KEYS, OWNER, OWNER_KEYS, Flow, until

OTHER_KEK = OWNER_KEYS.kek.model_copy(update={"current": "x", "keys": {"x": bytes(32)}})
# The right name and the wrong bytes: what a mixed-up secret looks like.
WRONG_KEK = FOLLOWER_KEYS.kek.model_copy(
    update={"keys": dict.fromkeys(FOLLOWER_KEYS.kek.keys, bytes(range(32)))}
)


async def nothing_is_parked(flow: Flow) -> bool:
    return not [row for row in await flow.engines.inbox() if row.state != "applied"]


async def test_with_the_database_away_events_wait(flow: Flow, memory: InMemory) -> None:
    flow.start(flow.relay().run())
    flow.start(flow.follower().run())
    await flow.record_many(subjects=10, each=2)
    await flow.consumed(3)
    for _ in range(3):
        memory.follower.away = True
        await flow.record_many(subjects=10)
        memory.follower.away = False
        assert await nothing_is_parked(flow)
    await flow.settled()
    await flow.prove()


async def test_with_the_keys_away_events_wait(flow: Flow) -> None:
    """Nothing is authentic then, what the owner serves neither: nothing is parked or passed over."""
    await flow.record_many(subjects=10, each=2)
    await flow.relayed()
    without = FOLLOWER_KEYS.model_copy(update={"sources": {OWNER: {}}})
    running = flow.start(flow.follower(flow.inbox(keys=without)).run())

    async def is_served() -> bool:
        return flow.owner.asked > 20

    await until(is_served, "the owner is asked again and again")
    assert await flow.engines.inbox() == []
    assert await flow.engines.follower.cursors(OWNER) == {}
    await flow.kill(running)
    flow.start(flow.follower().run())
    await flow.settled()
    await flow.prove()


async def test_with_the_wrong_key_encryption_key_events_wait(flow: Flow) -> None:
    subject = await flow.record()
    await flow.relayed()
    running = flow.start(flow.follower().run())
    await flow.settled()
    await flow.kill(running)
    await flow.record(subject)
    await flow.relayed()
    for kek in (OTHER_KEK, WRONG_KEK):
        follower = flow.follower(flow.inbox(keys=FOLLOWER_KEYS.model_copy(update={"kek": kek})))
        running = flow.start(follower.run())

        async def waits() -> bool:
            return list(follower.waiting_for.values()) == ["NoKeyError"]

        await until(waits, "it waits for its key")
        await flow.kill(running)
    flow.start(flow.follower().run())
    await flow.settled()
    await flow.prove()


async def test_a_handler_that_lacks_something_waits_and_only_its_partition_does(flow: Flow) -> None:
    flow.start(flow.relay().run())
    subject = await flow.record()
    flow.listener.faults[subject] = SurroundingsFault("the model is being loaded")
    follower = flow.follower()
    flow.start(follower.run())
    await flow.record_many(subjects=24)
    partition = (await flow.events_of(subject))[0].slot or 0
    elsewhere = [e for e in await flow.public_events() if (e.slot or 0) % 12 != partition % 12]
    await flow.consumed(len(elsewhere))
    assert follower.waiting_for == {partition: "the model is being loaded"}
    flow.listener.faults.clear()
    await flow.settled()
    await flow.prove()
    assert not follower.waiting_for


class Watched(PublishedLog):
    """Tells when it was asked."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.asked = asyncio.Event()

    async def records(self, events: Sequence[RecordedEvent]) -> list[dict[str, Any]]:
        self.asked.set()
        return await super().records(events)


async def test_a_relay_without_its_keys_waits_and_takes_nothing_down(flow: Flow) -> None:
    await flow.record_many(subjects=5)
    keyless: ServiceKeys = OWNER_KEYS.model_copy(update={"kek": OTHER_KEK})
    published = Watched(OWNER, flow.engines.owner, keyless)
    relay = Relay(
        flow.topic,
        flow.engines.owner,
        published,
        flow.engines.broker,
        flow.engines.relay_state,
        flow.engines.leases,
    )
    running = flow.start(relay.run())
    for _ in range(2):
        await published.asked.wait()
        published.asked.clear()
    assert not running.done()
    await flow.kill(running)
    flow.start(flow.relay().run())
    flow.start(flow.follower().run())
    await flow.settled()
    await flow.prove()


async def test_with_the_broker_away_the_owner_goes_on_recording(flow: Flow) -> None:
    broker = flow.fake_broker("being away at the same address")
    broker.away = True
    flow.start(flow.relay().run())
    flow.start(flow.follower().run())
    await flow.record_many(subjects=10, each=2)
    broker.away = False
    await flow.settled()
    await flow.prove()
