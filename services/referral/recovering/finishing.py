"""What the tail did not come to, for it breaks off: in the slot of each case by itself."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID, uuid4

import asyncpg

from services.referral import read_models
from services.referral.docket import Changes, Docket
from services.referral.domain import case as cases
from services.referral.domain.placement import news_in_pattern
from services.referral.domain.policy import Policy
from services.referral.domain.rules.table import load_rules
from services.referral.read_models import ReadModel
from services.referral.recovering.consuming import Consumed
from services.referral.recovering.copied import undecided
from services.referral.recovering.judging import Entry
from services.referral.rows import Member, difference
from shared.contracts.complaint_events import ComplaintFollowedUp, ComplaintRecorded
from shared.contracts.events import CASE_APPROVED, CASE_DECIDED, CASE_REFERRED, CASE_SPLIT
from shared.contracts.match_events import PatternChanged
from shared.sealing.events import log_type
from shared.sealing.keys import ServiceKeys
from shared.store.events import RecordedEvent
from shared.streaming.recovery import Append
from shared.vocabulary import load_vocabulary

_SPLIT = log_type(CASE_SPLIT)
_OF_DECISIONS: Final = frozenset(map(log_type, (CASE_DECIDED, CASE_APPROVED, CASE_REFERRED)))


@dataclass(frozen=True, slots=True, order=True)
class News:
    """What was new about a complaint of a case."""

    complaint_id: UUID
    because_of: str


InPattern = tuple[set[UUID], set[UUID]]
"""The complaints of a pattern, and those that came to it last."""


async def in_patterns(connection: "asyncpg.Connection", entries: Sequence[Entry]) -> dict[UUID, InPattern]:
    """By the pattern's event; to be asked before its members are noted."""
    told = [(one.envelope.id, one.told) for one in entries if isinstance(one.told, PatternChanged)]
    members: defaultdict[UUID, set[Member]] = defaultdict(set)
    ids = [one.pattern_id for _, one in told]
    for row in await connection.fetch(read_models.READ_MEMBERS_OF_PATTERNS, ids):
        members[row["pattern_id"]].add((row["complaint_id"], row["subject"]))
    found: dict[UUID, InPattern] = {}
    for event_id, one in told:
        added, removed = difference(one, members[one.pattern_id])
        now = members[one.pattern_id] = (members[one.pattern_id] | added) - removed
        found[event_id] = {each for each, _ in now}, {each for each, _ in added} | set(one.released)
    return found


class Finishing:
    """
    Args:
        newest: case -> its last event of the tail.
        residents: case -> its complaints.
        done: entry -> the position by which all was done that followed from it.
    """

    def __init__(
        self,
        connection: "asyncpg.Connection",
        keys: ServiceKeys,
        consumed: Consumed,
        newest: Mapping[UUID, RecordedEvent],
        residents: Mapping[UUID, Collection[UUID]],
        done: Mapping[UUID, int],
        today: date,
        append: Append,
    ) -> None:
        self._connection, self._keys, self._consumed, self._newest = connection, keys, consumed, newest
        self._residents, self._done, self._today, self._append = residents, done, today, append

    async def finish(self, stale: Collection[UUID], patterns: Mapping[UUID, InPattern]) -> None:
        """To assess the stale cases without the complaints that come no more, and what was split; to refer
        what was decided; and to tell decided cases what was new since."""
        stale = {*stale} | {case_id for case_id, event in self._newest.items() if event.type == _SPLIT}
        decided = {case_id for case_id, event in self._newest.items() if event.type in _OF_DECISIONS}
        vocabulary = load_vocabulary()
        policy = Policy(load_rules(vocabulary), vocabulary)
        read = ReadModel(self._connection)
        docket = Docket(self._keys, read)
        told = await self._to_be_told(read, patterns)
        touched = sorted(stale | decided | told.keys())
        for case_id, opened in (await docket.cases(touched)).items():
            case, events = opened.case, []
            if case_id in decided:
                events += cases.referrals_left(await docket.events(case_id), self._today, uuid4)
                for event in events:
                    case = cases.evolve(case, event)
            if case_id in stale or case_id in told:
                events += await self._assessed(docket, policy, case, told.get(case_id))
            if events:
                changes = Changes(self._keys, self._today)
                changes.add(opened, events)
                await self._append([changes.request()])

    async def _assessed(
        self, docket: Docket, policy: Policy, case: cases.Case, news: News | None
    ) -> list[cases.CaseEvent]:
        there = self._residents.get(case.case_id, ())
        facts = await docket.facts(there)
        if len(facts) != len(there):
            raise undecided(f"a complaint of case {case.case_id} cannot be read")
        if not facts:
            return cases.end(case, self._today)
        if news is None:
            return cases.assess(case, facts, policy, self._today)
        return cases.assess(
            case, facts, policy, self._today, told=news.complaint_id, because_of=news.because_of
        )

    async def _to_be_told(self, read: ReadModel, patterns: Mapping[UUID, InPattern]) -> dict[UUID, News]:
        """Decided case -> what is new about it, and came later, as far as is known, than all that the case
        tells of. It opened the case again, and that is lost; or it came right before the decision: who looks
        again loses nothing."""
        case_of = {each: of_case for of_case, there in self._residents.items() for each in there}
        came = self._consumed.recorded().keys() & case_of.keys()
        rows = await self._connection.fetch(read_models.READ_EACH_FELLOW, list(came))
        fellows = {row["complaint_id"]: row["fellows"] for row in rows}
        latest: dict[UUID, tuple[int, News]] = {}
        for entry in self._consumed.entries:
            because_of = cases.BY_PATTERN
            about: Collection[UUID] = ()
            match entry.told:
                case ComplaintRecorded() if entry.complaint_id in came:
                    own = case_of[entry.complaint_id]
                    about = [e for e in fellows.get(entry.complaint_id, ()) if case_of.get(e) != own]
                case ComplaintFollowedUp():
                    about, because_of = [entry.complaint_id], cases.BY_FOLLOW_UP
                case PatternChanged():
                    members, newcomers = patterns[entry.envelope.id]
                    about = news_in_pattern(members & case_of.keys(), newcomers)
            for each in about:
                if each in case_of:
                    news = self._done[entry.envelope.id], News(each, because_of)
                    latest[case_of[each]] = max(latest.get(case_of[each], news), news)
        decided = {
            case_id
            for case_id, row in (await read.cases(list(latest))).items()
            if row.status in cases.DECIDED
        }
        return {
            case_id: news
            for case_id, (at, news) in latest.items()
            if case_id in decided and at >= self._told_last(case_id)
        }

    def _told_last(self, case_id: UUID) -> int:
        return self._newest[case_id].position if case_id in self._newest else 0
