"""What a service does with the events of others: the handler's side of the contract.

A handler is asked for one event and answers with what follows from it, as an append request that the inbox
completes with the cursor and the inbox entry. Handlers read the store and decide; they write nothing.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from shared.errors import HotlineError
from shared.sealing.keys import DataKey
from shared.store.requests import AppendRequest
from shared.streaming.cloudevents import Envelope


class RecordFault(HotlineError):
    """The event itself is at fault (its schema, the domain): it is parked with this message, which must
    hold nothing of the content."""


class SurroundingsFault(HotlineError):
    """Something around us is at fault (keys, another service): nothing is parked, the event waits."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """An event to be handled.

    Attributes:
        plain: the opened sealed part as JSON, None where the type has none.
        data_key: this service's own key for the event's subject; what is kept of it is sealed under it.
            None where the event has no sealed part.
        guard: a request that is refused once this event was applied; a handler that writes in two steps
            merges it into the first.
    """

    envelope: Envelope
    plain: bytes | None
    data_key: DataKey | None
    guard: AppendRequest


Handler = Callable[[Incoming], Awaitable[AppendRequest]]
"""
Raises:
    RecordFault, pydantic.ValidationError: to park the event.
    StoreUnavailable, SurroundingsFault: to try again later.
"""

Handlers = Mapping[tuple[str, int], Handler]
"""(type, schema version) -> handler, e.g. ``("complaint.recorded", 1)``. Others are unknown and parked."""


async def nothing_follows(_: Incoming) -> AppendRequest:
    """For events that a service keeps without any effect of its own."""
    return AppendRequest()
