"""What people read of matches, incidents and patterns, computed from the members at each call."""

from collections.abc import Collection, Sequence
from uuid import UUID

from pydantic import BaseModel

from services.dedup import read_models
from services.dedup.domain.clusters import WHOLE, Apart, Node, clusters, never_apart, of_one_complaint
from services.dedup.domain.facts import OF_INCIDENTS, OF_PATTERNS, Kind, MatchEvidence, incident_id
from services.dedup.domain.model import Model
from services.dedup.domain.weights import probability_of
from services.dedup.domain.zones import Zone
from services.dedup.index import ComplaintIndex
from services.dedup.links import Matches, StoredMatch
from services.dedup.offload import aside
from services.dedup.regions import wholes
from services.dedup.sources import sources
from services.dedup.waiting import Waiting
from shared.contracts.match_events import PatternMember
from shared.errors import NotFound
from shared.service import Context


class ShownStep(BaseModel):
    field: str
    level: str
    weight: float


class ShownMatch(BaseModel):
    """A match as one of its complaints sees it; weights are in bits."""

    match_id: UUID
    other_complaint_id: UUID
    subject: int | None
    other_subject: int | None
    kind: Kind
    zone: Zone
    weight: float
    probability: float
    waterfall: list[ShownStep]


class ReviewedMatch(ShownMatch):
    """A match that stands by itself; `complaint_id` is the lower one."""

    complaint_id: UUID


class InPattern(BaseModel):
    pattern_id: UUID
    subject: int


class ComplaintMatches(BaseModel):
    indexed: bool
    incident_id: UUID | None
    patterns: list[InPattern]
    items: list[ShownMatch]


class ShownIncident(BaseModel):
    """`waiting` are accepted matches of its members that join nothing, and wait for a person."""

    incident_id: UUID
    members: list[UUID]
    complaints: int
    incidents: int
    sources_min: int
    sources_max: int
    weakest_link: float | None
    waiting: list[UUID]


class ShownPattern(BaseModel):
    """`weakest_link` is the least probability by which its members hold together; `waiting` as above."""

    pattern_id: UUID
    members: list[PatternMember]
    complaints: int
    incidents: int
    sources_min: int
    sources_max: int
    weakest_link: float | None
    waiting: list[UUID]


class ListedPattern(BaseModel):
    pattern_id: UUID
    complaints: int
    incidents: int


class Views:
    def __init__(self, context: Context, index: ComplaintIndex, model: Model) -> None:
        self._store, self._index, self._model = context.store, index, model
        self._matches = Matches(context, index)

    async def complaint(self, complaint_id: UUID) -> ComplaintMatches:
        if not await self._store.fetchval(read_models.IS_INDEXED, complaint_id):
            return ComplaintMatches(indexed=False, incident_id=None, patterns=[], items=[])
        matches = await self._matches.of([complaint_id])
        evidence = await self._matches.evidence(matches)
        incidents = await self._incidents_of([complaint_id])
        subjects = await self._store.fetch(read_models.SUBJECTS_IN_PATTERNS, [complaint_id])
        shown = [
            shown_match(m, evidence[m.match_id], complaint_id) for m in matches if m.match_id in evidence
        ]
        return ComplaintMatches(
            indexed=True,
            incident_id=incidents[complaint_id],
            patterns=[InPattern(pattern_id=UUID(bytes=row[2].bytes), subject=row[1]) for row in subjects],
            items=sorted(shown, key=lambda match: (-match.weight, match.match_id)),
        )

    async def reviewed(self, matches: Sequence[StoredMatch]) -> dict[UUID, ReviewedMatch]:
        """match id -> what a reviewer sees; those of erased complaints are left out."""
        evidence = await self._matches.evidence(matches)
        return {
            m.match_id: ReviewedMatch(
                complaint_id=m.a[0], **shown_match(m, evidence[m.match_id], m.a[0]).model_dump()
            )
            for m in matches
            if m.match_id in evidence
        }

    async def incident(self, incident: UUID) -> ShownIncident:
        rows = await self._store.fetch(read_models.INCIDENT, incident)
        members = [UUID(bytes=row[0].bytes) for row in rows]
        if not members:
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
            waiting=sorted(await Waiting(self._store, OF_INCIDENTS).beside(wholes(members))),
        )

    async def pattern(self, pattern: UUID) -> ShownPattern:
        rows = await self._store.fetch(read_models.PATTERN_MEMBERS_OF, pattern)
        members = [(UUID(bytes=row[0].bytes), int(row[1])) for row in rows]
        if not members:
            raise NotFound("There is no such pattern.")
        complaints = {complaint for complaint, _ in members}
        least, most = await sources(self._index, complaints)
        return ShownPattern(
            pattern_id=pattern,
            members=[
                PatternMember(complaint_id=complaint, subject=subject) for complaint, subject in members
            ],
            complaints=len(complaints),
            incidents=len(set((await self._incidents_of(complaints)).values())),
            sources_min=least,
            sources_max=most,
            weakest_link=await self._weakest(set(members), of_incidents=False),
            waiting=sorted(await Waiting(self._store, OF_PATTERNS).beside(set(members))),
        )

    async def _incidents_of(self, complaints: Collection[UUID]) -> dict[UUID, UUID]:
        found = {complaint: incident_id(complaint) for complaint in complaints}
        rows = await self._store.fetch(read_models.INCIDENTS_OF, list(complaints))
        return found | {UUID(bytes=row[0].bytes): UUID(bytes=row[1].bytes) for row in rows}

    async def _weakest(self, members: set[Node], *, of_incidents: bool) -> float | None:
        links = await self._matches.within(members, OF_INCIDENTS if of_incidents else OF_PATTERNS)
        model = self._model.incident if of_incidents else self._model.officer
        apart: Apart = never_apart if of_incidents else of_one_complaint
        found = await aside(len(links), clusters, members, links, model, apart)
        weights = [of.weakest for of in found if of.weakest is not None]
        return probability_of(min(weights)) if weights else None


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
