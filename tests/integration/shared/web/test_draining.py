"""A service that is about to stop goes on answering, and sends its clients elsewhere."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from fastapi import FastAPI

from shared.web.draining import Draining
from tests.integration.shared.web.serving import client_of

routes = FastAPI()
entered, leave = asyncio.Event(), asyncio.Event()


@routes.get("/healthz/ready")
async def ready() -> str:
    return "ready"


@routes.get("/now")
async def now() -> str:
    return "done"


@routes.get("/slow")
async def slow() -> str:
    entered.set()
    await leave.wait()
    return "done"


@pytest.fixture
def draining() -> Draining:
    entered.clear()
    leave.clear()
    return Draining(routes)


@pytest.fixture
async def client(draining: Draining) -> AsyncIterator[aiohttp.ClientSession]:
    async with client_of(draining) as session:
        yield session


async def asked(client: aiohttp.ClientSession, path: str) -> tuple[int, str | None]:
    """The status, and what is said of the connection."""
    async with client.get(path) as answer:
        await answer.read()
        return answer.status, answer.headers.get("connection")


async def test_before_it_begins_nothing_is_said(client: aiohttp.ClientSession) -> None:
    assert await asked(client, "/healthz/ready") == (200, None)
    assert await asked(client, "/now") == (200, None)


async def test_it_is_not_ready_answers_and_closes(client: aiohttp.ClientSession, draining: Draining) -> None:
    await asked(client, "/now")
    draining.begin()
    assert await asked(client, "/healthz/ready") == (503, "close")
    for _ in range(3):
        assert await asked(client, "/now") == (200, "close")


async def test_what_is_under_way_is_answered_and_its_connection_closed(
    client: aiohttp.ClientSession, draining: Draining
) -> None:
    request = asyncio.create_task(asked(client, "/slow"))
    async with asyncio.timeout(30):
        await entered.wait()
    draining.begin()
    leave.set()
    assert await request == (200, "close")
