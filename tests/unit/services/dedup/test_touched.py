"""Which facts the resolver takes up, and that it passes over nothing that it does not know."""

from datetime import date
from uuid import uuid4

import pytest

from services.dedup.touched import Touched
from shared.sealing.events import log_type
from shared.store.events import RecordedEvent
from shared.store.upcasting import UnknownVersionError
from shared.streaming.drops import DROP_EVENTS
from shared.streaming.recovery import GAP


def recorded(type_: str, schema_version: int = 1) -> RecordedEvent:
    return RecordedEvent(
        position=1,
        stream_id=f"parked_event-{uuid4()}",
        version=1,
        event_id=uuid4(),
        type=type_,
        schema_version=schema_version,
        slot=None,
        slot_sequence=None,
        data={"clear": {}, "sealed": None},
        correlation_id="",
        causation_id="",
        recorded_on=date(2026, 11, 27),
    )


@pytest.mark.parametrize("type_", [*(log_type(event) for event in DROP_EVENTS), GAP])
def test_drops_and_filled_gaps_stand_in_the_same_log_and_touch_nothing(type_: str) -> None:
    """The resolver would wait for newer software for ever."""
    touched = Touched()
    touched.add([recorded(type_)])
    assert not touched.named


@pytest.mark.parametrize(("type_", "version"), [("match.weighed", 1), ("match.proposed", 2)])
def test_an_event_of_newer_software_is_not_passed_over(type_: str, version: int) -> None:
    with pytest.raises(UnknownVersionError):
        Touched().add([recorded(type_, version)])
