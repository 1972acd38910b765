"""The weights of matches in memory, a bounded number of them, for all of a process.

A weight never changes, and to open one takes a tenth of a millisecond. Whoever finds a pair knows it already.
"""

from collections.abc import Iterable, Mapping
from uuid import UUID

from shared.store.postgres import PostgresStore

_MOST = 500_000  # about 200 bytes each


class OneDatabase:
    """Whether the database is still the one of before: behind each new connection it may be an older copy,
    and what a process remembers of it is not to be believed any more."""

    def __init__(self, store: PostgresStore) -> None:
        self._store, self._connections = store, 0

    def is_another(self) -> bool:
        """Since it was asked last."""
        known, self._connections = self._connections, self._store.connections
        return known != self._connections


class RememberedWeights:
    """By the bytes of the match id, which compare fastest."""

    def __init__(self) -> None:
        self._weights: dict[bytes, float] = {}

    def get(self, match_id: bytes) -> float | None:
        return self._weights.get(match_id)

    def remember(self, weights: Mapping[bytes, float]) -> None:
        """Those that were remembered first are forgotten first."""
        self._weights |= weights
        while len(self._weights) > _MOST:
            del self._weights[next(iter(self._weights))]

    def forget(self, match_ids: Iterable[UUID]) -> None:
        """Of pairs that others, with another model perhaps, have found before."""
        for match_id in match_ids:
            self._weights.pop(match_id.bytes, None)
