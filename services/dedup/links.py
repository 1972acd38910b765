"""Matches as they are stored, with their evidence: opened where both complaints still have their keys."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import orjson

from services.dedup import read_models
from services.dedup.domain.clusters import Link, Node, Verdict
from services.dedup.domain.facts import MATCH_PROPOSED, OF_INCIDENTS, Kind, MatchEvidence
from services.dedup.domain.zones import Zone
from services.dedup.index import IndexReader
from services.dedup.keys import match_key
from services.dedup.offload import aside
from shared.sealing.jwe import open_sealed
from shared.service import Context
from shared.store.events import stream_id


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


class Matches:
    """Reads matches. Their weights stay in memory (`services.dedup.remembered`)."""

    def __init__(self, context: Context, index: IndexReader) -> None:
        self._store, self._index = context.store, index

    async def of(self, complaint_ids: Collection[UUID]) -> list[StoredMatch]:
        """All matches of these complaints."""
        rows = await self._store.fetch(read_models.MATCHES_OF, list(complaint_ids))
        return [StoredMatch.of(row) for row in rows]

    async def within(self, nodes: Collection[Node], kinds: Collection[Kind]) -> list[Link]:
        """The links of these kinds between `nodes`; those of erased complaints are left out.

        There may be hundreds of thousands. They come page by page, what is opened for the first time is
        opened aside from the event loop, and they share the nodes.
        """
        known = {(complaint.bytes, subject): (complaint, subject) for complaint, subject in nodes}
        complaints = list({complaint for complaint, _ in nodes})
        keys: dict[UUID, bytes] = {}
        links: list[Link] = []
        async for rows in self._store.pages(read_models.MATCHES_FROM, complaints, list(kinds)):
            inside = [
                (row, a, b)
                for row in rows
                if (a := known.get((row[1].bytes, row[2]))) and (b := known.get((row[3].bytes, row[4])))
            ]
            weights = await self._weighed([row for row, _, _ in inside], keys)
            links += [
                Link(a, b, weight, _verdict(row[6], row[7]))
                for (row, a, b), weight in zip(inside, weights, strict=True)
                if weight is not None
            ]
        return links

    async def evidence(self, matches: Sequence[StoredMatch]) -> dict[UUID, MatchEvidence]:
        """match id -> what the match rests on; those of erased complaints are left out."""
        opened = await self._opened(matches, {})
        return {UUID(bytes=id_): MATCH_PROPOSED.read_sealed(plain) for id_, plain in opened.items()}

    async def _weighed(self, rows: Sequence[asyncpg.Record], keys: dict[UUID, bytes]) -> list[float | None]:
        """The weight of each match, None where it cannot be opened any more.

        Args:
            keys: index keys that were read; those that are missing are added.
        """
        remembered = self._index.weights
        weights = [remembered.get(row[0].bytes) for row in rows]
        if unknown := [row for row, weight in zip(rows, weights, strict=True) if weight is None]:
            opened = await self._opened(list(map(StoredMatch.of, unknown)), keys)
            fresh = await aside(len(opened), _weights_of, opened)
            remembered.remember(fresh)
            weights = [
                fresh.get(row[0].bytes) if weight is None else weight
                for row, weight in zip(rows, weights, strict=True)
            ]
        return weights

    async def _opened(self, matches: Sequence[StoredMatch], keys: dict[UUID, bytes]) -> Mapping[bytes, bytes]:
        """match id -> plain evidence."""
        missing = {complaint for match in matches for complaint, _ in (match.a, match.b)} - keys.keys()
        keys |= await self._index.index_keys(missing)
        readable = {
            stream_id("match", match.match_id): match
            for match in matches
            if match.a[0] in keys and match.b[0] in keys
        }
        rows = await self._store.fetch(read_models.PROPOSALS, list(readable))
        sealed = [(readable[stream], UUID(bytes=event_id.bytes), data) for stream, event_id, data in rows]
        return await aside(len(sealed), _unsealed, sealed, keys)


def _verdict(zone: Zone, is_decided: bool) -> Verdict | None:
    if not is_decided:
        return None
    return "accepted" if zone == "accepted" else "rejected"


def _unsealed(
    sealed: Iterable[tuple[StoredMatch, UUID, str]], keys: Mapping[UUID, bytes]
) -> Mapping[bytes, bytes]:
    found = {}
    for match, event_id, data in sealed:
        key = match_key(match.match_id, keys[match.a[0]], keys[match.b[0]])
        found[match.match_id.bytes] = open_sealed(orjson.loads(data)["sealed"], key.recipient, event_id)
    return found


def _weights_of(opened: Mapping[bytes, bytes]) -> dict[bytes, float]:
    """Out of evidence that this service has sealed: it is not validated again, for there is much of it."""
    return {id_: orjson.loads(plain)["weight"] for id_, plain in opened.items()}
