"""The log lost its tail.

After a failover or a restore the owner's database lacks events that were acknowledged and published. Its
next append would give a number a second time, and no follower could tell the two apart. So the owner appends
nothing more once it sees, in the topic, a number above its head, or another event under a number it knows.
"""

from uuid import uuid4

import orjson

from shared.store.halts import Halt
from shared.store.requests import StoreHalted
from tests.unit.shared.streaming.flow import Flow, signed, until


async def is_halted(flow: Flow) -> bool:
    try:
        await flow.record()
    except StoreHalted as halted:
        assert "./hotline recover" in str(halted)
        return True
    return False


async def record_of(flow: Flow, subject: str, **changed: object) -> tuple[bytes, int]:
    (event,) = await flow.events_of(subject)
    (record,) = await flow.published.records([event])
    return orjson.dumps(signed(record, **changed)), record["slot"] % 12


async def test_a_number_above_the_head_halts_the_store(flow: Flow) -> None:
    subject = await flow.record()
    record, partition = await record_of(flow, subject, slotsequence=99, id=str(uuid4()))
    await flow.engines.put([record], partition)
    flow.start(flow.relay().run())
    await until(lambda: is_halted(flow), "the store is halted")


async def test_another_event_at_a_known_number_halts_the_store(flow: Flow) -> None:
    subject = await flow.record()
    record, partition = await record_of(flow, subject, id=str(uuid4()))
    await flow.engines.put([record], partition)
    flow.start(flow.relay().run())
    await until(lambda: is_halted(flow), "the store is halted")


async def test_a_topic_that_agrees_halts_nothing(flow: Flow) -> None:
    await flow.record_many(subjects=20)
    await flow.relayed()
    await flow.relayed()
    await flow.record()


async def test_a_follower_whose_own_store_is_halted_waits_and_parks_nothing(flow: Flow) -> None:
    await flow.record()
    await flow.relayed()
    await flow.engines.follower.halt(Halt("topic", 3, 7, uuid4(), "its tail is lost"))
    follower = flow.follower()
    task = flow.start(follower.run())

    async def waits() -> bool:
        return list(follower.waiting_for.values()) == ["StoreHalted"]

    await until(waits, "it waits, and says for what")
    assert not task.done()
    assert await flow.engines.inbox() == []
