"""Verdicts on conflicts of interest: computed from what was told, kept, and joined in lists.

A verdict holds for the members that a case had when it was given; where there is none, the case is not
shown. So a complaint that comes to a case hides it from everybody with a police past until it is judged.
"""

import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import orjson

from services.referral.docket import Docket
from services.referral.read_models import CaseRow, ReadModel
from services.referral.rows import JUDGED, VERDICTS
from shared.conflict import RULE, Holder, is_in_conflict
from shared.contracts.complaint import SanitisedComplaint
from shared.errors import Unavailable
from shared.service import Context
from shared.store.requests import AppendRequest, Put
from shared.web.auth import Caller

_AT_ONCE: Final = 200
_POSITIONS: Final = 20_000
JUDGING_SECONDS: Final = 5.0


def _require_time(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise Unavailable("The cases are being looked through for this account; ask again.", retry_after=1)


class Conflicts:
    """What the holder of an account may know of."""

    def __init__(self, context: Context, read: ReadModel, docket: Docket) -> None:
        self._context, self._read, self._docket = context, read, docket

    def holder_key(self, caller: Caller) -> bytes | None:
        """A keyed hash of who the holder is, and of the rule; None for an account without a police past."""
        if caller.holder is None:
            return None
        told = orjson.dumps([RULE, caller.holder.model_dump()], option=orjson.OPT_SORT_KEYS)
        return self._context.keys.digest("holder", told)

    async def may_know(self, caller: Caller, row: CaseRow) -> bool:
        """Whether the caller may learn that this case exists."""
        if caller.holder is None:
            return True
        return not (await self._judged(caller, [row]))[row.case_id]

    async def judge(self, caller: Caller, rows: Sequence[CaseRow]) -> None:
        """Give a verdict on these cases, and keep it."""
        holder = self.holder_key(caller)
        if holder is None or not rows:
            return
        verdicts = await self._judged(caller, rows)
        changes = tuple(
            Put(
                VERDICTS,
                {
                    "holder": holder,
                    "case_id": row.case_id,
                    "members_version": row.members_version,
                    "is_in_conflict": verdicts[row.case_id],
                },
            )
            for row in rows
        )
        await self._context.store.append(AppendRequest(rows=changes))

    async def known(self, caller: Caller, rows: Sequence[CaseRow]) -> list[CaseRow]:
        """Those that the caller may know of; a merged one by the case that it lives on in.

        For lists of merged cases: a verdict kept on one of them would not see what comes to the other one.
        """
        if caller.holder is None:
            return list(rows)
        survivors: dict[UUID, CaseRow | None] = {row.case_id: row for row in rows}
        while merged := {
            case_id: row.merged_into for case_id, row in survivors.items() if row and row.merged_into
        }:
            found = await self._read.cases(list(merged.values()))
            survivors |= {case_id: found.get(into) for case_id, into in merged.items()}
        conflicting = await self._judged(caller, [row for row in survivors.values() if row is not None])
        return [
            row
            for row in rows
            if (survivor := survivors[row.case_id]) is not None and not conflicting[survivor.case_id]
        ]

    async def judge_all(self, caller: Caller) -> None:
        """Give a verdict on every case that has none for this caller: at first on all, then on those of which
        something was said since.

        Raises:
            Unavailable: there are too many for one request. What was done counts: ask again.
        """
        holder = self.holder_key(caller)
        if holder is None:
            return
        deadline = time.monotonic() + JUDGING_SECONDS
        head = await self._read.head()
        position = await self._read.judged_upto(holder)
        if position is None:
            after = UUID(int=0)
            while rows := await self._read.unjudged(holder, after, _AT_ONCE):
                await self.judge(caller, rows)
                after = rows[-1].case_id
                _require_time(deadline)
            await self._note(holder, head)
            return
        while position < head:
            upto = min(position + _POSITIONS, head)
            await self.judge(caller, await self._read.unjudged_since(holder, position, upto))
            await self._note(holder, upto)
            position = upto
            _require_time(deadline)

    async def _note(self, holder: bytes, position: int) -> None:
        row = {"holder": holder, "position": position}
        await self._context.store.append(AppendRequest(rows=(Put(JUDGED, row),)))

    async def _judged(self, caller: Caller, rows: Sequence[CaseRow]) -> dict[UUID, bool]:
        """case -> whether the caller is in conflict. Its members are read after its row, so they are never
        older than what the verdict is kept for."""
        residents = await self._read.residents([row.case_id for row in rows])
        case_of = {placement.complaint_id: placement.case_id for placement in residents}
        by_case: defaultdict[UUID | None, list[SanitisedComplaint]] = defaultdict(list)
        for facts in await self._docket.facts(case_of.keys()):
            by_case[case_of[facts.complaint_id]].append(facts.body)
        holder = caller.holder or Holder()
        return {row.case_id: is_in_conflict(holder, by_case[row.case_id]) for row in rows}
