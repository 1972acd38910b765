"""An application on a real server and a free port, for tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from starlette.types import ASGIApp

from shared.web import server


@asynccontextmanager
async def client_of(app: ASGIApp) -> AsyncIterator[aiohttp.ClientSession]:
    """A client whose paths begin at the application."""
    listener = server.listen("127.0.0.1", 0, "HOTLINE_PORT")
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with server.serving(app, listener), aiohttp.ClientSession(base) as client:
        yield client
