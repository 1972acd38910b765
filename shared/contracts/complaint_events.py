"""Payloads of the events that intake publishes: `hotline.complaint.*` and `hotline.contact.*`."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.complaint import SanitisedComplaint
from shared.contracts.contract import Code, Contract, Text
from shared.contracts.words import Channel


class RedactionCount(Contract):
    """How many traces of one kind were removed from one field (`narrative`, `subjects.0.name`)."""

    field: str
    kind: str
    count: Annotated[int, Field(ge=1)]


class ComplaintKey(Contract):
    """Which complaint this is about, and the data key under which its owner keeps it."""

    complaint_id: UUID
    key_id: str


class ComplaintRecorded(Contract):
    """`source_group` is common to the complaints that the same caller joined by receipts."""

    body: SanitisedComplaint
    source_group: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    redactions: tuple[RedactionCount, ...] = ()


class ComplaintFollowedUp(Contract):
    """What the caller added later, sanitised."""

    text: Text


class ComplaintErased(Contract):
    complaint_id: UUID
    reason_code: Code


class ContactClosed(Contract):
    """Contacts that made no complaint, by the day. Abandoned calls come as a number."""

    channel: Channel
    disposition: Code
    count: Annotated[int, Field(ge=1, le=100_000)] = 1
