"""An upgrade is under way: software of before and of now follow one source into one database.

The new one has made its pass over what is parked when the old one, still in the group for some seconds,
receives an event of a version that it does not know. It used to stay parked until somebody started the new
one again, and every later event of its subject behind it.
"""

import asyncio

import pytest
from pydantic import BaseModel

from shared.store.requests import AppendRequest
from shared.streaming.handling import Handlers, Incoming
from shared.streaming.inbox import Inbox
from shared.streaming.parking import Parking
from tests.unit.shared.streaming.engines import InMemory
from tests.unit.shared.streaming.flow import OWNER, TYPE, Flow, until

EVERY = 0.02


async def nothing_waits(flow: Flow) -> bool:
    return not await flow.parking().page(None, 1)


async def received(flow: Flow, subject: str, *inboxes: Inbox) -> None:
    """The events of the subject, one after the other, each by the inbox in its place."""
    for envelope, inbox in zip(await flow.envelopes_of(subject), inboxes, strict=True):
        await inbox.receive(envelope)


@pytest.fixture
def newer(flow: Flow) -> Handlers:
    return {**flow.handlers, (TYPE, 2): flow.listener}


async def test_what_old_software_parks_meanwhile_the_new_one_applies(flow: Flow, newer: Handlers) -> None:
    old, new = flow.inbox(), flow.inbox(newer)
    flow.start(Parking(flow.engines.follower, {OWNER: new}).keep_retrying({OWNER: newer}, EVERY))
    flow.start(flow.parking(old).keep_retrying({OWNER: flow.handlers}, EVERY))
    for _ in range(3):
        subject = await flow.record(schema_version=2)
        await flow.record(subject)
        await received(flow, subject, old, new)
    await until(lambda: nothing_waits(flow), "the new one applied what was parked")
    await flow.prove()


async def test_any_number_may_retry_at_once(flow: Flow, newer: Handlers) -> None:
    old = flow.inbox()
    for _ in range(10):
        subject = await flow.record(schema_version=2)
        for _ in range(3):
            await flow.record(subject)
        await received(flow, subject, *[old] * 4)
    for _ in range(4):
        new = flow.inbox(newer)
        flow.start(flow.parking(new).keep_retrying({OWNER: newer}, EVERY))
    await until(lambda: nothing_waits(flow), "all were applied")
    await flow.prove()


async def test_a_word_that_only_newer_models_list_is_applied_by_them(flow: Flow) -> None:
    class Body(BaseModel):
        day: int

    class NewerBody(BaseModel):
        day: int | str

    def reading(model: type[BaseModel]) -> Handlers:
        async def read(incoming: Incoming) -> AppendRequest:
            model.model_validate(incoming.envelope.clear)
            return await flow.listener(incoming)

        return {(TYPE, 1): read}

    old, new = flow.inbox(reading(Body)), flow.inbox(reading(NewerBody))
    flow.start(flow.parking(new).keep_retrying({OWNER: reading(NewerBody)}, EVERY))
    subject = await flow.record(clear={"day": "Monday"})
    await received(flow, subject, old)
    await until(lambda: nothing_waits(flow), "the new one applied it")
    await flow.prove()


async def test_retrying_what_still_fails_writes_nothing(flow: Flow, memory: InMemory) -> None:
    class Body(BaseModel):
        day: int

    async def read(incoming: Incoming) -> AppendRequest:
        Body.model_validate(incoming.envelope.clear)
        return await flow.listener(incoming)

    flow.handlers = {(TYPE, 1): read}
    subject = await flow.record(clear={"day": "Monday"})
    await received(flow, subject, flow.inbox())
    before = await flow.engines.inbox()
    appended: list[AppendRequest] = []
    append = memory.follower.append

    async def counted(request: AppendRequest) -> object:
        appended.append(request)
        return await append(request)

    memory.follower.append = counted  # type: ignore[method-assign, assignment]
    for _ in range(3):
        assert await flow.parking().retry_known({OWNER: flow.handlers}) == 0
    assert (await flow.engines.inbox(), appended) == (before, [])


async def test_the_retry_outlives_a_database_that_is_away_between_two_passes(
    flow: Flow, memory: InMemory, newer: Handlers
) -> None:
    new = flow.inbox(newer)
    retrying = flow.start(flow.parking(new).keep_retrying({OWNER: newer}, EVERY))
    memory.follower.away = True
    await asyncio.wait([retrying], timeout=5 * EVERY)
    memory.follower.away = False
    subject = await flow.record(schema_version=2)
    await received(flow, subject, flow.inbox())
    await until(lambda: nothing_waits(flow), "it was applied")
    assert not retrying.done()
    await flow.prove()
