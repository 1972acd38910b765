"""The follower's database was set back while it ran: its cursors are lower than it remembers.

What it consumed since is lost with them. It would wait for the next event of each slot to notice, and a slot
that gets none would stay behind for ever.
"""

from tests.unit.shared.streaming.flow import OWNER, Flow, until


async def test_it_goes_on_from_where_its_database_stands(flow: Flow) -> None:
    await flow.record_many(subjects=3)
    await flow.relayed()
    follower = flow.follower()
    flow.start(follower.run())
    await flow.settled()
    heads = await flow.engines.owner.slot_heads()
    # As a set-back looks from here: it remembers numbers that its store has not reached.
    for slot in heads:
        follower.slots._cursors[slot] += 1
    await flow.record_many(subjects=3)

    async def has_all() -> bool:
        stored = await flow.engines.follower.cursors(OWNER)
        return stored == await flow.engines.owner.slot_heads() == follower.slots.cursors()

    await until(has_all, "it has consumed everything")
    await flow.prove()
