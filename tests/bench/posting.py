"""S1: `POST /v1/complaints`, beside a naive service and an empty one.

All three are one process of FastAPI under uvicorn that validates the same pydantic body. Ours checks a token,
sanitises, seals, appends and commits, and answers a receipt; the naive one does one INSERT of the body; the
empty one does nothing. One process posts over 64 connections, on the same cores.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import asyncpg

from deploy.local.data_directory import ROOT
from deploy.local.issuer import AUDIENCE, ISSUER, Issuer
from deploy.local.keys import ensure_keys, keys_file
from deploy.local.ports import free_ports
from tests.bench.rounds import AtLeast, Benchmark, Side
from tests.bench.server import Server, running_server
from tests.bench.workers import work
from tests.conditions import answers, wait_until

SECONDS = 4.0
CONNECTIONS = 64
TABLE = "CREATE TABLE complaints (id uuid PRIMARY KEY, body json NOT NULL)"
NAIVE = [sys.executable, "-m", "tests.bench.peers.naive_service"]


@contextlib.contextmanager
def prepared() -> Iterator[Sequence[Side]]:
    with running_server() as server, tempfile.TemporaryDirectory() as directory:
        keys = Path(directory) / "keys"
        ensure_keys(keys)
        yield (
            Side(
                "hotline",
                partial(_hotline, server, keys),
                "validated, sanitised, sealed, appended, committed",
            ),
            Side("naive", partial(_naive, server), "one INSERT of the body, committed"),
            Side("empty", _empty, "the body validated, nothing done"),
        )


def _hotline(server: Server, keys: Path) -> float:
    issuer = Issuer(keys)
    token_file = keys / "bench.token"
    token_file.write_text(issuer.mint("service"))
    with server.database() as url:
        environment = {
            **os.environ,
            "HOTLINE_DATABASE_URL": url,
            "HOTLINE_KEYS_FILE": str(keys_file(keys, "intake")),
            "HOTLINE_KAFKA": "127.0.0.1:1",
            "HOTLINE_PEERS": '{"dedup": "http://127.0.0.1:1", "referral": "http://127.0.0.1:1"}',
            "HOTLINE_SERVICE_TOKEN_FILE": str(token_file),
            "HOTLINE_JWKS": str(keys / "jwks.json"),
            "HOTLINE_ISSUER": ISSUER,
            "HOTLINE_AUDIENCE": AUDIENCE,
            "HOTLINE_RELEASE": "never",
        }
        program = [sys.executable, "-m", "services.intake"]
        subprocess.run([*program, "migrate"], env=environment, cwd=ROOT, check=True)
        serve = [*program, "serve", "--only", "http"]
        count = "SELECT count(*) FROM events WHERE type = 'complaint.recorded'"
        return _posted(serve, environment, issuer.mint("call_handler"), url, count)


def _naive(server: Server) -> float:
    with server.database((TABLE,)) as url:
        environment = {**os.environ, "NAIVE_DATABASE_URL": url}
        return _posted(NAIVE, environment, "", url, "SELECT count(*) FROM complaints")


def _empty() -> float:
    return _posted(NAIVE, os.environ, "", None, "")


def _posted(
    command: Sequence[str], environment: Mapping[str, str], token: str, database: str | None, count: str
) -> float:
    """Posts a second that were answered 201. They count only where the database has every one of them."""
    port, metrics_port = free_ports(2)
    ports = {"HOTLINE_PORT": str(port), "HOTLINE_METRICS_PORT": str(metrics_port)}
    process = subprocess.Popen(
        list(command), env={**environment, **ports}, cwd=ROOT, stderr=subprocess.DEVNULL
    )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(f"{url}/healthz/ready"), what="the service is ready")
        worker = [sys.executable, "-m", "tests.bench.posting_worker"]
        job = {"url": f"{url}/v1/complaints", "token": token, "connections": CONNECTIONS}
        worked = work([worker], job, SECONDS)
    finally:
        process.terminate()
        process.wait(30)
    if database is not None and (kept := asyncio.run(_counted(database, count))) != worked.altogether:
        raise RuntimeError(f"{worked.altogether} were accepted, and {kept} are kept")
    return worked.rate


async def _counted(url: str, query: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(query))
    finally:
        await connection.close()


S1 = Benchmark(
    number="S1",
    title="A complaint taken: POST /v1/complaints over 64 connections, a narrative of about 1 KB",
    unit="complaints/s",
    targets=(AtLeast("hotline", "naive", 1.0), AtLeast("hotline", "empty", 0.5)),
    prepared=prepared,
)
