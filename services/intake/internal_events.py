"""Events of intake's internal streams `release-ID`: how a complaint waits for its release. Nobody follows
them.

The text of a complaint that waits is sealed under a key of its own, each version under another one; the key
is destroyed when the text is changed, returned or released. What people did is sealed under the complaint's
data key, which stays until the complaint is erased.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from pydantic import Field

from shared.contracts.case_events import Act
from shared.contracts.complaint import SanitisedComplaint
from shared.contracts.complaint_events import RedactionCount
from shared.contracts.contract import Contract, Text
from shared.contracts.events import EventType
from shared.sanitiser.doubts import Reason


class ReleaseState(StrEnum):
    WAITING = "waiting"
    RETURNED = "returned"
    RELEASED = "released"


class HeldDoubt(Contract):
    """A reason for doubt: code points of the text as it is kept."""

    reason: Reason
    field: str
    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=0)]


class ReleaseKey(Contract):
    complaint_id: UUID


class HeldKey(ReleaseKey):
    """`key_id` is the key of this version of the text, `state` whom it waits for."""

    key_id: UUID
    state: ReleaseState


class HeldComplaint(Contract):
    """A complaint that waits: the sanitised text, the doubts in it, and whatever is published at its release.

    `doubts` are the first ones; `doubts_left_out` counts the others.
    """

    body: SanitisedComplaint
    source_group: str
    recorded_on: date
    redactions: tuple[RedactionCount, ...] = ()
    doubts: tuple[HeldDoubt, ...] = ()
    doubts_left_out: Annotated[int, Field(ge=0)] = 0
    recorded_by: str
    """The account of the call handler, who never releases it and who gets it back."""


class ReleaseAct(Act):
    """What a person did with a complaint that waits, and why."""

    reason: Text | None = None


COMPLAINT_HELD: Final = EventType("intake", "hotline.release.held.v1", HeldKey, HeldComplaint)
"""A text waits from now on, in place of the one before."""
RELEASE_MASKED: Final = EventType("intake", "hotline.release.masked.v1", ReleaseKey, ReleaseAct)
RELEASE_RETURNED: Final = EventType("intake", "hotline.release.returned.v1", ReleaseKey, ReleaseAct)
"""It went back to the call handler; the reason is the note."""
RELEASE_CORRECTED: Final = EventType("intake", "hotline.release.corrected.v1", ReleaseKey, ReleaseAct)
RELEASED: Final = EventType("intake", "hotline.release.released.v1", ReleaseKey, ReleaseAct)
