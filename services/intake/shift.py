"""What a call handler may see of complaints: those that they recorded in this shift.

A shift is a day, for contacts are dated by nothing finer. Who recorded a complaint is kept as a keyed hash of
account, complaint and day, and no longer than the claims of requests are: no two complaints of one handler
share it, so a stolen database does not even tell that one person took two calls. Who may be a subject of what
they recorded does not see it again, and gets the answer of a complaint that there is not.
"""

from datetime import date
from uuid import UUID

from services.intake.domain.claims import RECORDER
from shared.conflict import is_in_conflict
from shared.contracts.complaint_events import ComplaintRecorded
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


class Shift:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def complaint(self, caller: Caller, complaint_id: UUID) -> tuple[date, ComplaintRecorded]:
        """The day of a complaint, and what was kept of it.

        Raises:
            NotFound: there is none, it was erased, or it is not for this caller: the three look alike.
            StoreUnavailable: the database is away.
        """
        today = self._context.today()
        for key in self._context.keys.digests(RECORDER, *_parts(caller.subject, complaint_id, today)):
            if await self._context.store.claimed(RECORDER, key) is not None:
                break
        else:
            raise _not_there()
        events = await self._context.store.read_stream(stream_id("complaint", complaint_id))
        data_key = await self._context.data_key(complaint_id) if events else None
        if data_key is None:
            raise _not_there()
        recorded = COMPLAINT_RECORDED.read_sealed(opened_event(events[0], data_key.recipient))
        if caller.holder is not None and is_in_conflict(caller.holder, [recorded.body]):
            raise _not_there()
        return events[0].recorded_on, recorded


def _not_there() -> NotFound:
    return NotFound("There is no such complaint.")
