"""What intake's unique claims hold, as text and back."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

IDEMPOTENCY = "idempotency"
"""One request; until the end of the day after. The key is a hash of caller and `Idempotency-Key`."""
IMPORT_LINE = "import line"
"""One line of an import, for ever. The key is a hash of its body and which occurrence of it this is."""
CONTACT = "contact"
"""Contacts that were closed by one request, for ever. The key is a hash of caller and `Idempotency-Key`."""
RECORDER = "recorder"
"""Who recorded a complaint; as long as an idempotency key. The key is a hash of caller, complaint and day."""
RECEIPT = "receipt"
"""One receipt. The key is its hash."""


@dataclass(frozen=True, slots=True)
class RequestClaim:
    """What became of a request. `attempt` and `day` let the receipt be derived again."""

    day: date
    complaint_id: UUID
    attempt: int
    fingerprint: bytes

    def __str__(self) -> str:
        # The day first: claims that ran out are found by comparing the text.
        return f"{self.day} {self.complaint_id} {self.attempt} {self.fingerprint.hex()}"

    @classmethod
    def parse(cls, text: str) -> "RequestClaim":
        day, complaint_id, attempt, fingerprint = text.split()
        return cls(date.fromisoformat(day), UUID(complaint_id), int(attempt), bytes.fromhex(fingerprint))

    def is_over(self, today: date) -> bool:
        """Whether the end of the day after the request is past."""
        return self.day < first_day_kept(today)


def first_day_kept(today: date) -> date:
    """Claims and secrets of this day and later still count."""
    return today - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ReceiptClaim:
    """Which complaint a receipt opens, and the source it belongs to."""

    complaint_id: UUID
    source_group: UUID

    def __str__(self) -> str:
        return f"{self.complaint_id} {self.source_group}"

    @classmethod
    def parse(cls, text: str) -> "ReceiptClaim":
        complaint_id, source_group = text.split()
        return cls(UUID(complaint_id), UUID(source_group))
