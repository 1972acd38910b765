"""What a batch has to know before it is judged: read under the lock, in one round trip.

Two kinds of look-ups, which would take most of the time under the lock, are saved:

- The heads of slots are followed along the log: those known from the last batch, and what other processes
  appended since.
- A stream that a request begins, expecting it at version 0, is taken for new (`trusting`). Where it is not,
  `UNIQUE (stream_id, version)` refuses the batch. Whoever trusts asks again without trust where that happens
  or a request was refused, so that every refusal is the one that a look-up gives.
"""

from collections.abc import Callable, Sequence
from typing import Any

import asyncpg

from shared.store import sql
from shared.store.numbering import Heads, waiting_limits
from shared.store.requests import AppendRequest, InboxState

FOLLOW_LIMIT = 1000
"""So many positions are read to follow the slots' heads; from further behind, slots are looked up again."""

_BEYOND = 1 << 62  # above every position: nothing is followed yet


class FollowedSlots:
    """The slots' heads as of one position of the log.

    True for as long as the log only grows: to be forgotten with the connection, since behind another one
    may be a server that has lost the log's tail.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.follow(_BEYOND, {})

    def follow(self, position: int, heads: dict[int, int]) -> None:
        self.position, self.heads = position, heads

    def reaches(self, position: int) -> bool:
        """Whether following gets from here to `position`."""
        return self.position == _BEYOND or self.position <= position <= self.position + FOLLOW_LIMIT


class Asked:
    """The keys that a batch touches.

    Args:
        slot_of_stream: the slot of a public stream, None for an internal one.
        trusting: take streams for new that are begun at version 0.
    """

    def __init__(
        self,
        requests: Sequence[AppendRequest],
        slot_of_stream: Callable[[str], int | None],
        *,
        trusting: bool,
    ) -> None:
        streams: dict[str, None] = {}
        self.slot_of: dict[str, int | None] = {}
        self.trusts = False
        for request in requests:
            begun = set()
            for event in request.events:
                if event.stream_id not in self.slot_of:
                    self.slot_of[event.stream_id] = slot_of_stream(event.stream_id)
                if trusting and request.expected.get(event.stream_id) == 0:
                    begun.add(event.stream_id)
                else:
                    streams[event.stream_id] = None
            streams.update((stream, None) for stream in request.expected if stream not in begun)
            self.trusts = self.trusts or bool(begun)
        self._streams = list(streams)
        self._slots = {slot for slot in self.slot_of.values() if slot is not None}
        self._claims = list({(claim.kind, claim.key) for r in requests for claim in r.claims})
        self._cursors = list({(move.source, move.slot) for r in requests for move in r.cursors})
        self._leases = list({lease.name for r in requests for lease in r.leases})
        limits = waiting_limits(requests)
        self._queues = list(limits)
        self._waiting_limits = list(limits.values())
        self._inbox = list(
            {(step.source, step.slot, step.slot_sequence) for r in requests for step in r.transitions}
        )
        self._applies = bool(limits)

    async def read(self, connection: "asyncpg.Connection", followed: FollowedSlots) -> Heads:
        """The heads, under the lock."""
        while True:
            unknown = [slot for slot in self._slots if slot not in followed.heads]
            row = await connection.fetchrow(sql.HEADS, *self._parameters(unknown, followed.position))
            heads = self._heads(row, unknown, followed)
            if followed.reaches(heads.position):
                return heads
            followed.forget()

    def _parameters(self, unknown: list[int], position: int) -> list[Any]:
        return [
            self._streams,
            unknown,
            *columns(self._claims, 2),
            *columns(self._cursors, 2),
            self._leases,
            *columns(self._queues, 2),
            *columns(self._inbox, 3),
            self._applies,
            position,
            position + FOLLOW_LIMIT,
            self._waiting_limits,
        ]

    def _heads(self, row: asyncpg.Record | None, unknown: list[int], followed: FollowedSlots) -> Heads:
        assert row is not None  # noqa: S101  (a SELECT without FROM has one row)
        (
            position,
            applied_no,
            versions,
            slots,
            claims,
            cursors,
            leases,
            queues,
            inbox,
            grown,
            grown_to,
            halted,
        ) = row
        return Heads(
            position=position,
            applied_no=applied_no,
            versions=dict(zip(self._streams, versions, strict=True)),
            # In the order of the log, so that the last of a slot counts.
            slots=followed.heads
            | dict(zip(unknown, slots, strict=True))
            | dict(zip(grown, grown_to, strict=True)),
            claims={k: value for k, value in zip(self._claims, claims, strict=True) if value is not None},
            cursors=dict(zip(self._cursors, cursors, strict=True)),
            leases=dict(zip(self._leases, leases, strict=True)),
            waiting=dict(zip(self._queues, queues, strict=True)),
            inbox={k: InboxState(s) for k, s in zip(self._inbox, inbox, strict=True) if s is not None},
            halted=halted or "",
        )


def columns(rows: Sequence[Sequence[Any]], count: int) -> list[list[Any]]:
    """`count` arrays, one a column: `unnest` takes them apart again."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(count)]
