"""The index of complaints: sealed features, keyed blocking keys, and the candidates that they lead to.

What is indexed is committed before anybody looks for candidates: of two complaints that arrive at once, the
one whose index row commits last finds the other one in every case, for its look-up begins after both
commits. Opened features are kept in memory, a bounded number of them, and let go when one is erased; all of
them with each new connection, for a database that was set back may have got other index keys since.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from uuid import UUID

import asyncpg

from services.dedup import read_models
from services.dedup.domain.blocking import blocking_keys
from services.dedup.domain.candidates import CANDIDATE_CAP, KEY_CAP, best_candidates
from services.dedup.domain.features import Features, load
from services.dedup.keys import index_key_id, open_features
from services.dedup.read_models import number_of
from services.dedup.remembered import OneDatabase, RememberedWeights
from services.dedup.rows import index_rows, unindexed_rows
from shared.sealing.keys import destroy_data_key, new_data_key, unwrap_data_keys
from shared.service import Context
from shared.store.events import stream_id
from shared.store.gathering import Gathered
from shared.store.requests import AppendRequest, RowExists, merged

_REMEMBERED = 80_000  # about 1.8 KB each
_KEY_BYTES = 8


@dataclass(slots=True)
class Indexed:
    """The opened features of one complaint, and its index key. `is_used`: asked for, since it was last to be
    let go of."""

    complaint_id: UUID
    features: Features
    index_key: bytes
    is_used: bool = False


@dataclass(frozen=True, slots=True)
class Blocked:
    """The blocking keys of one complaint, hashed: those that lead to it, and those that it asks for."""

    indexed: list[int]
    asked: list[int]


class IndexReader:
    """What is indexed, from the database at every call.

    Attributes:
        weights: of the matches that lead from complaint to complaint; they never change.
    """

    def __init__(self, context: Context) -> None:
        self._store, self._keys = context.store, context.keys
        self.weights = RememberedWeights()

    async def get(self, complaint_ids: Iterable[UUID]) -> Mapping[UUID, Indexed]:
        """Those of the complaints that are indexed and not erased."""
        opened = self._open(await self._store.fetch(read_models.FEATURES, list(complaint_ids)))
        return {one.complaint_id: one for one in opened}

    async def index_keys(self, complaint_ids: Collection[UUID]) -> Mapping[UUID, bytes]:
        """The index keys of those complaints that are not erased."""
        of = {index_key_id(complaint_id): complaint_id for complaint_id in complaint_ids}
        keys = unwrap_data_keys(self._keys.kek, await self._store.data_keys(list(of)))
        return {of[UUID(kid)]: key for kid, key in keys.items()}

    def _open(self, rows: Iterable[asyncpg.Record]) -> list[Indexed]:
        found = []
        for id_, sealed, kek_id, wrapped in rows:
            complaint_id = UUID(bytes=id_.bytes)
            (key,) = unwrap_data_keys(self._keys.kek, [(complaint_id, kek_id, wrapped)]).values()
            found.append(Indexed(complaint_id, load(open_features(key, complaint_id, sealed)), key))
        return found


class ComplaintIndex(IndexReader):
    """The index as those who write it keep it, in memory too: one in a process."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        # One a key of the ring, the current one first; made once, for there are dozens a complaint.
        self._blocking = list(map(keyed, self._keys.digests("blocking")))
        # By their numbers, as candidates are found. Whoever was asked for gets a second chance: to keep them
        # in the order of use costs more than the look-up.
        self._remembered: OrderedDict[int, Indexed] = OrderedDict()
        # Complaints arrive many at a time, and each handler looks up its own.
        self._found = Gathered(self._ask_found)
        self._opened = Gathered(self._ask_and_remember)
        self._database = OneDatabase(context.store)
        self._truncated = context.metrics.contact_counter(
            "hotline_dedup_truncated_keys_total",
            "Blocking keys that led to more complaints than are compared, by kind of cap.",
            ["cap"],
        )

    def blocked(self, features: Features) -> Blocked:
        """Asked for under every key of the ring: what was indexed before a rotation is found too."""
        keys = blocking_keys(features)
        current, *others = self._blocking
        of = {key: _digest(current, key) for key in dict.fromkeys((*keys.indexed, *keys.asked))}
        asked = [of[key] for key in keys.asked]
        asked += [_digest(other, key) for other in others for key in keys.asked]
        return Blocked([of[key] for key in keys.indexed], asked)

    async def add(
        self, complaint_id: UUID, features: Features, blocked: Blocked, guard: AppendRequest
    ) -> tuple[Indexed, bool]:
        """Index a complaint, once: durable, and visible to everybody, on return.

        Args:
            guard: what must hold for it; a complaint that was withdrawn is refused in any case.

        Returns:
            The complaint, and whether it was indexed by this call.

        Raises:
            AppendRefused: `guard` does not hold, or the complaint was withdrawn.
            StoreUnavailable
        """
        number = number_of(complaint_id)
        if number in self._remembered:
            # Its handler was refused what followed, and comes again. Memory alone does not tell: it may have
            # outlived a database that was set back.
            known = (await self._opened.of([number])).get(number)
            if known is not None and known.complaint_id == complaint_id:
                return known, False
        index_key, key_row = new_data_key(self._keys.kek, index_key_id(complaint_id))
        rows = index_rows(complaint_id, features, index_key, blocked.indexed)
        request = AppendRequest(rows=(key_row, *rows), expected=still_there([complaint_id]))
        try:
            await self._store.append(merged(guard, request))
        except RowExists:
            # An earlier attempt got so far; its key counts, for others may have used it.
            return (await self.get([complaint_id]))[complaint_id], False
        return self._remember(Indexed(complaint_id, features, index_key.key)), True

    async def candidates(self, one: Indexed, blocked: Blocked) -> list[Indexed]:
        """The other complaints that share a blocking key with this one, those with most evidence, in no
        order."""
        found = await self._found.of(blocked.asked)
        if truncated := sum(len(of_key) > KEY_CAP + 1 for of_key in found.values()):
            self._truncated.add("key", count=truncated)
        chosen = best_candidates(found, number_of(one.complaint_id), CANDIDATE_CAP)
        if len(chosen) == CANDIDATE_CAP:
            self._truncated.add("complaint")
        return await self._of_numbers(chosen)

    async def get(self, complaint_ids: Iterable[UUID]) -> Mapping[UUID, Indexed]:
        """Those of the complaints that are indexed and not erased."""
        found = await self._of_numbers([number_of(complaint_id) for complaint_id in complaint_ids])
        return {one.complaint_id: one for one in found}

    async def _of_numbers(self, numbers: Iterable[int]) -> list[Indexed]:
        remembered = self._current()
        found: list[Indexed] = []
        forgotten: list[int] = []
        for number in numbers:
            if (known := remembered.get(number)) is None:
                forgotten.append(number)
            else:
                known.is_used = True
                found.append(known)
        if forgotten:
            found += (await self._opened.of(forgotten)).values()
        return found

    def removal(self, complaint_id: UUID) -> AppendRequest:
        """What takes a complaint out of the index, with its key."""
        self._remembered.pop(number_of(complaint_id), None)
        return AppendRequest(
            rows=(*unindexed_rows(complaint_id), destroy_data_key(index_key_id(complaint_id)))
        )

    def forget(self, complaint_ids: Iterable[UUID]) -> None:
        """Let go of what is kept in memory of erased complaints."""
        for complaint_id in complaint_ids:
            self._remembered.pop(number_of(complaint_id), None)

    async def _ask_found(self, digests: list[int]) -> dict[int, list[int]]:
        """Blocking key -> the numbers of the complaints that it leads to, one above the cap and this one
        itself at most."""
        rows = await self._store.fetch(read_models.CANDIDATES, digests, KEY_CAP + 2)
        return {row[0]: row[1] for row in rows}

    async def _ask_and_remember(self, numbers: list[int]) -> dict[int, Indexed]:
        opened = self._open(await self._store.fetch(read_models.FEATURES_BY_NUMBER, numbers))
        return {number_of(one.complaint_id): self._remember(one) for one in opened}

    def _remember(self, indexed: Indexed) -> Indexed:
        self._remembered[number_of(indexed.complaint_id)] = indexed
        while len(self._remembered) > _REMEMBERED:
            id_, oldest = self._remembered.popitem(last=False)
            if oldest.is_used:
                oldest.is_used = False
                self._remembered[id_] = oldest
        return indexed

    def _current(self) -> Mapping[int, Indexed]:
        """What is remembered, if it is of the database as it is."""
        if self._database.is_another():
            self._remembered.clear()
        return self._remembered


def keyed(secret: bytes) -> blake2b:
    """BLAKE2b with a key (RFC 7693), to be copied for each blocking key: a fourth of what an HMAC costs, and
    a complaint has a hundred of them. That any two of a hundred million keys coincide has a chance of 3 in
    10,000."""
    return blake2b(key=secret, digest_size=_KEY_BYTES)


def blocking_digests(secret: blake2b, features: Features) -> list[int]:
    """The keys by which a complaint is found, hashed."""
    return [_digest(secret, key) for key in blocking_keys(features).indexed]


def _digest(secret: blake2b, key: str) -> int:
    hashed = secret.copy()
    hashed.update(key.encode())
    return int.from_bytes(hashed.digest(), signed=True)


def withdrawal_stream(complaint_id: UUID) -> str:
    """The internal stream whose first event says that a complaint was erased."""
    return stream_id("withdrawal", complaint_id)


def still_there(complaint_ids: Iterable[UUID]) -> dict[str, int]:
    """As `expected` of a request: none of these complaints was withdrawn. Judged under the store's lock, so
    nothing that names a complaint can be written after its erasure."""
    return {withdrawal_stream(complaint_id): 0 for complaint_id in complaint_ids}
