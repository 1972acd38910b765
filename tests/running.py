"""A service in the test's own process: real PostgreSQL, real HTTP, keys and tokens of the local issuer."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import asyncpg
from fastapi import FastAPI
from pydantic import SecretStr

from deploy.local.issuer import AUDIENCE, ISSUER, Issuer
from deploy.local.keys import ensure_keys
from shared.settings import ServiceSettings
from shared.store.migrate import migrate
from shared.web import server
from shared.web.connection import Limits
from shared.web.metrics import Metrics
from shared.web.process import Wired

PEERS = dict.fromkeys(("intake", "dedup", "referral"), "http://127.0.0.1:1")
"""Nobody answers there: these tests follow nobody."""


@dataclass(frozen=True)
class Running:
    """Asks a running service: `await running.post("/v1/...", role="call_handler", json={...})`."""

    url: str
    issuer: Issuer
    session: aiohttp.ClientSession
    metrics: Metrics
    app: FastAPI

    def token(self, role: str, **claims: Any) -> str:
        return self.issuer.mint(role, **claims)

    @asynccontextmanager
    async def ask(
        self, method: str, path: str, role: str | None = "call_handler", **parameters: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        headers = dict(parameters.pop("headers", {}))
        if role is not None:
            headers["Authorization"] = f"Bearer {self.token(role)}"
        async with self.session.request(method, self.url + path, headers=headers, **parameters) as answer:
            yield answer

    async def json(
        self, method: str, path: str, role: str | None = "call_handler", **parameters: Any
    ) -> tuple[int, Any]:
        async with self.ask(method, path, role, **parameters) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None


async def emptied(service: str, database_url: str) -> None:
    """Makes it a database of the service without a row, whatever it held: a new one costs more than most
    tests do."""
    await migrate(service, database_url)
    connection = await asyncpg.connect(database_url)
    try:
        tables = await connection.fetch(
            "SELECT format('%I', tablename) AS name FROM pg_tables"
            " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        )
        await connection.execute(f"TRUNCATE {', '.join(row['name'] for row in tables)}")
    finally:
        await connection.close()


S = TypeVar("S", bound=ServiceSettings)


@asynccontextmanager
async def running_service(
    settings: type[S],
    wire: Callable[[S, frozenset[str]], AbstractAsyncContextManager[Wired]],
    database_url: str,
    directory: Path,
    *,
    parts: frozenset[str] = frozenset({"http"}),
    **variables: Any,
) -> AsyncIterator[Running]:
    """The service of `settings` and `wire`, on a migrated `database_url`; its keys lie in `directory`."""
    name = settings.__module__.split(".")[1]
    keys = directory / "keys"
    ensure_keys(keys)
    token_file = directory / f"{name}.token"
    issuer = Issuer(keys)
    token_file.write_text(issuer.mint("service"))
    await migrate(name, database_url)
    given: dict[str, Any] = {
        "database_url": SecretStr(database_url),
        "port": 0,
        "metrics_port": 0,
        "kafka": ("127.0.0.1:1",),
        "keys_file": keys / f"{name}.json",
        "service_token_file": token_file,
        "peers": PEERS,
        "jwks": str(keys / "jwks.json"),
        "issuer": ISSUER,
        "audience": AUDIENCE,
        **variables,
    }
    given_settings = settings(**given)
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(server.listen("127.0.0.1", 0, "HOTLINE_PORT"))
        wired = await stack.enter_async_context(wire(given_settings, parts))
        assert isinstance(wired.app, FastAPI)
        await stack.enter_async_context(server.serving(wired.app, listener, Limits.of(given_settings)))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        yield Running(
            f"http://127.0.0.1:{listener.getsockname()[1]}", issuer, session, wired.metrics, wired.app
        )
