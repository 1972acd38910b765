"""What a person decides about a match: read from its stream, decided by the domain, appended with a guard."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from services.dedup import read_models
from services.dedup.conflicts import Conflicts
from services.dedup.domain.decisions import Command, DecisionRefused, MatchState, decide, evolve
from services.dedup.domain.facts import (
    MATCH_ACCEPTED,
    MATCH_PROPOSED,
    MATCH_REJECTED,
    MATCH_RETRACTED,
    MatchDecided,
    Pair,
)
from services.dedup.index import IndexReader, still_there
from services.dedup.keys import match_key
from services.dedup.links import StoredMatch
from services.dedup.rows import match_row
from shared.errors import Conflict, NotFound
from shared.sealing.events import own_type, sealed_event
from shared.service import Context
from shared.store.events import stream_id
from shared.store.requests import AppendRequest, VersionConflict
from shared.web.auth import Caller

_DECIDED = {type_.name: type_ for type_ in (MATCH_ACCEPTED, MATCH_REJECTED, MATCH_RETRACTED)}


class Reviewing:
    def __init__(
        self,
        context: Context,
        index: IndexReader,
        conflicts: Conflicts,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._context, self._index, self._conflicts, self._now = context, index, conflicts, now

    async def decide(self, match_id: UUID, command: Command, caller: Caller, reason: str) -> StoredMatch:
        """Decide; the match as it is then.

        Raises:
            NotFound: there is no such match, one of its complaints is erased, or it is not for this caller.
            Conflict: there is nothing to decide (any more).
            StoreUnavailable
        """
        stream = stream_id("match", match_id)
        events = await self._context.store.read_stream(stream)
        row = await self._context.store.fetchrow(read_models.MATCH, match_id)
        if not events or row is None:
            raise NotFound("There is no such match.")
        match = StoredMatch.of(row)
        proposed = MATCH_PROPOSED.read_clear(events[0].data["clear"])
        keys = await self._index.index_keys([proposed.complaint_id, proposed.other_complaint_id])
        if len(keys) < 2 or await self._conflicts.hidden(caller, list(keys)):
            raise NotFound("There is no such match.")
        state = MatchState(proposed.zone)
        for event in events[1:]:
            state = evolve(state, own_type(event.type, event.schema_version, _DECIDED))
        try:
            type_ = decide(command, state)
        except DecisionRefused as refused:
            raise Conflict(str(refused)) from None
        state = evolve(state, type_)
        decision = sealed_event(
            stream,
            type_,
            Pair(
                match_id=match_id,
                kind=proposed.kind,
                complaint_id=proposed.complaint_id,
                subject=proposed.subject,
                other_complaint_id=proposed.other_complaint_id,
                other_subject=proposed.other_subject,
            ),
            MatchDecided(by=caller.subject, at=self._now(), reason=reason),
            match_key(match_id, keys[proposed.complaint_id], keys[proposed.other_complaint_id]),
            self._context.today(),
        )
        decided = replace(match, zone=state.zone, decided=state.decided)
        request = AppendRequest(
            events=(decision,),
            expected={
                stream: events[-1].version,
                **still_there([proposed.complaint_id, proposed.other_complaint_id]),
            },
            rows=(match_row(proposed, state.zone, is_decided=state.decided),),
        )
        try:
            await self._context.store.append(request)
        except VersionConflict:
            raise Conflict("Somebody else has just decided this match.") from None
        return decided
