"""An application on a real server and a free port, for tests."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from starlette.types import ASGIApp

from shared.web import server
from shared.web.app import create_app
from shared.web.auth import Authenticator
from shared.web.jwks import KeySource
from shared.web.routing import Router
from tests.unit.shared.web.issuer import ISSUER, Issuer


@asynccontextmanager
async def client_of_routers(
    routers: Sequence[Router], issuer: Issuer, directory: Path
) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of a service that has these routes, is ready, and accepts the issuer's tokens."""

    async def ready() -> dict[str, str]:
        return {}

    async with KeySource(issuer.write(directory / "jwks.json")) as keys:
        app = create_app(
            title="test",
            version="1",
            readiness=ready,
            authenticator=Authenticator(keys, issuer=ISSUER, audience="hotline"),
            routers=routers,
        )
        async with client_of(app) as session:
            yield session


@asynccontextmanager
async def client_of(app: ASGIApp) -> AsyncIterator[aiohttp.ClientSession]:
    """A client whose paths begin at the application."""
    listener = server.listen("127.0.0.1", 0, "HOTLINE_PORT")
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with server.serving(app, listener), aiohttp.ClientSession(base) as client:
        yield client
