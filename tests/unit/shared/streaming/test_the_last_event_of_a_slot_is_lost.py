"""The last event of a slot is lost.

The broker acknowledged it and lost it. No later number of its slot shows the gap, for there is none; the
partition looks read to its end. Only the owner's log knows better.
"""

from shared.streaming.relay import Relay
from tests.unit.shared.streaming.flow import Flow
from tests.unit.shared.streaming.interference import GatedBroker


async def test_it_is_found_by_comparing_with_the_owners_heads(flow: Flow) -> None:
    await flow.record_many(subjects=5, each=2)
    lossy = GatedBroker(flow.engines.broker, is_open=True, loses_last=True)
    relay = Relay(
        flow.topic, flow.engines.owner, flow.published, lossy, flow.engines.relay_state, flow.engines.leases
    )
    running = flow.start(relay.run())
    await flow.published_up_to_the_head(relay)
    await flow.kill(running)
    flow.start(flow.follower().run())
    await flow.settled()
    await flow.prove()
    assert flow.owner.asked > 0


async def test_lag_is_not_taken_for_loss(flow: Flow) -> None:
    """What a worker has in its hands is fetched and not consumed: nobody fetches it over HTTP as well."""
    flow.start(flow.relay().run())
    subject = await flow.record()
    gate = flow.listener.close_gate(subject)
    flow.start(flow.follower().run())
    await flow.listener.reached.wait()
    looks = flow.owner.heads_asked
    await flow.looked_at_heads(looks + 4)
    assert flow.owner.asked == 0
    gate.set()
    await flow.settled()
    await flow.prove()
