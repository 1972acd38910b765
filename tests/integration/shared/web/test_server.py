"""A server stops gracefully, says which port is taken, and dies with a background task that fails."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack

import aiohttp
import pytest
from fastapi import FastAPI

from shared.errors import SettingsError
from shared.web import server
from shared.web.metrics import Metrics, exposition
from tests.integration.shared.web.serving import client_of


async def test_a_request_under_way_is_answered_before_the_server_ends() -> None:
    entered, leave = asyncio.Event(), asyncio.Event()
    app = FastAPI()

    @app.get("/slow")
    async def slow() -> str:
        entered.set()
        await leave.wait()
        return "done"

    listener = server.listen("127.0.0.1", 0, "HOTLINE_PORT")
    port = listener.getsockname()[1]
    async with aiohttp.ClientSession() as client, AsyncExitStack() as stack:
        await stack.enter_async_context(server.serving(app, listener))
        request = asyncio.create_task(client.get(f"http://127.0.0.1:{port}/slow"))
        async with asyncio.timeout(5):
            await entered.wait()
        stopping = asyncio.create_task(stack.aclose())
        async with asyncio.timeout(5):
            while not await _is_refused(port):
                await asyncio.sleep(0)
        leave.set()
        async with await request as answer:
            assert await answer.json() == "done"
        await stopping


async def _is_refused(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return True
    writer.close()
    await writer.wait_closed()
    return False


def test_a_taken_port_is_named_with_its_variable() -> None:
    with (
        server.listen("127.0.0.1", 0, "HOTLINE_PORT") as taken,
        pytest.raises(SettingsError, match=rf"HOTLINE_PORT: 127.0.0.1:{taken.getsockname()[1]} cannot be"),
    ):
        server.listen("127.0.0.1", taken.getsockname()[1], "HOTLINE_PORT")


def test_an_address_that_is_not_ours_is_named_too() -> None:
    with pytest.raises(SettingsError, match=r"HOTLINE_PORT: 192\.0\.2\.1:8001 cannot be listened on"):
        server.listen("192.0.2.1", 8001, "HOTLINE_PORT")


async def test_background_tasks_end_with_the_body() -> None:
    ended = asyncio.Event()
    started = asyncio.Event()

    async def relay() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with server.background(relay()):
        await started.wait()
        assert not ended.is_set()
    assert ended.is_set()


async def test_a_background_task_that_fails_ends_the_body() -> None:
    async def relay() -> None:
        raise ConnectionError

    with pytest.raises(ExceptionGroup) as raised:
        async with server.background(relay()):
            await asyncio.Event().wait()
    assert raised.group_contains(ConnectionError)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_once(number: signal.Signals) -> None:
    stopped = asyncio.create_task(server.until_stopped())
    await asyncio.sleep(0)
    os.kill(os.getpid(), number)
    os.kill(os.getpid(), number)
    async with asyncio.timeout(5):
        assert await stopped == number


async def test_metrics_are_served_at_one_address_and_without_times() -> None:
    metrics = Metrics()
    metrics.contact_counter("hotline_contacts", "Contacts").add(count=120)
    async with client_of(exposition(metrics)) as client:
        async with client.get("/metrics") as answer:
            assert answer.content_type == "text/plain"
            text = await answer.text()
        assert "hotline_contacts_total 100.0" in text
        assert "created" not in text
        openmetrics = {"Accept": "application/openmetrics-text; version=1.0.0"}
        async with client.get("/metrics", headers=openmetrics) as answer:
            assert (await answer.text()).endswith("# EOF\n")
        for method, path in (("GET", "/"), ("POST", "/metrics")):
            async with client.request(method, path) as answer:
                assert answer.status == 404
