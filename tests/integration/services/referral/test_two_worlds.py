"""Who may be a subject of a case cannot tell a world with it from a world without it.

Every route is asked by such a holder in both worlds, with every id that there is in either: lists in all
orders and filters, the case itself, decisions on it, statistics.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from deploy.local.keys import ensure_keys
from services.referral import complaints
from services.referral.settings import Settings
from services.referral.wiring import wire
from tests.integration.services.referral.feeding import Referral, complaint, referral_on
from tests.running import Running, running_service

HOLDER = {"force": "kent", "name": "David Carrick", "collar_number": "1234AB", "unit": "roads policing"}

SEEN = {
    UUID(int=1): complaint("hate.racist", subjects=[{"name": "Ann Other", "force": "kent"}]),
    UUID(int=2): complaint("other.incivility", subjects=[{"description": "tall", "force": "kent"}]),
    UUID(int=3): complaint("sexual.images", incident={"force": "essex"}),
}
HIDDEN = {
    UUID(int=11): complaint("sexual.images", subjects=[{"name": "PC Carrick", "force": "kent"}]),
    UUID(int=12): complaint("hate.racist", subjects=[{"name": "Jane Wilson", "force": "essex"}]),
    UUID(int=13): complaint("other.drugs", subjects=[{"unit": "Roads Policing Unit", "force": "kent"}]),
    UUID(int=14): complaint("other.drugs", narrative="It was PC Carrick."),
}
"""The second one is of the same incident as the first: it is hidden with it."""

REFER = {"outcome": "refer", "reason_code": "criteria", "reason": "It must be."}


def case_id(complaint_id: UUID) -> UUID:
    return UUID(int=complaint_id.int + 0xCA5E0000)


async def answers(desk: Running) -> dict[str, Any]:
    """Every answer to the holder; cursors are followed, for they are made anew each time."""

    async def ask(method: str, path: str, role: str = "assessor", **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {desk.token(role, holder=HOLDER)}", **more.pop("headers", {})}
        async with desk.ask(method, path, None, headers=headers, **more) as answer:
            kept = {name: value for name, value in answer.headers.items() if name not in {"Date", "Server"}}
            return answer.status, kept, await answer.text()

    async def pages(path: str) -> list[Any]:
        found, cursor = [], ""
        while True:
            status, _, text = await ask("GET", path + cursor)
            page = json.loads(text)
            found.append((status, page["items"]))
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    got: dict[str, Any] = {}
    for order in ("priority", "due_on"):
        for query in ("", "&status=open", "&status=merged", "&force=kent", "&force=essex"):
            path = f"/v1/cases?order={order}&limit=2{query}"
            got[path] = await pages(path)
    for query in ("", "?force=kent", "?from=2020-01-01"):
        path = f"/v1/statistics{query}"
        got[path] = await ask("GET", path, "auditor")
    for complaint_id in HIDDEN:
        path = f"/v1/cases/{case_id(complaint_id)}"
        got[path] = await ask("GET", path)
        versioned: dict[str, Any] = {"headers": {"If-Match": '"1"'}}
        got[f"{path}/decision"] = await ask("POST", f"{path}/decision", json=REFER, **versioned)
        approval = {"approve": True, "reason": "x"}
        got[f"{path}/approval"] = await ask("POST", f"{path}/approval", "approver", json=approval)
    for complaint_id in SEEN:
        path = f"/v1/cases/{case_id(complaint_id)}"
        got[path] = await ask("GET", path)
        assert got[path][0] == 200
    return got


Opened = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture
def world(referral_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """A referral that knows these complaints, each of whose cases has the same id in every world."""
    ensure_keys(tmp_path / "keys")

    @asynccontextmanager
    async def opened(told: Mapping[UUID, Any], *, is_reversed: bool) -> AsyncIterator[Running]:
        order = [*told][:: -1 if is_reversed else 1]
        ids = iter(map(case_id, order))
        monkeypatch.setattr(complaints, "uuid4", lambda: next(ids))
        async with referral_on(referral_database, tmp_path / "keys" / "referral.json") as referral:
            await _fed(referral, order, told)
            async with running_service(Settings, wire, referral_database, tmp_path) as desk:
                yield desk

    return opened


async def _fed(referral: Referral, order: list[UUID], told: Mapping[UUID, Any]) -> None:
    feed = referral.feed
    await referral.receive(*(feed.recorded(told[each], each) for each in order))
    joined = [each for each in (UUID(int=11), UUID(int=12)) if each in told]
    if joined:
        await referral.receive(feed.incident(UUID(int=99), joined))
    await referral.receive(feed.pattern(UUID(int=98), [UUID(int=1), UUID(int=3)]))


@pytest.mark.parametrize("is_reversed", [False, True])
async def test_a_world_with_the_case_answers_as_one_without(world: Opened, is_reversed: bool) -> None:
    async with world(SEEN, is_reversed=is_reversed) as desk:
        without = await answers(desk)
    async with world(SEEN | HIDDEN, is_reversed=is_reversed) as desk:
        headers = {"Authorization": f"Bearer {desk.token('assessor')}"}
        _, everything = await desk.json("GET", "/v1/cases?limit=200", None, headers=headers)
        assert len(everything["items"]) == 6
        assert await answers(desk) == without
