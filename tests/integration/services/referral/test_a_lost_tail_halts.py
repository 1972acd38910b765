"""Referral's database was set back to an older copy. Until what it has lost is adopted, what it consumes
again appends nothing.
"""

from dataclasses import replace
from uuid import uuid4

import orjson
import pytest

from shared.streaming.handling import SurroundingsFault
from shared.streaming.published import PublishedLog
from shared.streaming.tail import Tail
from shared.streaming.topics import TOPICS
from tests.fakes.broker import FakeBroker
from tests.integration.services.referral.feeding import Referral, complaint


async def test_neither_consumer_appends_anything(referral: Referral) -> None:
    complaint_id = uuid4()
    await referral.receive(referral.feed.recorded(complaint("other.incivility"), complaint_id))
    ((opened,), head) = await referral.store.read_public(0)
    lost = replace(opened, event_id=uuid4(), version=2, slot_sequence=2)
    published = PublishedLog("referral", referral.store, referral.context.keys)
    (record,) = await published.records([lost])
    broker = FakeBroker()
    broker.append(TOPICS["referral"], record["slot"] % 12, orjson.dumps(record))
    tail = Tail(published.own, TOPICS["referral"], referral.store, broker, {})
    await tail.compare()  # as on a new connection, which comes with a database that was set back
    for event in (
        referral.feed.recorded(complaint("other.incivility")),
        referral.feed.incident(uuid4(), [complaint_id]),
    ):
        with pytest.raises(SurroundingsFault, match="StoreHalted"):
            await referral.inboxes[event.source].receive(referral.feed.numbered(event))
    assert await referral.store.head() == head
