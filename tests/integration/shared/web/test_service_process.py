"""`python -m services.X` as it is started in earnest: a process, told what to do by its environment."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import pytest

from deploy.local.keys import ensure_keys
from tests.conditions import wait_until
from tests.unit.shared.web.issuer import ISSUER, Issuer

ROOT = Path(__file__).parents[4]
SERVICES = ["intake", "dedup", "referral"]
NOBODY = "postgresql://nobody:hunter2@127.0.0.1:1/nothing"


class Running:
    """A service whose log lines are read as they come."""

    def __init__(self, program: Sequence[str], environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(  # our own interpreter and module
            [sys.executable, *program],
            cwd=ROOT,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.written: list[str] = []
        self._lines: Queue[str] = Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.put(line)

    def logged(self, event: str) -> dict[str, Any]:
        """The next line about this event."""
        deadline = time.monotonic() + 60
        while True:
            try:
                line = self._lines.get(timeout=max(0.01, deadline - time.monotonic()))
            except Empty:
                raise AssertionError(f"never logged {event!r}: {self.written}") from None
            self.written.append(line)
            if line.startswith("{") and (said := json.loads(line))["event"] == event:
                entry: dict[str, Any] = said
                return entry

    def ends(self) -> tuple[int, str]:
        """The exit code and everything that was written."""
        code = self.process.wait(timeout=60)
        self._reader.join(timeout=60)
        while not self._lines.empty():
            self.written.append(self._lines.get())
        return code, "".join(self.written)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.ends()
        assert self.process.stderr is not None
        self.process.stderr.close()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    ensure_keys(tmp_path / "keys")
    (tmp_path / "token").write_text("of nobody")
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
    return plain | {
        "HOTLINE_DATABASE_URL": NOBODY,
        "HOTLINE_PORT": "0",
        "HOTLINE_METRICS_PORT": "0",
        "HOTLINE_RUN_FILE": str(tmp_path / "run.json"),
        "HOTLINE_KEYS_FILE": str(tmp_path / "keys" / "dedup.json"),
        "HOTLINE_SERVICE_TOKEN_FILE": str(tmp_path / "token"),
        "HOTLINE_JWKS": Issuer().write(tmp_path / "jwks.json"),
        "HOTLINE_ISSUER": ISSUER,
        "HOTLINE_PEERS": json.dumps(dict.fromkeys(SERVICES, "http://127.0.0.1:1")),
    }


Start = Callable[..., Running]


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Start]:
    running: list[Running] = []
    keys = Path(environment["HOTLINE_KEYS_FILE"]).parent

    def keys_of(service: str) -> dict[str, str]:
        return {"HOTLINE_KEYS_FILE": str(keys / f"{service}.json")}

    def start(service: str, *arguments: str, **changed: str) -> Running:
        program = ["-m", f"services.{service}", *arguments]
        running.append(Running(program, environment | keys_of(service) | changed))
        return running[-1]

    yield start
    for process in running:
        process.close()


def get(port: int, path: str) -> tuple[int, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # always http
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_ready_with_its_database_and_stops_at_sigterm(
    service: str, start: Start, database_url: str
) -> None:
    running = start(service, "serve", HOTLINE_DATABASE_URL=database_url)
    metrics_port = running.logged("metrics")["port"]
    port = running.logged("serving")["port"]
    status, body = get(port, "/healthz/ready")
    assert status == 503
    assert f"services.{service} migrate" in json.loads(body)["not_ready"]["schema"]
    assert start(service, "migrate", HOTLINE_DATABASE_URL=database_url).ends()[0] == 0
    # It looks once a second, and begins by itself.
    wait_until(lambda: get(port, "/healthz/ready") == (200, '{"status":"ready"}'), what="it is ready")
    assert get(port, "/metrics")[0] == 404
    assert get(metrics_port, "/metrics")[0] == 200
    running.process.send_signal(signal.SIGTERM)
    assert running.ends()[0] == 0


def test_a_service_without_its_database_is_live_and_says_what_is_missing(start: Start) -> None:
    running = start("intake", "serve")
    port = running.logged("serving")["port"]
    assert get(port, "/healthz/live")[0] == 200
    status, body = get(port, "/healthz/ready")
    assert (status, json.loads(body)["not_ready"]) == (503, {"database": "ConnectionRefusedError"})
    running.process.send_signal(signal.SIGINT)
    code, written = running.ends()
    assert code == 0
    assert "hunter2" not in written


LOOKING_UP = """
import asyncio, sys, time
from contextlib import asynccontextmanager
from services.intake.__main__ import projecting, recovering
from services.intake.settings import Settings
from shared.web.metrics import Metrics
from shared.web.process import Wired, main

@asynccontextmanager
async def wire(settings, parts):
    asyncio.get_running_loop().run_in_executor(None, time.sleep, 600)
    yield Wired(None, Metrics())
    if sys.argv[2] == "fails":
        raise ConnectionError

arguments = [sys.argv[1], "--only", "relay"]
sys.exit(main("intake", Settings, lambda: wire, arguments, projecting=projecting, recovering=recovering))
"""


@pytest.mark.parametrize(("end", "code"), [("in order", 0), ("fails", 1)])
def test_the_end_waits_for_no_thread(end: str, code: int, environment: dict[str, str]) -> None:
    """As that of a name lookup is, which takes half a minute where no name server answers."""
    running = Running(["-c", LOOKING_UP, "serve", end], environment)
    try:
        metrics_port = running.logged("metrics")["port"]
        running.logged("running")
        assert get(metrics_port, "/metrics")[0] == 200  # its loop goes round: it has its signals
        running.process.send_signal(signal.SIGTERM)
        ended, written = running.ends()
    finally:
        running.close()
    assert ended == code
    assert ("stopped by an error" in written) == (end == "fails")


def test_a_process_without_http_listens_for_metrics_alone(start: Start) -> None:
    running = start("intake", "serve", "--only", "relay,consumer")
    metrics_port = running.logged("metrics")["port"]
    assert running.logged("running")["parts"] == ["consumer", "relay"]
    assert get(metrics_port, "/metrics")[0] == 200
    running.process.send_signal(signal.SIGTERM)
    code, written = running.ends()
    assert code == 0
    assert "serving" not in written


def test_requests_leave_no_trace_in_the_log(start: Start) -> None:
    running = start("intake", "serve", "--only", "http")
    port = running.logged("serving")["port"]
    get(port, "/v1/complaints/5f0c?name=hunter2")
    running.process.send_signal(signal.SIGTERM)
    code, _ = running.ends()
    assert code == 0
    assert [json.loads(line)["event"] for line in running.written] == ["metrics", "serving", "stopping"]


@pytest.mark.parametrize("variable", ["HOTLINE_PORT", "HOTLINE_METRICS_PORT"])
def test_a_taken_port_is_one_line_and_exit_code_2(variable: str, start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        running = start("intake", "serve", **{variable: str(taken.getsockname()[1])})
        code, written = running.ends()
    assert code == 2
    assert written.startswith(f"{variable}: 127.0.0.1:")
    assert written.count("\n") == 1


def test_migrating_twice_is_migrating_once(start: Start, database_url: str) -> None:
    for _ in range(2):
        code, written = start("dedup", "migrate", HOTLINE_DATABASE_URL=database_url).ends()
        assert (code, "Traceback" in written) == (0, False)


def test_migrating_without_the_database_is_one_sentence(start: Start) -> None:
    assert start("intake", "migrate").ends() == (
        1,
        "the database of intake does not answer (ConnectionRefusedError)\n",
    )


def test_wrong_settings_are_lines_without_a_traceback(start: Start) -> None:
    code, written = start("dedup", "serve", HOTLINE_PORT="hunter2", HOTLINE_ISSUER="").ends()
    assert code == 2
    assert [line.partition(":")[0] for line in written.splitlines()] == ["HOTLINE_PORT", "HOTLINE_ISSUER"]
    assert "hunter2" not in written
