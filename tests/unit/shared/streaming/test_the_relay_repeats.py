"""The relay repeats.

The broker acknowledged a batch, and the relay died before it noted that. The next relay cannot know: it
publishes the batch again. The same numbers arrive twice, and a consumer that counted offsets, or trusted
that a broker delivers once, would apply them twice.
"""

from tests.unit.shared.streaming.flow import Flow
from tests.unit.shared.streaming.interference import StopsBeforeAdvancing


async def test_what_a_relay_published_before_it_died_is_published_again_and_applied_once(
    flow: Flow,
) -> None:
    await flow.record_many(subjects=20, each=2)
    dying = StopsBeforeAdvancing(flow.engines.relay_state)
    relay = flow.start(flow.relay(dying).run())
    await dying.reached.wait()
    flow.start(flow.follower().run())
    await flow.settled()
    await flow.kill(relay)
    await flow.relayed()
    await flow.record()
    await flow.relayed()
    await flow.settled()
    await flow.prove()
