"""How long complaints wait for people who read each one, and reviewers at a queue that breaks at times."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from deploy.simulation.releasing import ReleaseFailed, Waits, release_held, waits


def test_one_reviewer_reads_one_after_the_other() -> None:
    assert waits([(0, False), (0, False), (0, False)], 1, 60) == Waits(120, 180)


def test_several_read_side_by_side_and_nobody_reads_before_the_call() -> None:
    assert waits([(0, False), (0, False), (500, False)], 2, 60) == Waits(60, 60)


def test_immediate_danger_is_read_first() -> None:
    calls = [(0.0, False), (1.0, False), (2.0, True)]
    # 60 for the first; the third has waited 118 when it is done, the second 179.
    assert waits(calls, 1, 60) == Waits(118, 179)


def test_without_a_complaint_nobody_waits() -> None:
    assert waits([], 10, 60) == Waits(0, 0)


class Queue:
    """What intake answers, every third time that it is not there."""

    def __init__(self, ids: list[str]) -> None:
        self.waiting, self.asked = list(ids), 0
        self.released: list[str] = []
        self.app = web.Application()
        self.app.router.add_get("/v1/releases", self._list)
        self.app.router.add_get("/v1/releases/{id}", self._show)
        self.app.router.add_post("/v1/releases/{id}/release", self._release)

    def _is_away(self) -> bool:
        self.asked += 1
        return self.asked % 3 == 0

    async def _list(self, request: web.Request) -> web.Response:
        if self._is_away():
            return web.Response(status=503)
        start = int(request.query.get("cursor", "0"))
        page = self.waiting[start : start + 2]
        after = str(start + 2) if start + 2 < len(self.waiting) else None
        return web.json_response({"items": [{"complaint_id": each} for each in page], "next_cursor": after})

    async def _show(self, request: web.Request) -> web.Response:
        if request.match_info["id"] not in self.waiting:
            return web.Response(status=404)
        return web.json_response({}, headers={"ETag": '"4"'})

    async def _release(self, request: web.Request) -> web.Response:
        assert request.headers["If-Match"] == '"4"'
        if self._is_away():
            return web.Response(status=503)
        self.waiting.remove(request.match_info["id"])
        self.released.append(request.match_info["id"])
        return web.json_response({})


async def test_all_of_the_play_are_released_once_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.simulation.releasing._PAUSE", 0.0)
    ids = [f"id-{number}" for number in range(9)]
    queue = Queue([*ids, "somebody's", "else's"])
    told: list[int] = []
    async with TestServer(queue.app) as server:
        await release_held(str(server.make_url("")), "token", ids, 3, 30, told.append)
    assert sorted(queue.released) == ids
    assert queue.waiting == ["somebody's", "else's"]
    assert told == list(range(1, 10))


async def test_where_nothing_is_released_it_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.simulation.releasing._PAUSE", 0.0)
    async with TestServer(Queue([]).app) as server:
        with pytest.raises(ReleaseFailed, match="1 complaints still wait"):
            await release_held(str(server.make_url("")), "token", ["id-1"], 3, 0.1, lambda _: None)
