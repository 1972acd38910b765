"""Effects that PostgreSQL's driver does not take.

A handler answers with a row whose value has the wrong type. asyncpg refuses it before the server sees it,
with an error that is also the one of a lost connection: taken for that, the event would be tried for ever.
"""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from shared.store.postgres import PostgresStore
from shared.store.requests import AppendRequest, Put
from shared.streaming.handling import Incoming
from tests.integration.shared.streaming.engines import PostgresAndFakeBroker
from tests.unit.shared.store.examples import NOTES
from tests.unit.shared.streaming.flow import TYPE, Flow


@pytest.fixture
async def flow(stores: tuple[PostgresStore, PostgresStore]) -> AsyncIterator[Flow]:
    flow = Flow(PostgresAndFakeBroker(*stores))
    yield flow
    await flow.close()


@pytest.mark.parametrize(
    "row",
    [
        {"author": "a", "number": "no number", "topic": "t", "body": "{}"},
        {"author": "a", "number": 2**40, "topic": "t", "body": "{}"},
        {"author": "a", "number": 1, "topic": "t", "body": "no json"},
        {"author": "\ud800", "number": 1, "topic": "t", "body": "{}"},
        {"author": None, "number": 1, "topic": "t", "body": "{}"},
    ],
    ids=["wrong type", "out of range", "no json", "lone surrogate", "null in a key"],
)
async def test_the_event_is_parked_and_the_partition_goes_on(flow: Flow, row: dict[str, object]) -> None:
    async def unwritable(_: Incoming) -> AppendRequest:
        return AppendRequest(rows=(Put(NOTES, row),))

    flow.handlers = {("complaint.sung", 1): unwritable, (TYPE, 1): flow.listener}
    flow.start(flow.relay().run())
    flow.start(flow.follower().run())
    subject = await flow.record(type_="complaint.sung")
    await flow.record_many(subjects=10)
    await flow.settled()
    (parked,) = [row for row in await flow.prove(unapplied=[subject]) if row.state == "parked"]
    assert parked.reason.startswith("not storable: ")
    assert parked.event_id != UUID(int=0)
