"""Proof that nothing was lost, nothing happened twice, and the services agree: pure, from the evidence.

`checked(evidence, accepted)` tells each violation in words; nothing where all holds:

- every accepted call is one complaint, with what was sent in it, and there is no other;
- positions, versions and slot numbers have no gaps, and ids are unique;
- what a follower consumed is what its owner published, each event once, and none is parked;
- what followed from an event was appended in one piece, right behind the place where it was applied;
- a topic holds every event of its log, and nothing else;
- complaints are indexed and placed once, and an incident is a case.
"""

import zlib
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from uuid import UUID

from tests.failure.callers import REFERENCE
from tests.failure.evidence import OWNERS, Evidence, OfService

SLOTS = 240


def checked(evidence: Evidence, accepted: Mapping[int, str]) -> list[str]:
    """
    Args:
        accepted: call -> the id of the complaint that the caller was told.
    """
    wrong = [*_calls(evidence, accepted)]
    for name, service in evidence.services.items():
        wrong += [f"{name}: {found}" for found in (*_log(service), *_topic(service), *_effects(service))]
    for follower, owners in OWNERS.items():
        for owner in owners:
            found = _followed(evidence.services[owner], evidence.services[follower], owner)
            wrong += [f"{follower} of {owner}: {each}" for each in found]
    return [*wrong, *_agreement(evidence)]


def _calls(evidence: Evidence, accepted: Mapping[int, str]) -> Iterator[str]:
    for number, complaint in accepted.items():
        found = evidence.references.get(UUID(complaint))
        if found is None:
            yield f"lost: call {number} was accepted as {complaint}, which is not in the log"
        elif found != REFERENCE.format(number):
            yield f"mixed up: call {number} was accepted as {complaint}, which is {found}"
    times = Counter(evidence.references.values())
    yield from (f"double: {reference}, {count} times" for reference, count in times.items() if count > 1)
    told = {UUID(complaint) for complaint in accepted.values()}
    yield from (f"nobody was told: {complaint}" for complaint in evidence.references.keys() - told)


def _log(service: OfService) -> Iterator[str]:
    positions = [event.position for event in service.log]
    yield from _gaps("positions", positions)
    versions: defaultdict[str, list[int]] = defaultdict(list)
    numbers: defaultdict[int, list[int]] = defaultdict(list)
    for event in service.log:
        versions[event.stream].append(event.version)
        if event.slot is not None:
            numbers[event.slot].append(event.number)
            if event.slot != zlib.crc32(event.stream.encode()) % SLOTS:
                yield f"{event.stream} is in slot {event.slot}"
    for stream, found in versions.items():
        yield from _gaps(f"versions of {stream}", found)
    for slot, found in numbers.items():
        yield from _gaps(f"numbers of slot {slot}", found)
    yield from _doubles("event", (event.id for event in service.log))
    applied = sorted(entry.applied for entry in service.inbox if entry.applied is not None)
    yield from _gaps("applied numbers", applied)


def _topic(service: OfService) -> Iterator[str]:
    log = {(event.slot, event.number): str(event.id) for event in service.log if event.slot is not None}
    published = {place: event for _, event, place in service.published}
    yield from (f"its topic lacks number {n} of slot {slot}" for slot, n in log.keys() - published.keys())
    for _, event, place in service.published:
        if log.get(place) != event:
            yield f"its topic has an unknown event as number {place[1]} of slot {place[0]}"


def _effects(service: OfService) -> Iterator[str]:
    """An append request is one piece of the log, and knows where the log ended before it."""
    applied_after = {str(entry.id): entry.after for entry in service.inbox if entry.state == "applied"}
    by_cause: defaultdict[str, list[int]] = defaultdict(list)
    for event in service.log:
        if event.cause:
            by_cause[event.cause].append(event.position)
    for cause, positions in by_cause.items():
        if (after := applied_after.get(cause)) is None:
            yield f"{len(positions)} events follow from {cause}, which was not applied"
        elif positions != list(range(after + 1, after + 1 + len(positions))):
            yield f"what follows from {cause}, applied after {after}, stands at {positions[:5]}"


def _followed(owner: OfService, follower: OfService, name: str) -> Iterator[str]:
    log = {(event.slot, event.number): event.id for event in owner.log if event.slot is not None}
    entries = [entry for entry in follower.inbox if entry.owner == name]
    inbox = {(entry.slot, entry.number): entry.id for entry in entries}
    yield from (f"lost: number {n} of slot {slot}" for slot, n in log.keys() - inbox.keys())
    for place in inbox.keys() - log.keys():
        yield f"its owner does not know number {place[1]} of slot {place[0]}"
    for place in log.keys() & inbox.keys():
        if log[place] != inbox[place]:
            yield f"another event is number {place[1]} of slot {place[0]}"
    yield from _doubles("event", (entry.id for entry in entries))
    yield from (f"{e.state}: number {e.number} of slot {e.slot}" for e in entries if e.state != "applied")
    heads: dict[int, int] = {}
    for slot, number in inbox:
        heads[slot] = max(number, heads.get(slot, 0))
    cursors = {slot: at for (source, slot), at in follower.cursors.items() if source == name}
    if cursors != heads:
        astray = dict(cursors.items() ^ heads.items())
        yield f"the cursors of {len(astray)} slots do not stand at what was consumed"


def _agreement(evidence: Evidence) -> Iterator[str]:
    recorded = set(evidence.references)
    yield from _doubles("indexed complaint", evidence.indexed)
    for where, found in (("the index", set(evidence.indexed)), ("referral", set(evidence.case_of))):
        yield from (f"{where} lacks complaint {one}" for one in recorded - found)
        yield from (f"{where} alone has complaint {one}" for one in found - recorded)
    cases = {complaint: case for complaint, case in evidence.case_of.items() if case is not None}
    for complaint in evidence.case_of.keys() - cases.keys() - evidence.held:
        yield f"complaint {complaint} is in no case"
    for complaint, case in cases.items():
        if (complaint, case) not in evidence.listed:
            yield f"case {case} does not list complaint {complaint}"
    incidents = {complaint: evidence.incident_of.get(complaint, complaint) for complaint in cases}
    for group in _groups(incidents) ^ _groups(cases):
        yield f"{len(group)} complaints are one incident or one case, and not both: {sorted(group)[0]}"


def _gaps(what: str, found: list[int]) -> Iterator[str]:
    if found != list(range(1, len(found) + 1)):
        yield f"{what} are not 1 to {len(found)}"


def _doubles(what: str, ids: Iterable[UUID]) -> Iterator[str]:
    yield from (f"double: {what} {one}" for one, count in Counter(ids).items() if count > 1)


def _groups(group_of: Mapping[UUID, Hashable]) -> set[frozenset[UUID]]:
    members: defaultdict[Hashable, set[UUID]] = defaultdict(set)
    for member, group in group_of.items():
        members[group].add(member)
    return {frozenset(group) for group in members.values()}
