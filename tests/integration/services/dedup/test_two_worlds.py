"""Who may be a subject of a case cannot tell a world with it from a world without it.

Every route is asked by such a holder in both worlds, with every id that there is in either. The case is one
complaint about two officers: about the holder, and about another one who is in the complaints that the holder
may see as well. So it has the lowest id of a pattern of which the holder sees the rest.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.dedup.domain.facts import incident_id, pattern_id
from services.dedup.settings import Settings
from services.dedup.wiring import wire
from shared.sealing.keys import ServiceKeys
from tests.integration.services.dedup.desk import opened
from tests.integration.services.dedup.test_matching import ANOTHER_NIGHT, NIGHT, SAME_NIGHT
from tests.running import Running, emptied, running_service

HOLDER = {"name": "Alan Brockway", "force": "hampshire", "collar_number": "QX44716"}

OKONJO = {"name": "Sarah Okonjo", "collar_number": "LK5501", "unit": "Leeds CID", "force": "west-yorkshire"}


def about_okonjo(day: str, narrative: str, *others: Mapping[str, str]) -> dict[str, Any]:
    return {
        "narrative": narrative,
        "incident": {"from": day, "to": day, "place": "Leeds", "force": "west-yorkshire"},
        "allegations": [{"code": "sexual.images"}],
        "subjects": [OKONJO, *others],
    }


HIDDEN = UUID(int=0x1000)
IN_CASE = UUID(int=0x1001)
SEEN = {
    UUID(int=0x4000): about_okonjo("2019-06-05", "She shared pictures of a victim with her station."),
    UUID(int=0x4001): about_okonjo("2020-11-17", "She laughed about a film of a prisoner in the cell."),
    UUID(int=0x4002): {
        **NIGHT,
        "incident": {"from": "2018-02-02", "to": "2018-02-02", "place": "Andover", "force": "hampshire"},
        "subjects": [{"name": "Jane Wilson", "unit": "Basingstoke response"}],
    },
    UUID(int=0x4003): about_okonjo("2021-02-09", "She sold the number of a witness to a newspaper."),
}
CASE = {
    HIDDEN: about_okonjo(
        "2022-04-01",
        "Both of them came to the yard that day.",
        {**NIGHT["subjects"][0], "force": "hampshire"},
    ),
    IN_CASE: {**about_okonjo("2022-04-01", "Two officers came to the yard."), "subjects": [OKONJO]},
    UUID(int=0x1002): SAME_NIGHT,
    UUID(int=0x1003): ANOTHER_NIGHT,
}
IDS = [*SEEN, *CASE]


async def answers(service: Running, holder: Mapping[str, str] | None, matches: set[str]) -> dict[str, Any]:
    """Every answer to a reader; cursors are followed, for they are made anew each time."""

    async def ask(method: str, path: str, **more: Any) -> tuple[int, Any]:
        token = service.token("match_reviewer", holder=holder)
        headers = {"Authorization": f"Bearer {token}"}
        return await service.json(method, path, None, headers=headers, **more)

    async def pages(path: str) -> list[Any]:
        found, cursor = [], ""
        while True:
            status, page = await ask("GET", path + cursor)
            assert status == 200
            found.append(page["items"])
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    patterns = {str(pattern_id(each, subject)) for each in IDS for subject in (0, 1)}
    got: dict[str, Any] = {}
    for path in (
        *(f"/v1/complaints/{each}/matches" for each in IDS),
        *(f"/v1/incidents/{incident_id(each)}" for each in IDS),
        *(f"/v1/patterns/{each}" for each in sorted(patterns)),
    ):
        got[path] = await ask("GET", path)
    for path in (
        "reviews?limit=1",
        "patterns?limit=1",
        "patterns?limit=50",
        "patterns?limit=2&min_incidents=3",
    ):
        got[path] = await pages(f"/v1/{path}")
    got["of a force"] = await pages("/v1/patterns?limit=50&force=hampshire")
    for match in sorted(matches):
        for command, body in (
            ("reviews/{}", {"decision": "reject", "reason": "x"}),
            ("matches/{}/retract", {"reason": "x"}),
        ):
            got[f"{match} {command}"] = await ask("POST", f"/v1/{command.format(match)}", json=body)
    return got


def found_matches(got: Mapping[str, Any], complaints: set[str]) -> set[str]:
    """Ids of the matches of these complaints."""
    items = [item for path, answer in got.items() if path.endswith("/matches") for item in answer[1]["items"]]
    of = {path.split("/")[3]: answer[1]["items"] for path, answer in got.items() if path.endswith("/matches")}
    return {item["match_id"] for each in complaints for item in of.get(each, items)}


@pytest.mark.parametrize("order", [1, -1])
async def test_a_world_with_the_case_answers_as_one_without(
    order: int, dedup_url: str, keys: ServiceKeys, tmp_path: Path
) -> None:
    async def world(complaints: Mapping[UUID, Any], matches: set[str], *holders: Any) -> list[dict[str, Any]]:
        await emptied("dedup", dedup_url)
        async with opened(dedup_url, keys) as desk:
            for complaint_id, body in [*complaints.items()][::order]:
                await desk.record(body, complaint_id, source_group=str(complaint_id))
            await desk.resolve()
        async with running_service(Settings, wire, dedup_url, tmp_path) as service:
            return [await answers(service, holder, matches) for holder in holders]

    (anybody,) = await world(SEEN | CASE, set(), None)
    hidden_matches = found_matches(anybody, set(map(str, CASE)))
    assert hidden_matches
    lowest = f"/v1/patterns/{pattern_id(HIDDEN, 0)}"
    assert anybody[lowest][1]["complaints"] == 5
    (with_case,) = await world(SEEN | CASE, hidden_matches, HOLDER)
    without, unconcerned = await world(SEEN, hidden_matches, HOLDER, {"name": "Ann Other", "force": "kent"})
    assert with_case == without
    assert unconcerned == without
    rest = f"/v1/patterns/{pattern_id(min(SEEN), 0)}"
    assert with_case[lowest][0] == 404
    assert (with_case[rest][0], with_case[rest][1]["complaints"]) == (200, 3)
    assert with_case["patterns?limit=2&min_incidents=3"] == [
        [{"pattern_id": rest.split("/")[3], "complaints": 3, "incidents": 3}]
    ]
