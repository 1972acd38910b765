"""S8: the cold start of a service to ready, and of `make run` to the first complaint accepted.

A service starts as one more replica beside a running, idle system, on its migrated database. `make run` is
started on an empty data directory: keys, `initdb`, migrations and all; what it installs the first time does
not count. Bytecode is kept, as it is on anybody's machine.
"""

import contextlib
import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from functools import partial

from deploy.local.data_directory import ROOT, DataDirectory
from deploy.local.issuer import Issuer
from deploy.local.ports import free_ports
from deploy.local.services import Service, program_of
from tests.bench.rounds import AtMost, Benchmark, Side
from tests.end_to_end.complaints import complaint
from tests.end_to_end.system import SERVICES, System, running_system
from tests.engines import reachable_directory

PATIENCE = 60.0
POLL = 0.01
"""Seconds between two looks whether a service is ready: the grain of what is measured."""

MAKE_RUN = "make run"


@contextlib.contextmanager
def prepared() -> Iterator[Sequence[Side]]:
    with _bytecode_kept(), running_system() as system:
        services = [
            Side(name, partial(_service, system, name), "process started until /healthz/ready answers 200")
            for name in SERVICES
        ]
        whole = Side(MAKE_RUN, _make_run, "empty data directory until the first complaint got its receipt")
        yield (*services, whole)


def _service(system: System, name: str) -> float:
    data, (port, metrics_port) = DataDirectory(system.data), free_ports(2)
    replica = Service(name, port, metrics_port, system.database_url(name), "")
    others = [Service(other, _port(system, other), 0, "", "") for other in SERVICES]
    program = program_of(replica, others, data)
    begin = time.monotonic()
    process = subprocess.Popen(
        program.command(),
        cwd=ROOT,
        env=program.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not program.ready():
            if process.poll() is not None or time.monotonic() > begin + PATIENCE:
                raise RuntimeError(f"{name} did not get ready (exit code {process.poll()})")
            time.sleep(POLL)
        return time.monotonic() - begin
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _port(system: System, name: str) -> int:
    return int(system.urls[name].rpartition(":")[2])


def _make_run() -> float:
    with reachable_directory() as directory:
        system = System(directory / "data")
        begin = time.monotonic()
        try:
            system.start(PATIENCE)
            _send_complaint(system)
            return time.monotonic() - begin
        finally:
            system.stop()


def _send_complaint(system: System) -> None:
    token = Issuer(DataDirectory(system.data).keys).mint("call_handler")
    request = urllib.request.Request(  # noqa: S310  (our own address)
        f"{system.urls['intake']}/v1/complaints",
        data=json.dumps(complaint(1)).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310  (our own address)
        if not json.load(answer)["receipt"]:
            raise RuntimeError("the complaint was accepted without a receipt")


@contextlib.contextmanager
def _bytecode_kept() -> Iterator[None]:
    name = "PYTHONDONTWRITEBYTECODE"
    found = os.environ.pop(name, None)
    try:
        yield
    finally:
        if found is not None:
            os.environ[name] = found


S8 = Benchmark(
    number="S8",
    title="Cold start of a service, and of the whole system",
    unit="seconds",
    targets=(*(AtMost(name, 2) for name in SERVICES), AtMost(MAKE_RUN, 15)),
    prepared=prepared,
)
