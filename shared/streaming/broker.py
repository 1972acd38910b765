"""What relay and consumers need of a broker. `kafka.py` is the real one, the tests' `FakeBroker` another.

Offsets are only a hint of where to read: a broker may forget records, repeat them, be wiped or grow
partitions, and nothing is lost or done twice, for slots and cursors decide.
"""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from shared.errors import HotlineError


class BrokerUnavailable(HotlineError):
    """The broker cannot be reached, or an acknowledgement is worth nothing. Start from the cursor again."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it was published; or, with a `fault`, a batch of records that cannot be read.

    Then `value` is the batch's bytes, as far as they came, and `offset` the last one of the batch: it is
    passed over, and whatever it held is a gap, which the owner of the events fills.
    """

    partition: int
    offset: int
    value: bytes
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    partition: int
    key: bytes
    value: bytes


class Publisher(Protocol):
    """One producer on one topic. After any error it is closed and a new one taken."""

    async def partitions(self) -> int:
        """How many partitions the topic has now."""

    async def send(self, records: Sequence[Outgoing], day_ms: int) -> list[int]:
        """Publish in order within each partition; the offsets, once all replicas have them.

        `day_ms` is the records' timestamp: midnight of the day of publication, never the time.
        """

    async def bounds(self, partition: int) -> tuple[int, int]:
        """The first offset still kept, and the one after the last."""

    async def read_at(self, partition: int, offset: int) -> Record | None:
        """The record at `offset`, or the first readable one kept after it; None where there is none."""


class Subscription(Protocol):
    """A member of a consumer group on one topic."""

    async def assigned(self) -> Collection[int]:
        """The partitions that are this member's now."""

    async def partitions(self) -> int:
        """How many partitions the topic has, as far as this member knows."""

    async def fetch(self, partition: int, limit: int, wait_seconds: float) -> list[Record]:
        """The next records of an assigned partition, in order; empty after `wait_seconds` without any.

        A batch that cannot be read is one record with its `fault`, and what follows it is fetched next.
        """

    async def is_at_end(self, partition: int) -> bool:
        """Whether everything that the broker holds of the partition was fetched."""

    async def commit(self, offsets: dict[int, int]) -> None:
        """Note where to read on; best effort."""


class Broker(Protocol):
    def publisher(self, topic: str) -> AbstractAsyncContextManager[Publisher]:
        """
        Raises:
            BrokerUnavailable: on entering, and from every call within.
        """

    def subscription(self, topic: str, group: str) -> AbstractAsyncContextManager[Subscription]:
        """
        Raises:
            BrokerUnavailable: on entering, and from every call within.
        """
