"""What dedup does with the events of others: a complaint is indexed, then compared with its candidates.

Two transactions a complaint. The first indexes it and leaves the cursor where it is; the second appends the
pair facts and moves the cursor. An erasure takes away all that was indexed, in one.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from uuid import UUID

from services.dedup import read_models
from services.dedup.domain.facts import (
    COMPLAINT_WITHDRAWN,
    MATCH_PROPOSED,
    ComplaintWithdrawn,
    MatchEvidence,
    MatchProposed,
    WaterfallStep,
    match_id,
)
from services.dedup.domain.normalising import features_of
from services.dedup.domain.scoring import Found, Scorer
from services.dedup.index import ComplaintIndex, Indexed, still_there, withdrawal_stream
from services.dedup.keys import match_key
from services.dedup.offload import Turns
from services.dedup.remembered import OneDatabase
from services.dedup.rows import proposed_row
from shared.contracts.events import COMPLAINT_ERASED, COMPLAINT_RECORDED, EVENTS
from shared.sealing.events import log_type, sealed_event
from shared.sealing.keys import destroy_data_key
from shared.service import Context
from shared.store.events import NewEvent, identity_of, stream_id
from shared.store.gathering import Gathered
from shared.store.postgres import PostgresStore
from shared.store.requests import AppendRequest, Claim, merged
from shared.streaming.handling import Handler, Handlers, Incoming, RecordFault, nothing_follows
from shared.streaming.inbox import TOMBSTONE


def handlers(context: Context, index: ComplaintIndex, scorer: Scorer) -> Mapping[str, Handlers]:
    """source -> (type, schema version) -> handler."""
    matching = Matching(context, index, scorer)
    # What is not handled yet is kept in the inbox, so that a rebuild finds it.
    kept: dict[str, dict[tuple[str, int], Handler]] = {"intake": {}, "referral": {}}
    for type_ in EVENTS.values():
        if type_.owner in kept:
            kept[type_.owner][log_type(type_), type_.schema_version] = nothing_follows
    kept["intake"][log_type(COMPLAINT_RECORDED), COMPLAINT_RECORDED.schema_version] = matching.recorded
    kept["intake"][log_type(COMPLAINT_ERASED), COMPLAINT_ERASED.schema_version] = matching.erased
    return kept


class Matching:
    """The handlers of `complaint.recorded` and `complaint.erased`."""

    def __init__(self, context: Context, index: ComplaintIndex, scorer: Scorer) -> None:
        self._context, self._index, self._scorer = context, index, scorer
        self._store = context.store
        self._known = Gathered(self._ask_known)
        self._finders = _Finders(context.store)
        self._turns = Turns()

    async def recorded(self, incoming: Incoming) -> AppendRequest:
        """Index the complaint, then answer with the pair facts that it brings."""
        if incoming.plain is None:
            raise RecordFault("has no sealed part")
        complaint_id = _complaint_of(incoming)
        recorded = COMPLAINT_RECORDED.read_sealed(incoming.plain)
        features = features_of(recorded.body, recorded.source_group)
        blocked = self._index.blocked(features)
        own, is_new = await self._index.add(complaint_id, features, blocked, incoming.guard)
        others = await self._index.candidates(own, blocked)
        pairs = await self._turns.take(len(others), self._pairs, own, others)
        return merged(
            AppendRequest(expected=still_there([complaint_id])),
            await self._new_facts(complaint_id, pairs, is_new=is_new, causation_id=str(incoming.envelope.id)),
        )

    async def erased(self, incoming: Incoming) -> AppendRequest:
        """Everything of the complaint goes, and can never come back."""
        complaint_id = _complaint_of(incoming)
        removal = merged(
            self._index.removal(complaint_id), AppendRequest(rows=(destroy_data_key(complaint_id),))
        )
        if await self._store.claimed(TOMBSTONE, complaint_id.bytes) is not None:
            return removal
        withdrawn = sealed_event(
            withdrawal_stream(complaint_id),
            COMPLAINT_WITHDRAWN,
            ComplaintWithdrawn(complaint_id=complaint_id),
            None,
            None,
            self._context.today(),
            causation_id=str(incoming.envelope.id),
        )
        tombstone = Claim(TOMBSTONE, complaint_id.bytes)
        return merged(removal, AppendRequest(events=(withdrawn,), claims=(tombstone,)))

    def _pairs(self, own: Indexed, others: Iterable[Indexed]) -> list["_Pair"]:
        return [
            _Pair(
                match_id(found.kind, low.complaint_id, found.subject, high.complaint_id, found.other_subject),
                low,
                high,
                found,
            )
            for other in others
            for low, high in (_in_order(own, other),)
            for found in self._scorer.pairs(low.features, high.features)
        ]

    async def _ask_known(self, match_ids: list[UUID]) -> dict[UUID, bool]:
        rows = await self._store.fetch(read_models.KNOWN_MATCHES, match_ids)
        return {row["match_id"]: True for row in rows}

    async def _new_facts(
        self, complaint_id: UUID, pairs: Sequence["_Pair"], *, is_new: bool, causation_id: str
    ) -> AppendRequest:
        """Those that nobody has found before, and that are this complaint's to append. That their streams are
        new makes them unique: of two processes that find one pair at once, the second is refused and comes
        again.

        A complaint that was not there a moment ago has no matches, but for those that other processes find at
        this very moment; so it does not ask for them before it was refused once (`is_new`).
        """
        if not pairs:
            return AppendRequest()
        known = {} if is_new else await self._known.of([pair.match_id for pair in pairs])
        self._index.weights.forget(known)
        fresh = [
            pair
            for pair in pairs
            if pair.match_id not in known and self._finders.is_first(pair.match_id, complaint_id)
        ]
        self._index.weights.remember({pair.match_id.bytes: pair.weight for pair in fresh})
        return AppendRequest(
            events=await self._turns.take(len(fresh), self._proposals, fresh, causation_id),
            expected={
                **{_stream(pair): 0 for pair in fresh},
                **still_there(chain.from_iterable((p.low.complaint_id, p.high.complaint_id) for p in fresh)),
            },
            rows=tuple([proposed_row(pair.proposed(self._scorer.model.version)) for pair in fresh]),
        )

    def _proposals(self, pairs: Iterable["_Pair"], causation_id: str) -> tuple[NewEvent, ...]:
        day, model = self._context.today(), self._scorer.model.version
        return tuple(
            [
                sealed_event(
                    _stream(pair), MATCH_PROPOSED, pair.proposed(model), pair.evidence(),
                    match_key(pair.match_id, pair.low.index_key, pair.high.index_key), day,
                    causation_id=causation_id,
                )
                for pair in pairs
            ]
        )  # fmt: skip


class _Finders:
    """Which of two complaints appends their pair, where the handlers of both have found it at once.

    When everybody calls about one officer, hundreds of handlers find each other's complaints: if each of them
    appended every pair, one alone would get through each commit, and the others would begin again. The other
    one may leave the pair to the first, for that one is not applied without it: whatever becomes of its
    handler, it comes again, and finds the pair again.

    Not so in a database that was set back, in which the first one may have come alone.
    """

    def __init__(self, store: PostgresStore) -> None:
        self._first: dict[UUID, UUID] = {}
        self._database = OneDatabase(store)

    def is_first(self, match_id: UUID, complaint_id: UUID) -> bool:
        """Whether the pair is this complaint's to append; forgotten after many others, which is harmless."""
        if self._database.is_another():
            self._first.clear()
        first = self._first.setdefault(match_id, complaint_id)
        if len(self._first) > _MOST_FINDERS:
            del self._first[next(iter(self._first))]
        return first == complaint_id


_MOST_FINDERS = 100_000


class _Pair:
    """A match that was found, on its way into the log."""

    __slots__ = ("found", "high", "low", "match_id")

    def __init__(self, id_: UUID, low: Indexed, high: Indexed, found: Found) -> None:
        self.match_id, self.low, self.high, self.found = id_, low, high, found

    def proposed(self, model: str) -> MatchProposed:
        found = self.found
        return MatchProposed(
            match_id=self.match_id,
            kind=found.kind,
            complaint_id=self.low.complaint_id,
            subject=found.subject,
            other_complaint_id=self.high.complaint_id,
            other_subject=found.other_subject,
            zone=found.zone,
            model=model,
        )

    @property
    def weight(self) -> float:
        return self.found.scored.weight

    def evidence(self) -> MatchEvidence:
        scored = self.found.scored
        return MatchEvidence(
            weight=scored.weight,
            probability=scored.probability,
            rests_on_one=scored.rests_on_one,
            waterfall=tuple(
                WaterfallStep(field=field, level=level, weight=weight)
                for field, level, weight in scored.waterfall
            ),
        )


def _stream(pair: _Pair) -> str:
    return stream_id("match", pair.match_id)


def _in_order(one: Indexed, other: Indexed) -> tuple[Indexed, Indexed]:
    """The lower one first: a pair is scored in one order, whoever finds it."""
    return (one, other) if one.complaint_id < other.complaint_id else (other, one)


def _complaint_of(incoming: Incoming) -> UUID:
    try:
        return identity_of(incoming.envelope.subject)
    except ValueError as fault:
        raise RecordFault("subject is no complaint's stream") from fault
