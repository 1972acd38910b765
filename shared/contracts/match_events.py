"""Payloads of the events that dedup publishes: what belongs together now. Nothing in them is sealed."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from shared.contracts.contract import Contract, Count, SubjectIndex

MOST_MEMBERS = 500

Probability = Annotated[float, Field(ge=0, le=1)]


class IncidentChanged(Contract):
    """The complaints of one incident. With more than 500 `members` is null and `members_url` serves them.

    `sources_min` and `sources_max` are the least and the most independent sources there can be.
    """

    incident_id: UUID
    members: Annotated[tuple[UUID, ...], Field(max_length=MOST_MEMBERS)] | None = None
    members_url: str | None = None
    added: tuple[UUID, ...] = ()
    removed: tuple[UUID, ...] = ()
    count: Count
    sources_min: Count
    sources_max: Count
    merged_into: UUID | None = None
    split_from: UUID | None = None
    weakest_probability: Probability | None = None


class PatternMember(Contract):
    """One subject of one complaint: the same officer as the pattern's other members."""

    complaint_id: UUID
    subject: SubjectIndex


class PatternChanged(Contract):
    """The subjects that are one officer. `crossed` are the numbers of incidents that this change reached
    for the first time and that somebody asked to hear of; `released` the complaints `only_with_another`
    that a match reviewer confirmed to have another source's beside them."""

    pattern_id: UUID
    members: Annotated[tuple[PatternMember, ...], Field(max_length=MOST_MEMBERS)] | None = None
    members_url: str | None = None
    added: tuple[PatternMember, ...] = ()
    removed: tuple[PatternMember, ...] = ()
    complaints: Count
    incidents: Count
    sources_min: Count
    sources_max: Count
    crossed: tuple[Count, ...] = ()
    released: tuple[UUID, ...] = ()
