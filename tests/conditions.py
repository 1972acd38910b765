"""Waiting for a condition with a time limit, in place of sleeping."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], *, what: str, seconds: float = 60.0) -> None:
    """Returns as soon as `condition()` holds; fails, saying `what` did not happen, after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"within {seconds:.0f} s it did not happen that {what}")
        time.sleep(0.02)


def answers(url: str, seconds: float = 5.0) -> bool:
    """Whether there is a 200 at `url`."""
    try:
        with urllib.request.urlopen(url, timeout=seconds) as answer:  # noqa: S310  (our own address)
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
