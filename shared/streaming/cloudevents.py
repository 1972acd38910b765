"""Events as others see them: CloudEvents 1.0 in structured JSON mode.

`publish` makes the same record for Kafka and for catch-up over HTTP: what was sealed under a complaint's
data key is rewrapped for the entitled followers; where that key was destroyed, the record says ``erased``.
`parse` reads what we kept of one ourselves, or raises `UnreadableEnvelope`. What comes from anybody else is
read by `shared.streaming.authentication`, which believes none that its source has not signed.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from shared.errors import HotlineError
from shared.sealing.jwe import BrokenSealError, recipient_ids, rewrap
from shared.store.events import SLOTS, RecordedEvent

# Forms that our tables and indexes take: what has another one could be neither applied nor parked.
_SOURCE = re.compile(r"/hotline/([a-z]{1,20})")
_TYPE = re.compile(r"hotline\.([a-z0-9_]{1,50}(?:\.[a-z0-9_]{1,50}){0,3})\.v([1-9][0-9]{0,8})")
_SUBJECT = re.compile(r"(?=.{1,100}$)[a-z]+(?:_[a-z]+)*-[0-9a-f-]{36}")
_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})T00:00:00Z")
_SEQUENCE = re.compile(r"[1-9][0-9]{0,18}")
# Of a sealed payload, beside its recipients.
_MEMBERS = ("protected", "aad", "iv", "ciphertext", "tag")

AUTHENTICATION, PROOF = "authentication", "proof"
"""The members of `data` with signatures: `{kid: JWS}` for the followers, and the owner's JWS for itself."""


class UnreadableEnvelope(HotlineError):
    """A record that is no CloudEvent of ours. The message tells what is wrong, never the content."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A public event as it travels. `version` counts the stream's events, `schema_version` is its form.

    `proof` is the owner's signature for itself: whoever keeps the event keeps it, and the owner believes
    nothing without one that is shown to it. Events of before there were signatures have none.
    """

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
    proof: str = ""


def source_path(source: str) -> str:
    """The `source` attribute of a service."""
    return f"/hotline/{source}"


def publish(
    event: RecordedEvent, source: str, data_keys: Mapping[str, bytes], followers: Mapping[str, bytes]
) -> dict[str, Any]:
    """The CloudEvent of a public event, not signed yet.

    Args:
        source: the owning service's name.
        data_keys: kid -> key; those of this event's recipients that still exist.
        followers: kid -> transport key of each entitled follower.

    One event whose payload is not what was sealed holds up none of those that follow: it is published with
    a seal that nobody opens, and each follower parks it.
    """
    sealed, erased = event.data["sealed"], False
    if sealed:
        try:
            erased = not any(kid in data_keys for kid in recipient_ids(sealed))
            sealed = None if erased else rewrap(_complete(sealed), data_keys, followers)
        except BrokenSealError:
            sealed = _that_nobody_opens(followers)
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


def _complete(sealed: Mapping[str, Any]) -> Mapping[str, Any]:
    """
    Raises:
        BrokenSealError: a member is missing, or no text.
    """
    if not all(isinstance(sealed.get(member), str) for member in _MEMBERS):
        raise BrokenSealError("a member of the sealed payload is missing")
    return sealed


def _that_nobody_opens(followers: Iterable[str]) -> dict[str, Any]:
    recipients = [{"header": {"alg": "A256KW", "kid": kid}, "encrypted_key": ""} for kid in followers]
    return {**dict.fromkeys(_MEMBERS, ""), "recipients": recipients}


def document(envelope: Envelope) -> dict[str, Any]:
    """The CloudEvent as a JSON document."""
    type_ = f"hotline.{envelope.type}.v{envelope.schema_version}"
    data: dict[str, Any] = {"clear": envelope.clear, "sealed": envelope.sealed}
    if envelope.erased:
        data["erased"] = True
    if envelope.proof:
        data[PROOF] = envelope.proof
    return {
        "specversion": "1.0",
        "id": str(envelope.id),
        "source": source_path(envelope.source),
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
        "data": data,
    }


def serialise(envelope: Envelope) -> str:
    """The CloudEvent as JSON text."""
    return orjson.dumps(document(envelope)).decode()


def loaded(record: bytes | Mapping[str, Any]) -> Mapping[str, Any]:
    """A record as JSON.

    Raises:
        UnreadableEnvelope: it is none.
    """
    try:
        return orjson.loads(record) if isinstance(record, bytes) else record
    except orjson.JSONDecodeError as fault:
        raise UnreadableEnvelope("not JSON") from fault


def parse(record: bytes | Mapping[str, Any]) -> Envelope:
    """Read a CloudEvent of any Hotline service, whoever wrote it.

    Raises:
        UnreadableEnvelope: not JSON, not a CloudEvent 1.0, not of a Hotline service, without its slot, or
            with an attribute that no version of ours ever has.
    """
    event = loaded(record)
    try:
        if event["specversion"] != "1.0":
            raise UnreadableEnvelope("specversion is not 1.0")
        data, type_ = event["data"], _matched(_TYPE, event["type"])
        return Envelope(
            source=_matched(_SOURCE, event["source"])[1],
            id=UUID(_text(event["id"])),
            type=type_[1],
            schema_version=int(type_[2]),
            subject=_matched(_SUBJECT, event["subject"])[0],
            day=_matched(_TIME, event["time"])[1],
            slot=_whole(event["slot"], 0, SLOTS - 1),
            slot_sequence=_whole(event["slotsequence"], 1),
            position=_whole(int(_matched(_SEQUENCE, event["sequence"])[0]), 1),
            version=_whole(event["streamversion"], 1),
            correlation_id=_text(event.get("correlationid") or ""),
            causation_id=_text(event.get("causationid") or ""),
            clear=_object(data["clear"]),
            sealed=None if data["sealed"] is None else _object(data["sealed"]),
            erased=data.get("erased", False) is True,
            proof=_text(data.get(PROOF) or ""),
        )
    except KeyError as fault:
        raise UnreadableEnvelope(f"{fault.args[0]} is missing") from fault
    except (TypeError, ValueError, AttributeError) as fault:
        raise UnreadableEnvelope("an attribute has the wrong form") from fault


def _matched(form: re.Pattern[str], value: str) -> re.Match[str]:
    if (match := form.fullmatch(value)) is None:
        raise ValueError
    return match


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _whole(value: object, least: int, most: int = 2**63 - 1) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError
    return value


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError
    return value
