"""What waits for a person beside the groups: matches that the rule accepted and that join nothing.

Of every two groups the heaviest one waits (`services.dedup.domain.clusters.Partition`). Who accepts it joins
the groups, who rejects it keeps them apart for good.
"""

from collections.abc import Collection, Sequence
from uuid import UUID, uuid4

from services.dedup import read_models
from services.dedup.domain.clusters import WHOLE, Link, Node
from services.dedup.domain.facts import WAITING_CHANGED, Kind, Pair, WaitingChanged
from services.dedup.links import StoredMatch
from services.dedup.rows import waiting_rows
from services.dedup.steps import Step, Steps
from shared.store.postgres import PostgresStore

_MOST_IN_EVENT = 1000


class Waiting:
    """
    Args:
        kinds: of the matches, in incidents or in patterns.
    """

    def __init__(self, store: PostgresStore, kinds: Collection[Kind]) -> None:
        self._store, self._kinds = store, list(kinds)

    async def beside(self, nodes: Collection[Node]) -> dict[UUID, tuple[Node, Node]]:
        """Those that wait at some of these nodes: match id -> the two nodes that it is about."""
        complaints = list({complaint for complaint, _ in nodes})
        rows = await self._store.fetch(read_models.WAITING_OF, complaints, self._kinds)
        ends = {
            UUID(bytes=match_id.bytes): (
                (UUID(bytes=one.bytes), subject),
                (UUID(bytes=other.bytes), of_other),
            )
            for match_id, one, subject, other, of_other in rows
        }
        return {id_: (one, other) for id_, (one, other) in ends.items() if one in nodes or other in nodes}

    async def changed(self, nodes: Collection[Node], links: Sequence[Link], steps: Steps) -> list[Step]:
        """What begins to wait, and what ends it.

        Args:
            nodes: of whole components.
            links: all that wait between these nodes now.
        """
        before = await self.beside(nodes)
        now = {match.match_id: match for match in await self._matches(links)}
        began = [_pair(match) for match_id, match in sorted(now.items()) if match_id not in before]
        ended = sorted(before.keys() - now.keys())
        return [
            _step(
                WaitingChanged(
                    began=tuple(began[place : place + _MOST_IN_EVENT]),
                    ended=tuple(ended[place : place + _MOST_IN_EVENT]),
                ),
                steps,
            )
            for place in range(0, max(len(began), len(ended)), _MOST_IN_EVENT)
        ]

    async def _matches(self, links: Sequence[Link]) -> list[StoredMatch]:
        if not links:
            return []
        of = {(link.a, link.b) for link in links}
        ones, others = [link.a[0] for link in links], [link.b[0] for link in links]
        rows = await self._store.fetch(read_models.ACCEPTED_BETWEEN, ones, others, self._kinds)
        return [match for match in map(StoredMatch.of, rows) if (match.a, match.b) in of]


def _pair(match: StoredMatch) -> Pair:
    (one, subject), (other, other_subject) = match.a, match.b
    return Pair(
        match_id=match.match_id,
        kind=match.kind,
        complaint_id=one,
        subject=None if subject == WHOLE else subject,
        other_complaint_id=other,
        other_subject=None if other_subject == WHOLE else other_subject,
    )


def _step(told: WaitingChanged, steps: Steps) -> Step:
    return Step([steps.event("waiting", uuid4(), WAITING_CHANGED, told)], waiting_rows(told))
