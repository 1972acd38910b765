"""What referral does with the events of intake and dedup: which of them goes where."""

from collections.abc import Mapping
from typing import Any, Final

from services.referral.complaints import Complaints
from services.referral.docket import Docket
from services.referral.domain.policy import Policy
from services.referral.groups import Groups
from services.referral.read_models import ReadModel
from services.referral.rows import contact_row
from shared.contracts.events import (
    COMPLAINT_ERASED,
    COMPLAINT_FOLLOWED_UP,
    COMPLAINT_RECORDED,
    CONTACT_CLOSED,
    INCIDENT_CHANGED,
    PATTERN_CHANGED,
    EventType,
)
from shared.sealing.events import log_type
from shared.service import Context
from shared.store.requests import AppendRequest
from shared.streaming.handling import Handler, Handlers, Incoming

FOLLOWED: Final[Mapping[tuple[str, int], EventType[Any, Any]]] = {
    (log_type(type_), type_.schema_version): type_
    for type_ in (
        COMPLAINT_RECORDED,
        COMPLAINT_FOLLOWED_UP,
        COMPLAINT_ERASED,
        CONTACT_CLOSED,
        INCIDENT_CHANGED,
        PATTERN_CHANGED,
    )
}
"""(type, schema version) -> what referral applies of the others' events."""


def handlers(context: Context, read: ReadModel, docket: Docket, policy: Policy) -> Mapping[str, Handlers]:
    """source -> (type, schema version) -> handler."""
    complaints = Complaints(context, read, docket, policy)
    groups = Groups(context, read, docket, policy, complaints)
    of: Mapping[str, Handler] = {
        COMPLAINT_RECORDED.name: complaints.recorded,
        COMPLAINT_FOLLOWED_UP.name: complaints.followed_up,
        COMPLAINT_ERASED.name: complaints.erased,
        CONTACT_CLOSED.name: contact_closed,
        INCIDENT_CHANGED.name: groups.incident_changed,
        PATTERN_CHANGED.name: groups.pattern_changed,
    }
    return {
        source: {at: of[type_.name] for at, type_ in FOLLOWED.items() if type_.owner == source}
        for source in ("intake", "dedup")
    }


async def contact_closed(incoming: Incoming) -> AppendRequest:
    """Counted by its day."""
    return AppendRequest(rows=(contact_row(incoming.envelope),))
