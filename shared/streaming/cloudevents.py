"""Events as others see them: CloudEvents 1.0 in structured JSON mode.

`publish` makes the same record for Kafka and for catch-up over HTTP: what was sealed under a complaint's
data key is rewrapped for the entitled followers; where that key was destroyed, the record says ``erased``.
`parse` reads one back, or raises `UnreadableEnvelope`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from shared.errors import HotlineError
from shared.sealing.jwe import recipient_ids, rewrap
from shared.store.events import SLOTS, RecordedEvent

CONTENT_TYPE = "application/cloudevents+json"


class UnreadableEnvelope(HotlineError):
    """A record that is no CloudEvent of ours. The message tells what is wrong, never the content."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A public event as it travels. `version` counts the stream's events, `schema_version` is its form."""

    source: str
    id: UUID
    type: str
    schema_version: int
    subject: str
    day: str
    slot: int
    slot_sequence: int
    position: int
    version: int
    correlation_id: str
    causation_id: str
    clear: Mapping[str, Any]
    sealed: Mapping[str, Any] | None
    erased: bool = False


def publish(
    event: RecordedEvent, source: str, data_keys: Mapping[str, bytes], followers: Mapping[str, bytes]
) -> dict[str, Any]:
    """The CloudEvent of a public event.

    Args:
        source: the owning service's name.
        data_keys: kid -> key; those of this event's recipients that still exist.
        followers: kid -> transport key of each entitled follower.

    Raises:
        BrokenSealError: the log's payload is not what was sealed.
    """
    sealed, erased = event.data["sealed"], False
    if sealed:
        erased = not any(kid in data_keys for kid in recipient_ids(sealed))
        sealed = None if erased else rewrap(sealed, data_keys, followers)
    return document(
        Envelope(
            source=source,
            id=event.event_id,
            type=event.type,
            schema_version=event.schema_version,
            subject=event.stream_id,
            day=event.recorded_on.isoformat(),
            slot=event.slot or 0,
            slot_sequence=event.slot_sequence or 0,
            position=event.position,
            version=event.version,
            correlation_id=event.correlation_id,
            causation_id=event.causation_id,
            clear=event.data["clear"],
            sealed=sealed,
            erased=erased,
        )
    )


def document(envelope: Envelope) -> dict[str, Any]:
    """The CloudEvent as a JSON document."""
    type_ = f"hotline.{envelope.type}.v{envelope.schema_version}"
    data = {"clear": envelope.clear, "sealed": envelope.sealed}
    return {
        "specversion": "1.0",
        "id": str(envelope.id),
        "source": f"/hotline/{envelope.source}",
        "type": type_,
        "subject": envelope.subject,
        "time": f"{envelope.day}T00:00:00Z",
        "datacontenttype": "application/json",
        "dataschema": f"urn:hotline:{type_}",
        "partitionkey": envelope.subject,
        "sequence": str(envelope.position),
        "slot": envelope.slot,
        "slotsequence": envelope.slot_sequence,
        "streamversion": envelope.version,
        "correlationid": envelope.correlation_id,
        "causationid": envelope.causation_id,
        "data": {**data, "erased": True} if envelope.erased else data,
    }


def serialise(envelope: Envelope) -> str:
    """The CloudEvent as JSON text."""
    return orjson.dumps(document(envelope)).decode()


def parse(record: bytes | Mapping[str, Any]) -> Envelope:
    """Read a CloudEvent of any Hotline service.

    Raises:
        UnreadableEnvelope: not JSON, not a CloudEvent 1.0, not of a Hotline service, or without its slot.
    """
    try:
        event = orjson.loads(record) if isinstance(record, bytes) else record
        if event["specversion"] != "1.0":
            raise UnreadableEnvelope("specversion is not 1.0")
        data = event["data"]
        return Envelope(
            source=_after(event["source"], "/hotline/"),
            id=UUID(event["id"]),
            type=_type(event["type"])[0],
            schema_version=_type(event["type"])[1],
            subject=_text(event["subject"]),
            day=_text(event["time"])[:10],
            slot=_whole(event["slot"], 0, SLOTS - 1),
            slot_sequence=_whole(event["slotsequence"], 1),
            position=_whole(int(event["sequence"]), 1),
            version=_whole(event["streamversion"], 1),
            correlation_id=_text(event.get("correlationid", "")),
            causation_id=_text(event.get("causationid", "")),
            clear=_object(data["clear"]),
            sealed=None if data["sealed"] is None else _object(data["sealed"]),
            erased=data.get("erased", False) is True,
        )
    except orjson.JSONDecodeError as fault:
        raise UnreadableEnvelope("not JSON") from fault
    except KeyError as fault:
        raise UnreadableEnvelope(f"{fault.args[0]} is missing") from fault
    except (TypeError, ValueError, AttributeError) as fault:
        raise UnreadableEnvelope("an attribute has the wrong form") from fault


def _after(value: str, prefix: str) -> str:
    if not value.startswith(prefix):
        raise UnreadableEnvelope("source is not a Hotline service")
    return value[len(prefix) :]


def _type(value: str) -> tuple[str, int]:
    name, _, version = value.rpartition(".v")
    if not name.startswith("hotline.") or not version.isdecimal():
        raise UnreadableEnvelope("type is not hotline.NAME.vN")
    return name.removeprefix("hotline."), int(version)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _whole(value: object, least: int, most: int | None = None) -> int:
    if (
        not isinstance(value, int)
        or isinstance(value, bool)
        or value < least
        or (most is not None and value > most)
    ):
        raise ValueError
    return value


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError
    return value
