"""The progress of a program that takes long, at most twice a second: as text, or as JSON for `./hotline`."""

import json
import sys
import time

_SECONDS_BETWEEN = 0.5


class Progress:
    """Lines on standard error, for people."""

    def __init__(self, service: str) -> None:
        self._service, self._shown = service, 0.0

    def progress(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._shown >= _SECONDS_BETWEEN:
            self._shown = now
            self._progress(done, total)

    def _progress(self, done: int, total: int) -> None:
        print(f"{self._service}: {done:,} of {total:,}", file=sys.stderr)


class JsonProgress(Progress):
    """``{"done", "total"}`` on standard output, an object a line, for programs."""

    def _progress(self, done: int, total: int) -> None:
        print(json.dumps({"done": done, "total": total}), flush=True)
