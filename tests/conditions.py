"""Waiting for a condition with a time limit, in place of sleeping."""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], *, what: str, seconds: float = 60.0) -> None:
    """Returns as soon as `condition()` holds; fails, saying `what` did not happen, after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"within {seconds:.0f} s it did not happen that {what}")
        time.sleep(0.02)
