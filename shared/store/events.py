"""What stands in the log: events before and after they are numbered, streams, slots.

A stream id is ``category-uuid`` (``complaint-7f0c...``); its category decides whether the stream is
public. Every event of a public stream is published and nothing else is. A public stream belongs to one of
`SLOTS` hash slots, whose events are numbered without gaps: a follower that keeps one cursor a slot sees
every loss, whatever the broker forgot or however often its partitions were changed.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NewType
from uuid import UUID

SLOTS = 240
"""Hash slots of public streams. Any number of partitions that divides it keeps a slot in one partition."""

StreamId = NewType("StreamId", str)


def stream_id(category: str, identity: UUID) -> StreamId:
    """The id of one stream, e.g. ``complaint-7f0c…``. Categories are lower-case words joined by ``_``."""
    return StreamId(f"{category}-{identity}")


def category_of(stream: str) -> str:
    return stream.partition("-")[0]


def identity_of(stream: str) -> UUID:
    """The UUID in a stream id.

    Raises:
        ValueError: the id does not have the form ``category-uuid``.
    """
    return UUID(stream.partition("-")[2])


def slot_of(stream: str) -> int:
    """The hash slot of a public stream: ``crc32(stream_id) mod 240``."""
    return zlib.crc32(stream.encode()) % SLOTS


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event that is not in the log yet; everything but its numbers.

    `data` is the JSON text of ``{"clear": {...}, "sealed": JWE or null}``, sealed before it gets here.
    `recorded_on` is a day in Europe/London, never a time.
    """

    stream_id: str
    event_id: UUID
    type: str
    data: str
    recorded_on: date
    schema_version: int = 1
    correlation_id: str = ""
    causation_id: str = ""


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event as the log holds it.

    `position` counts all events of this log from 1, `version` those of the stream from 1, `slot_sequence`
    those of the slot from 1; none has gaps. `slot` and `slot_sequence` are None on internal streams.
    """

    position: int
    stream_id: str
    version: int
    event_id: UUID
    type: str
    schema_version: int
    slot: int | None
    slot_sequence: int | None
    data: Mapping[str, Any]
    correlation_id: str
    causation_id: str
    recorded_on: date
