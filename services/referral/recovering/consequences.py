"""What follows for referral from the events of a lost tail that it has adopted.

The cases are again what was told of them last. Which complaint is in which case, and which incident has
which, was internal: it is told again, by the cases and by what intake and dedup have sent. As consumed counts
what is certain to have been: each event that an adopted one follows from, each complaint that a case lists,
each membership without which the cases could not be (`services.referral.domain.adoption`), and what stands
before them in their slots. All of it is written with the tail, without a second effect. The rest is consumed
again as usual: it had told nobody anything, so that this is an order in which it might have come at first.

Where a relay dies, some slots are published further than others, and so may be what followed from one event.
What the cases did not come to is done now (`services.referral.recovering.finishing`).

What cannot be told is refused, and nothing is changed.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Final

import asyncpg

from services.referral.projection import Projection
from services.referral.recovering.consuming import consumed
from services.referral.recovering.copied import Copy, undecided
from services.referral.recovering.finishing import Finishing, in_patterns
from services.referral.recovering.judging import Place, judged
from services.referral.recovering.keeping import Keeping, standing
from services.referral.recovering.placing import Placing, without_key
from services.referral.wiring import PUBLIC
from shared.contracts.events import CASE_REOPENED
from shared.sealing.events import log_type
from shared.sealing.keys import ServiceKeys
from shared.store import sql
from shared.store.events import RecordedEvent, identity_of
from shared.store.rebuilding import project, project_all
from shared.store.requests import AppendRequest
from shared.streaming.authentication import FollowedEvents
from shared.streaming.cloudevents import Envelope, UnreadableEnvelope
from shared.streaming.recovery import Append, Owner, RecoveryFailed, is_emptied

PAGE: Final = 500

_SOURCES: Final = ("intake", "dedup")
_REOPENED = log_type(CASE_REOPENED)


class Consequences:
    """As `shared.streaming.recovery` asks for them."""

    sources = _SOURCES
    public = PUBLIC

    def __init__(self, keys: ServiceKeys) -> None:
        self._keys = keys
        self._cursors: dict[Place, int] = {}
        self._sent: dict[Place, list[Envelope]] = {}

    async def ask(self, connection: "asyncpg.Connection", owners: Mapping[str, Owner]) -> None:
        """All that was sent above the copy's cursors."""
        self._cursors = await _cursors(connection)
        for source in _SOURCES:
            events = FollowedEvents(source, self._keys.sources[source])
            for slot, head in (await owners[source].heads()).items():
                after = self._cursors.get((source, slot), 0)
                sent = _sent(owners[source], events, slot, after, head)
                self._sent[source, slot] = [one async for one in sent]

    async def follow(
        self,
        connection: "asyncpg.Connection",
        tail: Sequence[RecordedEvent],
        today: date,
        append: Append,
    ) -> None:
        if await _cursors(connection) != self._cursors:
            raise RecoveryFailed("events were consumed meanwhile: stop the service, and try again.")
        gone = {identity_of(event.stream_id) for event in tail if is_emptied(event)}
        newest = {identity_of(event.stream_id): event for event in tail}
        if any(event.type == _REOPENED for case_id, event in newest.items() if case_id not in gone):
            raise undecided("the tail breaks off where a case was opened again, and why is nowhere")
        await append([AppendRequest(rows=tuple(without_key(gone)))])
        projection = Projection(self._keys)
        await project_all(connection, projection, tail)
        copy = await Copy.read(connection, tail)
        sent = await judged(connection, self._keys, copy, self._sent)
        certain = consumed(copy, tail, self._cursors, sent)
        patterns = await in_patterns(connection, certain.entries)
        stood = standing(certain.entries, tail)
        for entries in await Keeping(connection, self._keys, append).keep(certain.entries, stood):
            await project(connection, projection, entries)
        placing = Placing(connection, self._keys, copy, certain, today, append)
        await placing.place()
        effects = {event.causation_id: event.position for event in tail}
        done = {each: max(at, effects.get(str(each), 0)) for each, at in stood.items()}
        residents = placing.residents
        finishing = Finishing(connection, self._keys, certain, newest, residents, done, today, append)
        await finishing.finish(placing.stale, patterns)


async def _cursors(connection: "asyncpg.Connection") -> dict[Place, int]:
    return {
        (source, slot): at
        for source in _SOURCES
        for slot, at in await connection.fetch(sql.READ_CURSORS, source)
    }


async def _sent(
    owner: Owner, events: FollowedEvents, slot: int, after: int, head: int
) -> AsyncIterator[Envelope]:
    """Up to the first number that the owner does not have.

    Raises:
        SurroundingsFault: an event is not authentic, which tells nothing of what the owner has.
    """
    with suppress(UnreadableEnvelope):
        while after < head:
            page = [events.read_served(item) for item in await owner.events(slot, after, PAGE)]
            for envelope in page:
                if envelope.slot_sequence != after + 1:
                    return
                after += 1
                yield envelope
            if not page:
                return
