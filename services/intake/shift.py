"""What a call handler may see of complaints: those that they recorded in this shift.

A shift is a day, for contacts are dated by nothing finer. Who recorded a complaint is kept as a keyed hash of
account, complaint and day, and no longer than the claims of requests are: no two complaints of one handler
share it, so a stolen database does not even tell that one person took two calls. (While a complaint waits for
its release, who recorded it lies in its sealed text too.) Who may be a subject of what
they recorded does not see it again, and gets the answer of a complaint that there is not.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.intake.domain.claims import RECORDER
from services.intake.holding import HeldTexts, note_of
from services.intake.internal_events import ReleaseState
from shared.conflict import is_in_conflict
from shared.contracts.complaint import SanitisedComplaint
from shared.contracts.complaint_events import RedactionCount
from shared.contracts.events import COMPLAINT_RECORDED
from shared.errors import NotFound
from shared.sealing.events import opened_event
from shared.sealing.keys import ServiceKeys
from shared.service import Context
from shared.store.events import stream_id
from shared.store.requests import Claim
from shared.web.auth import Caller


def recorder_claim(keys: ServiceKeys, caller: str, complaint_id: UUID, day: date) -> Claim:
    """Says that `caller` recorded the complaint on that day."""
    return Claim(RECORDER, keys.digest(RECORDER, *_parts(caller, complaint_id, day)), day.isoformat())


def _parts(caller: str, complaint_id: UUID, day: date) -> tuple[bytes, ...]:
    return caller.encode(), complaint_id.bytes, day.isoformat().encode()


@dataclass(frozen=True, slots=True)
class SeenComplaint:
    """A complaint as its recorder sees it. `held_version`: of one that waits for its release; `note`: what is
    asked of one that came back."""

    recorded_on: date
    body: SanitisedComplaint
    redactions: tuple[RedactionCount, ...]
    held_version: int | None = None
    note: str | None = None


class Shift:
    def __init__(self, context: Context) -> None:
        self._context, self._texts = context, HeldTexts(context)

    async def complaint(self, caller: Caller, complaint_id: UUID) -> SeenComplaint:
        """A complaint that the caller recorded in this shift, or that came back to them.

        Raises:
            NotFound: there is none, it was erased, or it is not for this caller: the three look alike.
            StoreUnavailable: the database is away.
        """
        is_of_shift = await self._is_of_shift(caller, complaint_id)
        # First what waits: it is recorded in the same moment in which it waits no more.
        seen = await self._waiting(caller, complaint_id, is_of_shift=is_of_shift)
        if seen is None and is_of_shift:
            seen = await self._recorded(complaint_id)
        if seen is None or (caller.holder is not None and is_in_conflict(caller.holder, [seen.body])):
            raise _not_there()
        return seen

    async def _is_of_shift(self, caller: Caller, complaint_id: UUID) -> bool:
        today = self._context.today()
        for key in self._context.keys.digests(RECORDER, *_parts(caller.subject, complaint_id, today)):
            if await self._context.store.claimed(RECORDER, key) is not None:
                return True
        return False

    async def _waiting(
        self, caller: Caller, complaint_id: UUID, *, is_of_shift: bool
    ) -> SeenComplaint | None:
        waiting = await self._texts.find(complaint_id)
        if waiting is None or waiting.held.recorded_by != caller.subject:
            return None
        is_returned = waiting.state is ReleaseState.RETURNED
        if not (is_of_shift or is_returned):
            return None
        held, note = waiting.held, None
        if is_returned:
            note = note_of(await self._texts.history(complaint_id))
        return SeenComplaint(held.recorded_on, held.body, held.redactions, waiting.version, note)

    async def _recorded(self, complaint_id: UUID) -> SeenComplaint | None:
        events = await self._context.store.read_stream(stream_id("complaint", complaint_id))
        data_key = await self._context.data_key(complaint_id) if events else None
        if data_key is None:
            return None
        recorded = COMPLAINT_RECORDED.read_sealed(opened_event(events[0], data_key.recipient))
        return SeenComplaint(events[0].recorded_on, recorded.body, recorded.redactions)


def _not_there() -> NotFound:
    return NotFound("There is no such complaint.")
