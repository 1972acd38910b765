"""What happens when dedup finds what belongs together: incidents merge and split cases, patterns re-open
decided ones and release complaints that were held back."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

from services.referral.complaints import Complaints
from services.referral.docket import Changes, Docket, OpenedCase
from services.referral.domain import case as cases
from services.referral.domain.facts import CaseFacts
from services.referral.domain.placement import (
    CaseRank,
    Placement,
    Regrouping,
    noting,
    regroup,
)
from services.referral.domain.policy import Policy
from services.referral.read_models import ReadModel
from services.referral.rows import difference, pattern_rows
from shared.contracts.events import INCIDENT_CHANGED, PATTERN_CHANGED
from shared.service import Context
from shared.store.requests import AppendRequest, merged
from shared.streaming.handling import Incoming


class Groups:
    """The handlers of dedup's events."""

    def __init__(
        self, context: Context, read: ReadModel, docket: Docket, policy: Policy, complaints: Complaints
    ) -> None:
        self._context, self._read, self._docket, self._policy = context, read, docket, policy
        self._complaints = complaints

    # Incidents

    async def incident_changed(self, incoming: Incoming) -> AppendRequest:
        envelope = incoming.envelope
        told = INCIDENT_CHANGED.read_clear(envelope.clear)
        # Above 500 members an event lists none; those added since the one before are enough.
        members = told.added if told.members is None else told.members
        before = await self._read.placements(members)
        day = date.fromisoformat(envelope.day)
        noted = noting(before.values(), told.incident_id, envelope.position, day)
        changes = self._changes(incoming)
        if any(placement.case_id is not None for placement in noted):
            noted = await self._regroup(changes, told.incident_id, before, noted)
        for placement in noted:
            changes.place(before[placement.complaint_id], placement)
        return changes.request()

    async def _regroup(
        self,
        changes: Changes,
        incident_id: UUID,
        before: Mapping[UUID, Placement],
        noted: tuple[Placement, ...],
    ) -> tuple[Placement, ...]:
        """Cases merge and split; the placements as they are then."""
        owners = {old for one in noted if (old := before[one.complaint_id].incident_id) is not None}
        incidents = await self._read.incidents(owners | {incident_id})
        incident = incidents[incident_id]
        touched = {one.case_id for one in noted if one.case_id is not None}
        if incident.case_id is not None:
            touched.add(incident.case_id)
        opened, residents = await self._docket.resident_cases(touched)
        ranks = {
            case_id: CaseRank(case_id, one.case.status in cases.DECIDED, one.case.opened_on)
            for case_id, one in opened.items()
        }
        plan = regroup(before, noted, incident_id, incident.case_id, residents, ranks)
        target = plan.target or uuid4()
        for case_id, one in opened.items():
            changes.expect_case(case_id, one.case.version)
        if incident.case_id == target:
            changes.expect_incident(incident)
        else:
            changes.give_incident(incident, target)
        for owner in plan.freed:
            if incidents[owner].case_id is not None:
                changes.give_incident(incidents[owner], None)
        if plan.joining:
            await self._move(changes, plan, target, opened, residents)
        return tuple(one if one.case_id is None else replace(one, case_id=target) for one in noted)

    async def _move(
        self,
        changes: Changes,
        plan: Regrouping,
        target: UUID,
        opened: Mapping[UUID, OpenedCase],
        residents: Mapping[UUID, Mapping[UUID, Placement]],
    ) -> None:
        arriving = {placement.complaint_id for placement in plan.joining}
        facts = await self._docket.facts(set(residents.get(target, ())) | arriving)
        if target in opened:
            changes.add(opened[target], cases.assess(opened[target].case, facts, self._policy, changes.day))
        else:
            changes.open(target, cases.open_case(target, CaseFacts(tuple(facts)), self._policy, changes.day))
        for case_id, remaining in plan.left.items():
            case = opened[case_id].case
            if remaining:
                parts = {case_id: remaining, target: set(residents[case_id]) - remaining}
                there = await self._docket.facts(remaining)
                events = cases.split(case, parts, there, self._policy, changes.day)
                changes.add(opened[case_id], events)
            else:
                changes.add(opened[case_id], cases.merge(case, target, changes.day))

    # Patterns

    async def pattern_changed(self, incoming: Incoming) -> AppendRequest:
        told = PATTERN_CHANGED.read_clear(incoming.envelope.clear)
        released = [
            complaint_id for complaint_id in told.released if await self._release(incoming, complaint_id)
        ]
        # First how far it is: what comes to it later refuses this.
        (seen,) = await self._docket.patterns([told.pattern_id])
        known = await self._read.pattern_members(told.pattern_id)
        added, removed = difference(told, known)
        members = {complaint_id for complaint_id, _ in (known | added) - removed}
        newcomers = {complaint_id for complaint_id, _ in added} | members.intersection(released)
        changed = await self._read.placements(newcomers | {complaint_id for complaint_id, _ in removed})
        erased = {each for each, one in changed.items() if one.is_erased}
        changes = self._changes(incoming)
        day = date.fromisoformat(incoming.envelope.day)
        changes.row(*pattern_rows(told.pattern_id, added, removed, erased, day))
        # However many its members are, as many events follow as come and go: a much-named officer gets his
        # thousandth report at the price of his second.
        changes.note_pattern(seen)
        for each in changed.keys() - erased:
            changes.place(changed[each], changed[each])
        if await self._is_news(members, {each for each in newcomers if changed[each].case_id is not None}):
            await self._complaints.tell(changes, members)
        return changes.request()

    async def _is_news(self, members: set[UUID], cased_newcomers: set[UUID]) -> bool:
        """Whether a newcomer with a case and another one with a case are in one pattern now: each is news for
        the other (as `news_in_pattern`, without reading of all)."""
        if len(cased_newcomers) != 1:
            return bool(cased_newcomers)
        return await self._read.have_cases(members - cased_newcomers)

    async def _release(self, incoming: Incoming, complaint_id: UUID) -> bool:
        """Let one complaint go on that was held back, or note that it may when it arrives; whether it was
        let go. A step of its own: two of one incident must see each other's case."""
        changes = self._changes(incoming)
        before = (await self._read.placements([complaint_id]))[complaint_id]
        if before.is_erased or before.released_on is not None:
            return before.case_id is not None
        after = replace(before, released_on=date.fromisoformat(incoming.envelope.day))
        facts = await self._docket.facts([complaint_id]) if before.is_held else []
        if facts:
            facts = [replace(facts[0], clear_on=after.clear_on)]
            await self._complaints.admit(changes, before, after, facts[0])
        else:
            changes.place(before, after)
        await self._context.store.append(merged(changes.request(), incoming.guard))
        return bool(facts)

    def _changes(self, incoming: Incoming) -> Changes:
        return Changes(self._context.keys, self._context.today(), str(incoming.envelope.id))
