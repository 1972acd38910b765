"""S7: read models made anew from a service's own log and inbox.

A simulated stream is imported into a running system; then each service's own `rebuild --check` replays it,
once a round. The rebuilt tables have to equal the live ones, or the figure does not count.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from deploy.local.data_directory import ROOT, DataDirectory
from deploy.local.keys import keys_file
from deploy.simulation import simulate
from deploy.simulation.stream import write_simulation
from tests.bench.rounds import Benchmark, Reaches, Side
from tests.end_to_end.system import System, running_system

COMPLAINTS = 10_000
SEED = 7
LEAST = 20_000
REBUILT = ("dedup", "referral")


@contextlib.contextmanager
def prepared() -> Iterator[Sequence[Side]]:
    with running_system() as system, tempfile.TemporaryDirectory() as directory:
        stream = Path(directory) / "calls.ndjson.gz"
        write_simulation(simulate(COMPLAINTS, SEED), stream)
        for command in (("import", str(stream)), ("verify", "--wait", "600")):
            done = system.hotline(*command, seconds=1200)
            if done.returncode != 0:
                raise RuntimeError(f"./hotline {command[0]} failed: {done.stdout}{done.stderr}")
        yield tuple(
            Side(name, partial(_rebuild, system, name), f"history of {COMPLAINTS:,} simulated complaints")
            for name in REBUILT
        )


def _rebuild(system: System, service: str) -> float:
    environment = {
        **os.environ,
        "HOTLINE_DATABASE_URL": system.database_url(service),
        "HOTLINE_KEYS_FILE": str(keys_file(DataDirectory(system.data).keys, service)),
    }
    command = [sys.executable, "-m", f"services.{service}", "rebuild", "--check", "--json"]
    told = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    outcome = json.loads(told.stdout.splitlines()[-1])
    return float(outcome["happened"] / outcome["seconds"])


S7 = Benchmark(
    number="S7",
    title="Read models made anew: events and inbox entries replayed",
    unit="events/s",
    targets=tuple(Reaches(name, LEAST) for name in REBUILT),
    prepared=prepared,
)
