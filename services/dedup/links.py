"""Matches as they are stored, with their evidence: opened where both complaints still have their keys."""

from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain
from uuid import UUID

import asyncpg
import orjson

from services.dedup import read_models
from services.dedup.domain.clusters import Link, Node, Verdict
from services.dedup.domain.facts import MATCH_PROPOSED, OF_INCIDENTS, Kind, MatchEvidence
from services.dedup.domain.zones import Zone
from services.dedup.index import IndexReader
from services.dedup.keys import match_key
from shared.sealing.jwe import open_sealed
from shared.service import Context
from shared.store.events import stream_id

_REMEMBERED = 100_000


@dataclass(frozen=True, slots=True)
class StoredMatch:
    """A row of `matches`. `a` is of the lower complaint; a whole complaint's subject is -1."""

    match_id: UUID
    a: Node
    b: Node
    kind: Kind
    zone: Zone
    decided: bool

    @classmethod
    def of(cls, row: asyncpg.Record) -> "StoredMatch":
        match_id, complaint_id, subject, other_id, other_subject, kind, zone, decided = row
        return cls(
            UUID(bytes=match_id.bytes),
            (UUID(bytes=complaint_id.bytes), subject),
            (UUID(bytes=other_id.bytes), other_subject),
            kind,
            zone,
            decided,
        )

    @property
    def is_of_incidents(self) -> bool:
        return self.kind in OF_INCIDENTS

    def link(self, weight: float, rests_on_one: bool) -> Link:
        if not self.decided:
            return Link(self.a, self.b, weight, rests_on_one)
        verdict: Verdict = "accepted" if self.zone == "accepted" else "rejected"
        return Link(self.a, self.b, weight, rests_on_one, verdict)


class Matches:
    """Reads matches. Weights stay in memory, a bounded number of them: they never change."""

    def __init__(self, context: Context, index: IndexReader) -> None:
        self._store, self._index = context.store, index
        self._weights: OrderedDict[UUID, tuple[float, bool]] = OrderedDict()

    async def of(self, complaint_ids: Collection[UUID]) -> list[StoredMatch]:
        """All matches of these complaints."""
        rows = await self._store.fetch(read_models.MATCHES_OF, list(complaint_ids))
        return [StoredMatch.of(row) for row in rows]

    async def links(self, matches: Sequence[StoredMatch]) -> dict[UUID, Link]:
        """match id -> link, with the weight; those of erased complaints are left out."""
        unknown = [match for match in matches if match.match_id not in self._weights]
        if unknown:
            for match_id, evidence in (await self.evidence(unknown)).items():
                self._weights[match_id] = evidence.weight, evidence.rests_on_one
        found = {
            m.match_id: m.link(*self._weights[m.match_id]) for m in matches if m.match_id in self._weights
        }
        while len(self._weights) > _REMEMBERED:
            self._weights.popitem(last=False)
        return found

    async def evidence(self, matches: Sequence[StoredMatch]) -> dict[UUID, MatchEvidence]:
        """match id -> what the match rests on; those of erased complaints are left out."""
        keys = await self._index.index_keys({*chain.from_iterable((m.a[0], m.b[0]) for m in matches)})
        open_to_us = {m.match_id: m for m in matches if m.a[0] in keys and m.b[0] in keys}
        streams = {stream_id("match", match_id): match_id for match_id in open_to_us}
        rows = await self._store.fetch(read_models.PROPOSALS, list(streams))
        found: dict[UUID, MatchEvidence] = {}
        for stream, event_id, data in rows:
            match = open_to_us[streams[stream]]
            key = match_key(match.match_id, keys[match.a[0]], keys[match.b[0]])
            plain = open_sealed(orjson.loads(data)["sealed"], key.recipient, UUID(bytes=event_id.bytes))
            found[match.match_id] = MATCH_PROPOSED.read_sealed(plain)
        return found

    def forget(self, matches: Collection[StoredMatch]) -> None:
        for match in matches:
            self._weights.pop(match.match_id, None)
