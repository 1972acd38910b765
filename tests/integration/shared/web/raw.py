"""Bytes over a socket, as a client sends them that is no library."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.web import server
from shared.web.app import create_app
from shared.web.auth import Authenticator
from shared.web.connection import Limits
from shared.web.jwks import KeySource
from shared.web.routing import Router
from tests.unit.shared.web.issuer import ISSUER, Issuer


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/problem+json"
        document: dict[str, Any] = json.loads(self.body)
        assert document["status"] == self.status
        return document


class Line:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def close_sending_side(self) -> None:
        self._writer.write_eof()

    async def answer(self) -> Answer:
        """The next one, and not the interim ones before it."""
        async with asyncio.timeout(20):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.rstrip().split("\r\n")
            status = int(first.split()[1])
            if status == 100:
                return await self.answer()
            headers = dict(line.lower().split(": ", 1) for line in lines)
            body = await self._reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(status, headers, body)

    async def is_closed(self) -> bool:
        """Waits until the server has closed it, without another byte."""
        async with asyncio.timeout(20):
            try:
                return await self._reader.read(1) == b""
            except ConnectionResetError:
                return True

    async def interim(self) -> bytes:
        """The head of an interim answer."""
        async with asyncio.timeout(20):
            return await self._reader.readuntil(b"\r\n\r\n")

    async def flood(self, part: bytes, count: int = 1_000_000) -> None:
        """Sends until the server takes no more."""
        with suppress(ConnectionError):
            for _ in range(count):
                await self.send(part)
                await asyncio.sleep(0.01)

    async def close(self) -> None:
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()

    async def reset(self) -> None:
        """Close it as a machine that forgets it: with RST."""
        at_once = struct.pack("ii", 1, 0)
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        await self.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


@dataclass(frozen=True)
class Served:
    port: int

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        line = Line(*await asyncio.open_connection("127.0.0.1", self.port))
        try:
            yield line
        finally:
            await line.close()

    async def ask(self, data: bytes) -> Answer:
        async with self.line() as line:
            await line.send(data)
            return await line.answer()


@asynccontextmanager
async def served(
    routers: Sequence[Router],
    issuer: Issuer,
    directory: Path,
    limits: Limits | None = None,
    body_limits: dict[str, int | None] | None = None,
) -> AsyncIterator[Served]:
    """A service that has these routes, is ready, and accepts the issuer's tokens."""

    async def ready() -> dict[str, str]:
        return {}

    async with KeySource(issuer.write(directory / "jwks.json")) as keys:
        app = create_app(
            title="test",
            version="1",
            readiness=ready,
            authenticator=Authenticator(keys, issuer=ISSUER, audience="hotline"),
            routers=routers,
            body_limits=body_limits,
        )
        listener = server.listen("127.0.0.1", 0, "HOTLINE_PORT")
        async with server.serving(app, listener, limits):
            yield Served(listener.getsockname()[1])
