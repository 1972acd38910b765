"""From complaints to incidents and patterns, on a real database."""

import asyncio
from typing import Any, Literal
from uuid import UUID, uuid4

import pytest

from services.dedup import index
from services.dedup.domain.facts import incident_id
from services.dedup.domain.model import load_model
from services.dedup.domain.normalising import features_of
from services.dedup.domain.scoring import Scorer
from services.dedup.handlers import Matching
from services.dedup.read_models import number_of
from services.dedup.steps import SOURCE
from shared.contracts.complaint import SanitisedComplaint
from shared.contracts.complaint_events import ComplaintRecorded
from shared.errors import Conflict, NotFound
from shared.sealing.keys import ServiceKeys
from shared.store.requests import AppendRequest, CursorMoved, InboxState, LeaseLost, VersionConflict
from shared.streaming.handling import Incoming
from tests.integration.services.dedup.desk import REVIEWER, Desk, Intake, opened

NIGHT: dict[str, Any] = {
    "narrative": "He pulled my friend out of the car at Kempton Yard and took her phone away from her.",
    "incident": {
        "from": "2020-03-01",
        "to": "2020-03-01",
        "place": "Kempton Yard, Basingstoke",
        "force": "hampshire",
    },
    "allegations": [{"code": "other.excessive_force"}],
    "subjects": [{"name": "PC Alan Brockway", "collar_number": "QX44716", "unit": "Basingstoke response"}],
}
SAME_NIGHT: dict[str, Any] = {
    **NIGHT,
    "narrative": "I saw from my window near Kempton Yard how an officer dragged a woman along the pavement.",
    "subjects": [{"name": "Brockway", "collar_number": "QX44716"}],
}
ANOTHER_NIGHT: dict[str, Any] = {
    **NIGHT,
    "narrative": "This officer keeps coming to our shop and asks for money so that nothing happens to it.",
    "incident": {"from": "2021-09-14", "to": "2021-09-14", "place": "Winton Square", "force": "hampshire"},
    "allegations": [{"code": "influence.bribery"}],
}
SOMETHING_ELSE: dict[str, Any] = {
    "narrative": "Two detectives shared pictures of a victim in a chat with other people from their station.",
    "incident": {"from": "2019-06-05", "to": "2019-06-05", "place": "Leeds", "force": "west-yorkshire"},
    "allegations": [{"code": "sexual.images"}],
    "subjects": [{"name": "Sarah Okonjo", "unit": "Leeds CID"}],
}


async def test_two_accounts_of_one_night_are_one_incident(desk: Desk) -> None:
    first = await desk.record(NIGHT)
    second = await desk.record(SAME_NIGHT)
    other = await desk.record(SOMETHING_ELSE)
    await desk.resolve()
    assert await desk.incidents() == {frozenset({first, second})}
    incident = await desk.views.incident(REVIEWER, incident_id(min(first, second)))
    assert incident.complaints == 2
    assert incident.weakest_link is not None and incident.weakest_link > 0.9
    assert (incident.sources_min, incident.sources_max) == (1, 2)
    alone = await desk.views.complaint(REVIEWER, other)
    assert alone.indexed and alone.items == [] and alone.incident_id == incident_id(other)
    assert (await desk.views.incident(REVIEWER, incident_id(other))).members == [other]


async def test_the_same_officer_on_another_night_is_a_pattern_of_two_incidents(desk: Desk) -> None:
    complaints = [await desk.record(body) for body in (NIGHT, SAME_NIGHT, ANOTHER_NIGHT)]
    await desk.resolve()
    assert await desk.incidents() == {frozenset(complaints[:2])}
    assert await desk.patterns() == {frozenset((complaint, 0) for complaint in complaints)}
    (shown,) = (await desk.views.complaint(REVIEWER, complaints[2])).patterns
    pattern = await desk.views.pattern(REVIEWER, shown.pattern_id)
    assert (pattern.complaints, pattern.incidents) == (3, 2)


async def test_a_match_tells_why_and_adds_up(desk: Desk) -> None:
    first = await desk.record(NIGHT)
    second = await desk.record(SAME_NIGHT)
    for complaint, other in ((first, second), (second, first)):
        matches = (await desk.views.complaint(REVIEWER, complaint)).items
        assert {match.kind for match in matches} == {"same_incident", "same_officer"}
        for match in matches:
            assert match.other_complaint_id == other
            assert match.weight == pytest.approx(sum(step.weight for step in match.waterfall), abs=1e-9)


async def test_of_two_complaints_that_arrive_at_once_the_pair_is_found_once(
    desk: Desk, dedup_url: str, keys: ServiceKeys
) -> None:
    """Many pairs race through two processes; each has to be found, by whichever comes last."""
    bodies = []
    for number in range(30):
        officer = {
            "name": f"Zacharias Quill{'abcdefghijklmnopqrstuvwxyzäöüß'[number]}x",
            "collar_number": f"9{number:03}",
        }
        bodies += [
            {**NIGHT, "incident": {"from": f"2020-03-{number % 28 + 1:02}"}, "subjects": [officer]}
        ] * 2
    async with opened(dedup_url, keys) as another:
        envelopes = [desk.intake.recorded(body) for body in bodies]
        by_slot: dict[int, list[Any]] = {}
        for number, envelope in enumerate(envelopes):
            by_slot.setdefault(envelope.slot, []).append(((desk, another)[number % 2], envelope))

        async def feed(of_slot: list[Any]) -> None:
            for process, envelope in of_slot:
                assert await process.inbox.receive(envelope) is InboxState.APPLIED

        await asyncio.gather(*(feed(of_slot) for of_slot in by_slot.values()))
    found = {
        frozenset((clear["complaint_id"], clear["other_complaint_id"]))
        for _, clear in await desk.events("match.proposed")
        if clear["kind"] != "same_officer"
    }
    ids = [envelope.clear["complaint_id"] for envelope in envelopes]
    twins = {frozenset(pair) for pair in zip(ids[::2], ids[1::2], strict=True)}
    assert twins <= found
    streams = [stream for stream, _ in await desk.events("match.proposed")]
    assert len(streams) == len(set(streams))


async def test_a_process_that_dies_between_the_two_steps_loses_no_match(desk: Desk) -> None:
    """Another complaint was matched with it before its handler came back: that match stays readable."""
    envelope = desk.intake.recorded(SAME_NIGHT)
    died = UUID(envelope.clear["complaint_id"])
    body = SanitisedComplaint.model_validate({"channel": "web", **SAME_NIGHT}, strict=False)
    features = features_of(body, "its source")
    await desk.index.add(died, features, desk.index.blocked(features), AppendRequest())
    other = await desk.record(NIGHT)
    assert await desk.inbox.receive(envelope) is InboxState.APPLIED
    await desk.resolve()
    assert await desk.incidents() == {frozenset({died, other})}
    items = (await desk.views.complaint(REVIEWER, died)).items
    assert {(item.kind, item.other_complaint_id) for item in items} == {
        ("same_incident", other),
        ("same_officer", other),
    }


async def test_who_was_let_go_of_in_memory_is_found_all_the_same(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "_REMEMBERED", 2)
    first = await desk.record(NIGHT)
    others = [await desk.record(SOMETHING_ELSE) for _ in range(3)]
    second, third = await desk.record(SAME_NIGHT), await desk.record(SAME_NIGHT)
    await desk.resolve()
    assert await desk.incidents() == {frozenset({first, second, third}), frozenset(others)}


async def test_a_repeated_event_changes_nothing(desk: Desk) -> None:
    await desk.record(NIGHT)
    envelope = desk.intake.recorded(SAME_NIGHT)
    await desk.inbox.receive(envelope)
    head = await desk.store.head()
    with pytest.raises(CursorMoved):
        await desk.inbox.receive(envelope)
    assert await desk.store.head() == head


async def test_an_erased_complaint_leaves_its_incident_and_nothing_to_read(desk: Desk) -> None:
    first, second, third = [await desk.record(body) for body in (NIGHT, SAME_NIGHT, SAME_NIGHT)]
    await desk.resolve()
    assert await desk.incidents() == {frozenset({first, second, third})}
    await desk.erase(second)
    assert (await desk.views.complaint(REVIEWER, second)).indexed is False
    assert all(m.other_complaint_id != second for m in (await desk.views.complaint(REVIEWER, first)).items)
    await desk.resolve()
    assert await desk.incidents() == {frozenset({first, third})}
    for table in ("indexed", "incident_members", "pattern_members"):
        assert not await desk.store.pool.fetchval(
            f"SELECT count(*) FROM {table} WHERE complaint_id = $1", second
        )
    of_second = "SELECT count(*) FROM blocked WHERE complaint = $1"
    assert not await desk.store.pool.fetchval(of_second, number_of(second))
    assert await desk.store.pool.fetchval(of_second, number_of(first))
    assert not await desk.store.pool.fetchval("SELECT count(*) FROM data_keys WHERE key_id = $1", second)
    assert await desk.store.claimed("tombstone", second.bytes) is not None
    # Nobody finds it any more, and it does not come back.
    fourth = await desk.record(SAME_NIGHT)
    assert {m.other_complaint_id for m in (await desk.views.complaint(REVIEWER, fourth)).items} == {
        first,
        third,
    }
    assert await desk.inbox.receive(desk.intake.recorded(SAME_NIGHT, second)) is InboxState.DROPPED
    assert (await desk.views.complaint(REVIEWER, second)).indexed is False


async def test_a_match_with_a_complaint_that_is_erased_meanwhile_is_not_written(desk: Desk) -> None:
    first = await desk.record(NIGHT)
    envelope = desk.intake.recorded(SAME_NIGHT)
    body = SanitisedComplaint.model_validate({"channel": "web", **SAME_NIGHT}, strict=False)
    plain = ComplaintRecorded(body=body, source_group="its source").model_dump_json(exclude_none=True)
    matching = Matching(desk.context, desk.index, Scorer(load_model()))
    late = await matching.recorded(Incoming(envelope, plain.encode(), None, AppendRequest()))
    assert any(event.type == "match.proposed" for event in late.events)
    await desk.erase(first)
    with pytest.raises(VersionConflict):
        await desk.store.append(late)
    assert await desk.inbox.receive(envelope) is InboxState.APPLIED
    assert await desk.events("match.proposed") == []


async def test_who_leaves_an_incident_is_told_of_where_it_stands_now(desk: Desk) -> None:
    first, second = [await desk.record(body) for body in (NIGHT, SAME_NIGHT)]
    await desk.resolve()
    (match,) = [m for m in (await desk.views.complaint(REVIEWER, first)).items if m.kind == "same_incident"]
    decided = await desk.reviewing.decide(match.match_id, "retract", REVIEWER, "two cars, two nights")
    assert decided.zone == "rejected"
    await desk.resolve()
    assert await desk.incidents() == set()
    changes = [clear for _, clear in await desk.events("incident.changed")]
    low, high = sorted((first, second))
    assert changes[-2:] == sorted(changes[-2:], key=lambda clear: UUID(clear["incident_id"]).int)
    assert {clear["incident_id"]: clear["members"] for clear in changes[-2:]} == {
        str(incident_id(low)): [str(low)],
        str(incident_id(high)): [str(high)],
    }
    with pytest.raises(Conflict):
        await desk.reviewing.decide(match.match_id, "retract", REVIEWER, "again")
    with pytest.raises(NotFound):
        await desk.reviewing.decide(uuid4(), "accept", REVIEWER, "there is none")


async def test_an_account_for_another_only_is_released_by_a_reviewers_word(desk: Desk) -> None:
    waiting = await desk.record({**NIGHT, "wish": "only_with_another"})
    other = await desk.record({**ANOTHER_NIGHT, "subjects": [{"name": "Alan", "unit": "Basingstoke"}]})
    await desk.resolve()
    assert all(not clear["released"] for _, clear in await desk.events("pattern.changed"))
    (match,) = [m for m in (await desk.views.complaint(REVIEWER, other)).items if m.kind == "same_officer"]
    assert match.zone == "review"
    await desk.reviewing.decide(match.match_id, "accept", REVIEWER, "same man")
    await desk.resolve()
    _, clear = (await desk.events("pattern.changed"))[-1]
    assert clear["released"] == [str(waiting)]


async def test_a_match_that_a_rule_accepted_waits_for_the_word_that_releases(desk: Desk) -> None:
    """The stronger the match, the surer the dead end: a rule accepted it, so that it was not in the queue and
    a review of it was refused, and the complaint was held for ever."""
    waiting = await desk.record({**NIGHT, "wish": "only_with_another"})
    other, further = await desk.record(ANOTHER_NIGHT), await desk.record(ANOTHER_NIGHT)
    await desk.resolve()
    queue = await desk.views.reviews(REVIEWER, UUID(int=0), 10)
    assert {(match.zone, match.kind, *match.releases) for match in queue} == {
        ("accepted", "same_officer", waiting)
    }
    assert {frozenset((m.complaint_id, m.other_complaint_id)) for m in queue} == {
        frozenset((waiting, other)), frozenset((waiting, further))
    }  # fmt: skip
    await desk.reviewing.decide(queue[0].match_id, "accept", REVIEWER, "same man")
    await desk.resolve()
    assert [clear["released"] for _, clear in await desk.events("pattern.changed")][-1] == [str(waiting)]
    assert await desk.views.reviews(REVIEWER, UUID(int=0), 10) == []


async def test_no_release_waits_for_a_match_with_the_same_source(desk: Desk) -> None:
    for body in (NIGHT, ANOTHER_NIGHT):
        await desk.record({**body, "wish": "only_with_another"}, source_group="one caller")
    await desk.resolve()
    assert await desk.views.reviews(REVIEWER, UUID(int=0), 10) == []


async def test_a_person_joins_to_a_pattern_what_the_rule_left_beside_it(desk: Desk) -> None:
    """A person's word releases, and joins a third subject to a pattern that the rule leaves at two."""
    one = desk
    for _ in range(2):
        await one.record(ANOTHER_NIGHT)
    weaker = {**NIGHT, "subjects": [{"name": "Alan", "unit": "Basingstoke"}]}
    waiting = await one.record({**weaker, "wish": "only_with_another"})
    await one.resolve()
    assert [len(pattern) for pattern in await one.patterns()] == [2]
    (match, *_) = [m for m in await one.views.reviews(REVIEWER, UUID(int=0), 10) if m.releases == [waiting]]
    await one.reviewing.decide(match.match_id, "accept", REVIEWER, "same man")
    await one.resolve()
    assert [len(pattern) for pattern in await one.patterns()] == [3]
    told = await one.events("pattern.changed")
    assert [each for _, clear in told for each in clear["released"]] == [str(waiting)]


async def test_what_a_person_undid_can_be_accepted_again(desk: Desk) -> None:
    first, _ = [await desk.record(body) for body in (NIGHT, SAME_NIGHT)]
    await desk.resolve()
    together = await desk.incidents()
    (match,) = [m for m in (await desk.views.complaint(REVIEWER, first)).items if m.kind == "same_incident"]
    for command, zone in (("retract", "rejected"), ("accept", "accepted"), ("retract", "rejected")):
        assert (await desk.reviewing.decide(match.match_id, command, REVIEWER, "seen")).zone == zone  # type: ignore[arg-type]
        await desk.resolve()
        assert await desk.incidents() == (together if zone == "accepted" else set())


async def test_a_resolver_that_was_stopped_is_refused_when_it_wakes(
    desk: Desk, dedup_url: str, keys: ServiceKeys
) -> None:
    await desk.record(NIGHT)
    await desk.record(SAME_NIGHT)
    stopped = await desk.store.leases.take(SOURCE)
    assert stopped is not None
    assert await desk.store.leases.take(SOURCE) is None
    await desk.store.pool.execute("UPDATE leases SET expires = '-infinity' WHERE name = 'resolver'")
    async with opened(dedup_url, keys) as another:
        assert (await another.store.leases.take(SOURCE)) is not None
        with pytest.raises(LeaseLost):
            await desk.resolver.step(stopped)
    assert await desk.events("incident.changed") == []


async def test_the_running_resolver_follows_by_itself(desk: Desk) -> None:
    running = asyncio.create_task(desk.resolver.run())
    try:
        first = await desk.record(NIGHT)
        second = await desk.record(SAME_NIGHT)
        async with asyncio.timeout(20):
            while await desk.incidents() != {frozenset({first, second})}:
                await asyncio.wait_for(desk.store.news().wait(), 20)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


class _News(asyncio.Event):
    """Tells when somebody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.is_awaited = asyncio.Event()

    async def wait(self) -> Literal[True]:
        self.is_awaited.set()
        return await super().wait()


@pytest.mark.parametrize("steps", range(8))
async def test_a_resolver_that_is_stopped_in_the_moment_of_news_ends(
    steps: int, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`steps` of the event loop lie between the two."""
    news = _News()
    monkeypatch.setattr(desk.store, "news", lambda: news)
    running = asyncio.create_task(desk.resolver.run())
    await news.is_awaited.wait()
    news.set()
    for _ in range(steps):
        await asyncio.sleep(0)
    running.cancel()
    done, _ = await asyncio.wait([running], timeout=15)
    assert done, "it outlived its cancellation"


async def test_nothing_readable_is_stored(desk: Desk) -> None:
    await desk.record(NIGHT)
    await desk.record(SAME_NIGHT)
    await desk.resolve()
    tables = await desk.store.pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    for (table,) in tables:
        rows = await desk.store.pool.fetch(f"SELECT t::text FROM {table} t")
        text = "\n".join(row[0] for row in rows).lower()
        for told in ("brockway", "qx44716", "kempton", "basingstoke", "excessive", "2020-03-01"):
            assert told not in text, table


@pytest.mark.parametrize("order", [0, 1, 2])
async def test_the_order_of_arrival_changes_nothing(order: int, dedup_url: str, keys: ServiceKeys) -> None:
    ids = [UUID(int=0x4000 + number) for number in range(6)]
    bodies = [NIGHT, SAME_NIGHT, ANOTHER_NIGHT, SOMETHING_ELSE, {**SAME_NIGHT, "subjects": []}, ANOTHER_NIGHT]
    arrivals = list(zip(ids, bodies, strict=True))
    arrivals = [arrivals, arrivals[::-1], arrivals[1::2] + arrivals[::2]][order]
    async with opened(dedup_url, keys, Intake(keys)) as desk:
        for number, (complaint_id, body) in enumerate(arrivals):
            await desk.record(body, complaint_id)
            if number % 2 == order % 2:
                await desk.resolve()
        await desk.resolve()
        assert await desk.incidents() == {frozenset({ids[0], ids[1], ids[4]}), frozenset({ids[2], ids[5]})}
        assert await desk.patterns() == {frozenset((ids[number], 0) for number in (0, 1, 2, 5))}
