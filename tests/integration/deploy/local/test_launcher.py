"""`make run`, as a process: what it starts, starts again, refuses, and leaves behind (nothing)."""

import json
import os
import pwd
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.local.data_directory import ROOT
from deploy.local.issuer import ROLES
from deploy.local.ports import free_ports
from tests.conditions import answers, wait_until
from tests.engines import reachable_directory

_START_SECONDS = 60.0
_NAMES = ("HOTLINE_INTAKE_PORT", "HOTLINE_DEDUP_PORT", "HOTLINE_REFERRAL_PORT")


class Run:
    """One `python -m deploy.local` on a data directory."""

    def __init__(self, data: Path, **environment: str) -> None:
        self.data = data
        ports = dict(zip(_NAMES, map(str, free_ports(3)), strict=True))
        self.output = data.with_name("output")
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "deploy.local"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env={**os.environ, **ports, "HOTLINE_DATA": str(data), "COLUMNS": "200", **environment},
            )

    def until_up(self) -> None:
        def is_up() -> bool:
            assert self.process.poll() is None, self.told()
            return "Ctrl-C stops everything" in self.told()

        wait_until(is_up, what="the system was up", seconds=_START_SECONDS)

    def told(self) -> str:
        return self.output.read_text()

    def described(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.data / "run.json").read_text())
        return found

    def children(self) -> dict[str, int]:
        """The process number of each child, by its command line."""
        words = {
            "postgres": b"/bin/postgres\0-D",
            "broker": b"deploy.local.broker",
            "intake": b"services.intake\0serve",
            "dedup": b"services.dedup\0serve",
            "referral": b"services.referral\0serve",
        }
        found: dict[str, int] = {}
        for pid in _children_of(self.process.pid):
            command = _read(Path(f"/proc/{pid}/cmdline"))
            found |= {name: pid for name, word in words.items() if word in command}
        return found

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=60)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
        return b""


def _children_of(parent: int) -> list[int]:
    pids = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal())
    return [
        pid
        for pid in pids
        if _read(Path(f"/proc/{pid}/stat")).rpartition(b")")[2].split()[1:2] == [b"%d" % parent]
    ]


def _exists(pid: int) -> bool:
    return bool(_read(Path(f"/proc/{pid}/cmdline")))  # empty for a zombie


@contextmanager
def _running(data: Path) -> Iterator[Run]:
    run = Run(data)
    try:
        run.until_up()
        yield run
    finally:
        if run.process.poll() is None:
            run.end(signal.SIGTERM)


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    with reachable_directory() as path:
        yield path


@pytest.fixture(scope="module")
def up(directory: Path) -> Iterator[Run]:
    with _running(directory / "data") as run:
        yield run


def test_three_services_are_ready_and_run_json_is_private(up: Run) -> None:
    described = up.described()
    assert described["pid"] == up.process.pid
    assert set(described["services"]) == {"intake", "dedup", "referral"}
    assert all(answers(f"{service['url']}/healthz/ready") for service in described["services"].values())
    assert stat.S_IMODE((up.data / "run.json").stat().st_mode) == 0o600


def test_the_panel_tells_addresses_and_the_next_commands_and_no_token(up: Run) -> None:
    told = up.told()
    for service in up.described()["services"].values():
        assert service["url"] in told
    assert "./hotline simulate" in told
    assert "./hotline token ROLE" in told
    assert all(role in told for role in ROLES)
    assert "eyJ" not in told, "a token is hundreds of characters, and the terminal keeps it"
    assert str(up.data / "logs") in told


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL under another account")
def test_as_root_postgresql_runs_under_an_unprivileged_account(up: Run) -> None:
    owner = Path(f"/proc/{up.children()['postgres']}").stat().st_uid
    assert pwd.getpwuid(owner).pw_name in ("postgres", "nobody")


def test_a_second_launcher_on_the_same_data_is_told_of_the_first(up: Run) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "deploy.local"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "HOTLINE_DATA": str(up.data)},
        check=False,
    )
    assert second.returncode == 1
    assert f"already runs on {up.data} (process {up.process.pid})" in second.stderr
    assert second.stderr.count("\n") == 1
    assert up.process.poll() is None


@pytest.mark.parametrize("name", ["intake", "broker", "postgres"])
def test_a_killed_child_comes_back_on_its_own(up: Run, name: str) -> None:
    before = up.children()[name]
    broker_before = up.described()["broker"]
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: up.told().count(f"{name} is ready again") == 1, what=f"{name} was ready again")
    assert f"{name} was ended by SIGKILL; it is started again in" in up.told()
    assert up.children()[name] != before
    if name == "broker":
        assert up.described()["broker"] != broker_before
    services = up.described()["services"].values()
    wait_until(
        lambda: all(answers(f"{service['url']}/healthz/ready") for service in services), what="all were ready"
    )


@dataclass(frozen=True)
class Stopped:
    """What a run left behind, and what it was."""

    data: Path
    code: int
    children: dict[str, int]
    database: str
    keys: dict[str, bytes]


@pytest.fixture(scope="module")
def stopped(up: Run) -> Stopped:
    """The run of the tests above, after Ctrl-C."""
    children, database = up.children(), up.described()["services"]["intake"]["database_url"]
    keys = _keys(up.data)
    return Stopped(up.data, up.end(signal.SIGINT), children, database, keys)


def _keys(data: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (data / "keys").glob("*.json")}


def test_ctrl_c_stops_everything(up: Run, stopped: Stopped) -> None:
    assert stopped.code == 0
    assert set(stopped.children) == {"postgres", "broker", "intake", "dedup", "referral"}
    assert "Traceback" not in up.told()
    assert not any(_exists(pid) for pid in stopped.children.values())
    assert not (stopped.data / "run.json").exists()
    log = (stopped.data / "logs" / "postgres.log").read_text()
    assert "received fast shutdown request" in log
    assert log.rstrip().endswith("database system is shut down")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals the death of a parent")
def test_a_later_run_finds_the_same_data_and_takes_its_children_along_into_death(stopped: Stopped) -> None:
    with _running(stopped.data) as run:
        assert run.described()["services"]["intake"]["database_url"] == stopped.database
        assert _keys(stopped.data) == stopped.keys
        children = run.children()
        assert len(children) == 5
        run.end(signal.SIGKILL)
        wait_until(lambda: not any(map(_exists, children.values())), what="all children were gone")


def test_after_a_kill_9_nothing_is_in_the_way_and_a_second_ctrl_c_waits_for_nobody(stopped: Stopped) -> None:
    with _running(stopped.data) as run:  # the lock is free
        children = run.children()
        os.kill(children["intake"], signal.SIGSTOP)  # so that stopping in order takes its whole grace
        run.process.send_signal(signal.SIGINT)
        wait_until(lambda: "stopping (Ctrl-C again to hurry)" in run.told(), what="it was stopping")
        assert run.end(signal.SIGINT) == 0
        assert "did not stop within" not in run.told()
        assert "started again" not in run.told()
        assert not any(map(_exists, children.values()))


def test_a_port_in_use_is_one_sentence_with_the_variable(directory: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        (directory / "port").mkdir(mode=0o711)
        run = Run(directory / "port" / "data", HOTLINE_DEDUP_PORT=str(port))
        assert run.process.wait(timeout=60) == 1
    assert f"port {port}, on which dedup is to listen, is in use" in run.told()
    assert "HOTLINE_DEDUP_PORT" in run.told()
    assert "Traceback" not in run.told()


def test_a_broken_data_directory_is_one_sentence(directory: Path) -> None:
    data = directory / "broken" / "data"
    data.parent.mkdir(mode=0o711)
    (data / "postgres" / "data").mkdir(parents=True)
    (data / "postgres" / "data" / "base").mkdir()
    (data / "launcher.lock").touch()
    run = Run(data)
    assert run.process.wait(timeout=60) == 1
    assert "no PostgreSQL data directory (no PG_VERSION in it)" in run.told()
    assert run.told().count("\n") == 1
