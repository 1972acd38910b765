"""The log configured as in a service, its lines read back, and everything put back afterwards."""

import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog

from shared.web import logs

# What tests put where a caller's words would be.
SECRET = "she said it was PC Nobody"


class Lines:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def all(self) -> list[dict[str, Any]]:
        """The lines since the last reading; none may hold the secret."""
        written = self._capsys.readouterr().err
        assert SECRET not in written
        return [json.loads(line) for line in written.splitlines()]

    def one(self) -> dict[str, Any]:
        (line,) = self.all()
        return line


@contextmanager
def configured(capsys: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    """What `logs.configure` changes is of the whole process."""
    root, uvicorn, access = (logging.getLogger(name) for name in (None, "uvicorn", "uvicorn.access"))
    handlers, levels = list(root.handlers), (root.level, uvicorn.level)
    hooks = (sys.unraisablehook, threading.excepthook, warnings.showwarning)
    logs.configure("intake")
    try:
        yield Lines(capsys)
    finally:
        sys.unraisablehook, threading.excepthook, warnings.showwarning = hooks
        root.handlers[:] = handlers
        root.setLevel(levels[0])
        uvicorn.setLevel(levels[1])
        access.disabled = False
        structlog.reset_defaults()
