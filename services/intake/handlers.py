"""What intake does with the events of others. It follows referral, whose questions reach the caller's
mailbox; until a mailbox can show them they are kept, so that none is lost."""

from collections.abc import Mapping

from shared.contracts.events import EVENTS
from shared.sealing.events import log_type
from shared.service import Context
from shared.streaming.handling import Handler, Handlers, nothing_follows


def handlers(_: Context) -> Mapping[str, Handlers]:
    """source -> (type, schema version) -> handler."""
    kept: dict[tuple[str, int], Handler] = {
        (log_type(type_), type_.schema_version): nothing_follows
        for type_ in EVENTS.values()
        if type_.owner == "referral"
    }
    return {"referral": kept}
