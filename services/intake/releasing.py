"""The release desk: what reviewers see of complaints that wait, and what they and call handlers do with them.

A release appends `complaint.recorded` and ends the waiting in one request, which names the version of the
stream that it was made on: it happens once, whoever tries it and however often. The published event has the
day on which the complaint was recorded, for the law's clocks start there. Whoever may not know of a complaint
gets the same answer as for one that is not there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic_core import PydanticCustomError

from services.intake.domain import releases
from services.intake.domain.complaints import sanitise_body
from services.intake.domain.releases import Command, Release, ReleaseRefused
from services.intake.holding import HeldTexts, PastAct, WaitingComplaint, release_stream, text_gone, text_held
from services.intake.internal_events import RELEASED, HeldComplaint, ReleaseAct, ReleaseKey, ReleaseState
from services.intake.read_models import RELEASES
from shared.conflict import is_in_conflict
from shared.contracts.admission import Admission
from shared.contracts.complaint import read_complaint
from shared.contracts.complaint_events import ComplaintKey, ComplaintRecorded
from shared.contracts.events import COMPLAINT_RECORDED
from shared.contracts.spans import TextSpan, require_spans_within
from shared.errors import Conflict, NotFound, Unprocessable
from shared.sealing.events import log_type, opened_event, sealed_event
from shared.sealing.keys import DataKey
from shared.service import Context
from shared.store.events import NewEvent, stream_id
from shared.store.requests import AppendRequest, Remove, VersionConflict
from shared.vocabulary import Vocabulary
from shared.web.auth import Caller

Change = Callable[[HeldComplaint], HeldComplaint]


@dataclass(frozen=True, slots=True)
class Acted:
    """A complaint after an act: the version of its stream, and its text; none at a repeated release."""

    complaint_id: UUID
    version: int
    state: ReleaseState
    held: HeldComplaint | None = None


class ReleaseDesk:
    def __init__(
        self,
        context: Context,
        vocabulary: Vocabulary,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._context, self._vocabulary, self._now = context, vocabulary, now
        self._texts = HeldTexts(context)

    async def queue(
        self, caller: Caller, state: ReleaseState, after: Sequence[Any] | None, limit: int
    ) -> list[WaitingComplaint]:
        """Complaints in this state that others recorded, up to `limit` and one more.

        Raises:
            StoreUnavailable: the database is away.
        """
        return await self._texts.listed(
            state,
            after,
            limit,
            lambda waiting: waiting.held.recorded_by != caller.subject and not _hides(waiting, caller),
        )

    async def returned(
        self, caller: Caller, after: Sequence[Any] | None, limit: int
    ) -> list[tuple[WaitingComplaint, list[PastAct]]]:
        """The caller's own complaints that came back, each with what was done with it; as `queue`."""
        found = await self._texts.listed(
            ReleaseState.RETURNED,
            after,
            limit,
            lambda waiting: waiting.held.recorded_by == caller.subject and not _hides(waiting, caller),
        )
        return [(waiting, await self._texts.history(waiting.complaint_id)) for waiting in found]

    async def file(self, caller: Caller, complaint_id: UUID) -> tuple[WaitingComplaint, list[PastAct]]:
        """One that waits, and what was done with it.

        Raises:
            NotFound: there is none, or not for this caller.
            Conflict: the caller recorded it.
        """
        waiting = await self._waiting(caller, complaint_id)
        if waiting.held.recorded_by == caller.subject:
            raise _refused(releases.OwnComplaint(releases.NEEDS_ANOTHER))
        return waiting, await self._texts.history(complaint_id)

    async def mask(
        self,
        caller: Caller,
        complaint_id: UUID,
        version: int | None,
        masks: Sequence[TextSpan],
        reason: str | None,
    ) -> Acted:
        """Take more out of the text.

        Raises:
            NotFound, Conflict
            Unprocessable: a mask is not within its text.
        """

        def change(held: HeldComplaint) -> HeldComplaint:
            try:
                require_spans_within(masks, held.body.texts())
            except PydanticCustomError as wrong:
                at = (wrong.context or {})["at"]
                raise Unprocessable.field(f"masks.{at}", wrong.message()) from None
            return releases.masked(held, masks)

        return await self._act(caller, complaint_id, version, "mask", reason, change)

    async def send_back(self, caller: Caller, complaint_id: UUID, version: int | None, note: str) -> Acted:
        """Return it to its call handler.

        Raises:
            NotFound, Conflict
        """
        return await self._act(caller, complaint_id, version, "return", note, lambda held: held)

    async def correct(self, caller: Caller, complaint_id: UUID, version: int, raw: bytes) -> Acted:
        """What its call handler sends in the place of a returned complaint; it waits again.

        Raises:
            NotFound, Conflict
            Unprocessable: names the fields that are wrong.
        """
        body = read_complaint(raw, Admission(self._context.today(), self._vocabulary))
        if body.continues is not None:
            raise Unprocessable.field("continues", "belongs to the first recording; leave it out")
        sanitised = sanitise_body(body)
        return await self._act(
            caller,
            complaint_id,
            version,
            "correct",
            None,
            lambda held: releases.corrected(held, body, sanitised),
        )

    async def release(
        self, caller: Caller, complaint_id: UUID, version: int | None, reason: str | None
    ) -> Acted:
        """Publish it. Who sends this again, for the answer was lost, gets the same answer.

        Raises:
            NotFound, Conflict
        """
        try:
            return await self._act(caller, complaint_id, version, "release", reason)
        except (NotFound, Conflict):
            if (repeated := await self._released_before(caller, complaint_id, version)) is None:
                raise
            return repeated

    async def _act(
        self,
        caller: Caller,
        complaint_id: UUID,
        version: int | None,
        command: Command,
        reason: str | None,
        change: Change | None = None,
    ) -> Acted:
        """
        Args:
            change: makes the text that waits from now on; None for a release.
        """
        waiting = await self._waiting(caller, complaint_id)
        if command == "correct" and waiting.held.recorded_by != caller.subject:
            raise _not_there()
        try:
            type_ = releases.decide(command, Release(waiting.state, waiting.held.recorded_by), caller.subject)
        except ReleaseRefused as refusal:
            raise _refused(refusal) from refusal
        if version is not None and version != waiting.version:
            raise _stale(waiting.version)
        key = await self._context.data_key(complaint_id)
        if key is None:  # erased since
            raise _not_there()
        act = sealed_event(
            release_stream(complaint_id),
            type_,
            ReleaseKey(complaint_id=complaint_id),
            ReleaseAct(by=caller.subject, at=self._now(), reason=reason),
            key,
            self._context.today(),
        )
        state = releases.evolve(waiting.state, type_)
        held = waiting.held if change is None else change(waiting.held)
        request = _released(waiting, act, key) if change is None else self._changed(waiting, act, held, state)
        try:
            await self._context.store.append(request)
        except VersionConflict:
            raise _stale(None) from None
        in_stream = sum(event.stream_id == act.stream_id for event in request.events)
        return Acted(complaint_id, waiting.version + in_stream, state, held)

    def _changed(
        self, waiting: WaitingComplaint, act: NewEvent, held: HeldComplaint, state: ReleaseState
    ) -> AppendRequest:
        text, rows = text_held(self._context.keys.kek, waiting.complaint_id, held, state, act.recorded_on)
        return AppendRequest(
            events=(act, text),
            expected={act.stream_id: waiting.version},
            rows=(text_gone(waiting), *rows),
        )

    async def _waiting(self, caller: Caller, complaint_id: UUID) -> WaitingComplaint:
        waiting = await self._texts.find(complaint_id)
        if waiting is None or _hides(waiting, caller):
            raise _not_there()
        return waiting

    async def _released_before(self, caller: Caller, complaint_id: UUID, version: int | None) -> Acted | None:
        """The release that this caller made on that version, if they did."""
        events = await self._context.store.read_stream(release_stream(complaint_id), version or 0)
        if not events or events[-1].type != log_type(RELEASED):
            return None
        if version is not None and events[-1].version != version + 1:
            return None
        key = await self._context.data_key(complaint_id)
        if key is None:
            return None
        act = RELEASED.read_sealed(opened_event(events[-1], key.recipient))
        return (
            Acted(complaint_id, events[-1].version, ReleaseState.RELEASED)
            if act.by == caller.subject
            else None
        )


def _released(waiting: WaitingComplaint, act: NewEvent, key: DataKey) -> AppendRequest:
    complaint_id, held = waiting.complaint_id, waiting.held
    recorded = sealed_event(
        stream_id("complaint", complaint_id),
        COMPLAINT_RECORDED,
        ComplaintKey(complaint_id=complaint_id, key_id=str(complaint_id)),
        ComplaintRecorded(body=held.body, source_group=held.source_group, redactions=held.redactions),
        key,
        held.recorded_on,
    )
    return AppendRequest(
        events=(act, recorded),
        expected={act.stream_id: waiting.version, recorded.stream_id: 0},
        rows=(text_gone(waiting), Remove(RELEASES, "complaint_id", complaint_id)),
    )


def _hides(waiting: WaitingComplaint, caller: Caller) -> bool:
    return caller.holder is not None and is_in_conflict(caller.holder, [waiting.held.body])


def _not_there() -> NotFound:
    return NotFound("There is no such complaint that waits for its release.")


def _refused(refusal: ReleaseRefused) -> Conflict:
    return Conflict(f"{str(refusal).capitalize()}.")


def _stale(version: int | None) -> Conflict:
    return Conflict(
        "The complaint has changed since; read it again.",
        members={} if version is None else {"version": version},
    )
