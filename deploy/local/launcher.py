"""Starts the whole system, keeps it running, and stops it in order.

Up: PostgreSQL and the broker, the migrations, the three services; then one panel tells what runs where.
Down (Ctrl-C, SIGTERM, the terminal closed): the services, the broker, PostgreSQL. A second Ctrl-C kills
what is still there; PostgreSQL recovers from that at the next start.

How it fails: a `LaunchError`, printed as one sentence, exit code 1. A child that ends later on is started
again (`deploy.local.children`).
"""

import asyncio
import json
import signal
import sys
from collections.abc import Coroutine
from contextlib import suppress
from datetime import datetime
from os import environ, getpid
from typing import Any

from rich.console import Console

from deploy.local.children import Child, Program
from deploy.local.data_directory import DataDirectory
from deploy.local.errors import LaunchError
from deploy.local.issuer import ISSUER, Issuer
from deploy.local.keys import ensure_keys
from deploy.local.panel import local_places, show
from deploy.local.ports import free_ports
from deploy.local.postgres import OWNERS, STOP_SIGNAL, Postgres
from deploy.local.process import PLAIN_ENVIRONMENT, tied_command
from deploy.local.services import DEFAULT_PORTS, Service, migrate, program_of, read_ports, write_token

_POSTGRES, _BROKER = "postgres", "broker"

# librdkafka's broker: a topic's partitions, a divisor of the 240 slots.
_PARTITIONS_VARIABLE, _PARTITIONS = "HOTLINE_PARTITIONS", "12"


class Launcher:
    """One run of the whole system on one data directory, which the caller holds."""

    def __init__(self, data: DataDirectory, console: Console) -> None:
        self._data = data
        self._console = console
        self._postgres = Postgres(data.postgres, log=data.logs / "postgres.log")
        self._services: list[Service] = []
        self._broker_address = ""
        self._children: list[Child] = []
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()

    def interrupt(self) -> None:
        """The first time: stop in order. The second time: now."""
        if self._stop.is_set():
            self._hurry.set()
        else:
            self._say("stopping (Ctrl-C again to hurry)")
            self._stop.set()

    async def run(self) -> None:
        """Runs until `interrupt()`, or raises a `LaunchError`; either way nothing is left running."""
        try:
            if await self._unless(self._stop, self._start_all()):
                places = local_places(self._data, self._services, self._broker_address, self._postgres)
                show(self._console, places, "Ctrl-C stops everything.")
                await self._stop.wait()
        finally:
            if not await self._unless(self._hurry, self._stop_all()):
                for child in self._children:
                    child.kill()
                await self._stop_all()
            self._data.run_file.unlink(missing_ok=True)

    async def _start_all(self) -> None:
        ports = read_ports(environ)
        await asyncio.to_thread(ensure_keys, self._data.keys)
        await asyncio.to_thread(self._postgres.prepare)
        await _all(self._start(self._postgres_program()), self._start(self._broker_program()))
        await asyncio.to_thread(self._postgres.create_databases)
        self._services = [
            Service(
                name, port, metrics_port, self._postgres.dsn(name), self._postgres.dsn(name, OWNERS[name])
            )
            for (name, port), metrics_port in zip(ports.items(), free_ports(len(ports)), strict=True)
        ]
        self._write_run_file()
        for service in self._services:
            write_token(self._data, service.name)
        await _all(*(migrate(service, self._services, self._data) for service in self._services))
        await _all(
            *(self._start(program_of(service, self._services, self._data)) for service in self._services)
        )

    async def _start(self, program: Program) -> None:
        child = Child(program, self._say)
        self._children.append(child)
        await child.start()

    async def _stop_all(self) -> None:
        """Services first, so that they can finish what they do, PostgreSQL last."""
        services = [child for child in self._children if child.program.name in DEFAULT_PORTS]
        broker = [child for child in self._children if child.program.name == _BROKER]
        postgres = [child for child in self._children if child.program.name == _POSTGRES]
        for children in (services, broker, postgres):
            await asyncio.gather(*(child.stop() for child in children))

    async def _unless(self, event: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
        """Does `work` and answers True, or abandons it as soon as `event` is set."""
        task, waiting = asyncio.create_task(work), asyncio.create_task(event.wait())
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if task.done():
            await task
            return True
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return False

    def _postgres_program(self) -> Program:
        return Program(
            name=_POSTGRES,
            command=self._postgres.supervised_command,
            log=self._postgres.log,
            ready=self._postgres.is_ready,
            environment=PLAIN_ENVIRONMENT,
            before=self._postgres.clear_stale_lock,
            explained=lambda told: self._postgres.explained(
                told, f"PostgreSQL did not start (its log: {self._postgres.log})"
            ),
            stop_signal=STOP_SIGNAL,
            grace=30.0,
        )

    def _broker_program(self) -> Program:
        partitions = environ.get(_PARTITIONS_VARIABLE) or _PARTITIONS
        return Program(
            name=_BROKER,
            command=lambda: tied_command(
                [sys.executable, "-m", "deploy.local.broker", "--partitions", partitions]
            ),
            log=self._data.logs / "broker.log",
            ready=lambda: bool(self._broker_address),
            announced=self._broker_announced,
        )

    def _broker_announced(self, line: str) -> None:
        """A new process has a new address; the services read it from run.json and connect again."""
        self._broker_address = json.loads(line)["broker"]
        if self._services:
            self._write_run_file()

    def _write_run_file(self) -> None:
        self._data.write_run_file(
            {
                "pid": getpid(),
                "services": {service.name: service.described() for service in self._services},
                "broker": self._broker_address,
                "issuer": {"iss": ISSUER, "key_file": str(Issuer(self._data.keys).key_file)},
            }
        )

    def _say(self, sentence: str) -> None:
        time = datetime.now().astimezone().strftime("%H:%M:%S")
        self._console.print(f"{time} {sentence}", markup=False, highlight=False, soft_wrap=True)


async def _all(*works: Coroutine[Any, Any, None]) -> None:
    """Does all at once; the first error ends the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def _run(data: DataDirectory, console: Console) -> None:
    launcher = Launcher(data, console)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, launcher.interrupt)
    await launcher.run()


def main() -> int:
    data = DataDirectory.from_environment()
    console = Console()
    try:
        with data.hold():
            asyncio.run(_run(data, console))
    except LaunchError as error:
        print(f"Hotline cannot run: {error}", file=sys.stderr)
        return 1
    console.print("stopped", highlight=False)
    return 0
