"""The broker of `make run`, as a child process of the tests."""

import json
import os
import subprocess
import sys
from types import TracebackType
from typing import Self

from deploy.local.data_directory import ROOT
from deploy.local.process import tied_command


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
