"""Payloads of the events that intake publishes: `hotline.complaint.*` and `hotline.contact.*`."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from shared.contracts.complaint import SanitisedComplaint
from shared.contracts.contract import Code, Contract, DispositionCode, Text
from shared.contracts.words import Channel


class RedactionCount(Contract):
    """How many traces of one kind were removed from one field (`narrative`, `subjects.0.name`)."""

    field: str
    """The path of the field, such as `subjects.0.name`."""
    kind: str
    """The kind of trace that was taken out, such as `phone`."""
    count: Annotated[int, Field(ge=1)]
    """How many of this kind were taken out of the field."""


class ComplaintKey(Contract):
    """Which complaint this is about, and the data key under which its owner keeps it."""

    complaint_id: UUID
    """The complaint."""
    key_id: str
    """The name of its data key, whose destruction erases the complaint."""


class ComplaintRecorded(Contract):
    """`source_group` is common to the complaints that the same caller joined by receipts."""

    body: SanitisedComplaint
    """The complaint, without the caller's traces."""
    source_group: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    """Common to the complaints of one caller, as far as receipts join them."""
    redactions: tuple[RedactionCount, ...] = ()
    """What was taken out, by field and kind."""


class ComplaintFollowedUp(Contract):
    """What the caller added later, sanitised."""

    text: Text
    """What the caller added, without the caller's traces."""


class ComplaintErased(Contract):
    complaint_id: UUID
    """The complaint."""
    reason_code: Code
    """Why it was erased, as a code."""


class ContactClosed(Contract):
    """Contacts that made no complaint, by the day. Abandoned calls come as a number."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"channel": "phone", "disposition": "abandoned", "count": 12}]}
    )

    channel: Channel
    """How the contacts reached the hotline."""
    disposition: DispositionCode
    """How the contacts ended."""
    count: Annotated[int, Field(ge=1, le=100_000)] = 1
    """How many contacts, 1 to 100,000; abandoned calls come as a number."""
