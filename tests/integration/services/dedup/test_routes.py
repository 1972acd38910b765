"""The routes of dedup over real HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from services.dedup.domain.facts import incident_id
from services.dedup.settings import Settings
from services.dedup.wiring import wire
from tests.integration.services.dedup.desk import Desk
from tests.integration.services.dedup.test_matching import ANOTHER_NIGHT, NIGHT, SAME_NIGHT
from tests.running import Running, running_service

UNKNOWN = UUID("7f0c1a52-6a75-4f5c-8f41-6f1b6d3c1a11")

REVIEWER = "match_reviewer"
UNSURE = {**ANOTHER_NIGHT, "subjects": [{"name": "Alan", "unit": "Basingstoke"}]}


@pytest.fixture
async def service(desk: Desk, dedup_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    async with running_service(Settings, wire, dedup_url, tmp_path) as running:
        yield running


async def test_an_unknown_complaint_is_not_indexed(service: Running) -> None:
    status, answer = await service.json("GET", f"/v1/complaints/{uuid4()}/matches", REVIEWER)
    assert status == 200
    assert answer == {"indexed": False, "incident_id": None, "patterns": [], "items": []}


async def test_matches_incident_and_pattern_of_a_complaint(desk: Desk, service: Running) -> None:
    first, second, third = [await desk.record(body) for body in (NIGHT, SAME_NIGHT, ANOTHER_NIGHT)]
    await desk.resolve()
    status, answer = await service.json("GET", f"/v1/complaints/{first}/matches", REVIEWER)
    assert status == 200 and answer["indexed"] is True
    assert answer["incident_id"] == str(incident_id(min(first, second)))
    assert {(item["other_complaint_id"], item["kind"], item["zone"]) for item in answer["items"]} == {
        (str(second), "same_incident", "accepted"),
        (str(second), "same_officer", "accepted"),
        (str(third), "same_officer", "accepted"),
    }
    status, incident = await service.json("GET", f"/v1/incidents/{answer['incident_id']}", "assessor")
    assert status == 200 and incident["members"] == sorted(map(str, (first, second)))
    ((pattern_id, subject),) = [tuple(found.values()) for found in answer["patterns"]]
    assert subject == 0
    status, pattern = await service.json("GET", f"/v1/patterns/{pattern_id}", "assessor")
    assert status == 200 and (pattern["complaints"], pattern["incidents"]) == (3, 2)
    for query, found in (("", 1), ("?min_incidents=3", 0), ("?force=hampshire", 1), ("?force=kent", 0)):
        status, page = await service.json("GET", f"/v1/patterns{query}", REVIEWER)
        assert status == 200 and len(page["items"]) == found, query


async def test_a_process_that_consumes_resolves_too(desk: Desk, dedup_url: str, tmp_path: Path) -> None:
    parts = frozenset({"http", "consumer"})
    async with running_service(Settings, wire, dedup_url, tmp_path, parts=parts) as service:
        first, second = await desk.record(NIGHT), await desk.record(SAME_NIGHT)
        path = f"/v1/incidents/{incident_id(min(first, second))}"
        async with asyncio.timeout(20):
            while (await service.json("GET", path, REVIEWER))[1].get("complaints") != 2:
                news = desk.store.news()
                with suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), 0.2)


async def test_what_is_not_there_is_404(service: Running) -> None:
    for path in ("incidents", "patterns"):
        assert (await service.json("GET", f"/v1/{path}/{uuid4()}", REVIEWER))[0] == 404
    body = {"decision": "accept", "reason": "sure"}
    assert (await service.json("POST", f"/v1/reviews/{uuid4()}", REVIEWER, json=body))[0] == 404
    body = {"reason": "sure"}
    assert (await service.json("POST", f"/v1/matches/{uuid4()}/retract", REVIEWER, json=body))[0] == 404


async def test_a_review_is_listed_decided_once_and_can_be_retracted(desk: Desk, service: Running) -> None:
    for body in (NIGHT, UNSURE, UNSURE):
        await desk.record(body)
    status, page = await service.json("GET", "/v1/reviews?limit=1", REVIEWER)
    assert status == 200 and len(page["items"]) == 1
    cursor = page["next_cursor"]
    status, rest = await service.json("GET", f"/v1/reviews?limit=200&cursor={cursor}", REVIEWER)
    listed = [item["match_id"] for item in page["items"] + rest["items"]]
    assert rest["next_cursor"] is None and len(listed) == len(set(listed)) > 1
    path = f"/v1/reviews/{listed[0]}"
    assert (await service.json("POST", path, REVIEWER, json={"decision": "perhaps", "reason": "x"}))[0] == 422
    accepted = {"decision": "accept", "reason": "the same tattoo"}
    status, answer = await service.json("POST", path, REVIEWER, json=accepted)
    assert (status, answer) == (200, {"match_id": listed[0], "zone": "accepted"})
    assert (await service.json("POST", path, REVIEWER, json=accepted))[0] == 409
    path = f"/v1/matches/{listed[0]}/retract"
    status, answer = await service.json("POST", path, REVIEWER, json={"reason": "another tattoo"})
    assert (status, answer) == (200, {"match_id": listed[0], "zone": "rejected"})
    assert (await service.json("POST", path, REVIEWER, json={"reason": "again"}))[0] == 409
    status, answer = await service.json("POST", f"/v1/reviews/{listed[0]}", REVIEWER, json=accepted)
    assert (status, answer) == (200, {"match_id": listed[0], "zone": "accepted"})


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", f"/v1/complaints/{UNKNOWN}/matches", {"match_reviewer"}),
        ("GET", f"/v1/incidents/{UNKNOWN}", {"match_reviewer", "assessor"}),
        ("GET", f"/v1/patterns/{UNKNOWN}", {"match_reviewer", "assessor"}),
        ("GET", "/v1/patterns", {"match_reviewer", "assessor"}),
        ("GET", "/v1/reviews", {"match_reviewer"}),
        ("POST", f"/v1/reviews/{UNKNOWN}", {"match_reviewer"}),
        ("POST", f"/v1/matches/{UNKNOWN}/retract", {"match_reviewer"}),
    ],
)
async def test_only_these_roles_may(service: Running, method: str, path: str, allowed: set[str]) -> None:
    body = {"json": {"decision": "accept", "reason": "x"}} if "reviews" in path else {"json": {"reason": "x"}}
    parameters = body if method == "POST" else {}
    assert (await service.json(method, path, None, **parameters))[0] == 401
    for role in (
        "call_handler",
        "match_reviewer",
        "assessor",
        "approver",
        "recipient",
        "operator",
        "service",
    ):
        status, _ = await service.json(method, path, role, **parameters)
        assert (status != 403) is (role in allowed), role
