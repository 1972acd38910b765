"""Halts: why a store appends nothing. They stand in its database, so that no replica appends what another
one knows to be wrong, and are read with the heads, under the store's lock.
"""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Halt:
    """A witness knows an event that the log does not have: the log has lost its tail.

    Attributes:
        witness: ``topic``, or a follower's name. One halt of each stands at a time.
        reason: told to those whose append is refused.
    """

    witness: str
    slot: int
    slot_sequence: int
    event_id: UUID
    reason: str
