"""The same complaints and incidents in any order of arrival end in the same cases with the same criteria.

Intake's and dedup's events travel in different slots, so nothing keeps a complaint before the incident that
names it, nor an incident before the one that took its members. Only what is of one stream stays in order.
"""

import asyncio
import random
from collections import defaultdict, deque
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from shared.streaming.cloudevents import Envelope
from tests.integration.services.referral.feeding import Referral, complaint

CODES = ("hate.racist", "other.incivility", "sexual.images", "other.property", "influence.bribery")

Story = list[tuple[int, tuple[int, ...]]]
Ending = set[tuple[frozenset[int], frozenset[tuple[str, int, int | None]]]]


def a_story(rng: random.Random, complaints: int) -> Story:
    """What dedup said: (incident, members), in the order of its log. It regroups all the time."""
    story: Story = []
    groups = {number: {number} for number in range(complaints)}
    for step in range(2 * complaints):
        one, other = rng.sample(sorted(groups), 2)
        kind = rng.choice(("merge", "merge", "leave", "alone"))
        if kind == "merge" and len(groups) > 2:
            groups[other] |= groups.pop(one)
        elif kind == "leave" and len(groups[one]) > 1:
            groups[other].add(groups[one].pop())
        elif len(groups[one]) > 1:
            groups[complaints + step] = {groups[one].pop()}
            other = complaints + step
        story += [(number, tuple(sorted(groups[number]))) for number in (one, other) if number in groups]
    return story


def as_events(referral: Referral, rng: random.Random, story: Story, ids: list[UUID]) -> list[Envelope]:
    incidents: dict[int, UUID] = defaultdict(uuid4)
    recorded = [referral.feed.recorded(complaint(CODES[n % len(CODES)]), ids[n]) for n in range(len(ids))]
    changed = [
        referral.feed.incident(incidents[number], [ids[member] for member in members])
        for number, members in story
    ]
    return _shuffled(rng, [*recorded, *changed])


def _shuffled(rng: random.Random, events: Sequence[Envelope]) -> list[Envelope]:
    """In any order that keeps each stream's own."""
    streams: defaultdict[str, deque[Envelope]] = defaultdict(deque)
    for event in events:
        streams[event.subject].append(event)
    turns = [event.subject for event in events]
    rng.shuffle(turns)
    return [streams[subject].popleft() for subject in turns]


def by_the_story(story: Story, complaints: int) -> set[frozenset[int]]:
    """Of the incidents that name a complaint the last one counts."""
    last = {member: number for number, members in story for member in members}
    groups: defaultdict[int, set[int]] = defaultdict(set)
    for member in range(complaints):
        groups[last.get(member, -1 - member)].add(member)
    return {frozenset(group) for group in groups.values()}


async def ending(referral: Referral, ids: list[UUID]) -> Ending:
    number = {complaint_id: n for n, complaint_id in enumerate(ids)}
    found: Ending = set()
    for together in await referral.partition():
        if not together & number.keys():
            continue
        case_id = await referral.case_of(next(iter(together)))
        criteria = (await referral.docket.cases([case_id]))[case_id].case.recommendation.criteria
        found.add(
            (
                frozenset(number[each] for each in together),
                frozenset((c.code, number[c.complaint_id], c.allegation) for c in criteria),
            )
        )
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_any_order_of_arrival_ends_the_same(referral: Referral, seed: int) -> None:
    rng = random.Random(seed)
    story = a_story(rng, 8)
    endings = []
    for _ in range(5):
        ids = [uuid4() for _ in range(8)]
        await referral.receive(*as_events(referral, rng, story, ids))
        endings.append(await ending(referral, ids))
        assert {together for together, _ in endings[-1]} == by_the_story(story, 8)
        await referral.check()
    assert all(one == endings[0] for one in endings)


@pytest.mark.parametrize("seed", [4, 5])
async def test_simultaneous_arrivals_end_the_same(referral: Referral, seed: int) -> None:
    rng = random.Random(seed)
    story = a_story(rng, 10)
    endings = []
    for _ in range(3):
        ids = [uuid4() for _ in range(10)]
        slots: defaultdict[tuple[str, int], list[Envelope]] = defaultdict(list)
        for event in as_events(referral, rng, story, ids):
            slots[event.source, event.slot].append(event)
        await asyncio.gather(*(referral.receive(*events) for events in slots.values()))
        endings.append(await ending(referral, ids))
        assert {together for together, _ in endings[-1]} == by_the_story(story, 10)
        await referral.check()
    assert all(one == endings[0] for one in endings)
