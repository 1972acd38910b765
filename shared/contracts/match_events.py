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
    """The incident."""
    members: Annotated[tuple[UUID, ...], Field(max_length=MOST_MEMBERS)] | None = None
    """Its complaints; null where there are more than 500."""
    members_url: str | None = None
    """Where its complaints are served, if there are more than 500."""
    added: tuple[UUID, ...] = ()
    """Complaints that came to it with this change."""
    removed: tuple[UUID, ...] = ()
    """Complaints that left it with this change."""
    count: Count
    """How many complaints it has."""
    sources_min: Count
    """The least number of independent sources there can be."""
    sources_max: Count
    """The most independent sources there can be."""
    merged_into: UUID | None = None
    """The incident that it is a part of now, if it was merged."""
    split_from: UUID | None = None
    """The incident that it was a part of, if it came from a split."""
    weakest_probability: Probability | None = None
    """The least probability by which its complaints hold together, 0 to 1."""


class PatternMember(Contract):
    """One subject of one complaint: the same officer as the pattern's other members."""

    complaint_id: UUID
    """The complaint that describes the officer."""
    subject: SubjectIndex
    """Which of its subjects the officer is, by its place in the list, from 0."""


class PatternChanged(Contract):
    """The subjects that are one officer. `crossed` are the numbers of incidents that this change reached
    for the first time and that somebody asked to hear of; `released` the complaints `only_with_another`
    that a match reviewer confirmed to have another source's beside them."""

    pattern_id: UUID
    """The pattern."""
    members: Annotated[tuple[PatternMember, ...], Field(max_length=MOST_MEMBERS)] | None = None
    """Its subjects; null where there are more than 500."""
    members_url: str | None = None
    """Where its subjects are served, if there are more than 500."""
    added: tuple[PatternMember, ...] = ()
    """Subjects that came to it with this change."""
    removed: tuple[PatternMember, ...] = ()
    """Subjects that left it with this change."""
    complaints: Count
    """How many complaints describe the officer."""
    incidents: Count
    """How many incidents these complaints are about."""
    sources_min: Count
    """The least number of independent sources there can be."""
    sources_max: Count
    """The most independent sources there can be."""
    crossed: tuple[Count, ...] = ()
    """Numbers of incidents that it reached for the first time, of those that somebody asked to hear of."""
    released: tuple[UUID, ...] = ()
    """Complaints `only_with_another` that a match reviewer confirmed to have another source's beside them."""
