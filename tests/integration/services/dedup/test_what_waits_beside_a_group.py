"""An accepted match that joins nothing is not let go of: it stands in the queue of reviews."""

from pathlib import Path
from uuid import UUID

import pytest

from services.dedup.domain.facts import incident_id
from services.dedup.domain.model import load_model
from services.dedup.incidents import Incidents
from services.dedup.links import Matches
from services.dedup.projection import Projection
from services.dedup.settings import Settings
from services.dedup.wiring import wire
from shared.sealing.keys import ServiceKeys
from tests.integration.rebuilding import differing, rebuilt
from tests.integration.services.dedup.desk import REVIEWER, Desk
from tests.integration.services.dedup.test_matching import NIGHT, SAME_NIGHT
from tests.running import Running, running_service

MATCH_REVIEWER = "match_reviewer"
ONE_MATCH_IS_GONE = {"matches": 1}


async def three_of_which_two_do_not_match(desk: Desk) -> list[UUID]:
    """The second and the third report match the first alone, and count against each other."""
    model = load_model()
    clustering = model.incident.clustering.model_copy(update={"unseen": -100.0})
    incident = model.incident.model_copy(update={"clustering": clustering})
    narrow = model.model_copy(update={"incident": incident})
    matches = Matches(desk.context, desk.index)
    desk.resolver._incidents = Incidents(desk.context, desk.index, matches, narrow)
    ids = [await desk.record(body) for body in (NIGHT, SAME_NIGHT, SAME_NIGHT)]
    await desk.store.pool.execute(
        "DELETE FROM matches WHERE kind <> 'same_officer'"
        " AND complaint_id = ANY($1) AND other_complaint_id = ANY($1)",
        ids[1:],
    )
    await desk.resolve()
    return ids


async def waiting_match(service: Running) -> dict[str, str]:
    _, page = await service.json("GET", "/v1/reviews", MATCH_REVIEWER)
    (waiting,) = [item for item in page["items"] if item["kind"] != "same_officer"]
    return dict(waiting)


@pytest.mark.parametrize("decision", ["accept", "reject"])
async def test_a_report_that_fits_one_of_two_waits_until_a_person_decides(
    decision: str, desk: Desk, dedup_url: str, tmp_path: Path, keys: ServiceKeys
) -> None:
    ids = await three_of_which_two_do_not_match(desk)
    (together,) = await desk.incidents()
    (outside,) = set(ids) - together
    assert differing(await rebuilt(dedup_url, Projection(keys), is_check=True)) == ONE_MATCH_IS_GONE
    async with running_service(Settings, wire, dedup_url, tmp_path) as service:
        waiting = await waiting_match(service)
        assert waiting["zone"] == "accepted"
        assert {waiting["complaint_id"], waiting["other_complaint_id"]} == {str(ids[0]), str(outside)}
        _, incident = await service.json("GET", f"/v1/incidents/{incident_id(min(together))}", MATCH_REVIEWER)
        assert incident["waiting"] == [waiting["match_id"]]
        path = f"/v1/reviews/{waiting['match_id']}"
        body = {"decision": decision, "reason": "the same car, or not"}
        assert (await service.json("POST", path, MATCH_REVIEWER, json=body))[0] == 200
        _, page = await service.json("GET", "/v1/reviews", MATCH_REVIEWER)
        assert [item for item in page["items"] if item["kind"] != "same_officer"] == []
        assert (await service.json("POST", path, MATCH_REVIEWER, json=body))[0] == 409
    await desk.resolve()
    assert await desk.incidents() == {frozenset(ids) if decision == "accept" else together}
    assert not await desk.store.fetch("SELECT FROM waiting_matches")
    assert differing(await rebuilt(dedup_url, Projection(keys), is_check=True)) == ONE_MATCH_IS_GONE


async def test_what_waits_ends_with_an_erased_complaint(
    desk: Desk, dedup_url: str, keys: ServiceKeys
) -> None:
    ids = await three_of_which_two_do_not_match(desk)
    (together,) = await desk.incidents()
    (outside,) = set(ids) - together
    await desk.erase(outside)
    await desk.resolve()
    assert await desk.incidents() == {together}
    assert not await desk.store.fetch("SELECT FROM waiting_matches")
    await rebuilt(dedup_url, Projection(keys))
    assert not await desk.store.fetch("SELECT FROM waiting_matches")


async def test_what_a_person_rejected_does_not_wait(desk: Desk) -> None:
    ids = await three_of_which_two_do_not_match(desk)
    (row,) = await desk.store.fetch("SELECT match_id FROM waiting_matches")
    match_id = UUID(bytes=row[0].bytes)
    await desk.reviewing.decide(match_id, "reject", REVIEWER, "another car")
    await desk.resolve()
    assert len(ids) == 3 and not await desk.store.fetch("SELECT FROM waiting_matches")
    await desk.reviewing.decide(match_id, "accept", REVIEWER, "the same car")
    await desk.resolve()
    assert not await desk.store.fetch("SELECT FROM waiting_matches")
