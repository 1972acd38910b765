"""The part of the graph of matches that a change can have an effect on: whole components, and their groups.

A component is what accepted matches connect, for no group goes beyond it. Beside it belong those who stood
in one group with its nodes so far: what comes of them has to be told, too.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from services.dedup import read_models
from services.dedup.domain.clusters import WHOLE, Link, Node
from services.dedup.domain.facts import OF_INCIDENTS, OF_PATTERNS, Kind
from services.dedup.links import Matches
from shared.store.postgres import PostgresStore

_ASKED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Region:
    """
    Attributes:
        nodes: of whole components.
        links: all between them.
        before: node -> the group that it was in so far, of those that were in one.
    """

    nodes: set[Node]
    links: list[Link]
    before: Mapping[Node, UUID]


class Regions:
    """Reads regions, of incidents or of patterns."""

    def __init__(
        self,
        store: PostgresStore,
        matches: Matches,
        kinds: Collection[Kind],
        fellows: Callable[[PostgresStore, Collection[Node]], Awaitable[Mapping[Node, UUID]]],
    ) -> None:
        """
        Args:
            kinds: of the matches that hold them together.
            fellows: asks for the members of the groups of some nodes, with their groups.
        """
        self._store, self._matches = store, matches
        self._kinds, self._fellows = list(kinds), fellows

    @classmethod
    def of_incidents(cls, store: PostgresStore, matches: Matches) -> "Regions":
        return cls(store, matches, OF_INCIDENTS, _fellows_in_incidents)

    @classmethod
    def of_patterns(cls, store: PostgresStore, matches: Matches) -> "Regions":
        return cls(store, matches, OF_PATTERNS, _fellows_in_patterns)

    async def around(self, start: Collection[Node]) -> Region:
        """The components of `start`."""
        nodes: set[Node] = set()
        before: dict[Node, UUID] = {}
        frontier = set(start)
        while frontier:
            nodes |= frontier
            further: set[Node] = set()
            asking = list(frontier)
            for place in range(0, len(asking), _ASKED_AT_ONCE):
                asked = asking[place : place + _ASKED_AT_ONCE]
                held = await self._fellows(self._store, asked)
                before |= held
                further |= held.keys() | await self._neighbours(asked)
            frontier = further - nodes
        return Region(nodes, await self._matches.within(nodes, self._kinds), before)

    async def _neighbours(self, nodes: Collection[Node]) -> set[Node]:
        complaints, subjects = zip(*nodes, strict=True)
        rows = await self._store.fetch(read_models.NEIGHBOURS, complaints, subjects, self._kinds)
        return {(UUID(bytes=row[0].bytes), row[1]) for row in rows}


async def _fellows_in_incidents(store: PostgresStore, nodes: Collection[Node]) -> Mapping[Node, UUID]:
    rows = await store.fetch(read_models.FELLOWS, [complaint for complaint, _ in nodes])
    return {(UUID(bytes=row[0].bytes), WHOLE): UUID(bytes=row[1].bytes) for row in rows}


async def _fellows_in_patterns(store: PostgresStore, nodes: Collection[Node]) -> Mapping[Node, UUID]:
    members = [read_models.member_key(*node) for node in nodes]
    rows = await store.fetch(read_models.PATTERN_FELLOWS, members)
    return {(UUID(bytes=row[0].bytes), row[1]): UUID(bytes=row[2].bytes) for row in rows}


def wholes(complaints: Iterable[UUID]) -> set[Node]:
    """The nodes of complaints in incidents."""
    return {(complaint, WHOLE) for complaint in complaints}
