"""Runs a service's application with uvicorn, and the tasks beside it, in one event loop.

A server that stops answers the requests under way first (for at most `GRACE_SECONDS`). A background task
that ends with an error ends the process: whoever supervises it starts it again. A port that is taken is a
`SettingsError` that names the variable.
"""

import asyncio
import contextlib
import os
import resource
import signal
import socket
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

from shared.errors import HotlineError, SettingsError
from shared.web.connection import Config, Connection, Limits

GRACE_SECONDS = 10
_TICKS = 5  # of a tenth of a second, between two looks at all connections


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()

    async def on_tick(self, counter: int) -> bool:
        if counter % _TICKS == 0:
            now = asyncio.get_running_loop().time()
            for connection in tuple(self.server_state.connections):
                assert isinstance(connection, Connection)  # noqa: S101  # as configured below
                connection.enforce(now)
        return await super().on_tick(counter)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Two servers share one loop and one pair of signals: `until_stopped` has them."""
        yield


def listen(host: str, port: int, variable: str) -> socket.socket:
    """A bound socket, so that a taken port is known before anything else starts."""
    try:
        return socket.create_server((host, port), family=_family(host), backlog=2048)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else "no such address"
        raise SettingsError(
            [f"{variable}: {host}:{port} cannot be listened on ({reason}); it should be a free port"]
        ) from error


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def allow_files(count: int) -> None:
    """Let the process open so many files, as far as the system lets it: a common limit is 1,024, and each
    connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@asynccontextmanager
async def serving(app: ASGIApp, listener: socket.socket, limits: Limits | None = None) -> AsyncIterator[None]:
    """The application answers at the listener while the body runs; then it stops gracefully."""
    limits = limits or Limits()
    server = _Server(
        Config(
            app,
            limits,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            # A saved answer must not tell the time of a contact.
            date_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )
    running = asyncio.create_task(server.serve(sockets=[listener]))
    is_up = asyncio.create_task(server.is_up.wait())
    await asyncio.wait({running, is_up}, return_when=asyncio.FIRST_COMPLETED)
    is_up.cancel()
    try:
        if running.done():
            raise HotlineError("the HTTP server ended at its start")
        yield
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def background(*tasks: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """The tasks run while the body does, then are cancelled. If one fails, so does the body."""
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(task) for task in tasks]
        try:
            yield
        finally:
            for task in running:
                task.cancel()


async def until_stopped() -> signal.Signals:
    """Returns at the first SIGTERM or SIGINT, and says which."""
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[signal.Signals] = loop.create_future()

    def stop(number: signal.Signals) -> None:
        if not stopped.done():
            stopped.set_result(number)

    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, stop, number)
    try:
        return await stopped
    finally:
        for number in signals:
            with contextlib.suppress(RuntimeError):
                loop.remove_signal_handler(number)
