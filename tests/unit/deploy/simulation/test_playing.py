"""Playing calls against a server that fails in every way a service under load does."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from deploy.simulation import Simulation, simulate
from deploy.simulation.playing import Played, Player, PlayFailed, arrivals

CALLS = 240


class Intake:
    """Records by Idempotency-Key; `fault(attempt)` says what goes wrong at a key's so-many-th attempt:
    a status, `drop` (before recording), `drop late` (after it), or nothing."""

    def __init__(self, fault: Callable[[int], int | str | None] = lambda attempt: None) -> None:
        self.recorded: dict[str, dict[str, Any]] = {}
        self.contacts: dict[str, dict[str, Any]] = {}
        self.attempts: Counter[str] = Counter()
        self._fault = fault

    async def post(self, request: web.Request) -> web.StreamResponse:
        key = request.headers["Idempotency-Key"]
        self.attempts[key] += 1
        fault = self._fault(self.attempts[key])
        if isinstance(fault, int):
            return web.json_response({"title": "no", "detail": "not now"}, status=fault)
        if fault != "drop":
            self.recorded.setdefault(key, await request.json())
        if fault is not None:
            assert request.transport is not None
            request.transport.abort()
        number = list(self.recorded).index(key) if key in self.recorded else -1
        answer = {"complaint_id": f"c{number}", "receipt": f"{number:016d}", "redactions": []}
        return web.json_response(answer, status=201)

    async def close(self, request: web.Request) -> web.Response:
        self.contacts[request.headers["Idempotency-Key"]] = await request.json()
        return web.json_response({}, status=201)

    @asynccontextmanager
    async def running(self, *, with_contacts: bool = True) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_post("/v1/complaints", self.post)
        if with_contacts:
            app.router.add_post("/v1/contacts", self.close)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


@pytest.fixture(scope="module")
def stream() -> Simulation:
    return simulate(CALLS, seed=5)


async def play(url: str, stream: Simulation, *, connections: int = 8, patience: float = 30.0) -> Played:
    player = Player(
        stream, url, "token", "k", connections=connections, patience=patience, tell=lambda played: None
    )
    return await asyncio.wait_for(player.play(arrivals(len(stream.complaints), 0.0, 1)), 60)


async def test_every_call_arrives_as_it_was_made(stream: Simulation) -> None:
    intake = Intake()
    async with intake.running() as url:
        played = await play(url, stream)
    assert sorted(played.ids) == list(range(CALLS))
    assert not played.refused
    for index, body in enumerate(stream.complaints):
        recorded = dict(intake.recorded[f"k-{index}"])
        recorded.pop("continues", None)
        assert recorded == body


@pytest.mark.parametrize("connections", [1, 8])
async def test_who_calls_again_gives_the_receipt_of_the_first_call(
    stream: Simulation, connections: int
) -> None:
    intake = Intake()
    async with intake.running() as url:
        played = await play(url, stream, connections=connections)
    assert stream.truth.continues
    for index in range(CALLS):
        recorded = intake.recorded[f"k-{index}"]
        earlier = stream.truth.continues.get(index)
        expected = None if earlier is None else f"{int(played.ids[earlier][1:]):016d}"
        assert recorded.get("continues") == expected


@pytest.mark.parametrize("fault", [503, 409, 500, "drop", "drop late"])
async def test_no_call_is_lost_or_doubled_where_each_fails_twice(
    stream: Simulation, fault: int | str
) -> None:
    intake = Intake(lambda attempt: fault if attempt <= 2 else None)
    async with intake.running() as url:
        played = await play(url, stream, connections=32)
    assert len(played.ids) == len(set(played.ids.values())) == len(intake.recorded) == CALLS
    assert played.retried >= 2 * CALLS
    assert not played.refused


async def test_a_refusal_is_told_and_holds_nobody_up(stream: Simulation) -> None:
    intake = Intake(lambda attempt: 422)
    async with intake.running() as url:
        played = await play(url, stream)
    assert not played.ids
    assert played.refused == {"422 not now": CALLS}
    assert played.examples[0].startswith("call ")
    assert played.retried == 0


async def test_where_nothing_is_taken_any_more_it_says_so(stream: Simulation) -> None:
    intake = Intake(lambda attempt: 503)
    async with intake.running() as url:
        with pytest.raises(PlayFailed, match=r"taken nothing for 0\.3 s"):
            await play(url, stream, patience=0.3)


async def test_contacts_without_a_complaint_are_closed(stream: Simulation) -> None:
    intake = Intake()
    async with intake.running() as url:
        played = await play(url, stream)
    assert list(intake.contacts.values()) == stream.contacts
    assert played.closed_contacts == sum(contact["count"] for contact in stream.contacts)


async def test_an_intake_without_that_route_refuses_no_call(stream: Simulation) -> None:
    async with Intake().running(with_contacts=False) as url:
        played = await play(url, stream)
    assert played.unclosed_contacts == sum(contact["count"] for contact in stream.contacts)
    assert not played.refused


def test_calls_come_in_order_within_the_time_and_most_of_them_early() -> None:
    at = arrivals(1_000, 60.0, seed=1)
    assert at == sorted(at)
    assert 0 <= at[0] <= at[-1] <= 60
    assert at[500] < 30
    assert arrivals(3, 0.0, seed=1) == [0.0, 0.0, 0.0]
