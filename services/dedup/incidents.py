"""The resolver's part that makes incidents: complaints that duplicates and same incidents join."""

from collections.abc import Collection
from uuid import UUID

from services.dedup.domain.clusters import Node, never_apart
from services.dedup.domain.facts import OF_INCIDENTS, incident_id
from services.dedup.domain.model import Model
from services.dedup.domain.weights import probability_of
from services.dedup.index import ComplaintIndex
from services.dedup.links import Matches
from services.dedup.membership import Change, parts
from services.dedup.offload import aside
from services.dedup.regions import Regions, wholes
from services.dedup.resolution import Resolution, Rule, resolved
from services.dedup.rows import incident_rows
from services.dedup.sources import sources
from services.dedup.steps import MOST_IN_EVENT, Step, Steps
from services.dedup.touched import Touched
from services.dedup.waiting import Waiting
from shared.contracts.events import INCIDENT_CHANGED
from shared.contracts.match_events import MOST_MEMBERS, IncidentChanged
from shared.service import Context


class Incidents:
    def __init__(self, context: Context, index: ComplaintIndex, matches: Matches, model: Model) -> None:
        self._index = index
        self._regions = Regions.of_incidents(context.store, matches)
        self._waiting = Waiting(context.store, OF_INCIDENTS)
        self._rule = Rule(
            model.incident, never_apart, group_id=lambda lowest: incident_id(lowest[0]), keeps_singles=True
        )

    async def resolve(self, touched: Touched, steps: Steps) -> tuple[set[UUID], set[UUID]]:
        """Append what is new of the incidents of these complaints; the complaints that moved, and all that
        were looked at.

        Raises:
            AppendRefused: as `Steps.append`.
        """
        region = await self._regions.around(touched.complaints | wholes(touched.withdrawn))
        found = await aside(
            len(region.nodes) + len(region.links), resolved, region, touched.withdrawn, self._rule
        )
        await steps.append([await self._step(step, found, steps) for step in found.steps])
        await steps.append(await self._waiting.changed(region.nodes, found.waiting, steps))
        moved = {
            complaint
            for step in found.steps
            for change in step
            for complaint, _ in (*change.added, *change.removed)
        }
        return moved, {complaint for complaint, _ in region.nodes}

    async def _step(self, changed: Collection[Change[Node]], found: Resolution, steps: Steps) -> Step:
        step = Step()
        for change in changed:
            least, most = await sources(self._index, [complaint for complaint, _ in change.members])
            weakest = found.weakest.get(change.group_id)
            for part in parts(change, MOST_IN_EVENT):
                told = _told(part, (least, most), weakest)
                step.events.append(steps.event("incident", told.incident_id, INCIDENT_CHANGED, told))
                step.rows += incident_rows(told)
        return step


def _told(change: Change[Node], sources: tuple[int, int], weakest: float | None) -> IncidentChanged:
    is_long = len(change.members) > MOST_MEMBERS
    return IncidentChanged(
        incident_id=change.group_id,
        members=None if is_long else _complaints(change.members),
        members_url=f"/v1/incidents/{change.group_id}" if is_long else None,
        added=_complaints(change.added),
        removed=_complaints(change.removed),
        count=len(change.members),
        sources_min=sources[0],
        sources_max=sources[1],
        merged_into=change.merged_into,
        split_from=change.split_from,
        weakest_probability=None if weakest is None else probability_of(weakest),
    )


def _complaints(nodes: Collection[Node]) -> tuple[UUID, ...]:
    return tuple([complaint for complaint, _ in nodes])
