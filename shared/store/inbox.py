"""What the store keeps of other services' events beside the applied ones, as it is read back."""

from dataclasses import dataclass
from uuid import UUID

UNREADABLE_LIMIT = 256 * 1024


@dataclass(frozen=True, slots=True)
class WaitingEntry:
    """A parked or queued inbox entry; `event` is its CloudEvent's JSON, None where its owner had none, and in
    lists of parked ones."""

    source: str
    slot: int
    slot_sequence: int
    event_id: UUID
    subject: str
    type: str
    event: str | None
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class UnreadableRecord:
    """A Kafka record without a readable envelope. It may name anybody: it is cut and goes after a week."""

    topic: str
    partition: int
    offset: int
    reason: str
    value: bytes
