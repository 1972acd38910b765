"""Two relays interleave.

The leader is stopped (SIGSTOP, a paused machine) with a batch in its hands. Its lease runs out, another
process leads and publishes that batch and more. The old leader wakes, does not know it, and publishes its
batch after the newer one; then it would put the position back to where it was.
"""

from shared.streaming.relay import Relay
from tests.unit.shared.streaming.flow import Flow, until
from tests.unit.shared.streaming.interference import Advances, Asleep, GatedBroker


async def test_an_old_leader_that_wakes_repeats_and_moves_nothing(flow: Flow) -> None:
    flow.start(flow.follower().run())
    subjects = await flow.record_many(subjects=10, each=2)
    broker, state = GatedBroker(flow.engines.broker), Advances(flow.engines.relay_state)
    asleep = Asleep(flow.engines.leases)
    old = Relay(flow.topic, flow.engines.owner, flow.published, broker, state, asleep)
    sleeping = flow.start(old.run())
    await broker.reached.wait()

    await flow.engines.expire_lease()
    young = flow.relay()
    flow.start(young.run())
    for subject in subjects:
        await flow.record(subject)
    await flow.settled()
    broker.opened.set()

    async def has_tried() -> bool:
        return state.advanced == [False]

    await until(has_tried, "the old leader tried to move the position, and could not")
    await flow.kill(sleeping)
    await flow.record_many(subjects=5)
    await flow.settled()
    await flow.prove()
    await flow.published_up_to_the_head(
        young
    )  # a follower may have the last before the relay knows it sent it
