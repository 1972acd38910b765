"""What referral does with the events of intake and dedup: which of them goes where."""

from collections.abc import Mapping

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
)
from shared.sealing.events import log_type
from shared.service import Context
from shared.store.requests import AppendRequest
from shared.streaming.handling import Handlers, Incoming


def handlers(context: Context, read: ReadModel, docket: Docket, policy: Policy) -> Mapping[str, Handlers]:
    """source -> (type, schema version) -> handler."""
    complaints = Complaints(context, read, docket, policy)
    groups = Groups(context, read, docket, policy, complaints)
    return {
        "intake": {
            (log_type(COMPLAINT_RECORDED), 1): complaints.recorded,
            (log_type(COMPLAINT_FOLLOWED_UP), 1): complaints.followed_up,
            (log_type(COMPLAINT_ERASED), 1): complaints.erased,
            (log_type(CONTACT_CLOSED), 1): contact_closed,
        },
        "dedup": {
            (log_type(INCIDENT_CHANGED), 1): groups.incident_changed,
            (log_type(PATTERN_CHANGED), 1): groups.pattern_changed,
        },
    }


async def contact_closed(incoming: Incoming) -> AppendRequest:
    """Counted by its day."""
    return AppendRequest(rows=(contact_row(incoming.envelope),))
