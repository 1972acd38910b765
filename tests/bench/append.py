"""S2: appending to the event store, beside `eventsourcing` and beside pgbench's single-row inserts.

Every event begins a stream of its own, has 250 bytes of payload, and is committed before its appender goes
on. All sides run on one server, one after the other, each in a new database.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import asyncpg

from shared.store.schema import statements
from tests.bench.rounds import AtLeast, Benchmark, Side
from tests.bench.server import Server, pgbench, running_server
from tests.bench.workers import work

SECONDS = 4.0
PROCESSES = 2
APPENDERS = 256
IDS = 150_000  # drawn in advance for each worker
CLIENTS = 16

PAYLOAD = '{"clear":{},"sealed":"' + "Zm9yIGEgbWVhc3VyZW1lbnQu" * 9 + 'VGhlIGVuZA"}'  # 250 bytes

# What makes it fastest here: more threads than this wait for the table's lock, and for the interpreter's.
EVENTSOURCING_THREADS = 8
EVENTSOURCING = Path(__file__).parent / "peers" / "eventsourcing"

INSERT_EVENT = rf"""
\set slot random(0, 239)
INSERT INTO events VALUES (
    nextval('positions'), 'complaint-' || gen_random_uuid(), 1, gen_random_uuid(),
    'hotline.complaint.recorded.v1', 1, :slot, nextval('slot_sequences'), '{PAYLOAD}', '{{}}', '2026-01-01');
"""
SEQUENCES = ("CREATE SEQUENCE positions", "CREATE SEQUENCE slot_sequences")
INSERT_BARE = f"INSERT INTO bare (data) VALUES ('{PAYLOAD}');\n"
BARE = "CREATE TABLE bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, data json NOT NULL)"


@contextlib.contextmanager
def prepared() -> Iterator[Sequence[Side]]:
    subprocess.run([*_uv("sync"), "--quiet"], env=_uv_environment(), check=True)
    with running_server() as server:
        yield (
            Side("hotline", partial(_our_store, server), f"{APPENDERS} appenders in {PROCESSES} processes"),
            Side(
                "eventsourcing",
                partial(_eventsourcing, server),
                "its PostgreSQL recorder in the default, gap-safe mode,"
                f" {EVENTSOURCING_THREADS} threads in each of {PROCESSES} processes",
            ),
            Side(
                "pgbench",
                partial(_pgbench, server, (*statements(), *SEQUENCES), INSERT_EVENT),
                f"one row a transaction into the same table, {CLIENTS} clients, prepared; its numbers come"
                " from sequences, so it is not gap-safe, and it checks no versions",
            ),
            Side(
                "pgbench, bare",
                partial(_pgbench, server, (BARE,), INSERT_BARE),
                "the same into a table of two columns and one index",
            ),
        )


def _our_store(server: Server) -> float:
    with server.database(statements()) as url:
        job = {"url": url, "appenders": APPENDERS // PROCESSES, "payload": PAYLOAD, "ids": IDS}
        worked = work([[sys.executable, "-m", "tests.bench.append_worker"]] * PROCESSES, job, SECONDS)
        asyncio.run(_check_log(url, worked.altogether))
    return worked.rate


def _eventsourcing(server: Server) -> float:
    with server.database() as url:
        command = [*_uv("run"), "--no-sync", "python", str(EVENTSOURCING / "append_worker.py")]
        job = {"url": url, "threads": EVENTSOURCING_THREADS, "payload": PAYLOAD, "ids": IDS // 10}
        return work([command] * PROCESSES, job, SECONDS, environment=_uv_environment()).rate


def _pgbench(server: Server, tables: Sequence[str], script: str) -> float:
    with server.database(tables) as url:
        return pgbench(script, url, clients=CLIENTS, threads=2, seconds=SECONDS)


async def _check_log(url: str, appended: int) -> None:
    """A speed counts only where everything that was acknowledged is there, in numbers without gaps."""
    connection = await asyncpg.connect(url)
    try:
        found = await connection.fetchrow(
            "SELECT (SELECT count(*) FROM events), (SELECT max(position) FROM events),"
            " (SELECT sum(head) FROM (SELECT max(slot_sequence) AS head FROM events GROUP BY slot) AS _)"
        )
    finally:
        await connection.close()
    if any(number != appended for number in found or ()):
        raise RuntimeError(f"{appended} events were appended, of which there are {tuple(found or ())}")


def _uv(command: str) -> list[str]:
    """uv on the peer's own locked project."""
    return [str(Path(sys.executable).with_name("uv")), command, "--frozen", "--project", str(EVENTSOURCING)]


def _uv_environment() -> dict[str, str]:
    """Without what would lead uv to our own environment, or make it fetch a Python."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("UV_PROJECT", "VIRTUAL_ENV"))
    }
    return {**kept, "UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never"}


S2 = Benchmark(
    number="S2",
    title="Appending to the event store: durable, numbered in commit order without gaps",
    unit="events/s",
    targets=(AtLeast("hotline", "eventsourcing", 20), AtLeast("hotline", "pgbench", 3)),
    prepared=prepared,
)
