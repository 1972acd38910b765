"""The facts of dedup's own log, which nobody else reads: pairs, and what people decided about them.

They are appended and never edited. Ids, kinds and zones are clear; weights and reasons are sealed under a
key that only both complaints' keys together give (`services.dedup.keys`).
"""

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID, uuid5

from pydantic import Field

from shared.contracts.contract import Contract, Count, SubjectIndex
from shared.contracts.events import EventType

Kind = Literal["duplicate", "same_incident", "same_officer"]
OF_INCIDENTS: Final[frozenset[Kind]] = frozenset({"duplicate", "same_incident"})
OF_PATTERNS: Final[frozenset[Kind]] = frozenset({"same_officer"})

_MATCHES: Final = UUID("6a1d2f3e-53f7-4a0c-9d7b-0a3c5a7a9b10")
_INCIDENTS: Final = UUID("6a1d2f3e-53f7-4a0c-9d7b-0a3c5a7a9b11")
_PATTERNS: Final = UUID("6a1d2f3e-53f7-4a0c-9d7b-0a3c5a7a9b12")


class Pair(Contract):
    """What a match joins: two complaints, or a subject of each; `complaint_id` is the lower one."""

    match_id: UUID
    kind: Kind
    complaint_id: UUID
    subject: SubjectIndex | None = None
    other_complaint_id: UUID
    other_subject: SubjectIndex | None = None


class MatchProposed(Pair):
    """`zone` is what the rule made of it."""

    zone: Literal["accepted", "review"]
    model: str


class WaterfallStep(Contract):
    """One reason; weights are in bits and add up to that of the match."""

    field: str
    level: str
    weight: float


class MatchEvidence(Contract):
    weight: float
    probability: Annotated[float, Field(ge=0, le=1)]
    rests_on_one: bool
    waterfall: tuple[WaterfallStep, ...]


class MatchDecided(Contract):
    """Who decided, when, and why. An act of staff has its exact time, in here alone."""

    by: str
    at: datetime
    reason: str


class ComplaintWithdrawn(Contract):
    """A complaint was erased: it belongs to nothing any more. The resolver has yet to see to that."""

    complaint_id: UUID


class ComplaintTakenOut(Contract):
    """The resolver has taken a withdrawn complaint out of its matches, its incident and its patterns."""

    complaint_id: UUID


class WaitingChanged(Contract):
    """Matches that the rule accepted and that join nothing: those that `began` to wait for a person, and the
    ids of those that have `ended` it."""

    began: tuple[Pair, ...] = ()
    ended: tuple[UUID, ...] = ()


class TailAdopted(Contract):
    """The log lost its tail and has adopted what others knew of it, up to the event before this one; facts
    that lay between are lost. The resolver had read up to `resolved`; intake's slots had `heads` then."""

    resolved: Count
    heads: dict[int, int]


MATCH_PROPOSED: Final[EventType[MatchProposed, MatchEvidence]] = EventType(
    "dedup", "hotline.match.proposed.v1", MatchProposed, MatchEvidence
)
MATCH_ACCEPTED: Final[EventType[Pair, MatchDecided]] = EventType(
    "dedup", "hotline.match.accepted.v1", Pair, MatchDecided
)
MATCH_REJECTED: Final[EventType[Pair, MatchDecided]] = EventType(
    "dedup", "hotline.match.rejected.v1", Pair, MatchDecided
)
MATCH_RETRACTED: Final[EventType[Pair, MatchDecided]] = EventType(
    "dedup", "hotline.match.retracted.v1", Pair, MatchDecided
)
COMPLAINT_TAKEN_OUT: Final[EventType[ComplaintTakenOut, Contract]] = EventType(
    "dedup", "hotline.complaint.taken_out.v1", ComplaintTakenOut, None
)
COMPLAINT_WITHDRAWN: Final[EventType[ComplaintWithdrawn, Contract]] = EventType(
    "dedup", "hotline.complaint.withdrawn.v1", ComplaintWithdrawn, None
)
WAITING_CHANGED: Final[EventType[WaitingChanged, Contract]] = EventType(
    "dedup", "hotline.waiting.changed.v1", WaitingChanged, None
)
TAIL_ADOPTED: Final[EventType[TailAdopted, Contract]] = EventType(
    "dedup", "hotline.tail.adopted.v1", TailAdopted, None
)


def match_id(
    kind: Kind, complaint_id: UUID, subject: int | None, other_complaint_id: UUID, other_subject: int | None
) -> UUID:
    """The id of a match: of the ordered pair and the kind, so that whoever finds it gives it the same."""
    return uuid5(_MATCHES, f"{kind}:{complaint_id}:{subject}:{other_complaint_id}:{other_subject}")


def incident_id(lowest: UUID) -> UUID:
    """The id of the incident whose lowest complaint is `lowest`; an unmatched complaint is one of one."""
    return uuid5(_INCIDENTS, str(lowest))


def pattern_id(complaint_id: UUID, subject: int) -> UUID:
    """The id of the pattern whose lowest member is this subject."""
    return uuid5(_PATTERNS, f"{complaint_id}:{subject}")
