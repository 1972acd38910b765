"""The desk: what assessors and approvers see of a case, and what they decide.

Whoever may not know of a case gets the same answer as for one that is not there. A decision names the
version it was made on; if the case, or what it was decided from, has moved on since, it is refused.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import NoReturn
from uuid import UUID, uuid4

from services.referral.conflicts import Conflicts
from services.referral.docket import Changes, Docket, OpenedCase, folded
from services.referral.domain import case as cases
from services.referral.domain.case import Act, Case, CaseEvent
from services.referral.domain.facts import CaseFacts
from services.referral.domain.placement import Placement
from services.referral.domain.policy import Policy
from services.referral.read_models import CaseRow, ReadModel
from shared.contracts.case_events import Disposition
from shared.contracts.complaint import SanitisedComplaint
from shared.errors import Conflict, NotFound, Unprocessable
from shared.service import Context
from shared.store.requests import VersionConflict
from shared.web.auth import Caller

_THERE_IS_NONE = "There is no such case."


@dataclass(frozen=True, slots=True)
class ToldComplaint:
    complaint_id: UUID
    recorded_on: date
    body: SanitisedComplaint
    follow_ups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaseFile:
    """Everything about one case."""

    row: CaseRow
    case: Case
    events: Sequence[CaseEvent]
    complaints: Sequence[ToldComplaint]
    merged_cases: Sequence[UUID]


class Desk:
    def __init__(
        self,
        context: Context,
        read: ReadModel,
        docket: Docket,
        policy: Policy,
        conflicts: Conflicts,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._context, self._read, self._docket = context, read, docket
        self._policy, self._conflicts, self._now = policy, conflicts, now

    async def file(self, caller: Caller, case_id: UUID) -> CaseFile:
        """
        Raises:
            NotFound: there is none, or not for this caller.
        """
        row = await self._row(caller, case_id)
        events = await self._docket.events(case_id)
        if not events:
            raise NotFound(_THERE_IS_NONE)
        case = folded(events)
        return CaseFile(
            row, case, events, await self._told(case.complaint_ids), await self._read.merged_into(case_id)
        )

    async def decide(
        self,
        caller: Caller,
        case_id: UUID,
        version: int,
        dispositions: Callable[[CaseFacts], Sequence[Disposition]],
        reason: str,
        *,
        is_for_all: bool,
    ) -> Case:
        """
        Args:
            version: of the case that the decision was made on.
            dispositions: the decision, when the complaints of the case are known.
            is_for_all: it was one word for all of them; then a wrong field stands at its top.

        Raises:
            NotFound, Conflict, Unprocessable.
        """
        opened, residents = await self._writable(caller, case_id, version)
        facts = cases.facts_of(opened.case, await self._docket.facts(residents))
        changes = Changes(self._context.keys, self._context.today())
        for placement in residents.values():
            changes.expect_placement(placement)
        # First how far the patterns are: what comes to them later refuses this.
        for seen in await self._docket.patterns(await self._read.patterns_of(list(residents))):
            changes.decide_in(seen)
        fellows = await self._read.pattern_fellows(list(residents))
        try:
            events = cases.decide(
                opened.case,
                facts,
                dispositions(facts),
                reason,
                self._act(caller),
                self._policy,
                in_pattern=bool(fellows),
                new_id=uuid4,
            )
        except cases.WrongDisposition as wrong:
            field = wrong.field.rpartition(".")[2] if is_for_all else wrong.field
            raise Unprocessable.field(field, wrong.message) from wrong
        except cases.CaseRefused as refusal:
            _refuse(refusal)
        return await self._append(changes, opened, events)

    async def approve(
        self, caller: Caller, case_id: UUID, version: int | None, is_approved: bool, reason: str
    ) -> Case:
        """The second person's word; with `version` only on that one.

        Raises:
            NotFound, Conflict.
        """
        opened, _ = await self._writable(caller, case_id, version)
        changes = Changes(self._context.keys, self._context.today())
        try:
            events = cases.approve(opened.case, is_approved, reason, self._act(caller), uuid4)
        except cases.CaseRefused as refusal:
            _refuse(refusal)
        return await self._append(changes, opened, events)

    async def _append(self, changes: Changes, opened: OpenedCase, events: list[CaseEvent]) -> Case:
        case = changes.add(opened, events)
        try:
            await self._context.store.append(changes.request())
        except VersionConflict:
            raise _stale(None) from None
        return case

    async def _writable(
        self, caller: Caller, case_id: UUID, version: int | None
    ) -> tuple[OpenedCase, dict[UUID, Placement]]:
        row = await self._row(caller, case_id)
        if row.merged_into is not None:
            survivor = await self._survivor(row)
            raise Conflict(
                "The case was merged into another one.", members={"case_id": str(survivor.case_id)}
            )
        if version is not None and row.version != version:
            raise _stale(row.version)
        try:
            opened, residents = await self._docket.resident_cases([case_id])
        except VersionConflict:
            raise _stale(None) from None
        if opened[case_id].case.version != row.version:
            raise _stale(opened[case_id].case.version)
        return opened[case_id], residents[case_id]

    async def _row(self, caller: Caller, case_id: UUID) -> CaseRow:
        row = (await self._read.cases([case_id])).get(case_id)
        if row is None:
            raise NotFound(_THERE_IS_NONE)
        # A merged case has no complaints left to judge by: who may not know the survivor may not know it.
        if not await self._conflicts.may_know(caller, await self._survivor(row)):
            raise NotFound(_THERE_IS_NONE)
        return row

    async def _survivor(self, row: CaseRow) -> CaseRow:
        while row.merged_into is not None:
            survivor = (await self._read.cases([row.merged_into])).get(row.merged_into)
            if survivor is None:  # erased since
                raise NotFound(_THERE_IS_NONE)
            row = survivor
        return row

    async def _told(self, complaint_ids: Sequence[UUID]) -> list[ToldComplaint]:
        added: dict[UUID, list[str]] = {}
        for follow_up in await self._read.kept_follow_ups(complaint_ids):
            added.setdefault(follow_up.complaint_id, []).append(self._docket.added(follow_up))
        kept = await self._read.kept_complaints(complaint_ids)
        told = [
            ToldComplaint(
                each.complaint_id,
                each.recorded_on,
                self._docket.told(each).body,
                tuple(added.get(each.complaint_id, ())),
            )
            for each in kept
        ]
        return sorted(told, key=lambda each: (each.recorded_on, each.complaint_id))

    def _act(self, caller: Caller) -> Act:
        return Act(caller.subject, self._now(), self._context.today())


def _stale(version: int | None) -> Conflict:
    return Conflict(
        "The case has changed since; read it again.",
        members={} if version is None else {"version": version},
    )


def _refuse(refusal: cases.CaseRefused) -> NoReturn:
    """A refusal of the domain as an answer."""
    members = {"case_id": str(refusal.merged_into)} if isinstance(refusal, cases.CaseIsMerged) else {}
    raise Conflict(f"{str(refusal).capitalize()}.", members=members) from refusal
