"""What happens to one complaint: recorded, followed up, erased.

A case opens with the complaint itself, or the complaint joins the case of its incident where dedup was
quicker. Of one that is held back (`only_with_another`) only the placement is kept until its release.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import date
from typing import Final
from uuid import UUID, uuid4

from services.referral.docket import Changes, Docket
from services.referral.domain import case as cases
from services.referral.domain.facts import CaseFacts, ComplaintFacts
from services.referral.domain.placement import Placement
from services.referral.domain.policy import Policy
from services.referral.read_models import ReadModel
from services.referral.rows import VERDICTS, follow_up_row
from shared.contracts.events import COMPLAINT_ERASED, COMPLAINT_FOLLOWED_UP, COMPLAINT_RECORDED
from shared.sealing.keys import destroy_data_key
from shared.service import Context
from shared.store.events import identity_of
from shared.store.requests import AppendRequest, Claim, Remove, merged
from shared.streaming.handling import Incoming, RecordFault
from shared.streaming.inbox import TOMBSTONE

ONLY_WITH_ANOTHER: Final = "only_with_another"


class Complaints:
    """What happens to one complaint."""

    def __init__(self, context: Context, read: ReadModel, docket: Docket, policy: Policy) -> None:
        self._context, self._read, self._docket, self._policy = context, read, docket, policy

    async def recorded(self, incoming: Incoming) -> AppendRequest:
        envelope = incoming.envelope
        body = COMPLAINT_RECORDED.read_sealed(incoming.plain or b"").body
        complaint_id = identity_of(envelope.subject)
        before = await self._read.placement(complaint_id)
        if before.is_recorded or before.is_erased:
            raise RecordFault("this complaint was recorded before")
        after = replace(
            before,
            is_recorded=True,
            is_held=body.wish == ONLY_WITH_ANOTHER and before.released_on is None,
            recorded_on=date.fromisoformat(envelope.day),
            slot=envelope.slot,
            slot_sequence=envelope.slot_sequence,
        )
        facts = ComplaintFacts(complaint_id, after.clear_on, body)
        changes = self._changes(incoming)
        if after.is_held:
            changes.place(before, replace(after, force=facts.force))
        else:
            await self.admit(changes, before, after, facts)
        return changes.request()

    async def admit(
        self, changes: Changes, before: Placement, after: Placement, facts: ComplaintFacts
    ) -> None:
        """Into the case of its incident, or a new one."""
        after = replace(after, is_held=False, force=facts.force)
        target: UUID | None = None
        if after.incident_id is not None:
            incident = (await self._read.incidents([after.incident_id]))[after.incident_id]
            target = incident.case_id
            if target is not None:
                changes.expect_incident(incident)
        if target is not None:
            opened, residents = await self._docket.resident_cases([target])
            there = residents[target]
            told = [*await self._docket.facts(there), facts]
            told.sort(key=lambda one: one.complaint_id)
            events = cases.assess(opened[target].case, told, self._policy, changes.day)
            changes.add(opened[target], events)
        else:
            target = uuid4()
            events = cases.open_case(target, CaseFacts((facts,)), self._policy, changes.day)
            changes.open(target, events)
            if after.incident_id is not None:
                changes.give_incident(incident, target)
        changes.place(before, replace(after, case_id=target))
        if before.version:  # dedup was quicker: it may share an officer with others already
            # First how far they are: what comes to them later refuses this.
            for seen in await self._docket.patterns(await self._read.patterns_of([after.complaint_id])):
                changes.note_pattern(seen)
            await self.tell(changes, await self._read.pattern_fellows([after.complaint_id]))

    async def tell(self, changes: Changes, complaint_ids: Collection[UUID]) -> None:
        """Another report names the officer of these complaints: their cases are open again, those that were
        decided. About the others somebody may be deciding: `Changes.note_pattern` refuses one of the two."""
        decided = await self._read.cases_with_status(complaint_ids, cases.DECIDED)
        for case_id, complaint_id in decided.items():
            if case_id not in changes.touched:
                await self.reopen(changes, case_id, complaint_id, cases.BY_PATTERN)

    async def reopen(self, changes: Changes, case_id: UUID, told: UUID, because_of: str) -> None:
        """Something new is known about `told`, a complaint of the case."""
        opened, residents = await self._docket.resident_cases([case_id])
        facts = await self._docket.facts(residents[case_id])
        events = cases.assess(
            opened[case_id].case, facts, self._policy, changes.day, told=told, because_of=because_of
        )
        changes.add(opened[case_id], events)

    async def followed_up(self, incoming: Incoming) -> AppendRequest:
        envelope = incoming.envelope
        COMPLAINT_FOLLOWED_UP.read_sealed(incoming.plain or b"")
        complaint_id = identity_of(envelope.subject)
        changes = self._changes(incoming)
        changes.row(follow_up_row(envelope))
        placement = await self._read.placement(complaint_id)
        changes.place(placement, placement)  # refuses who decides at this moment without having read it
        if placement.case_id is not None:
            found = (await self._read.cases([placement.case_id])).get(placement.case_id)
            if found is not None and found.status in cases.DECIDED:
                await self.reopen(changes, placement.case_id, complaint_id, cases.BY_FOLLOW_UP)
            elif found is not None:
                changes.expect_case(found.case_id, found.version)
        return changes.request()

    async def erased(self, incoming: Incoming) -> AppendRequest:
        """The complaint's key goes, its rows, and the key of every case that held it alone; its tombstone
        stays."""
        complaint_id = COMPLAINT_ERASED.read_clear(incoming.envelope.clear).complaint_id
        before = await self._read.placement(complaint_id)
        if before.is_erased:
            return AppendRequest()
        changes = self._changes(incoming)
        if before.case_id is not None:
            await self._taken_out(changes, before)
        after = Placement(complaint_id, is_erased=True, recorded_on=before.recorded_on)
        gone = await self._read.cases_of_one(complaint_id)
        changes.place(before, after, cases_gone=gone)
        changes.row(*map(destroy_data_key, (complaint_id, *gone)))
        changes.row(*(Remove(VERDICTS, "case_id", case_id) for case_id in gone))
        tombstone = AppendRequest(claims=(Claim(TOMBSTONE, complaint_id.bytes),))
        return merged(changes.request(), tombstone)

    async def _taken_out(self, changes: Changes, before: Placement) -> None:
        """Its case goes on with the others. A case without any is over, also for its incident."""
        case_id = before.case_id
        assert case_id is not None  # noqa: S101  (asked by the caller)
        opened, residents = await self._docket.resident_cases([case_id])
        others = await self._docket.facts(residents[case_id].keys() - {before.complaint_id})
        events = (
            cases.assess(opened[case_id].case, others, self._policy, changes.day)
            if others
            else cases.end(opened[case_id].case, changes.day)
        )
        changes.add(opened[case_id], events)
        if not others and before.incident_id is not None:
            incident = (await self._read.incidents([before.incident_id]))[before.incident_id]
            if incident.case_id == case_id:
                changes.give_incident(incident, None)

    def _changes(self, incoming: Incoming) -> Changes:
        return Changes(self._context.keys, self._context.today(), str(incoming.envelope.id))
