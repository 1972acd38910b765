"""The HTTP routes of referral."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Depends, Query, Response

from services.referral.conflicts import Conflicts
from services.referral.desk import Desk
from services.referral.domain.policy import Policy
from services.referral.figures import Question
from services.referral.internal_events import STATISTICS_READ, StatisticsKey, StatisticsRead
from services.referral.presenting import (
    ApprovalMade,
    CaseChanged,
    CaseListed,
    CaseShown,
    DecisionMade,
    PolicyInForce,
)
from services.referral.read_models import CaseRow, Order, ReadModel
from services.referral.statistics import Statistics, read_statistics
from shared.contracts.case_events import CaseStatus
from shared.errors import Conflict, NotFound, Unprocessable
from shared.sealing.events import sealed_event
from shared.sealing.keys import new_data_key
from shared.service import Context
from shared.store.events import stream_id
from shared.store.requests import AppendRequest
from shared.vocabulary import Vocabulary
from shared.web import openapi
from shared.web.auth import AnyRole, Approver, Assessor, Auditor, Caller, role
from shared.web.pages import Cursor, Limit, Page
from shared.web.parameters import ForceFilter, IfMatch, IfMatchOrNot, version_of
from shared.web.routing import Router

AtDesk = Annotated[Caller, Depends(role("assessor", "approver"))]
StatusFilter = Annotated[CaseStatus | None, Query(description="Only cases that stand there.")]
OrderOfCases = Annotated[Order, Query(description="Which cases come first.")]
_ETAG = {
    "headers": {
        "ETag": {
            "schema": {"type": "string", "examples": ['"3"']},
            "description": "The version of the case, for `If-Match`.",
        }
    }
}


def cases(context: Context, read: ReadModel, desk: Desk, conflicts: Conflicts) -> Router:
    """Cases for assessors and approvers."""
    router = Router(prefix="/v1/cases", tags=["cases"])

    @router.get("")
    async def list_cases(
        caller: AtDesk,
        status: StatusFilter = None,
        force: ForceFilter = None,
        order: OrderOfCases = "priority",
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[CaseListed]:
        """List cases, the gravest or the most urgent first. Merged ones come only where asked for."""
        listing = context.cursors.listing(
            "/v1/cases", status=status, force=force, order=order, caller=caller.subject
        )
        after, position = listing.after(cursor), _position(order)
        found: list[CaseRow] = []
        while len(found) <= limit:
            holder = None if status == "merged" else conflicts.holder_key(caller)
            rows = await read.listed(order, status, force, holder, after, limit + 1)
            unjudged = [row for row, verdict in rows if verdict is None]
            if holder is not None and unjudged:
                await conflicts.judge(caller, unjudged)
                continue
            listed = [row for row, _ in rows]
            found += await conflicts.known(caller, listed) if status == "merged" else listed
            if len(rows) <= limit:
                break
            after = position(rows[-1][0])
        return listing.page(found, limit, position=position, item=CaseListed.of)

    @router.get("/{case_id}", responses={200: _ETAG, **openapi.problems(NotFound)})
    async def show_case(caller: AtDesk, case_id: UUID, response: Response) -> CaseShown:
        """Show a case with its complaints, recommendation, deadlines and history."""
        shown = CaseShown.of(await desk.file(caller, case_id))
        response.headers["ETag"] = _etag(shown.version)
        return shown

    @router.post("/{case_id}/decision", responses={200: _ETAG, **openapi.problems(NotFound, Conflict)})
    async def decide_case(
        caller: Assessor, case_id: UUID, decision: DecisionMade, if_match: IfMatch, response: Response
    ) -> CaseChanged:
        """Decide a case, for every allegation. A decision that needs a second person waits for one."""
        case = await desk.decide(
            caller,
            case_id,
            version_of(if_match),
            decision.dispositions_for,
            decision.reason,
            is_for_all=decision.dispositions is None,
        )
        response.headers["ETag"] = _etag(case.version)
        return CaseChanged.of(case)

    @router.post("/{case_id}/approval", responses={200: _ETAG, **openapi.problems(NotFound, Conflict)})
    async def approve_case(
        caller: Approver,
        case_id: UUID,
        approval: ApprovalMade,
        response: Response,
        if_match: IfMatchOrNot = None,
    ) -> CaseChanged:
        """Approve or refuse a decision that waits for a second person."""
        version = None if if_match is None else version_of(if_match)
        case = await desk.approve(caller, case_id, version, approval.approve, approval.reason)
        response.headers["ETag"] = _etag(case.version)
        return CaseChanged.of(case)

    return router


def policy_and_statistics(
    context: Context, read: ReadModel, conflicts: Conflicts, policy: Policy, vocabulary: Vocabulary
) -> Router:
    """The rules in force, and the numbers."""
    router = Router(prefix="/v1")
    in_force = PolicyInForce.of(policy.table, vocabulary)

    @router.get("/policy", tags=["policy"])
    async def show_policy(_: AnyRole) -> PolicyInForce:
        """Show the rules by which recommendations are made, with their version and sources in law."""
        return in_force

    @router.get("/statistics", tags=["statistics"], responses=openapi.problems(Unprocessable))
    async def show_statistics(
        caller: Auditor,
        from_: Annotated[date | None, Query(alias="from", description="The first day of the period.")] = None,
        to: Annotated[date | None, Query(description="The last day of the period.")] = None,
        force: ForceFilter = None,
        as_of: Annotated[date | None, Query(description="As it was known at the end of this day.")] = None,
    ) -> Statistics:
        """Count what began in the period. The account that asks is kept on record."""
        today = context.today()
        if from_ is not None and to is not None and to < from_:
            raise Unprocessable.field("to", "must not be before from")
        if as_of is not None and as_of > today:
            raise Unprocessable.field("as_of", "must not be in the future")
        asked = Question(from_, to, force, as_of or today, conflicts.holder_key(caller))
        await conflicts.judge_all(caller)
        question = f"from={from_} to={to} force={force} as_of={asked.as_of}"
        await context.store.append(_on_record(context, caller, question))
        return await read_statistics(read, asked)

    return router


def _on_record(context: Context, caller: Caller, question: str) -> AppendRequest:
    """Who reads the figures; the exact time is sealed."""
    reading_id = uuid4()
    key, key_row = new_data_key(context.keys.kek, reading_id)
    sealed = StatisticsRead(by=caller.subject, at=datetime.now(UTC), question=question)
    event = sealed_event(
        stream_id("statistics", reading_id),
        STATISTICS_READ,
        StatisticsKey(reading_id=reading_id),
        sealed,
        key,
        context.today(),
    )
    return AppendRequest(events=(event,), rows=(key_row,))


def _position(order: str) -> Callable[[CaseRow], list[int | str]]:
    if order == "priority":
        return lambda row: [row.priority, str(row.case_id)]
    # PostgreSQL's driver takes the last day of all for infinity: without a deadline, a case comes last.
    return lambda row: [(row.due_on or date.max).isoformat(), str(row.case_id)]


def _etag(version: int) -> str:
    return f'"{version}"'
