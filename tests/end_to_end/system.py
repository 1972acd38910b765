"""The whole system as a user starts it: `python -m deploy.local` on a data directory and ports of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.local.data_directory import ROOT
from deploy.local.ports import free_ports
from tests.conditions import answers, wait_until
from tests.engines import reachable_directory

SERVICES = ("intake", "dedup", "referral")


class System:
    """A running system; `hotline(...)` runs the command on it."""

    def __init__(self, data: Path, partitions: int = 12, **settings: str) -> None:
        """`settings`: further variables of the environment. Unless they say otherwise, nothing waits for a
        release reviewer."""
        self.data = data
        ports = dict(zip(SERVICES, free_ports(3), strict=True))
        self.environment = {
            **os.environ,
            "HOTLINE_DATA": str(data),
            "HOTLINE_PARTITIONS": str(partitions),
            "HOTLINE_RELEASE": "never",
            "HOTLINE_RELEASE_IMPORTS": "never",
            **{f"HOTLINE_{name.upper()}_PORT": str(port) for name, port in ports.items()},
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "200",
            **settings,
        }
        self.urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        self._launcher: subprocess.Popen[bytes] | None = None

    def start(self, seconds: float = 180.0) -> None:
        """Start the launcher and wait until all three services are ready."""
        with (self.data.parent / "launcher.out").open("ab") as told:
            self._launcher = subprocess.Popen(
                [sys.executable, "-m", "deploy.local"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=subprocess.STDOUT,
            )
        wait_until(self.is_ready, what="all services are ready", seconds=seconds)

    def stop(self) -> None:
        """As Ctrl-C does."""
        if self._launcher is not None:
            self._launcher.send_signal(signal.SIGINT)
            self._launcher.wait(60)
            self._launcher = None

    def is_ready(self) -> bool:
        assert self._launcher is not None
        if self._launcher.poll() is not None:
            raise AssertionError(f"the launcher ended: {(self.data.parent / 'launcher.out').read_text()}")
        return self.run_file is not None and all(
            answers(f"{url}/healthz/ready") for url in self.urls.values()
        )

    @property
    def run_file(self) -> dict[str, Any] | None:
        try:
            content: dict[str, Any] = json.loads((self.data / "run.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        return content

    def database_url(self, service: str, *, as_owner: bool = False) -> str:
        """For the account that runs, or for the one that may do anything."""
        assert self.run_file is not None
        return str(self.run_file["services"][service]["owner_database_url" if as_owner else "database_url"])

    def hotline(self, *arguments: str, seconds: float = 300.0) -> subprocess.CompletedProcess[str]:
        """Run `./hotline ...` and return what it printed."""
        return subprocess.run(
            [str(ROOT / "hotline"), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def kill(self, name: str) -> None:
        """kill -9 of one child of the launcher: a service, `postgres` or `broker`."""
        assert self._launcher is not None
        wait_until(lambda: bool(self._pids(name)), what=f"{name} runs")
        os.kill(self._pids(name)[0], signal.SIGKILL)

    def _pids(self, name: str) -> list[int]:
        assert self._launcher is not None
        marks = {"postgres": "bin/postgres", "broker": "deploy.local.broker"}
        mark = marks.get(name, f"services.{name}")
        children = Path(f"/proc/{self._launcher.pid}/task").glob("*/children")
        pids = [int(pid) for child in children for pid in child.read_text().split()]
        return [pid for pid in pids if mark in _command_of(pid)]


def _command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


@contextmanager
def running_system(partitions: int = 12, **settings: str) -> Iterator[System]:
    """A system of its own, stopped and removed afterwards; arguments as of `System`."""
    with reachable_directory() as directory:
        system = System(directory / "data", partitions, **settings)
        try:
            system.start()
            yield system
        finally:
            system.stop()
