"""The command line of a service: `python -m services.X serve [--only http,relay,consumer]`, `migrate [--wait
SECONDS]`, `rebuild [--check] [--json]`, `recover [--without NAME] [--json]`, or `rewrap [--json]`.

Exit codes: 0 after a stop by signal, 1 when something broke (the log says what) or a check found other rows,
2 for wrong settings or arguments, with a line for each.
"""

import argparse
import asyncio
import gc
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, TypeVar

import asyncpg
import uvloop
from starlette.types import ASGIApp

from shared.errors import HotlineError, SettingsError
from shared.rebuilding import JsonTeller, Teller
from shared.sealing.keys import ServiceKeys, load_keys
from shared.settings import (
    PREFIX,
    DatabaseSettings,
    MigrateSettings,
    RebuildSettings,
    RecoverSettings,
    ServiceSettings,
    read,
)
from shared.store.connections import AWAY, connect
from shared.store.migrate import check_schema
from shared.store.rebuilding import Projection, Report, rebuild
from shared.store.server_clock import database_day
from shared.web import logs, server
from shared.web.connection import Limits
from shared.web.draining import Draining
from shared.web.metrics import Metrics, exposition

if TYPE_CHECKING:
    from shared.store.key_retirement import Report as Rewrapped
    from shared.streaming.recovery import Recovery

_PAUSE_SECONDS = 0.5
_OTHER_FILES = 512  # beside connections of callers: of the database, the broker, other services

PARTS = frozenset({"http", "relay", "consumer"})


@dataclass(frozen=True)
class Wired:
    """A service whose resources are open and whose background tasks run."""

    app: ASGIApp
    metrics: Metrics


S = TypeVar("S", bound=ServiceSettings)
# (settings, parts) -> everything open, for as long as the context is.
Wire = Callable[[S, frozenset[str]], AbstractAsyncContextManager[Wired]]


# Settings and keys of the service, and whom to pass over -> how its lost tail is adopted, while open.
Recovering = Callable[[RecoverSettings, ServiceKeys, Sequence[str]], AbstractAsyncContextManager["Recovery"]]

# The keys of the service -> how its read models follow from its history.
Projecting = Callable[[ServiceKeys], Projection]


def main(
    name: str,
    settings: type[S],
    wiring: Callable[[], Wire[S]],
    arguments: Sequence[str] | None = None,
    *,
    projecting: Callable[[], Projecting],
    recovering: Callable[[], Recovering],
) -> int:
    """Runs the command and answers the exit code.

    Args:
        wiring: does the heavy imports, for `serve` alone.
        projecting: the same for `rebuild`.
        recovering: the same for `recover`.
    """
    chosen = _parser(name).parse_args(arguments)
    commands: dict[str, Callable[[], int]] = {
        "serve": lambda: _serve(name, read(settings), wiring, chosen.only),
        "migrate": lambda: _migrate(name, read(MigrateSettings), chosen.wait),
        "rebuild": lambda: _rebuild(name, projecting, is_check=chosen.check, as_json=chosen.json),
        "recover": lambda: _recover(name, recovering, chosen.without, as_json=chosen.json),
        "rewrap": lambda: _rewrap(name, as_json=chosen.json),
    }
    try:
        return commands[chosen.command]()
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
    migrating = commands.add_parser("migrate", help="bring the database to the newest schema, then exit")
    migrating.add_argument(
        "--wait", type=float, default=0.0, metavar="SECONDS", help="how long to wait for the database (0)"
    )
    anew = commands.add_parser("rebuild", help="make the read models anew from the log and the inbox")
    anew.add_argument("--check", action="store_true", help="only compare: change nothing")
    anew.add_argument(
        "--json", action="store_true", help="tell progress and outcome as JSON, an object a line"
    )
    lost = commands.add_parser("recover", help="adopt the events that a set-back database has lost")
    lost.add_argument(
        "--without", action="append", default=[], metavar="NAME", help="go on where it does not answer"
    )
    lost.add_argument(
        "--json", action="store_true", help="tell progress and outcome as JSON, an object a line"
    )
    wrapping = commands.add_parser("rewrap", help="wrap all data keys under the current key-encryption key")
    wrapping.add_argument(
        "--json", action="store_true", help="tell progress and outcome as JSON, an object a line"
    )
    return parser


def _migrate(name: str, settings: MigrateSettings, wait: float) -> int:
    try:
        asyncio.run(_migrated(name, settings, wait))
    except AWAY as error:
        raise _away(name, error) from error
    return 0


async def _migrated(name: str, settings: MigrateSettings, wait: float) -> None:
    """Where all starts at once, the database, or its name in the network, may be there a moment later."""
    from shared.store.migrate import migrate  # noqa: PLC0415  # alembic, which `serve` does without

    database_url = settings.database_url.get_secret_value()
    clock = asyncio.get_running_loop().time
    until = clock() + wait
    while True:
        try:
            return await migrate(name, database_url, settings.service_role)
        except (
            OSError,
            TimeoutError,
            asyncpg.CannotConnectNowError,
            asyncpg.PostgresConnectionError,
            asyncpg.TargetServerAttributeNotMatched,
        ):
            if clock() + _PAUSE_SECONDS > until:
                raise
        await asyncio.sleep(_PAUSE_SECONDS)


def _rebuild(name: str, projecting: Callable[[], Projecting], *, is_check: bool, as_json: bool) -> int:
    teller = JsonTeller(name) if as_json else Teller(name)
    settings = read(RebuildSettings)
    report = asyncio.run(_rebuilt(name, settings, projecting(), teller, is_check=is_check))
    teller.report(report, is_check=is_check)
    return 1 if is_check and report.differing else 0


async def _rebuilt(
    name: str, settings: RebuildSettings, projecting: Projecting, teller: Teller, *, is_check: bool
) -> Report:
    projection = projecting(load_keys(settings.keys_file))
    database_url = await _migrated_database(name, settings)
    quieten_collector()
    return await rebuild(database_url, projection, is_check=is_check, tell=teller.progress)


def quieten_collector() -> None:
    """Thousands of events and rows are held at a time and let go together, and a service remembers hundreds
    of thousands of objects. There are hardly any cycles among them, and by its own measure the collector goes
    through all of them again and again: with 40,000 complaints in dedup's memory a third of its time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


async def _migrated_database(name: str, settings: DatabaseSettings) -> str:
    """Its address; it answers, and has the tables of this software."""
    database_url = settings.database_url.get_secret_value()
    try:
        await check_schema(name, database_url, whole_history=True)
    except AWAY as error:
        raise _away(name, error) from error
    return database_url


def _away(name: str, error: Exception) -> HotlineError:
    """By its type: the driver's own words may hold the account."""
    return HotlineError(f"the database of {name} does not answer ({type(error).__qualname__})")


def _recover(
    name: str, recovering: Callable[[], Recovering], without: Sequence[str], *, as_json: bool
) -> int:
    asyncio.run(_recovered(name, read(RecoverSettings), recovering(), without, as_json=as_json))
    return 0


async def _recovered(
    name: str, settings: RecoverSettings, recovering: Recovering, without: Sequence[str], *, as_json: bool
) -> None:
    from shared import recoveries  # noqa: PLC0415  # contracts and sealing, which the others do without

    teller = recoveries.JsonTeller(name) if as_json else recoveries.Teller(name)
    database_url = await _migrated_database(name, settings)
    async with recovering(settings, load_keys(settings.keys_file), without) as recovery:
        day = await database_day(database_url)
        teller.report(await recovery.run(database_url, day, teller.progress))


def _rewrap(name: str, *, as_json: bool) -> int:
    from shared import rewraps  # noqa: PLC0415  # the others do without

    settings = read(RebuildSettings)
    teller = rewraps.JsonTeller(name) if as_json else rewraps.Teller(name)
    report = asyncio.run(_rewrapped(name, settings, teller.progress))
    teller.report(report)
    return 1 if report.left else 0


async def _rewrapped(name: str, settings: RebuildSettings, tell: Callable[[int, int], None]) -> "Rewrapped":
    from shared.store.key_retirement import rewrap  # noqa: PLC0415

    keys = load_keys(settings.keys_file)
    connection = await connect(await _migrated_database(name, settings), timeout=10)
    try:
        return await rewrap(connection, keys.kek, tell)
    finally:
        await connection.close()


def _serve(name: str, settings: S, wiring: Callable[[], Wire[S]], chosen: frozenset[str]) -> NoReturn:
    logs.configure(name)
    uvloop.run(_run_and_leave(settings, wiring(), chosen))


async def _run_and_leave(settings: S, wire: Wire[S], chosen: frozenset[str]) -> NoReturn:
    """Ends the process itself, once everything is closed: the end of the loop, and Python's own, would wait
    for name lookups under way, which nothing can cancel, half a minute where no name server answers."""
    log = logs.logger(__name__)
    try:
        await _run(settings, wire, chosen)
    except HotlineError:
        raise  # its words are for the operator: the caller of this prints them
    except Exception as error:  # the process ends here; the log says why, without messages
        log.critical("stopped by an error", exc_info=error)
        code = 1
    else:
        code = 0
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


async def _run(settings: S, wire: Wire[S], chosen: frozenset[str]) -> None:
    asyncio.get_running_loop().set_exception_handler(logs.on_loop_error)
    log = logs.logger(__name__)
    async with AsyncExitStack() as stack:
        server.allow_files(settings.connections + _OTHER_FILES)
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
        app = Draining(wired.app)
        await stack.enter_async_context(server.serving(exposition(wired.metrics), metrics_listener))
        log.info("metrics", host=settings.metrics_host, port=metrics_listener.getsockname()[1])
        if listener is not None:
            await stack.enter_async_context(server.serving(app, listener, Limits.of(settings)))
            log.info("serving", host=settings.host, port=listener.getsockname()[1], parts=sorted(chosen))
        else:
            log.info("running", parts=sorted(chosen))
        quieten_collector()
        number = await server.until_stopped()
        log.info("stopping", signal=number.name, seconds=settings.drain_seconds)
        app.begin()
        if listener is not None:
            await asyncio.sleep(settings.drain_seconds)
