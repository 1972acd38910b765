"""What every flow promises, on whatever stores and broker it runs."""

import asyncio

from shared.streaming.cloudevents import parse
from tests.unit.shared.streaming.flow import Flow


class FlowConformance:
    async def test_every_event_arrives_once_and_in_order(self, flow: Flow) -> None:
        flow.start(flow.relay().run())
        flow.start(flow.follower().run())
        await flow.record_many(subjects=40, each=3)
        await flow.settled()
        rows = await flow.prove()
        assert len(rows) == 120

    async def test_a_follower_that_comes_later_gets_everything(self, flow: Flow) -> None:
        await flow.record_many(subjects=30, each=2)
        await flow.relayed()
        flow.start(flow.follower().run())
        await flow.settled()
        await flow.prove()

    async def test_events_of_internal_streams_are_not_published(self, flow: Flow) -> None:
        internal = "draft-00000000-0000-0000-0000-000000000001"
        await flow.record(internal)
        flow.start(flow.relay().run())
        flow.start(flow.follower().run())
        subject = await flow.record()
        await flow.settled()
        assert {row.subject for row in await flow.prove()} == {subject}

    async def test_what_is_kept_is_sealed_under_the_followers_own_key(self, flow: Flow) -> None:
        flow.start(flow.relay().run())
        flow.start(flow.follower().run())
        subject = await flow.record()
        await flow.settled()
        (row,) = await flow.prove()
        kept = parse(row.event.encode())
        assert kept.sealed is not None
        kids = [recipient["header"]["kid"] for recipient in kept.sealed["recipients"]]
        assert kids == [subject.removeprefix("complaint-")]
        assert "he was hit" not in row.event

    async def test_the_broker_away_for_a_while_delays_only(self, flow: Flow) -> None:
        """A new broker at another address, while events go on being recorded."""
        flow.start(flow.relay().run())
        flow.start(flow.follower().run())
        first = asyncio.create_task(flow.record_many(subjects=30, each=2))
        await flow.consumed(5)
        await flow.engines.wipe_broker()
        await first
        await flow.record_many(subjects=30)
        await flow.settled(seconds=40)
        await flow.prove()
