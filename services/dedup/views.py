"""What people read of matches, incidents and patterns, computed from the members at each call."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import orjson

from services.dedup import read_models
from services.dedup.conflicts import Conflicts
from services.dedup.domain.clusters import (
    WHOLE,
    Cluster,
    Node,
    clusters,
    of_one_complaint,
)
from services.dedup.domain.facts import (
    OF_INCIDENTS,
    OF_PATTERNS,
    Kind,
    MatchEvidence,
    incident_id,
    pattern_id,
)
from services.dedup.domain.scoring import Scorer
from services.dedup.domain.weights import probability_of
from services.dedup.domain.zones import Zone
from services.dedup.index import IndexReader
from services.dedup.links import Matches, StoredMatch
from services.dedup.offload import aside
from services.dedup.patterns import profiles_of
from services.dedup.regions import wholes
from services.dedup.sources import sources
from services.dedup.waiting import Waiting
from shared.contracts.match_events import PatternMember
from shared.errors import NotFound
from shared.service import Context
from shared.web.auth import Caller
from shared.web.schemas import Schema


class ShownStep(Schema):
    """One reason for or against a match."""

    field: str
    """The thing that was compared, such as `name`."""
    level: str
    """How well it agrees, such as `exact`."""
    weight: float
    """What this says for a match, in bits; below 0 it speaks against one."""


class ShownMatch(Schema):
    """A match as one of its complaints sees it; weights are in bits."""

    match_id: UUID
    """The match."""
    other_complaint_id: UUID
    """The other complaint."""
    subject: int | None
    """Which subject of this complaint is matched, by its place in the list, from 0; null where complaints
    are."""
    other_subject: int | None
    """Which subject of the other complaint is matched, by its place in the list, from 0; null where
    complaints are."""
    kind: Kind
    """What the two are to each other."""
    zone: Zone
    """Where the match stands."""
    weight: float
    """The sum of all reasons, in bits."""
    probability: float
    """The probability that they belong together, 0 to 1."""
    waterfall: list[ShownStep]
    """The reasons one by one; their weights add up to that of the match."""


class ReviewedMatch(ShownMatch):
    """A match that stands by itself; `complaint_id` is the lower one."""

    complaint_id: UUID
    """The complaint with the lower id of the two."""
    releases: list[UUID]
    """The complaints `only_with_another` that are passed on once a person accepts the match."""


class InPattern(Schema):
    """A pattern that a subject of the complaint belongs to."""

    pattern_id: UUID
    """The pattern."""
    subject: int
    """Which subject of the complaint is in it, by its place in the list, from 0."""


class ComplaintMatches(Schema):
    """What a complaint was matched with."""

    indexed: bool
    """Whether the complaint is known here yet."""
    incident_id: UUID | None
    """The incident that it belongs to; null until it is indexed."""
    patterns: list[InPattern]
    """The patterns that its subjects belong to."""
    items: list[ShownMatch]
    """Its matches, the strongest first."""


class ShownIncident(Schema):
    """The complaints of one incident."""

    incident_id: UUID
    """The incident."""
    members: list[UUID]
    """The ids of its complaints."""
    complaints: int
    """How many complaints it has."""
    incidents: int
    """Always 1, as for a pattern with one incident."""
    sources_min: int
    """The least number of independent sources there can be."""
    sources_max: int
    """The most independent sources there can be."""
    weakest_link: float | None
    """The least probability by which its complaints hold together, 0 to 1; null for a single one."""
    waiting: list[UUID]
    """Accepted matches of its complaints that join nothing, and wait for a person."""


class ShownPattern(Schema):
    """`weakest_link` is the least probability by which its members hold together."""

    pattern_id: UUID
    """The pattern."""
    members: list[PatternMember]
    """The subjects that are this officer."""
    complaints: int
    """How many complaints describe the officer."""
    incidents: int
    """How many incidents these complaints are about."""
    sources_min: int
    """The least number of independent sources there can be."""
    sources_max: int
    """The most independent sources there can be."""
    weakest_link: float | None
    """The least probability by which its subjects hold together, 0 to 1; null for a single one."""
    waiting: list[UUID]
    """Accepted matches of its subjects that join nothing, and wait for a person."""


class ListedPattern(Schema):
    """One officer in numbers."""

    pattern_id: UUID
    """The pattern."""
    complaints: int
    """How many complaints describe the officer."""
    incidents: int
    """How many incidents these complaints are about."""


class Views:
    """What people read. Who may not know of a complaint gets every answer as if it were not there."""

    def __init__(self, context: Context, index: IndexReader, scorer: Scorer, conflicts: Conflicts) -> None:
        self._store, self._index, self._scorer = context.store, index, scorer
        self._matches = Matches(context, index)
        self._conflicts = conflicts

    async def complaint(self, caller: Caller, complaint_id: UUID) -> ComplaintMatches:
        is_indexed = await self._store.fetchval(read_models.IS_INDEXED, complaint_id)
        if not is_indexed or await self._conflicts.hidden(caller, [complaint_id]):
            return ComplaintMatches(indexed=False, incident_id=None, patterns=[], items=[])
        matches = await self._seen(caller, await self._matches.of([complaint_id]))
        evidence = await self._matches.evidence(matches)
        incidents = await self._incidents_of([complaint_id])
        shown = [
            shown_match(m, evidence[m.match_id], complaint_id) for m in matches if m.match_id in evidence
        ]
        return ComplaintMatches(
            indexed=True,
            incident_id=incidents[complaint_id],
            patterns=await self._patterns_of(caller, complaint_id),
            items=sorted(shown, key=lambda match: (-match.weight, match.match_id)),
        )

    async def _patterns_of(self, caller: Caller, complaint_id: UUID) -> list[InPattern]:
        rows = await self._store.fetch(read_models.SUBJECTS_IN_PATTERNS, [complaint_id])
        groups = await self._groups(caller, {UUID(bytes=row[2].bytes) for row in rows})
        group_of = {node: group for of_one in groups.values() for group in of_one for node in group}
        return [
            InPattern(pattern_id=pattern_id(*group_of[node][0]), subject=node[1])
            for row in rows
            for node in ((complaint_id, int(row[1])),)
            if node in group_of
        ]

    async def reviews(self, caller: Caller, after: UUID, limit: int) -> list[ReviewedMatch]:
        """The first of the matches above `after` that wait for a person: those of the grey zone, those that a
        rule accepted where a release waits for a person's word, and those that it accepted without effect."""
        found: list[ReviewedMatch] = []
        while len(found) < limit:
            rows = await self._store.fetch(read_models.REVIEWS, after, limit)
            matches = [StoredMatch.of(row) for row in rows]
            found += await self._reviewed(await self._seen(caller, matches))
            if len(matches) < limit:
                break
            after = matches[-1].match_id
        return found[:limit]

    async def _waiting(self, caller: Caller, nodes: Collection[Node], kinds: Collection[Kind]) -> list[UUID]:
        """The matches that wait beside a group, but those of complaints that the caller may not know of."""
        waiting = await Waiting(self._store, kinds).beside(nodes)
        complaints = {node[0] for ends in waiting.values() for node in ends}
        hidden = await self._conflicts.hidden(caller, complaints)
        return sorted(id_ for id_, (one, other) in waiting.items() if hidden.isdisjoint({one[0], other[0]}))

    async def _seen(self, caller: Caller, matches: Sequence[StoredMatch]) -> list[StoredMatch]:
        """Without the matches of complaints that the caller may not know of."""
        complaints = {node[0] for match in matches for node in (match.a, match.b)}
        hidden = await self._conflicts.hidden(caller, complaints)
        return [match for match in matches if match.a[0] not in hidden and match.b[0] not in hidden]

    async def _reviewed(self, matches: Sequence[StoredMatch]) -> list[ReviewedMatch]:
        """Without those of complaints that were erased a moment ago, and those that wait for nothing."""
        evidence = await self._matches.evidence(matches)
        releases = await self._releases(matches)
        rows = await self._store.fetch(read_models.WITHOUT_EFFECT, [match.match_id for match in matches])
        without_effect = {UUID(bytes=row[0].bytes) for row in rows}
        return [
            ReviewedMatch(
                complaint_id=m.a[0],
                releases=releases[m.match_id],
                **shown_match(m, evidence[m.match_id], m.a[0]).model_dump(),
            )
            for m in matches
            if m.match_id in evidence
            if m.zone == "review" or releases[m.match_id] or m.match_id in without_effect
        ]

    async def _releases(self, matches: Sequence[StoredMatch]) -> dict[UUID, list[UUID]]:
        """match id -> the held complaints for which it would be another source's word on the same officer."""
        of_officers = [match for match in matches if not match.is_of_incidents]
        complaints = {node[0] for match in of_officers for node in (match.a, match.b)}
        rows = await self._store.fetch(read_models.HELD_OF, list(complaints))
        held = {UUID(bytes=row[0].bytes) for row in rows}
        indexed = await self._index.get(complaints) if held else {}
        sources = {complaint: of.features.source_group for complaint, of in indexed.items()}
        releases: dict[UUID, list[UUID]] = {match.match_id: [] for match in matches}
        for match in of_officers:
            one, other = match.a[0], match.b[0]
            if sources.get(one) != sources.get(other):
                releases[match.match_id] = [each for each in (one, other) if each in held]
        return releases

    async def incident(self, caller: Caller, incident: UUID) -> ShownIncident:
        """
        Raises:
            NotFound: there is none, or not for this caller.
        """
        rows = await self._store.fetch(read_models.INCIDENT, incident)
        members = [UUID(bytes=row[0].bytes) for row in rows]
        if not members or await self._conflicts.hidden(caller, members):
            raise NotFound("There is no such incident.")
        least, most = await sources(self._index, members)
        return ShownIncident(
            incident_id=incident,
            members=members,
            complaints=len(members),
            incidents=1,
            sources_min=least,
            sources_max=most,
            weakest_link=await self._weakest(wholes(members), of_incidents=True),
            waiting=await self._waiting(caller, wholes(members), OF_INCIDENTS),
        )

    async def pattern(self, caller: Caller, pattern: UUID) -> ShownPattern:
        """
        Raises:
            NotFound: there is none, or not for this caller.
        """
        stored = await self._store.fetchval(read_models.PATTERN_OF_OWN, pattern) or pattern
        groups = (await self._groups(caller, [UUID(bytes=stored.bytes)])).values()
        for group in (group for of_one in groups for group in of_one if pattern_id(*group[0]) == pattern):
            return await self._shown_pattern(caller, group)
        raise NotFound("There is no such pattern.")

    async def _shown_pattern(self, caller: Caller, members: Sequence[Node]) -> ShownPattern:
        complaints = {complaint for complaint, _ in members}
        least, most = await sources(self._index, complaints)
        return ShownPattern(
            pattern_id=pattern_id(*members[0]),
            members=[
                PatternMember(complaint_id=complaint, subject=subject) for complaint, subject in members
            ],
            complaints=len(complaints),
            incidents=len(set((await self._incidents_of(complaints)).values())),
            sources_min=least,
            sources_max=most,
            weakest_link=await self._weakest(set(members), of_incidents=False),
            waiting=await self._waiting(caller, set(members), OF_PATTERNS),
        )

    async def patterns(
        self, caller: Caller, after: UUID, least: int, force: str | None, limit: int
    ) -> list[ListedPattern]:
        """The first of the patterns above `after` with at least so many incidents, those in which `force` is
        named."""
        if caller.holder is None:
            rows = await self._store.fetch(read_models.LIST_PATTERNS, after, least, force, limit)
            return [
                ListedPattern(pattern_id=UUID(bytes=row[0].bytes), complaints=row[1], incidents=row[2])
                for row in rows
            ]
        found: list[ListedPattern] = []
        while len(found) < limit:
            rows = await self._store.fetch(read_models.LIST_PATTERNS_BY_MEMBER, after, least, force, limit)
            ids = [UUID(bytes=row[0].bytes) for row in rows]
            groups = await self._groups(caller, {UUID(bytes=row[1].bytes) for row in rows})
            by_id = {pattern_id(*group[0]): group for of_one in groups.values() for group in of_one}
            shown = {each: by_id[each] for each in ids if each in by_id}
            found += [one for one in await self._listed(shown, force) if one.incidents >= least]
            if len(rows) < limit:
                break
            after = ids[-1]
        return found[:limit]

    async def _listed(self, groups: Mapping[UUID, Sequence[Node]], force: str | None) -> list[ListedPattern]:
        """Those in which the force is named, with their numbers."""
        complaints = {node[0] for group in groups.values() for node in group}
        incidents = await self._incidents_of(complaints)
        forces: dict[UUID, Mapping[str, str]] = {}
        if force is not None:
            rows = await self._store.fetch(read_models.FORCES_OF, list(complaints))
            forces = {UUID(bytes=row[0].bytes): orjson.loads(row[1]) for row in rows}
        return [
            ListedPattern(
                pattern_id=id_,
                complaints=len({node[0] for node in group}),
                incidents=len({incidents[node[0]] for node in group}),
            )
            for id_, group in groups.items()
            if force is None or any(forces.get(node[0], {}).get(str(node[1])) == force for node in group)
        ]

    async def _groups(self, caller: Caller, patterns: Collection[UUID]) -> dict[UUID, list[list[Node]]]:
        """pattern -> what the caller sees of it: all of it, or the groups into which it falls without the
        complaints that the caller may not know of. Each group is in the order of its members."""
        rows = await self._store.fetch(read_models.MEMBERS_OF_PATTERNS, list(patterns))
        members: dict[UUID, list[Node]] = {}
        for complaint, subject, pattern in rows:
            members.setdefault(UUID(bytes=pattern.bytes), []).append((UUID(bytes=complaint.bytes), subject))
        hidden = await self._conflicts.hidden(caller, {node[0] for each in members.values() for node in each})
        groups = {}
        for pattern, nodes in members.items():
            seen = [node for node in nodes if node[0] not in hidden]
            groups[pattern] = [nodes] if len(seen) == len(nodes) else await self._apart(seen)
        return groups

    async def _apart(self, nodes: Sequence[Node]) -> list[list[Node]]:
        found = await self._clusters(set(nodes), of_incidents=False)
        return [list(cluster.members) for cluster in found if len(cluster.members) > 1]

    async def _incidents_of(self, complaints: Collection[UUID]) -> dict[UUID, UUID]:
        found = {complaint: incident_id(complaint) for complaint in complaints}
        rows = await self._store.fetch(read_models.INCIDENTS_OF, list(complaints))
        return found | {UUID(bytes=row[0].bytes): UUID(bytes=row[1].bytes) for row in rows}

    async def _weakest(self, members: set[Node], *, of_incidents: bool) -> float | None:
        found = await self._clusters(members, of_incidents=of_incidents)
        weights = [of.weakest for of in found if of.weakest is not None]
        return probability_of(min(weights)) if weights else None

    async def _clusters(self, members: set[Node], *, of_incidents: bool) -> list[Cluster]:
        """The groups that these members alone make."""
        links = await self._matches.within(members, OF_INCIDENTS if of_incidents else OF_PATTERNS)
        if of_incidents:
            return await aside(len(links), clusters, members, links, self._scorer.model.incident)
        profiles = await profiles_of(self._index, self._scorer, members)
        model = self._scorer.model.officer
        return await aside(len(links), clusters, members, links, model, of_one_complaint, profiles.fit)


def shown_match(match: StoredMatch, evidence: MatchEvidence, seen_from: UUID) -> ShownMatch:
    here, there = (match.a, match.b) if match.a[0] == seen_from else (match.b, match.a)
    return ShownMatch.model_validate(
        {
            "match_id": match.match_id,
            "other_complaint_id": there[0],
            "subject": None if here[1] == WHOLE else here[1],
            "other_subject": None if there[1] == WHOLE else there[1],
            "kind": match.kind,
            "zone": match.zone,
            "weight": evidence.weight,
            "probability": evidence.probability,
            "waterfall": [step.model_dump() for step in evidence.waterfall],
        }
    )
