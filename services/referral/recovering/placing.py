"""Which complaint is in which case, and which incident has which, as the cases tell it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

import asyncpg

from services.referral import read_models
from services.referral.complaints import ONLY_WITH_ANOTHER
from services.referral.docket import Changes
from services.referral.domain.adoption import NOTHING
from services.referral.domain.facts import force_of
from services.referral.domain.placement import Placement
from services.referral.read_models import IncidentCase
from services.referral.recovering.consuming import Consumed
from services.referral.recovering.copied import Copy, undecided
from services.referral.rows import CASES, VERDICTS
from shared.contracts.complaint_events import ComplaintErased, ComplaintRecorded
from shared.contracts.events import COMPLAINT_RECORDED
from shared.contracts.match_events import PatternChanged
from shared.sealing.events import log_type
from shared.sealing.keys import ServiceKeys, destroy_data_key
from shared.store.requests import AppendRequest, Remove, RowChange, merged
from shared.streaming.recovery import Append

_RECORDED = log_type(COMPLAINT_RECORDED)


class Placing:
    """Writes it.

    Attributes:
        residents: case -> its complaints.
        stale: cases that list one that is erased, or whose payload nobody has any more.
    """

    def __init__(
        self,
        connection: "asyncpg.Connection",
        keys: ServiceKeys,
        copy: Copy,
        consumed: Consumed,
        today: date,
        append: Append,
    ) -> None:
        self._connection, self._keys, self._copy = connection, keys, copy
        self._consumed, self._today, self._append = consumed, today, append
        self._recorded = consumed.recorded()
        # Also of those whose payload nobody has any more.
        self._recorded_on = {
            entry.complaint_id: date.fromisoformat(entry.envelope.day)
            for entry in consumed.entries
            if entry.envelope.type == _RECORDED
        }
        self.residents: defaultdict[UUID, set[UUID]] = defaultdict(set)
        self.stale: set[UUID] = set()

    async def place(self) -> None:
        case_of = self._copy.case_of
        erased = {
            entry.complaint_id for entry in self._consumed.entries if isinstance(entry.told, ComplaintErased)
        }
        released = self._released()
        everybody = self._copy.placements.keys() | self._consumed.memberships.keys() | self._recorded.keys()
        requests = []
        for complaint_id in sorted(everybody | case_of.keys() | erased | released.keys()):
            before = self._copy.placement(complaint_id)
            case_id = case_of.get(complaint_id)
            after = before
            if not before.is_erased and complaint_id not in erased:
                after = self._placed(before, case_id, released.get(complaint_id))
            if case_id is not None and after.case_id == case_id and complaint_id not in erased:
                self.residents[case_id].add(complaint_id)
            elif case_id is not None:
                self.stale.add(case_id)
            if after != before:
                requests.append(self._placing(before, after))
        await self._append([*requests, *self._giving()])
        for complaint_id in sorted(erased):
            await self._erase(self._copy.placement(complaint_id))

    def _placed(self, before: Placement, case_id: UUID | None, released_on: date | None) -> Placement:
        after = before
        membership = self._consumed.memberships.get(before.complaint_id, NOTHING)
        if membership.sequence > before.incident_sequence:
            after = replace(
                after,
                incident_id=membership.incident_id,
                incident_sequence=membership.sequence,
                incident_on=membership.day,
            )
        if after.released_on is None:
            after = replace(after, released_on=released_on)
        is_held = before.is_held
        entry = self._recorded.get(before.complaint_id)
        if entry is not None:
            assert isinstance(entry.told, ComplaintRecorded)  # noqa: S101  (chosen so)
            is_held = entry.told.body.wish == ONLY_WITH_ANOTHER
            after = replace(
                after,
                is_recorded=True,
                recorded_on=date.fromisoformat(entry.envelope.day),
                slot=entry.envelope.slot,
                slot_sequence=entry.envelope.slot_sequence,
                force=force_of(entry.told.body),
            )
        if not after.is_recorded:  # erased by its caller since: its case goes on without it
            return after
        is_held = is_held and case_id is None and after.released_on is None
        # The key of a case that was published late may have died with its last complaint by then.
        if case_id is None and not is_held and before.complaint_id not in self._consumed.erasures:
            raise undecided(f"the case of complaint {before.complaint_id} is nowhere")
        return replace(after, is_held=is_held, case_id=case_id)

    def _released(self) -> dict[UUID, date]:
        """Complaint -> the day on which the first pattern released it."""
        first: dict[UUID, tuple[int, str]] = {}
        again = self._consumed.again
        for entry in [*self._consumed.entries, *([again] if again else [])]:
            if isinstance(entry.told, PatternChanged):
                at = entry.envelope.position, entry.envelope.day
                for complaint_id in entry.told.released:
                    # One that comes again has let some go already.
                    if entry is not again or complaint_id in self._copy.case_of:
                        first[complaint_id] = min(first.get(complaint_id, at), at)
        return {complaint_id: date.fromisoformat(day) for complaint_id, (_, day) in first.items()}

    def _placing(self, before: Placement, after: Placement, cases_gone: Sequence[UUID] = ()) -> AppendRequest:
        changes = Changes(self._keys, self._today)
        changes.place(before, after, cases_gone=cases_gone)
        return changes.request()

    def _giving(self) -> Iterator[AppendRequest]:
        """Each incident the case of its complaints."""
        memberships = self._consumed.memberships
        case_of: dict[UUID, UUID] = {}
        for of_case, there in self.residents.items():
            for each in there:
                incident_id = memberships.get(each, NOTHING).incident_id
                if incident_id is not None:
                    case_of[incident_id] = of_case
        for incident_id in sorted(self._copy.incidents.keys() | case_of.keys()):
            before = self._copy.incidents.get(incident_id) or IncidentCase(incident_id)
            if before.case_id != case_of.get(incident_id):
                changes = Changes(self._keys, self._today)
                changes.give_incident(before, case_of.get(incident_id))
                yield changes.request()

    async def _erase(self, before: Placement) -> None:
        """As `Complaints.erased`. One by one: the last complaint of a case takes its key with it."""
        if before.is_erased:
            return
        recorded_on = before.recorded_on or self._recorded_on.get(before.complaint_id)
        after = Placement(before.complaint_id, is_erased=True, recorded_on=recorded_on)
        gone = [
            row[0] for row in await self._connection.fetch(read_models.READ_CASES_OF_ONE, before.complaint_id)
        ]
        keys = AppendRequest(rows=(destroy_data_key(before.complaint_id), *without_key(gone)))
        await self._append([merged(self._placing(before, after, gone), keys)])


def without_key(case_ids: Iterable[UUID]) -> Iterator[RowChange]:
    """Of cases whose complaints were all erased nothing is left but the log."""
    for case_id in case_ids:
        yield destroy_data_key(case_id)
        yield Remove(CASES, "case_id", case_id)
        yield Remove(VERDICTS, "case_id", case_id)
