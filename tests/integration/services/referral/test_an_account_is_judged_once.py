"""An account with a police past asks for the statistics of very many cases.

Each case needs a verdict before it may be counted. All of them used to be asked for one at every request (a
second at a million cases), and at the first one the request took for as long as all of them did.
"""

from uuid import UUID, uuid4

import pytest

from services.referral import conflicts
from services.referral.conflicts import Conflicts
from services.referral.read_models import CaseRow
from shared.conflict import Holder
from shared.errors import Unavailable
from shared.web.auth import Caller
from tests.integration.services.referral.feeding import Referral, complaint

CALLER = Caller(
    subject="audrey",
    roles=frozenset({"auditor"}),
    holder=Holder(force="kent", name="Jo Bloggs", unit="traffic"),
)


async def _verdicts(referral: Referral) -> int:
    return int(await referral.store.pool.fetchval("SELECT count(*) FROM verdicts"))


async def test_a_first_look_that_takes_too_long_goes_on_with_the_next(
    referral: Referral, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conflicts, "JUDGING_SECONDS", -1.0)
    monkeypatch.setattr(conflicts, "_AT_ONCE", 2)
    for _ in range(5):
        await referral.receive(referral.feed.recorded(complaint("hate.racist")))
    judging = Conflicts(referral.context, referral.read, referral.docket)
    for judged in (2, 4, 5):
        with pytest.raises(Unavailable) as refused:
            await judging.judge_all(CALLER)
        assert refused.value.headers["Retry-After"] == "1"
        assert await _verdicts(referral) == judged
    await judging.judge_all(CALLER)


async def test_later_only_cases_are_looked_at_of_which_something_was_said(
    referral: Referral, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed, ids = referral.feed, [uuid4() for _ in range(4)]
    await referral.receive(*(feed.recorded(complaint("hate.racist"), each) for each in ids))
    judging = Conflicts(referral.context, referral.read, referral.docket)
    await judging.judge_all(CALLER)
    asked: list[UUID] = []
    since = referral.read.unjudged_since

    async def unjudged_since(holder: bytes, after: int, upto: int) -> list[CaseRow]:
        rows = await since(holder, after, upto)
        asked.extend(row.case_id for row in rows)
        return rows

    async def unjudged(*_: object) -> list[CaseRow]:
        raise AssertionError("not all are looked through again")

    monkeypatch.setattr(referral.read, "unjudged_since", unjudged_since)
    monkeypatch.setattr(referral.read, "unjudged", unjudged)
    await judging.judge_all(CALLER)
    assert asked == []
    await referral.receive(feed.recorded(complaint("hate.racist")), feed.incident(uuid4(), ids[:2]))
    await judging.judge_all(CALLER)
    assert len(asked) == 2, "the new one, and the one that another one came to"
    assert await referral.store.pool.fetchval(
        "SELECT count(*) FROM cases c WHERE status <> 'merged' AND NOT EXISTS (SELECT FROM verdicts v"
        " WHERE v.case_id = c.case_id AND v.members_version = c.members_version)"
    ) == 0  # fmt: skip
