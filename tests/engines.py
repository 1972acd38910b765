"""The engines that tests run against: PostgreSQL 18 and the broker of the wheels, in temporary places.

Started when a test asks for the first time, stopped at the end of the run, and tied to it, so that an
interrupted run leaves nothing behind.
"""

import contextlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local.data_directory import ROOT
from deploy.local.postgres import Postgres
from deploy.local.process import tied_command

# A test's data is small; fsync and synchronous_commit stay on, as in production.
_SMALL = {"shared_buffers": "64MB"}


@contextlib.contextmanager
def reachable_directory() -> Iterator[Path]:
    """A temporary directory which PostgreSQL's account can pass through (pytest's `tmp_path` it cannot)."""
    path = Path(tempfile.mkdtemp(prefix="hotline-test-"))
    try:
        path.chmod(0o711)
        yield path
    finally:
        shutil.rmtree(path)


class Databases:
    """New, empty databases on one running server."""

    def __init__(self, postgres: Postgres) -> None:
        self.postgres = postgres
        self._numbers = itertools.count(1)

    @contextlib.contextmanager
    def new(self, owner: str = "intake") -> Iterator[str]:
        """The address of a new database for its owner, one of the three roles; dropped afterwards."""
        name = f"test_{next(self._numbers)}"
        self.postgres.create_database(name, owner=owner)
        try:
            yield self.postgres.dsn(name, role=owner)
        finally:
            self.postgres.drop_database(name)


@contextlib.contextmanager
def running_postgres() -> Iterator[Postgres]:
    with reachable_directory() as directory:
        postgres = Postgres(directory / "postgres", settings=_SMALL)
        postgres.prepare()
        postgres.start()
        try:
            yield postgres
        finally:
            postgres.stop()


class EmbeddedBroker:
    """The broker as a child process: `address` while it runs, another one after each `start()`."""

    def __init__(self, partitions: int = 12) -> None:
        self.partitions = partitions
        self.address = ""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, partitions: int | None = None) -> str:
        """A new broker that knows nothing of an earlier one; its address."""
        self.partitions = partitions or self.partitions
        self._process = subprocess.Popen(
            tied_command([sys.executable, "-m", "deploy.local.broker", "--partitions", str(self.partitions)]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self.address = json.loads(self._process.stdout.readline())["broker"]
        return self.address

    def stop(self) -> None:
        """Closes its standard input, on which it ends."""
        if self._process is not None:
            self._process.communicate(timeout=10)
            self._process = None

    def kill(self) -> None:
        """kill -9: everything in it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
