"""Who decides while something comes to the case is refused, and sees it; or it sees what was decided."""

from collections.abc import Awaitable, Callable, Collection
from uuid import UUID, uuid4

import pytest

from services.referral.conflicts import Conflicts
from services.referral.desk import Desk
from services.referral.docket import Docket
from services.referral.domain.policy import Policy
from services.referral.domain.rules.table import load_rules
from services.referral.presenting import DecisionMade
from services.referral.read_models import ReadModel
from shared.errors import Conflict
from shared.streaming.cloudevents import Envelope
from shared.vocabulary import load_vocabulary
from shared.web.auth import Caller
from tests.integration.services.referral.feeding import Referral, complaint

ANNA = Caller(subject="anna", roles=frozenset({"assessor"}))
NO_ACTION = DecisionMade(outcome="no_further_action", reason_code="seen", reason="Seen.")


class Interrupted(ReadModel):
    """Something happens once, just after the patterns of a case were read and before it is decided."""

    def __init__(self, referral: Referral, happens: Callable[[], Awaitable[None]]) -> None:
        super().__init__(referral.store)
        self._happens: Callable[[], Awaitable[None]] | None = happens

    async def pattern_fellows(self, complaint_ids: Collection[UUID]) -> set[UUID]:
        found = await super().pattern_fellows(complaint_ids)
        happens, self._happens = self._happens, None
        if happens is not None:
            await happens()
        return found


def desk_of(referral: Referral, read: ReadModel) -> Desk:
    vocabulary = load_vocabulary()
    docket = Docket(referral.context.keys, read)
    policy = Policy(load_rules(vocabulary), vocabulary)
    return Desk(referral.context, read, docket, policy, Conflicts(referral.context, read, docket))


async def close(desk: Desk, case_id: UUID, version: int) -> str:
    made = NO_ACTION.dispositions_for
    case = await desk.decide(ANNA, case_id, version, made, NO_ACTION.reason, is_for_all=True)
    return case.status


@pytest.mark.parametrize("what", ["pattern", "follow_up", "incident", "release"])
async def test_what_comes_while_somebody_decides_is_not_overlooked(referral: Referral, what: str) -> None:
    feed, one, two, pattern = referral.feed, uuid4(), uuid4(), uuid4()
    wish = "only_with_another" if what == "release" else "pass_on"
    await referral.receive(
        feed.recorded(complaint("other.incivility"), one),
        feed.recorded(complaint("other.incivility", wish=wish), two),
    )
    if what == "release":
        await referral.receive(feed.pattern(pattern, [one, two]))
    events: dict[str, Callable[[], Envelope]] = {
        "pattern": lambda: feed.pattern(pattern, [one, two]),
        "follow_up": lambda: feed.followed_up(one, "There is more."),
        "incident": lambda: feed.incident(uuid4(), [one, two]),
        "release": lambda: feed.pattern(pattern, [one, two], released=[two]),
    }
    case_id = await referral.case_of(one)
    desk = desk_of(referral, Interrupted(referral, lambda: referral.receive(events[what]())))
    with pytest.raises(Conflict):
        await close(desk, case_id, 1)
    await referral.check()
    survivor = await referral.case_of(one)
    version = (await referral.read.cases([survivor]))[survivor].version
    status = await close(desk_of(referral, referral.read), survivor, version)
    assert status == ("decided" if what in {"pattern", "release"} else "closed")
