"""The three zones of a match: accepted, for a person to review, rejected."""

from typing import Literal

from services.dedup.domain.model import Zones

Zone = Literal["accepted", "review", "rejected"]
KeptZone = Literal["accepted", "review"]
"""What a rule makes of a pair that is worth keeping; `rejected` among the kept ones is a person's word."""


def zone_of(weight: float, zones: Zones) -> KeptZone | None:
    """None for a pair that the rule rejects."""
    if weight >= zones.accept:
        return "accepted"
    return "review" if weight >= zones.review else None
