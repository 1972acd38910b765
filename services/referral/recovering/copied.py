"""What a recovery starts from: the copy of the database, and the cases as the tail left them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from services.referral import read_models
from services.referral.domain.placement import Placement
from services.referral.read_models import IncidentCase
from shared.contracts.case_events import CaseKey
from shared.contracts.events import EVENTS
from shared.sealing.events import own_type
from shared.store import sql
from shared.store.events import RecordedEvent, category_of
from shared.store.inbox import WaitingEntry
from shared.streaming.recovery import RecoveryFailed


def undecided(what: str) -> RecoveryFailed:
    return RecoveryFailed(f"{what}: restore a newer copy of the database. Nothing was changed.")


@dataclass(frozen=True, slots=True)
class Copy:
    """What the copy of the database knows, and the cases as the tail left them.

    Attributes:
        placements: as the copy has them.
        live: case -> the complaints that it lists, of those that have any.
        case_of: complaint -> the one that lists it.
        listed: the complaints that cases of the tail list, or listed.
        waiting: parked and queued entries, by source and subject in order.
    """

    placements: Mapping[UUID, Placement]
    incidents: Mapping[UUID, IncidentCase]
    live: Mapping[UUID, frozenset[UUID]]
    case_of: Mapping[UUID, UUID]
    listed: frozenset[UUID]
    waiting: Mapping[tuple[str, str], Sequence[WaitingEntry]]

    @classmethod
    async def read(cls, connection: "asyncpg.Connection", tail: Sequence[RecordedEvent]) -> "Copy":
        placements = {
            row["complaint_id"]: Placement(*row)
            for row in await connection.fetch(read_models.READ_ALL_PLACEMENTS)
        }
        incidents = {
            row["incident_id"]: IncidentCase(*row)
            for row in await connection.fetch(read_models.READ_ALL_INCIDENTS)
        }
        lists: defaultdict[UUID, frozenset[UUID]] = defaultdict(frozenset)
        for placement in placements.values():
            if placement.case_id is not None:
                lists[placement.case_id] |= {placement.complaint_id}
        listed: frozenset[UUID] = frozenset()
        for event in tail:
            if category_of(event.stream_id) == "case":
                type_ = own_type(event.type, event.schema_version, EVENTS)
                clear = type_.read_clear(event.data["clear"])
                assert isinstance(clear, CaseKey)  # noqa: S101  (a case's event)
                lists[clear.case_id] = frozenset(clear.complaint_ids)
                listed |= lists[clear.case_id]
        keys = {row[0] for row in await connection.fetch(sql.READ_DATA_KEYS, list(lists))}
        waiting: defaultdict[tuple[str, str], list[WaitingEntry]] = defaultdict(list)
        for row in await connection.fetch(sql.READ_ALL_WAITING):
            entry = WaitingEntry(*row)
            waiting[entry.source, entry.subject].append(entry)
        live = {case_id: there for case_id, there in lists.items() if there and case_id in keys}
        case_of: dict[UUID, UUID] = {}
        for case_id, there in live.items():
            for complaint_id in there:
                if complaint_id in case_of:
                    raise undecided(f"complaint {complaint_id} is in two cases, for the tail breaks off")
                case_of[complaint_id] = case_id
        return cls(placements, incidents, live, case_of, listed, waiting)

    def placement(self, complaint_id: UUID) -> Placement:
        return self.placements.get(complaint_id) or Placement(complaint_id)
