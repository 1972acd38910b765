"""Waiting for dedup over HTTP: until all is indexed and the answers stand still."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from deploy.simulation import asking
from deploy.simulation.asking import Matches
from deploy.simulation.evaluation import Answer

IDS = {0: "c0", 1: "c1", 2: "c2"}


class Dedup:
    """Answers each complaint's so-many-th question with the so-many-th of its answers, then the last."""

    def __init__(self, answers: dict[str, list[dict[str, Any]]]) -> None:
        self.answers = answers
        self.asked: Counter[str] = Counter()

    async def get(self, request: web.Request) -> web.Response:
        complaint = request.match_info["id"]
        answers = self.answers[complaint]
        answer = answers[min(self.asked[complaint], len(answers) - 1)]
        self.asked[complaint] += 1
        return web.json_response(answer, status=answer.get("status", 200))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_get("/v1/complaints/{id}/matches", self.get)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


def indexed(incident: str, *patterns: str) -> dict[str, Any]:
    in_patterns = [{"pattern_id": pattern, "subject": index} for index, pattern in enumerate(patterns)]
    return {"indexed": True, "incident_id": incident, "patterns": in_patterns, "items": []}


NOT_YET: dict[str, Any] = {"indexed": False, "incident_id": None, "patterns": [], "items": []}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "STILL_SECONDS", 0.01)
    monkeypatch.setattr(asking, "_PAUSE", 0.01)


async def test_it_waits_for_the_last_complaint_and_the_last_change() -> None:
    dedup = Dedup(
        {
            "c0": [indexed("i0"), indexed("i1"), indexed("i1", "p")],
            "c1": [NOT_YET, NOT_YET, {"status": 503}, indexed("i1", "p")],
            "c2": [indexed("i2")],
        }
    )
    async with dedup.running() as url:
        matches = Matches(url, "token", IDS, lambda what, done: None)
        assert await matches.settle(20)
    assert matches.answer() == Answer({0: "i1", 1: "i1", 2: "i2"}, {(0, 0): "p", (1, 0): "p"})


async def test_it_tells_which_were_never_indexed() -> None:
    dedup = Dedup({"c0": [indexed("i0")], "c1": [NOT_YET], "c2": [indexed("i2")]})
    async with dedup.running() as url:
        matches = Matches(url, "token", IDS, lambda what, done: None)
        assert not await matches.settle(0.2)
    assert matches.unindexed == [1]
    assert matches.answer().incidents == {0: "i0", 2: "i2"}


async def test_it_gives_up_on_answers_that_never_stand_still() -> None:
    restless = [indexed(f"i{number}") for number in range(10_000)]
    dedup = Dedup({"c0": restless, "c1": [indexed("i1")], "c2": [indexed("i2")]})
    async with dedup.running() as url:
        matches = Matches(url, "token", IDS, lambda what, done: None)
        assert not await matches.settle(0.3)
    assert not matches.unindexed


async def test_pairs_of_the_play_are_told_once_with_their_weights_and_which_wait_for_a_review() -> None:
    def waits(other: str, *, zone: str = "review", kind: str = "same_incident") -> dict[str, Any]:
        return {"other_complaint_id": other, "zone": zone, "kind": kind, "weight": len(zone)}

    first = {**indexed("i0"), "items": [waits("c2"), waits("c1", zone="accepted"), waits("of another play")]}
    last = {**indexed("i2"), "items": [waits("c0"), waits("c1", kind="same_officer")]}
    async with Dedup({"c0": [first], "c1": [indexed("i1")], "c2": [last]}).running() as url:
        matches = Matches(url, "token", IDS, lambda what, done: None)
        assert await matches.settle(20)
    assert matches.answer().waiting == {(0, 2)}
    assert matches.answer().weights == {(0, 2): 6, (0, 1): 8}
