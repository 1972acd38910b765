"""The resolver: from pair facts and people's decisions to incidents and patterns. One leader by lease.

It follows its own log in the order of positions, recomputes from scratch every component that something
touched, and appends what changed together with its cursor, under its lease: a resolver that was stopped and
wakes is refused. What it computes is a function of the set of facts alone, so at rest it does not matter in
which order or batches they came.

After a lost tail was adopted (`services.dedup.recovering`) it knows of incidents and patterns whose facts are
not found again yet. It waits until all that intake had was consumed again, and begins where it stood before:
so it takes nothing apart only to put it together again.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from services.dedup import read_models
from services.dedup.domain.clusters import WHOLE, Cluster, Link, Node, clusters, of_one_complaint
from services.dedup.domain.facts import (
    COMPLAINT_TAKEN_OUT,
    COMPLAINT_WITHDRAWN,
    MATCH_ACCEPTED,
    MATCH_PROPOSED,
    MATCH_REJECTED,
    MATCH_RETRACTED,
    OF_INCIDENTS,
    TAIL_ADOPTED,
    ComplaintTakenOut,
    Pair,
    incident_id,
    pattern_id,
)
from services.dedup.domain.features import ONLY_WITH_ANOTHER
from services.dedup.domain.model import Model
from services.dedup.domain.weights import probability_of
from services.dedup.index import ComplaintIndex, withdrawal_stream
from services.dedup.links import Matches, StoredMatch
from services.dedup.membership import Change, changes
from services.dedup.rows import PatternRows, incident_rows, taken_out_rows
from shared.contracts.contract import Contract
from shared.contracts.events import INCIDENT_CHANGED, PATTERN_CHANGED, EventType
from shared.contracts.match_events import IncidentChanged, PatternChanged, PatternMember
from shared.sealing.events import log_type, own_type, sealed_event
from shared.service import Context
from shared.store.events import NewEvent, RecordedEvent, stream_id
from shared.store.leases import Lease
from shared.store.requests import AppendRequest, CursorMove, RowChange
from shared.streaming.inbox import TOMBSTONE
from shared.streaming.leader import Leader

SOURCE = "resolver"
"""Name of the lease, and source of the cursor that says how far the own log was read."""
BATCH = 1000
POLL_SECONDS = 1.0
CROSSINGS = (3, 5, 9)
"""Numbers of incidents in one pattern that somebody hears of when they are reached."""

_PAIR_TYPES = {
    log_type(type_): type_ for type_ in (MATCH_PROPOSED, MATCH_ACCEPTED, MATCH_REJECTED, MATCH_RETRACTED)
}
_OWN = {
    type_.name: type_
    for type_ in (
        *_PAIR_TYPES.values(),
        COMPLAINT_TAKEN_OUT,
        COMPLAINT_WITHDRAWN,
        TAIL_ADOPTED,
        INCIDENT_CHANGED,
        PATTERN_CHANGED,
    )
}
"""All that dedup's log may hold."""
_WITHDRAWN = log_type(COMPLAINT_WITHDRAWN)
_TAIL_ADOPTED = log_type(TAIL_ADOPTED)
_INCIDENT, _PATTERN = log_type(INCIDENT_CHANGED), log_type(PATTERN_CHANGED)
_DECISIONS = frozenset({log_type(MATCH_ACCEPTED), log_type(MATCH_REJECTED), log_type(MATCH_RETRACTED)})

log = structlog.get_logger()


@dataclass(slots=True)
class _Touched:
    """What a batch of facts is about."""

    complaints: set[Node] = field(default_factory=set)
    subjects: set[Node] = field(default_factory=set)
    decided: set[Node] = field(default_factory=set)
    withdrawn: set[UUID] = field(default_factory=set)

    @property
    def named(self) -> set[UUID]:
        return {node[0] for node in self.complaints | self.subjects} | self.withdrawn


@dataclass(frozen=True, slots=True)
class _Region:
    """Whole components, with everything that has to do with them."""

    nodes: set[Node]
    links: Mapping[UUID, Link]
    before: Mapping[Node, UUID]


@dataclass(frozen=True, slots=True)
class _Outcome:
    events: list[NewEvent]
    rows: list[RowChange]


class Resolver:
    """`run` goes on until it is cancelled."""

    def __init__(self, context: Context, index: ComplaintIndex, model: Model) -> None:
        self._context, self._store = context, context.store
        self._index, self._model = index, model
        self._matches = Matches(context, index)
        self._leader = Leader(SOURCE, context.store.leases)
        self.position = 0
        self.missing: set[UUID] = set()
        """Complaints that an adopted tail names and that were not consumed again yet."""
        self._missing_of: UUID | None = None

    @property
    def is_leader(self) -> bool:
        """Whether it is this process that resolves."""
        return self._leader.is_leading

    async def run(self) -> None:
        await self._leader.run(self._follow)

    async def step(self, lease: Lease) -> int:
        """Work through the next facts, at most `BATCH` of the log; how many positions were read.

        Raises:
            LeaseLost, CursorMoved: another one leads.
            StoreUnavailable
        """
        at = (await self._store.cursors(SOURCE)).get(0, 0)
        events = await self._store.read_log(at, BATCH)
        if not events:
            self.position = at
            return 0
        if events[0].type == _TAIL_ADOPTED:
            if not await self._resolve_again(events[0], lease):
                return 0
            events = events[:1]
        await self._append(await self._resolved(_touched(events)), at, events[-1].position, lease)
        self.position = events[-1].position
        return len(events)

    async def _append(self, outcome: "_Outcome", at: int, to: int, lease: Lease) -> None:
        await self._store.append(
            AppendRequest(
                events=tuple(outcome.events),
                rows=tuple(outcome.rows),
                cursors=(CursorMove(SOURCE, 0, at, to),),
                leases=(lease.guard,),
            )
        )

    async def _resolve_again(self, adopted: RecordedEvent, lease: Lease) -> bool:
        """Resolve what was adopted by the facts that were found again, and what had waited before; False
        where they are still to come. Parts that were done before a crash come out the same again."""
        at, told = adopted.position - 1, TAIL_ADOPTED.read_clear(adopted.data["clear"])
        if self._missing_of != adopted.event_id:
            parts = [_touched(part, told=True).named async for part in self._between(told.resolved, at)]
            self.missing, self._missing_of = set().union(*parts), adopted.event_id
            log.warning("resolver waits for complaints to be consumed again", count=len(self.missing))
        self.missing -= (await self._consumed(self.missing)).keys()
        # Not only what is named: of what was erased in the lost time the copy has the keys still.
        cursors = await self._store.cursors("intake")
        if self.missing or any(cursors.get(slot, 0) < head for slot, head in told.heads.items()):
            return False
        async for part in self._between(told.resolved, at):
            touched = _touched(part, told=True)
            # Erased meanwhile: the fact that says so stands behind this.
            consumed = await self._consumed(touched.named)
            touched.withdrawn |= {complaint for complaint, is_erased in consumed.items() if is_erased}
            await self._append(await self._resolved(touched), at, at, lease)
        return True

    async def _between(self, after: int, upto: int) -> AsyncIterator[list[RecordedEvent]]:
        while after < upto:
            events = await self._store.read_log(after, min(BATCH, upto - after))
            yield events
            after = events[-1].position

    async def _consumed(self, complaints: Collection[UUID]) -> Mapping[UUID, bool]:
        """Those that were consumed -> whether they are erased."""
        rows = await self._store.fetch(read_models.CONSUMED, list(complaints), TOMBSTONE)
        return {UUID(bytes=row[0].bytes): row[1] for row in rows}

    async def _follow(self, lease: Lease) -> None:
        while True:
            news = self._store.news()
            if not await self.step(lease):
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):  # `wait_for` may swallow a cancellation
                        await news.wait()

    # What belongs together

    async def _resolved(self, touched: _Touched) -> _Outcome:
        incidents = await self._incidents(touched)
        subjects, incident_of = incidents[1], incidents[2]
        patterns = await self._patterns(touched, subjects, incident_of)
        taken_out = [self._taken_out(complaint) for complaint in sorted(touched.withdrawn)]
        rows = [row for complaint in touched.withdrawn for row in taken_out_rows(complaint)]
        self._index.forget(touched.withdrawn)
        return _Outcome(
            [*incidents[0].events, *patterns.events, *taken_out],
            [*incidents[0].rows, *patterns.rows, *rows],
        )

    async def _incidents(self, touched: _Touched) -> tuple[_Outcome, set[Node], Mapping[UUID, UUID]]:
        """What changes of incidents; the subjects in patterns of complaints that moved; complaint -> incident
        of all that were looked at."""
        start = touched.complaints | {(complaint, WHOLE) for complaint in touched.withdrawn}
        region = await self._region(start, self._fellows, of_incidents=True)
        found = clusters(
            region.nodes - _wholes(touched.withdrawn), region.links.values(), self._model.incident
        )
        after: dict[Node, UUID] = {}
        weakest: dict[UUID, Cluster] = {}
        for cluster in found:
            if len(cluster.members) > 1 or cluster.members[0] in region.before:
                group = incident_id(cluster.members[0][0])
                after |= dict.fromkeys(cluster.members, group)
                weakest[group] = cluster
        changed = changes(region.before, after, sorted(region.nodes))
        told = [await self._incident_changed(change, weakest.get(change.group_id)) for change in changed]
        moved = {node[0] for change in changed for node in (*change.added, *change.removed)}
        subjects = {
            (UUID(bytes=row[0].bytes), row[1])
            for row in await self._store.fetch(read_models.SUBJECTS_IN_PATTERNS, list(moved))
        }
        outcome = _Outcome(
            [self._event("incident", each.incident_id, INCIDENT_CHANGED, each) for each in told],
            [row for each in told for row in incident_rows(each)],
        )
        return outcome, subjects, {node[0]: group for node, group in after.items()}

    async def _patterns(
        self, touched: _Touched, moved: set[Node], incident_of: Mapping[UUID, UUID]
    ) -> _Outcome:
        start = touched.subjects | moved
        for match in await self._matches.of(touched.withdrawn):
            if not match.is_of_incidents:
                start |= {match.a, match.b}
        region = await self._region(start, self._pattern_fellows, of_incidents=False)
        nodes = {node for node in region.nodes if node[0] not in touched.withdrawn}
        found = clusters(nodes, region.links.values(), self._model.officer, of_one_complaint)
        after = {
            member: pattern_id(*cluster.members[0])
            for cluster in found
            if len(cluster.members) > 1
            for member in cluster.members
        }
        order = sorted(region.nodes)
        changed = {change.group_id: change for change in changes(region.before, after, order)}
        members = _by_group(after, order)
        known = await self._store.fetch(read_models.PATTERNS_BY_ID, list({*members, *region.before.values()}))
        stored = {UUID(bytes=row[0].bytes): (row[1], row[2]) for row in known}
        following = PatternRows(region.before, {UUID(bytes=row[0].bytes): row[3] for row in known})
        incidents = await self._incidents_of({node[0] for node in after}, incident_of)
        rows: list[RowChange] = []
        told: list[PatternChanged] = []
        for group, within in members.items():
            complaints = {node[0] for node in within}
            counts = len(complaints), len({incidents[complaint] for complaint in complaints})
            is_decided = any(node in touched.decided for node in within)
            if group not in changed and not is_decided and stored.get(group, (0, 0)) == counts:
                continue
            change = changed.get(group) or Change(group, tuple(within), (), ())
            reached = following.reached(group, change.added)
            crossed = tuple(number for number in CROSSINGS if reached < number <= counts[1])
            released = await self._released(within, region.links.values())
            told.append(await self._pattern_changed(change, counts, crossed, released))
            rows += following.changed(told[-1])
        for change in changed.values():
            if not change.members:
                told.append(await self._pattern_changed(change, (0, 0), (), ()))
                rows += following.changed(told[-1])
        return _Outcome(
            [self._event("pattern", each.pattern_id, PATTERN_CHANGED, each) for each in told], rows
        )

    async def _region(
        self,
        start: set[Node],
        fellows: Callable[[Collection[Node]], Awaitable[Mapping[Node, UUID]]],
        *,
        of_incidents: bool,
    ) -> _Region:
        """The components of `start`, with those whom a group held together so far."""
        nodes: set[Node] = set()
        matches: dict[UUID, StoredMatch] = {}
        before: dict[Node, UUID] = {}
        frontier = set(start)
        while frontier:
            nodes |= frontier
            held = await fellows(frontier)
            before |= held
            further = set(held)
            for match in await self._matches.of({node[0] for node in frontier}):
                if match.is_of_incidents is of_incidents and (match.a in nodes or match.b in nodes):
                    matches[match.match_id] = match
                    if match.zone != "rejected":
                        further |= {match.a, match.b}
            frontier = further - nodes
        return _Region(nodes, await self._matches.links(list(matches.values())), before)

    async def _fellows(self, nodes: Collection[Node]) -> Mapping[Node, UUID]:
        rows = await self._store.fetch(read_models.FELLOWS, [node[0] for node in nodes])
        return {(UUID(bytes=row[0].bytes), WHOLE): UUID(bytes=row[1].bytes) for row in rows}

    async def _pattern_fellows(self, nodes: Collection[Node]) -> Mapping[Node, UUID]:
        members = [read_models.member_key(*node) for node in nodes]
        rows = await self._store.fetch(read_models.PATTERN_FELLOWS, members)
        return {(UUID(bytes=row[0].bytes), row[1]): UUID(bytes=row[2].bytes) for row in rows}

    async def _incidents_of(
        self, complaints: Collection[UUID], known: Mapping[UUID, UUID]
    ) -> Mapping[UUID, UUID]:
        found = {complaint: incident_id(complaint) for complaint in complaints}
        rows = await self._store.fetch(read_models.INCIDENTS_OF, list(complaints))
        found |= {UUID(bytes=row[0].bytes): UUID(bytes=row[1].bytes) for row in rows}
        return found | {complaint: known[complaint] for complaint in complaints if complaint in known}

    # What is told of it

    def _event(
        self, category: str, identity: UUID, type_: EventType[Contract, Contract], clear: Contract
    ) -> NewEvent:
        return sealed_event(stream_id(category, identity), type_, clear, None, None, self._context.today())

    def _taken_out(self, complaint: UUID) -> NewEvent:
        told, day = ComplaintTakenOut(complaint_id=complaint), self._context.today()
        return sealed_event(withdrawal_stream(complaint), COMPLAINT_TAKEN_OUT, told, None, None, day)

    async def _incident_changed(self, change: Change[Node], cluster: Cluster | None) -> IncidentChanged:
        sources = await self._sources(node[0] for node in change.members)
        weakest = cluster.weakest if cluster else None
        return IncidentChanged(
            incident_id=change.group_id,
            members=tuple(node[0] for node in change.members),
            added=tuple(node[0] for node in change.added),
            removed=tuple(node[0] for node in change.removed),
            count=len(change.members),
            sources_min=sources[0],
            sources_max=sources[1],
            merged_into=change.merged_into,
            split_from=change.split_from,
            weakest_probability=None if weakest is None else probability_of(weakest),
        )

    async def _pattern_changed(
        self,
        change: Change[Node],
        counts: tuple[int, int],
        crossed: tuple[int, ...],
        released: tuple[UUID, ...],
    ) -> PatternChanged:
        sources = await self._sources({node[0] for node in change.members})
        return PatternChanged(
            pattern_id=change.group_id,
            members=_members(change.members),
            added=_members(change.added),
            removed=_members(change.removed),
            complaints=counts[0],
            incidents=counts[1],
            sources_min=sources[0],
            sources_max=sources[1],
            crossed=crossed,
            released=released,
        )

    async def _sources(self, complaints: Iterable[UUID]) -> tuple[int, int]:
        """The least and the most independent sources there can be."""
        return sources_of(group for _, group in await self._source_groups(list(complaints)))

    async def _source_groups(self, complaints: Collection[UUID]) -> list[tuple[UUID, str]]:
        indexed = await self._index.get(complaints)
        return [(complaint, of.features.source_group) for complaint, of in indexed.items()]

    async def _released(self, members: Sequence[Node], links: Iterable[Link]) -> tuple[UUID, ...]:
        """The complaints `only_with_another` that a person confirmed to have another source's beside
        them. The person's word is enough: where the group is full, one of the two stands outside."""
        inside = set(members)
        confirmed = [
            link for link in links if link.verdict == "accepted" and (link.a in inside or link.b in inside)
        ]
        indexed = await self._index.get({node[0] for link in confirmed for node in (link.a, link.b)})
        found = set()
        for link in confirmed:
            one, other = indexed.get(link.a[0]), indexed.get(link.b[0])
            if one and other and one.features.source_group != other.features.source_group:
                found |= {of.complaint_id for of in (one, other) if of.features.wish == ONLY_WITH_ANOTHER}
        return tuple(sorted(found))


def sources_of(groups: Iterable[str]) -> tuple[int, int]:
    """Two complaints share a source where the caller said so; otherwise nobody knows: the most is one for
    each group, the least is one."""
    most = len(set(groups))
    return min(most, 1), most


def _touched(events: Iterable[RecordedEvent], *, told: bool = False) -> _Touched:
    """
    Args:
        told: what incidents and patterns were told to be is touched, too.
    """
    touched = _Touched()
    for event in events:
        own_type(event.type, event.schema_version, _OWN)  # what newer software knows is not to be passed over
        if event.type == _WITHDRAWN:
            touched.withdrawn.add(COMPLAINT_WITHDRAWN.read_clear(event.data["clear"]).complaint_id)
        elif event.type in _PAIR_TYPES:
            pair: Pair = _PAIR_TYPES[event.type].read_clear(event.data["clear"])
            if pair.kind in OF_INCIDENTS:
                touched.complaints |= _wholes((pair.complaint_id, pair.other_complaint_id))
            elif pair.subject is not None and pair.other_subject is not None:
                nodes = {(pair.complaint_id, pair.subject), (pair.other_complaint_id, pair.other_subject)}
                touched.subjects |= nodes
                if event.type in _DECISIONS:
                    touched.decided |= nodes
        elif told and event.type == _INCIDENT:
            incident = INCIDENT_CHANGED.read_clear(event.data["clear"])
            touched.complaints |= _wholes((*incident.added, *incident.removed))
        elif told and event.type == _PATTERN:
            pattern = PATTERN_CHANGED.read_clear(event.data["clear"])
            touched.subjects |= {
                (member.complaint_id, member.subject) for member in (*pattern.added, *pattern.removed)
            }
    return touched


def _wholes(complaints: Iterable[UUID]) -> set[Node]:
    return {(complaint, WHOLE) for complaint in complaints}


def _members(nodes: Iterable[Node]) -> tuple[PatternMember, ...]:
    return tuple(PatternMember(complaint_id=complaint, subject=subject) for complaint, subject in nodes)


def _by_group(after: Mapping[Node, UUID], order: Iterable[Node]) -> dict[UUID, list[Node]]:
    groups: dict[UUID, list[Node]] = {}
    for node in order:
        if node in after:
            groups.setdefault(after[node], []).append(node)
    return groups
