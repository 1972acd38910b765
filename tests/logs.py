"""The log of a service, for tests that look at all of it."""

from shared.store.events import RecordedEvent
from shared.store.port import Store


async def whole_log(store: Store) -> list[RecordedEvent]:
    """All events in order; a page of the store is bounded in bytes."""
    events: list[RecordedEvent] = []
    while page := await store.read_log(events[-1].position if events else 0, 1000):
        events += page
    return events
