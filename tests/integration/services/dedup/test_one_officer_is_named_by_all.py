"""Everybody calls about one officer: all complaints are one component of the graph of matches.

The resolver once computed it on the event loop, in a time that grew with the square of the calls. With 700 of
them that took longer than its lease lasts; the lease was lost, the work with it, and it began again for ever,
while HTTP answered nobody.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.dedup.settings import Settings
from services.dedup.steps import MOST_IN_EVENT, SOURCE
from services.dedup.wiring import wire
from shared.contracts.match_events import MOST_MEMBERS
from shared.store.requests import InboxState, LeaseLost
from tests.integration.services.dedup.desk import Desk
from tests.running import running_service

CALLS = 700


def call(number: int) -> Mapping[str, Any]:
    """All tell of one officer, and each of another day and place."""
    day = f"{2000 + number // 28}-05-{number % 28 + 1:02}"
    return {
        "narrative": f"Account {number}: he asked for money at the {number}th door of our street.",
        "subjects": [{"name": "PC Alan Brockway", "collar_number": "QX44716", "unit": "Basingstoke"}],
        "allegations": [{"code": "influence.bribery"}],
        "incident": {"from": day, "to": day, "place": f"Lane {number}", "force": "hampshire"},
    }


async def received(desk: Desk, bodies: Sequence[Mapping[str, Any]]) -> list[UUID]:
    """The complaints, consumed in the order of each slot as followers do."""
    envelopes = [desk.intake.recorded(body) for body in bodies]
    by_slot: dict[int, list[Any]] = defaultdict(list)
    for envelope in envelopes:
        by_slot[envelope.slot].append(envelope)

    async def feed(of_slot: Sequence[Any]) -> None:
        for envelope in of_slot:
            assert await desk.inbox.receive(envelope) is InboxState.APPLIED

    await asyncio.gather(*(feed(of_slot) for of_slot in by_slot.values()))
    return [UUID(envelope.clear["complaint_id"]) for envelope in envelopes]


@pytest.mark.timeout(900)  # it computes for half a minute, on a busy machine for many
async def test_all_are_one_pattern_under_one_lease_while_http_answers(
    desk: Desk, dedup_url: str, tmp_path: Path
) -> None:
    complaints = await received(desk, [call(number) for number in range(CALLS)])
    facts = await desk.store.head()
    parts = frozenset({"http", "consumer"})
    async with running_service(Settings, wire, dedup_url, tmp_path, parts=parts) as service:
        answered = 0
        async with asyncio.timeout(400):
            while (await desk.store.cursors(SOURCE)).get(0, 0) < facts:
                status, _ = await service.json("GET", "/v1/patterns", "assessor")
                assert status == 200
                answered += 1
        assert answered > 10, "it answered while it resolved"
        _, page = await service.json("GET", "/v1/patterns", "assessor")
    assert [item["complaints"] for item in page["items"]] == [CALLS]
    assert await desk.patterns() == {frozenset((complaint, 0) for complaint in complaints)}
    epochs = await desk.store.fetch("SELECT epoch FROM leases WHERE name = 'resolver'")
    assert [row["epoch"] for row in epochs] == [1]


async def test_an_event_names_no_more_members_than_one_may(desk: Desk) -> None:
    """The first 500 in full; above that those that are new, and where all can be read."""
    await received(desk, [call(number) for number in range(MOST_MEMBERS + 1)])
    await desk.resolve()
    # As many as the batches of facts that it took.
    told = [clear for _, clear in await desk.events("pattern.changed")]
    last = told[-1]
    assert "members" not in last
    assert last["members_url"] == f"/v1/patterns/{last['pattern_id']}"
    added = [each["added"] for each in told if each["pattern_id"] == last["pattern_id"]]
    assert last["complaints"] == MOST_MEMBERS + 1 == sum(map(len, added))
    assert max(map(len, added)) <= MOST_IN_EVENT


async def test_a_step_that_is_appended_is_kept_when_the_lease_is_lost_after_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Incidents are told before patterns; then another process leads, and begins at the same position."""
    bodies = [call(number // 2 * 40) for number in range(6)]
    complaints = await received(desk, bodies)
    first = await desk.store.leases.take(SOURCE)
    assert first is not None
    appended = desk.store.append

    async def append(request: Any) -> Any:
        outcome = await appended(request)
        if any(event.type == "incident.changed" for event in request.events):
            await desk.store.pool.execute("UPDATE leases SET epoch = epoch + 1")
        return outcome

    monkeypatch.setattr(desk.store, "append", append)
    with pytest.raises(LeaseLost):
        await desk.resolver.step(first)
    monkeypatch.setattr(desk.store, "append", appended)
    told = await desk.events("incident.changed")
    assert told and not await desk.events("pattern.changed")
    assert (await desk.store.cursors("resolver")).get(0, 0) == 0
    await desk.store.pool.execute("UPDATE leases SET expires = '-infinity'")
    await desk.resolve()
    pairs = {frozenset(complaints[place : place + 2]) for place in (0, 2, 4)}
    assert await desk.incidents() == pairs
    assert await desk.patterns() == {frozenset((complaint, 0) for complaint in complaints)}
    ((_, pattern),) = await desk.events("pattern.changed")
    assert pattern["incidents"] == 3
    told = await desk.events("incident.changed")
    assert len(told) == 3, "none was told twice"
