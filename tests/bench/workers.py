"""Processes that do the same thing for a while, all at once, and say how often they did it.

A worker reads its job, a line of JSON, from standard input, gets ready, prints `ready`, waits for a second
line, works for `warm_up` and then for `seconds`, and prints a line of JSON: `done` within the `seconds`, and
`all`. So starting, connecting and the first, slow statements are not measured.
"""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.local.data_directory import ROOT

WARM_UP = 0.5
PATIENCE = 60.0
"""Seconds beyond the work itself after which a worker is taken for stuck."""


@dataclass(frozen=True, slots=True)
class Work:
    """What the workers together did: a second, and altogether."""

    rate: float
    altogether: int


def work(
    commands: Sequence[Sequence[str]],
    job: Mapping[str, Any],
    seconds: float,
    *,
    environment: Mapping[str, str] = os.environ,
) -> Work:
    """Run `commands` side by side, from the root of the project, each on the same job.

    Raises:
        RuntimeError: a worker ended with an error; its words are on standard error.
    """
    line = json.dumps({**job, "seconds": seconds, "warm_up": WARM_UP}) + "\n"
    running = [
        subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment,
        )
        for command in commands
    ]
    try:
        for process in running:  # one after the other: the first may have tables to make
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(line)
            process.stdin.flush()
            if process.stdout.readline() != "ready\n":
                raise RuntimeError(f"a worker did not get ready: {process.args!r}")
        said = []
        for process in running:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in running:
            out, _ = process.communicate(timeout=WARM_UP + seconds + PATIENCE)
            if process.returncode != 0:
                raise RuntimeError(f"a worker ended with {process.returncode}: {process.args!r}")
            said.append(json.loads(out))
    finally:
        for process in running:
            process.kill()
            process.wait()
    return Work(sum(one["done"] for one in said) / seconds, sum(one["all"] for one in said))
