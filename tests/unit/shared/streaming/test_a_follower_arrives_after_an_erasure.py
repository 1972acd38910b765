"""A follower arrives after an erasure.

The owner destroyed a complaint's data key before its events were published, or before this follower asked
for them. Nobody can seal them for the follower any more; one that waited for a key would wait for ever.
"""

from shared.streaming.cloudevents import parse
from tests.unit.shared.streaming.flow import Flow


async def test_the_record_says_erased_and_is_kept_unapplied(flow: Flow) -> None:
    erased = await flow.record()
    await flow.record(erased)
    await flow.erase(erased)
    others = await flow.record_many(subjects=10, each=2)
    await flow.relayed()
    flow.start(flow.follower().run())
    await flow.settled()
    rows = await flow.prove(unapplied=[erased])
    kept = [row for row in rows if row.subject == erased]
    assert [(row.state, row.reason) for row in kept] == [("dropped", "erased by its owner")] * 2
    assert all(parse(row.event.encode()).sealed is None for row in kept)
    assert {row.subject for row in rows} == {erased, *others}


async def test_catch_up_says_erased_too(flow: Flow) -> None:
    """Published before the erasure, lost by the broker, and fetched from the owner after it."""
    erased = await flow.record()
    await flow.relayed()
    await flow.engines.wipe_broker()
    await flow.erase(erased)
    flow.start(flow.follower().run())
    await flow.settled()
    (row,) = await flow.prove(unapplied=[erased])
    assert row.reason == "erased by its owner"
