"""Newer software, beside this one in an upgrade, has written events of a case that this one does not know.

Whoever asks for the case, or tells it something, is asked to come again later: nobody's request is at fault,
and no event of others is parked.
"""

from uuid import uuid4

import pytest

from shared.store.upcasting import UnknownVersionError
from tests.integration.services.referral.feeding import Referral, complaint
from tests.running import Running

CHANGES = {
    "a version": "UPDATE events SET schema_version = 2 WHERE type = 'case.opened'",
    "a type": "UPDATE events SET type = 'case.announced' WHERE type = 'case.opened'",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_the_case_is_not_read_by_guessing_and_nothing_is_parked(
    desk: Running, referral: Referral, change: str
) -> None:
    first, second = uuid4(), uuid4()
    for complaint_id in (first, second):
        await referral.receive(referral.feed.recorded(complaint("other.incivility"), complaint_id))
    case_id = await referral.case_of(first)
    await referral.store.fetch(change)
    status, problem = await desk.json("GET", f"/v1/cases/{case_id}", "assessor")
    assert (status, problem["title"]) == (503, "Temporarily unavailable")
    incident = referral.feed.numbered(referral.feed.incident(uuid4(), [first, second]))
    with pytest.raises(UnknownVersionError):
        await referral.inboxes["dedup"].receive(incident)
    assert await referral.store.parked() == []
    assert await referral.store.cursors("dedup") == {}
