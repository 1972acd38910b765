"""Newer software, beside this one during an upgrade, has written facts that this resolver does not know.

Passed over, they would be lost for the newer resolver too, which begins where this one's cursor stands.
"""

import pytest

from shared.store.upcasting import UnknownVersionError
from tests.integration.services.dedup.desk import Desk

CHANGES = {
    "a version": "UPDATE events SET schema_version = 2 WHERE type = 'complaint.withdrawn'",
    "a type": "UPDATE events SET type = 'match.suspended' WHERE type = 'complaint.withdrawn'",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_the_resolver_stops_before_a_fact_that_it_does_not_know(desk: Desk, change: str) -> None:
    complaint_id = await desk.record({"narrative": "He took money."})
    await desk.erase(complaint_id)
    await desk.store.fetch(change)
    with pytest.raises(UnknownVersionError):
        await desk.resolve()
    assert await desk.store.cursors("resolver") == {}
    await desk.store.fetch("UPDATE events SET schema_version = 1, type = 'complaint.withdrawn'")
    await desk.resolve()
    assert await desk.store.cursors("resolver") != {}
