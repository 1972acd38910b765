"""Under the lock the store looks up less than it uses; nobody may tell from what it answers.

A stream that a request begins is taken for new, and the heads of slots are followed along the log instead of
being read. Taken for truth, the first would answer `DuplicateEvent` or `ClaimTaken` where the stream has
moved on; the second would give numbers of a slot twice, or leave some out, once other processes append.
"""

from dataclasses import replace

import asyncpg
import pytest

from shared.store import asking
from shared.store.events import slot_of
from shared.store.postgres import PostgresStore
from shared.store.requests import (
    Appended,
    AppendRequest,
    Claim,
    ClaimTaken,
    DuplicateEvent,
    VersionConflict,
    merged,
)
from tests.unit.shared.store.conformance import together
from tests.unit.shared.store.examples import PUBLIC, new_event, new_stream, one_event


async def test_a_repeated_request_is_told_of_the_stream_and_not_of_the_event(
    postgres_store: PostgresStore,
) -> None:
    stream = new_stream()
    request = one_event(stream, 0)
    assert await postgres_store.append(request) == Appended((1,), (1,))
    outcomes = await together(postgres_store, request, one_event(new_stream(), 0))
    assert isinstance(outcomes[0], VersionConflict)
    assert (outcomes[0].stream, outcomes[0].expected, outcomes[0].actual) == (stream, 0, 1)
    assert outcomes[1] == Appended((2,), (1,))


async def test_the_version_is_judged_before_the_claim(postgres_store: PostgresStore) -> None:
    stream, claim = new_stream(), AppendRequest(claims=(Claim("receipt", b"1"),))
    await postgres_store.append(merged(one_event(stream, 0), claim))
    with pytest.raises(VersionConflict):
        await postgres_store.append(merged(one_event(stream, 0), claim))
    with pytest.raises(ClaimTaken):
        await postgres_store.append(merged(one_event(new_stream(), 0), claim))


async def test_a_stream_only_guarded_at_zero_is_looked_up(postgres_store: PostgresStore) -> None:
    there, absent = new_stream(), new_stream()
    await postgres_store.append(one_event(there))
    with pytest.raises(VersionConflict) as refused:
        await postgres_store.append(replace(one_event(new_stream(), 0), expected={there: 0}))
    assert refused.value.actual == 1
    await postgres_store.append(replace(one_event(new_stream(), 0), expected={absent: 0}))


async def test_of_an_existing_stream_the_actual_version_is_named(postgres_store: PostgresStore) -> None:
    """Within one batch: begun twice, and gone on with besides."""
    stream = new_stream()
    await postgres_store.append(AppendRequest((new_event(stream), new_event(stream))))
    begun, gone_on, begun_again = await together(
        postgres_store, one_event(stream, 0), one_event(stream, 2), one_event(stream, 0)
    )
    assert isinstance(begun, VersionConflict)
    assert isinstance(begun_again, VersionConflict)
    assert (begun.actual, gone_on, begun_again.actual) == (2, Appended((3,), (3,)), 3)


async def test_an_event_of_another_stream_is_still_a_duplicate(postgres_store: PostgresStore) -> None:
    event = new_event(new_stream())
    await postgres_store.append(AppendRequest((event,)))
    stream = new_stream()
    again = AppendRequest((new_event(stream, event.event_id),), {stream: 0})
    outcomes = await together(postgres_store, again, one_event(new_stream(), 0))
    assert [type(outcome) for outcome in outcomes] == [DuplicateEvent, Appended]


@pytest.mark.parametrize("window", [1, 3, 1000])
async def test_slots_have_no_gaps_when_stores_take_turns(
    postgres_store: PostgresStore, store_url: str, monkeypatch: pytest.MonkeyPatch, window: int
) -> None:
    """Each finds some of what the other appended by following, and is too far behind at other times."""
    monkeypatch.setattr(asking, "FOLLOW_LIMIT", window)
    streams = [new_stream(), new_stream(), new_stream("receipt")]
    async with PostgresStore(store_url, PUBLIC) as other:
        for turn in range(12):
            store = (postgres_store, other)[turn % 2]
            for _ in range(turn % 4 + 1):
                await store.append(AppendRequest(tuple(new_event(stream) for stream in streams)))
    for slot in {slot_of(stream) for stream in streams[:2]}:
        found = [event.slot_sequence for event in await postgres_store.read_slot(slot, 0)]
        assert found == list(range(1, len(found) + 1))
    assert sum((await postgres_store.slot_heads()).values()) == 2 * 30


async def test_a_log_that_was_cut_is_not_followed_further(
    postgres_store: PostgresStore, store_url: str
) -> None:
    """On a live connection only a hand can cut it; the numbers go on from what is there."""
    streams = [new_stream() for _ in range(3)]
    for stream in streams:
        await postgres_store.append(one_event(stream))
    await postgres_store.pool.execute("DELETE FROM events WHERE position > 1")
    await postgres_store.append(one_event(streams[2]))
    assert [event.slot_sequence for event in await postgres_store.read_slot(slot_of(streams[2]), 0)] == (
        [1, 2] if slot_of(streams[0]) == slot_of(streams[2]) else [1]
    )


@pytest.mark.parametrize("data", ['{"clear":{},"sealed":"\ud800"}', '{"clear":"\x00"}', "no JSON"])
async def test_what_cannot_be_written_fails_alone(postgres_store: PostgresStore, data: str) -> None:
    """Events are copied in: one that the driver cannot encode, or the server not take, breaks the stream."""
    broken = AppendRequest((new_event(new_stream(), data=data),))
    outcomes = await together(postgres_store, one_event(new_stream(), 0), broken, one_event(new_stream()))
    assert [type(outcome) for outcome in outcomes[::2]] == [Appended, Appended]
    assert isinstance(outcomes[1], (UnicodeEncodeError, asyncpg.PostgresError))
    assert await postgres_store.append(one_event(new_stream())) == Appended((3,), (1,))
    assert [event.position for event in await postgres_store.read_log(0)] == [1, 2, 3]
