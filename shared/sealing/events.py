"""Own events on their way into the log and back: sealed before they are appended, opened when read."""

from collections.abc import Mapping
from datetime import date
from typing import TypeVar
from uuid import uuid4

import orjson

from shared.contracts.contract import Contract
from shared.contracts.events import EventType
from shared.sealing.jwe import open_sealed, seal
from shared.sealing.keys import DataKey
from shared.store.events import NewEvent, RecordedEvent
from shared.store.upcasting import UnknownVersionError

E = TypeVar("E", bound=EventType[Contract, Contract])


def log_type(type_: EventType[Contract, Contract]) -> str:
    """The type as the log has it: without the prefix and version that it is published with."""
    return type_.name.removeprefix("hotline.").rpartition(".v")[0]


def own_type(type_: str, schema_version: int, known: Mapping[str, E]) -> E:
    """The type of an event in the log, of those that are known, by name.

    Raises:
        UnknownVersionError: newer software wrote it, beside this one or before it was set back.
    """
    name = f"hotline.{type_}.v{schema_version}"
    if name not in known:
        raise UnknownVersionError(f"{name} is in the log and not known here")
    return known[name]


def sealed_event(
    stream: str,
    type_: EventType[Contract, Contract],
    clear: Contract,
    sealed: Contract | None,
    key: DataKey | None,
    day: date,
    *,
    causation_id: str = "",
    correlation_id: str = "",
) -> NewEvent:
    """An event ready to be appended; its sealed part is encrypted under `key`.

    Raises:
        ValueError: there is a sealed part and no key, or the other way round.
    """
    if (sealed is None) != (key is None) or (sealed is None) != (type_.sealed is None):
        raise ValueError(f"{type_.name} needs a key exactly where it has a sealed part")
    event_id = uuid4()
    payload = None
    if sealed is not None and key is not None:
        payload = seal(sealed.model_dump_json(exclude_none=True).encode(), event_id, key.recipient)
    clear_part = clear.model_dump(mode="json", exclude_none=True)
    return NewEvent(
        stream_id=stream,
        event_id=event_id,
        type=log_type(type_),
        data=orjson.dumps({"clear": clear_part, "sealed": payload}).decode(),
        recorded_on=day,
        schema_version=type_.schema_version,
        causation_id=causation_id,
        correlation_id=correlation_id,
    )


def opened_event(event: RecordedEvent, data_keys: Mapping[str, bytes]) -> bytes:
    """The sealed part of an own event as JSON.

    Raises:
        NoKeyError: its data key was destroyed, or is not among `data_keys` (kid -> key).
        BrokenSealError: altered, or without a sealed part.
    """
    return open_sealed(event.data["sealed"] or {}, data_keys, event.event_id)
