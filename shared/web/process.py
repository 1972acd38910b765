"""The command line of a service: `python -m services.X serve [--only http,relay,consumer]`, or `migrate`.

Exit codes: 0 after a stop by signal, 1 when something broke (the log says what), 2 for wrong
settings or arguments, with a line for each.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import TypeVar

import asyncpg
import uvloop
from starlette.types import ASGIApp

from shared.errors import HotlineError, SettingsError
from shared.settings import PREFIX, DatabaseSettings, ServiceSettings, read
from shared.web import logs, server
from shared.web.metrics import Metrics, exposition

PARTS = frozenset({"http", "relay", "consumer"})


@dataclass(frozen=True)
class Wired:
    """A service whose resources are open and whose background tasks run."""

    app: ASGIApp
    metrics: Metrics


S = TypeVar("S", bound=ServiceSettings)
# (settings, parts) -> everything open, for as long as the context is.
Wire = Callable[[S, frozenset[str]], AbstractAsyncContextManager[Wired]]


def main(
    name: str, settings: type[S], wiring: Callable[[], Wire[S]], arguments: Sequence[str] | None = None
) -> int:
    """Runs the command and answers the exit code. `wiring` does the heavy imports, for `serve` alone."""
    chosen = _parser(name).parse_args(arguments)
    try:
        if chosen.command == "migrate":
            return _migrate(name, read(DatabaseSettings))
        return _serve(name, read(settings), wiring, chosen.only)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    except HotlineError as error:
        print(error, file=sys.stderr)
        return 1


def parts(text: str) -> frozenset[str]:
    """The argument of `--only`."""
    named = frozenset(part.strip() for part in text.split(","))
    unknown = named - PARTS
    if unknown:
        raise argparse.ArgumentTypeError(f"knows {', '.join(sorted(PARTS))}")
    return named


def _parser(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m services.{name}")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="run until SIGTERM or SIGINT")
    serve.add_argument(
        "--only", type=parts, default=PARTS, metavar="PARTS", help="some of http,relay,consumer (all)"
    )
    commands.add_parser("migrate", help="bring the database to the newest schema, then exit")
    return parser


def _migrate(name: str, settings: DatabaseSettings) -> int:
    from shared.store.migrate import migrate  # noqa: PLC0415  # alembic, which `serve` does without

    try:
        asyncio.run(migrate(name, settings.database_url.get_secret_value()))
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        # By its type: the driver's own words may hold the account.
        raise HotlineError(f"the database of {name} does not answer ({type(error).__qualname__})") from error
    return 0


def _serve(name: str, settings: S, wiring: Callable[[], Wire[S]], chosen: frozenset[str]) -> int:
    logs.configure(name)
    log = logs.logger(__name__)
    try:
        uvloop.run(_run(settings, wiring(), chosen))
    except HotlineError:
        raise  # its words are for the operator: the caller of this prints them
    except Exception as error:  # noqa: BLE001  # the process ends here; the log says why, without messages
        log.critical("stopped by an error", **logs.fault(error))
        return 1
    return 0


async def _run(settings: S, wire: Wire[S], chosen: frozenset[str]) -> None:
    asyncio.get_running_loop().set_exception_handler(logs.on_loop_error)
    log = logs.logger(__name__)
    async with AsyncExitStack() as stack:
        # Bound before anything is opened, so that a taken port is known at once.
        metrics_listener = stack.enter_context(
            server.listen(settings.metrics_host, settings.metrics_port, f"{PREFIX}METRICS_PORT")
        )
        listener = (
            stack.enter_context(server.listen(settings.host, settings.port, f"{PREFIX}PORT"))
            if "http" in chosen
            else None
        )
        wired = await stack.enter_async_context(wire(settings, chosen))
        await stack.enter_async_context(server.serving(exposition(wired.metrics), metrics_listener))
        log.info("metrics", host=settings.metrics_host, port=metrics_listener.getsockname()[1])
        if listener is not None:
            await stack.enter_async_context(server.serving(wired.app, listener))
            log.info("serving", host=settings.host, port=listener.getsockname()[1], parts=sorted(chosen))
        else:
            log.info("running", parts=sorted(chosen))
        number = await server.until_stopped()
        log.info("stopping", signal=number.name)
