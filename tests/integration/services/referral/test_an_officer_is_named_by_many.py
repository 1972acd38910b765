"""An officer is named by many.

Each report that came to his pattern used to append an event for every one before it, only so that whoever was
deciding about one of them was refused: quadratic, five thousand reports were twelve million events. Now one
event of the pattern says so, and whoever decides expects that stream.
"""

from collections.abc import Awaitable, Callable, Collection
from uuid import UUID, uuid4

from services.referral.docket import Docket
from services.referral.domain.policy import Policy
from services.referral.domain.rules.table import load_rules
from services.referral.handlers import handlers
from services.referral.read_models import ReadModel
from shared.store.requests import InboxState
from shared.streaming.inbox import Inbox
from shared.vocabulary import load_vocabulary
from tests.integration.services.referral.feeding import Referral, complaint
from tests.integration.services.referral.test_races import close, desk_of

REPORTS = 25


async def test_each_report_appends_as_many_events_as_the_first(referral: Referral) -> None:
    feed, pattern, members, appended = referral.feed, uuid4(), [uuid4()], []
    await referral.receive(feed.recorded(complaint("other.incivility"), members[0]))
    for _ in range(REPORTS):
        members.append(uuid4())
        await referral.receive(feed.recorded(complaint("other.incivility"), members[-1]))
        before = await referral.store.head()
        await referral.receive(feed.pattern(pattern, members))
        appended.append(await referral.store.head() - before)
    assert set(appended[1:]) == {appended[1]}
    assert appended[1] <= appended[0]
    await referral.check()


async def test_his_decided_cases_are_open_again_and_only_these(referral: Referral) -> None:
    feed, pattern, members = referral.feed, uuid4(), [uuid4() for _ in range(6)]
    await referral.receive(*(feed.recorded(complaint("other.incivility"), each) for each in members))
    await referral.receive(feed.pattern(pattern, members[:1]))
    decided = [await referral.case_of(each) for each in members[:3]]
    desk = desk_of(referral, referral.read)
    for case_id in decided:
        assert await close(desk, case_id, 1) == "closed"
    await referral.receive(feed.pattern(pattern, members[:2]))
    rows = await referral.read.cases(decided)
    assert [rows[each].status for each in decided] == ["open", "open", "closed"]
    await referral.receive(feed.pattern(pattern, members))
    cases = await referral.read.cases([await referral.case_of(each) for each in members])
    assert {row.status for row in cases.values()} == {"open"}
    assert sorted(row.version for row in cases.values()) == [1, 1, 1, 4, 4, 4]
    await referral.check()


class Overtaken(ReadModel):
    """Somebody decides just after it was read which cases are decided."""

    def __init__(self, referral: Referral, happens: Callable[[], Awaitable[object]]) -> None:
        super().__init__(referral.store)
        self._happens: Callable[[], Awaitable[object]] | None = happens

    async def cases_with_status(
        self, complaint_ids: Collection[UUID], statuses: Collection[str]
    ) -> dict[UUID, UUID]:
        found = await super().cases_with_status(complaint_ids, statuses)
        happens, self._happens = self._happens, None
        if happens is not None:
            await happens()
        return found


async def test_a_case_that_is_decided_while_news_comes_is_open_again(referral: Referral) -> None:
    """It was not decided yet when the handler looked."""
    feed, pattern, members = referral.feed, uuid4(), [uuid4() for _ in range(3)]
    await referral.receive(*(feed.recorded(complaint("other.incivility"), each) for each in members))
    await referral.receive(feed.pattern(pattern, members[:1]))
    case_id = await referral.case_of(members[0])
    statuses: list[str] = []

    async def decide() -> None:
        statuses.append(await close(desk_of(referral, referral.read), case_id, 1))

    read, vocabulary = Overtaken(referral, decide), load_vocabulary()
    policy = Policy(load_rules(vocabulary), vocabulary)
    own = handlers(referral.context, read, Docket(referral.context.keys, read), policy)
    inbox = Inbox("dedup", referral.store, referral.context.keys, own["dedup"])
    assert await inbox.receive(feed.numbered(feed.pattern(pattern, members[:2]))) is InboxState.APPLIED
    assert statuses == ["closed"]
    assert (await referral.read.cases([case_id]))[case_id].status == "open"
    await referral.check()


async def test_two_who_decide_at_once_in_one_pattern_do_not_refuse_each_other(referral: Referral) -> None:
    feed, pattern, members = referral.feed, uuid4(), [uuid4(), uuid4()]
    await referral.receive(*(feed.recorded(complaint("other.incivility"), each) for each in members))
    await referral.receive(feed.pattern(pattern, members))
    first, second = [await referral.case_of(each) for each in members]

    class Meanwhile(ReadModel):
        async def pattern_fellows(self, complaint_ids: Collection[UUID]) -> set[UUID]:
            found = await super().pattern_fellows(complaint_ids)
            assert await close(desk_of(referral, referral.read), second, 1) == "decided"
            return found

    assert await close(desk_of(referral, Meanwhile(referral.store)), first, 1) == "decided"
