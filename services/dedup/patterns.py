"""The resolver's part that makes patterns: subjects of complaints that are one officer."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from services.dedup import read_models
from services.dedup.domain.clusters import Link, Node, of_one_complaint
from services.dedup.domain.facts import OF_PATTERNS, incident_id, pattern_id
from services.dedup.domain.features import ONLY_WITH_ANOTHER
from services.dedup.domain.profiles import Profiles
from services.dedup.domain.scoring import Scorer
from services.dedup.index import ComplaintIndex, IndexReader
from services.dedup.links import Matches
from services.dedup.membership import Change, parts
from services.dedup.offload import aside
from services.dedup.regions import Regions
from services.dedup.resolution import Rule, resolved
from services.dedup.rows import PatternRows
from services.dedup.sources import sources
from services.dedup.steps import MOST_IN_EVENT, Step, Steps
from services.dedup.touched import Touched
from services.dedup.waiting import Waiting
from shared.contracts.events import PATTERN_CHANGED
from shared.contracts.match_events import MOST_MEMBERS, PatternChanged, PatternMember
from shared.service import Context

CROSSINGS = (3, 5, 9)
"""Numbers of incidents in one pattern that somebody hears of when they are reached."""


class Patterns:
    def __init__(self, context: Context, index: ComplaintIndex, matches: Matches, scorer: Scorer) -> None:
        self._store, self._index, self._matches = context.store, index, matches
        self._scorer = scorer
        self._regions = Regions.of_patterns(context.store, matches)
        self._waiting = Waiting(context.store, OF_PATTERNS)
        self._rule = Rule(
            scorer.model.officer,
            of_one_complaint,
            group_id=lambda lowest: pattern_id(*lowest),
            keeps_singles=False,
        )

    async def resolve(self, touched: Touched, moved: Collection[UUID], steps: Steps) -> None:
        """Append what is new of the patterns of these subjects.

        Args:
            moved: complaints whose incident may be another one.

        Raises:
            AppendRefused: as `Steps.append`.
        """
        region = await self._regions.around(await self._start(touched, moved))
        profiles = await profiles_of(self._index, self._scorer, region.nodes)
        found = await aside(
            len(region.nodes) + len(region.links),
            resolved,
            region,
            touched.withdrawn,
            self._rule,
            profiles.fit,
        )
        known = await self._known({*found.members, *region.before.values()})
        counts = await self._counts(found.members)
        changed = {change.group_id for step in found.steps for change in step}
        recounted = [
            [Change(group, members, (), ())]
            for group, members in found.members.items()
            if group not in changed
            and (known.get(group, (0, 0, 0))[:2] != counts[group] or not touched.decided.isdisjoint(members))
        ]
        following = PatternRows(region.before, {group: row[2] for group, row in known.items()})
        confirmed = [link for link in region.links if link.verdict == "accepted"]
        await steps.append(
            [
                await self._step(step, confirmed, counts, following, steps)
                for step in (*found.steps, *recounted)
            ]
        )
        await steps.append(await self._waiting.changed(region.nodes, found.waiting, steps))

    async def _start(self, touched: Touched, moved: Collection[UUID]) -> set[Node]:
        rows = await self._store.fetch(read_models.SUBJECTS_IN_PATTERNS, list(moved))
        start = touched.subjects | {(UUID(bytes=row[0].bytes), row[1]) for row in rows}
        for match in await self._matches.of(touched.withdrawn):
            if not match.is_of_incidents:
                start |= {match.a, match.b}
        return start

    async def _known(self, patterns: Collection[UUID]) -> Mapping[UUID, tuple[int, int, int]]:
        """Pattern -> complaints, incidents, and the most incidents it ever had, of those that were told."""
        rows = await self._store.fetch(read_models.PATTERNS_BY_ID, list(patterns))
        return {UUID(bytes=row[0].bytes): (row[1], row[2], row[3]) for row in rows}

    async def _counts(self, patterns: Mapping[UUID, Sequence[Node]]) -> Mapping[UUID, tuple[int, int]]:
        """Pattern -> its complaints and incidents."""
        of = list({complaint for members in patterns.values() for complaint, _ in members})
        rows = await self._store.fetch(read_models.INCIDENTS_OF, of)
        incidents = {UUID(bytes=row[0].bytes): UUID(bytes=row[1].bytes) for row in rows}
        found: dict[UUID, tuple[int, int]] = {}
        for pattern, members in patterns.items():
            complaints = {complaint for complaint, _ in members}
            # Without a match it is an incident of its own.
            within = {incidents.get(complaint) or incident_id(complaint) for complaint in complaints}
            found[pattern] = len(complaints), len(within)
        return found

    async def _step(
        self,
        changed: Iterable[Change[Node]],
        confirmed: Collection[Link],
        counts: Mapping[UUID, tuple[int, int]],
        following: PatternRows,
        steps: Steps,
    ) -> Step:
        step = Step()
        for change in changed:
            complaints, incidents = counts.get(change.group_id, (0, 0))
            reached = following.reached(change.group_id, change.added)
            crossed = tuple(number for number in CROSSINGS if reached < number <= incidents)
            released = await self._released(change.members, confirmed)
            least, most = await sources(self._index, {complaint for complaint, _ in change.members})
            for part in parts(change, MOST_IN_EVENT):
                is_long = len(part.members) > MOST_MEMBERS
                told = PatternChanged(
                    pattern_id=part.group_id,
                    members=None if is_long else _members(part.members),
                    members_url=f"/v1/patterns/{part.group_id}" if is_long else None,
                    added=_members(part.added),
                    removed=_members(part.removed),
                    complaints=complaints,
                    incidents=incidents,
                    sources_min=least,
                    sources_max=most,
                    crossed=crossed,
                    released=released,
                )
                step.events.append(steps.event("pattern", told.pattern_id, PATTERN_CHANGED, told))
                step.rows += following.changed(told)
                crossed = released = ()
        return step

    async def _released(self, members: Iterable[Node], confirmed: Iterable[Link]) -> tuple[UUID, ...]:
        """The complaints `only_with_another` that a person confirmed to have another source's beside
        them. The person's word is enough: where the group is full, one of the two stands outside."""
        inside = set(members)
        within = [link for link in confirmed if link.a in inside or link.b in inside]
        indexed = await self._index.get({node[0] for link in within for node in (link.a, link.b)})
        found = set()
        for link in within:
            one, other = indexed.get(link.a[0]), indexed.get(link.b[0])
            if one and other and one.features.source_group != other.features.source_group:
                found |= {of.complaint_id for of in (one, other) if of.features.wish == ONLY_WITH_ANOTHER}
        return tuple(sorted(found))


async def profiles_of(index: IndexReader, scorer: Scorer, nodes: Collection[Node]) -> Profiles:
    """Of subjects; those of erased complaints have none."""
    indexed = await index.get({complaint for complaint, _ in nodes})
    return Profiles(scorer, {complaint: one.features for complaint, one in indexed.items()})


def _members(nodes: Iterable[Node]) -> tuple[PatternMember, ...]:
    return tuple([PatternMember(complaint_id=complaint, subject=subject) for complaint, subject in nodes])
