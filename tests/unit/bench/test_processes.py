"""CPU time out of /proc: the whole of a server counts, also what has ended."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.processes import OTHERS, Meter, Times, database_of, peak_memory, times

DATABASES = ("intake", "dedup")
TICKS = 100  # a second, as on every Linux of ours

SERVER = """
import subprocess, sys, time
sys.stdin.readline()
busy = "import time\\nwhile time.process_time() < 0.3: pass"
subprocess.run([sys.executable, "-c", busy])
print("ended", flush=True)
sys.stdin.readline()
"""


def test_the_name_of_a_process_may_hold_anything() -> None:
    stat = "7 (a) R 1 ) 2) S 1 7 7 0 -1 4194560 100 2000 0 0 250 50 30 20 20 0 1 0 12345 1 2"
    assert times(stat) == Times(own=300 / TICKS, ended=50 / TICKS)


@pytest.mark.parametrize(
    ("title", "database"),
    [
        ("postgres: intake intake 127.0.0.1(40312) INSERT", "intake"),
        ("postgres: postgres dedup 127.0.0.1(40312) idle", "dedup"),
        ("postgres: autovacuum worker dedup", "dedup"),
        ("postgres: intake postgres 127.0.0.1(40312) idle", OTHERS),
        ("postgres: walwriter ", OTHERS),
    ],
)
def test_whose_work_a_title_tells(title: str, database: str) -> None:
    assert database_of(title, DATABASES) == database


def test_what_ended_unseen_counts_as_the_servers_others() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None and server.stdout is not None
        meter = Meter({"server": server.pid}, server.pid, DATABASES)
        server.stdin.write("go\n")
        server.stdin.flush()
        assert server.stdout.readline() == "ended\n"
        told = meter.seconds_of_server()
        assert told["intake"] == told["dedup"] == 0
        assert told[OTHERS] >= 0.3
        assert meter.seconds()["server"] < 0.3
        server.stdin.write("end\n")


def test_the_most_memory_is_remembered() -> None:
    program = "a = b'x' * 50_000_000; del a; print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdout.readline()
        resident = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * 4096
        assert peak_memory(process.pid) > 50_000_000 > resident
        process.stdin.write("\n")
