"""The read models of dedup, made anew: equal to the live ones, also while complaints arrive."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from deploy.simulation import simulate
from services.dedup.domain.normalising import features_of
from services.dedup.projection import Projection
from services.dedup.read_models import BLOCKING_KEYS, WAITING_MATCHES
from shared.contracts.complaint import SanitisedComplaint
from shared.sealing.keys import ServiceKeys
from shared.store import history
from shared.store.history import Happened
from shared.store.requests import AppendRequest, InboxState, RowChange
from tests.integration.rebuilding import catalogue, contents, differing, leftovers, rebuilt
from tests.integration.services.dedup.desk import REVIEWER, Desk
from tests.integration.services.dedup.test_matching import ANOTHER_NIGHT, NIGHT, SAME_NIGHT

PLANTED = (
    """UPDATE matches SET zone = 'rejected' WHERE match_id IN (
        SELECT match_id FROM matches WHERE zone = 'accepted' ORDER BY match_id LIMIT 1)""",
    """UPDATE patterns SET reached = reached + 1 WHERE pattern_id IN (
        SELECT pattern_id FROM patterns ORDER BY pattern_id LIMIT 1)""",
    """DELETE FROM blocked WHERE (key, complaint) IN (
        SELECT key, complaint FROM blocked ORDER BY key LIMIT 1)""",
    """INSERT INTO incident_members (complaint_id, incident_id)
        SELECT gen_random_uuid(), gen_random_uuid() FROM generate_series(1, 2)""",
)


async def _mixed_history(desk: Desk) -> list[UUID]:
    """Complaints with matches, people's decisions on them, two of the complaints erased."""
    ids = [await desk.record(body) for body in (NIGHT, SAME_NIGHT, ANOTHER_NIGHT, SAME_NIGHT, ANOTHER_NIGHT)]
    await desk.resolve()
    ids += [await desk.record(_sanitised(body)) for body in simulate(60, 3).complaints]
    await desk.resolve()
    matches = {
        match.match_id: match
        for each in ids[:5]
        for match in (await desk.views.complaint(REVIEWER, each)).items
    }
    accepted = sorted(each for each, match in matches.items() if match.zone == "accepted")
    held = [await desk.record({**NIGHT, "wish": "only_with_another"}) for _ in range(2)]
    await desk.resolve()
    (match, *_) = [m for m in await desk.views.reviews(REVIEWER, UUID(int=0), 200) if m.releases == held[:1]]
    await desk.reviewing.decide(match.match_id, "accept", REVIEWER, "same man")
    for match_id in accepted[::3]:
        await desk.reviewing.decide(match_id, "retract", REVIEWER, "two cars")
    await desk.resolve()
    await desk.erase(ids[1])
    await desk.resolve()
    await desk.record(SAME_NIGHT)
    await desk.erase(ids[10])
    await desk.resolve()
    return ids


def _sanitised(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name in SanitisedComplaint.model_fields}


@pytest.mark.parametrize("window", [1, 7, history.WINDOW])
async def test_rebuilt_tables_equal_the_live_ones(
    window: int, desk: Desk, dedup_url: str, keys: ServiceKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much of the history is read at a time."""
    monkeypatch.setattr(history, "WINDOW", window)
    await _mixed_history(desk)
    pool, projection = desk.store.pool, Projection(keys)
    before = await contents(pool, projection.tables)
    filled = {table.name for table in projection.tables if before[table.name]}
    # For what waits see test_what_waits_beside_a_group; the other one is of a release before.
    empty = {WAITING_MATCHES.name, BLOCKING_KEYS.name}
    assert filled == {table.name for table in projection.tables} - empty
    shape = await catalogue(pool, projection.tables)
    assert await desk.events("complaint.taken_out")
    report = await rebuilt(dedup_url, projection)
    assert differing(report) == {}
    assert report.happened > 100
    assert await contents(pool, projection.tables) == before
    assert await catalogue(pool, projection.tables) == shape
    assert not await leftovers(pool)
    # And it goes on: the live service reads and writes the new tables.
    again = await desk.record(ANOTHER_NIGHT)
    await desk.resolve()
    assert (await desk.views.complaint(REVIEWER, again)).patterns
    assert differing(await rebuilt(dedup_url, projection, is_check=True)) == {}


async def test_wrong_rows_are_found_and_mended(desk: Desk, dedup_url: str, keys: ServiceKeys) -> None:
    ids = await _mixed_history(desk)
    pool, projection = desk.store.pool, Projection(keys)
    right = await contents(pool, projection.tables)
    for statement in PLANTED:
        await pool.execute(statement)
    await pool.execute("DELETE FROM indexed WHERE complaint_id = $1", ids[0])
    planted = {"matches": 1, "patterns": 1, "indexed": 1, "blocked": 1, "incident_members": 2}
    wrong = await contents(pool, projection.tables)
    report = await rebuilt(dedup_url, projection, is_check=True)
    assert differing(report) == planted
    kinds = {table.table: (table.surplus, table.missing, table.changed) for table in report.tables}
    assert kinds["incident_members"] == (2, 0, 0)
    assert kinds["indexed"] == (0, 1, 0)
    assert kinds["matches"] == (0, 0, 1)
    assert await contents(pool, projection.tables) == wrong
    assert not await leftovers(pool)
    assert differing(await rebuilt(dedup_url, projection)) == planted
    assert await contents(pool, projection.tables) == right


async def test_between_erasure_and_resolver_the_matches_stay(
    desk: Desk, dedup_url: str, keys: ServiceKeys
) -> None:
    """The resolver finds by them what the erased complaint belonged to."""
    first, second, third = [await desk.record(body) for body in (NIGHT, SAME_NIGHT, SAME_NIGHT)]
    await desk.resolve()
    await desk.erase(second)
    assert differing(await rebuilt(dedup_url, Projection(keys))) == {}
    await desk.resolve()
    assert await desk.incidents() == {frozenset({first, third})}
    assert await desk.patterns() == {frozenset({(first, 0), (third, 0)})}
    assert differing(await rebuilt(dedup_url, Projection(keys), is_check=True)) == {}


async def test_a_complaint_in_the_middle_of_its_two_steps_stays_indexed(
    desk: Desk, dedup_url: str, keys: ServiceKeys
) -> None:
    other = await desk.record(NIGHT)
    envelope = desk.intake.recorded(SAME_NIGHT)
    on_its_way = UUID(envelope.clear["complaint_id"])
    body = SanitisedComplaint.model_validate({"channel": "web", **SAME_NIGHT}, strict=False)
    features = features_of(body, "its source")
    await desk.index.add(on_its_way, features, desk.index.blocked(features), AppendRequest())
    before = await contents(desk.store.pool, Projection.tables)
    assert differing(await rebuilt(dedup_url, Projection(keys))) == {}
    assert await contents(desk.store.pool, Projection.tables) == before
    assert await desk.inbox.receive(envelope) is InboxState.APPLIED
    await desk.resolve()
    assert await desk.incidents() == {frozenset({on_its_way, other})}


async def test_complaints_arrive_while_the_tables_are_made(
    desk: Desk, dedup_url: str, keys: ServiceKeys
) -> None:
    await _mixed_history(desk)
    is_done = asyncio.Event()
    bodies = [_sanitised(body) for body in simulate(400, 4).complaints]
    recorded: list[UUID] = []

    async def arrive() -> None:
        for body in bodies:
            recorded.append(await desk.record(body))
            if is_done.is_set():
                return

    arriving = asyncio.create_task(arrive())
    resolving = asyncio.create_task(desk.resolver.run())
    if desk.lease is not None:  # the running one takes it
        await desk.store.pool.execute("UPDATE leases SET expires = '-infinity'")
    try:
        rounds = 0
        while rounds < 3 and not arriving.done():
            head = len(recorded)
            assert differing(await rebuilt(dedup_url, Projection(keys))) == {}
            assert len(recorded) > head
            rounds += 1
    finally:
        is_done.set()
        await arriving
        resolving.cancel()
        await asyncio.gather(resolving, return_exceptions=True)
    assert rounds == 3
    assert differing(await rebuilt(dedup_url, Projection(keys), is_check=True)) == {}
    for complaint_id in recorded:
        assert (await desk.views.complaint(REVIEWER, complaint_id)).indexed


class _Breaks(Projection):
    """Fails after some of the history."""

    async def rows(self, happened: Sequence[Happened], made: asyncpg.Connection) -> list[RowChange]:
        await super().rows(happened, made)
        raise ConnectionResetError


async def test_what_breaks_half_way_leaves_the_tables_as_they_were(
    desk: Desk, dedup_url: str, keys: ServiceKeys
) -> None:
    await desk.record(NIGHT)
    before = await contents(desk.store.pool, Projection.tables)
    with pytest.raises(Exception, match="ConnectionResetError"):
        await rebuilt(dedup_url, _Breaks(keys))
    assert await contents(desk.store.pool, Projection.tables) == before
    assert not await leftovers(desk.store.pool)
