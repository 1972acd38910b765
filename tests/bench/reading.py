"""S9: what it takes to read, with a million cases and ten million events.

Each read route of the three services, asked over HTTP by a handful of readers at once, each its next request
at once: first one after another of the same service's routes, each with its own figure, the 99th of a hundred
answers. The service is one process; PostgreSQL, set as `make run` sets it, and the readers share the machine.

`HOTLINE_BENCH_CASES` (1,000,000) and `HOTLINE_BENCH_EVENTS` (ten a case) make it smaller, to try things out.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from itertools import cycle
from pathlib import Path

import aiohttp
from rich.console import Console

from deploy.local.data_directory import ROOT
from deploy.local.issuer import AUDIENCE, ISSUER, Issuer
from deploy.local.keys import ensure_keys, keys_file
from deploy.local.ports import free_ports
from shared.sealing.keys import load_keys
from shared.web.pages import Cursors
from tests.bench import large_history
from tests.bench.large_history import DAYS, FIRST_DAY, HOLDER, Size, fill_dedup, fill_referral, grow_intake
from tests.bench.posting_worker import body
from tests.bench.rounds import AtMost, Benchmark, Figure, Side
from tests.bench.server import Server, running_server
from tests.conditions import answers, wait_until

CASES = int(os.environ.get("HOTLINE_BENCH_CASES") or 1_000_000)
SIZE = Size(CASES, int(os.environ.get("HOTLINE_BENCH_EVENTS") or 10 * CASES))
READERS = 4
REQUESTS = 300
LIMIT = 250.0
SERVICES = ("intake", "dedup", "referral")
_SUBJECT = "bench"

Route = tuple[str, str, Sequence[str]]
"""What it is called, for which role (`role+holder` for an account with a police past), and its paths."""


@contextlib.contextmanager
def prepared() -> Iterator[Sequence[Side]]:
    with running_server() as server, tempfile.TemporaryDirectory() as directory:
        keys = Path(directory) / "keys"
        ensure_keys(keys)
        yield tuple(
            Side(service, partial(measure, server, keys))
            for service, measure in (("intake", _intake), ("dedup", _dedup), ("referral", _referral))
        )


def _intake(server: Server, keys: Path) -> Sequence[Figure]:
    with server.database() as url, _serving("intake", url, keys) as address:
        ids = asyncio.run(_posted(address, Issuer(keys).mint("call_handler")))
        asyncio.run(grow_intake(url, SIZE, _tell))
        routes: list[Route] = [
            ("GET /v1/complaints/{id}", "call_handler", [f"/v1/complaints/{each}" for each in ids]),
            *_shared(sources=False),
        ]
        return _read("intake", address, keys, routes)


def _dedup(server: Server, keys: Path) -> Sequence[Figure]:
    with server.database() as url:
        real = asyncio.run(fill_dedup(url, keys, SIZE, _tell))
        routes: list[Route] = [
            ("GET /v1/complaints/{id}/matches", "match_reviewer",
             [f"/v1/complaints/{each}/matches" for each in real.complaints]),
            ("GET /v1/incidents/{id}", "assessor", [f"/v1/incidents/{each}" for each in real.incidents]),
            ("GET /v1/patterns/{id}", "assessor", [f"/v1/patterns/{each}" for each in real.patterns]),
            ("GET /v1/patterns", "assessor", ["/v1/patterns"]),
            ("GET /v1/patterns?min_incidents", "assessor", ["/v1/patterns?min_incidents=9"]),
            ("GET /v1/patterns?force", "assessor",
             ["/v1/patterns?force=kent", "/v1/patterns?force=civil-nuclear-constabulary"]),
            ("GET /v1/reviews", "match_reviewer", ["/v1/reviews"]),
            *_shared(sources=True),
        ]  # fmt: skip
        with _serving("dedup", url, keys) as address:
            return _read("dedup", address, keys, routes)


def _referral(server: Server, keys: Path) -> Sequence[Figure]:
    with server.database() as url:
        real = asyncio.run(fill_referral(url, keys, SIZE, _tell))
        quarter = f"from={FIRST_DAY + timedelta(90)}&to={FIRST_DAY + timedelta(181)}"
        past = f"as_of={FIRST_DAY + timedelta(DAYS // 2)}"
        lists: list[Route] = [
            (f"GET /v1/cases {_named(filters)}", role, [_list(keys, filters, deep) for deep in (False, True)])
            for role in ("assessor", "assessor+holder")
            for order in ("priority", "due_on")
            for filters in (
                {"order": order},
                {"order": order, "status": "open"},
                {"order": order, "status": "decided"},
                {"order": order, "force": "kent"},
                {"order": order, "status": "decided", "force": "kent"},
            )
        ]
        routes: list[Route] = [
            *((f"{name}{', holder' if '+' in role else ''}", role, paths) for name, role, paths in lists),
            ("GET /v1/cases/{id}", "assessor", [f"/v1/cases/{each}" for each in real.cases]),
            ("GET /v1/policy", "assessor", ["/v1/policy"]),
            ("GET /v1/statistics", "auditor", ["/v1/statistics"]),
            ("GET /v1/statistics of a quarter", "auditor", [f"/v1/statistics?{quarter}"]),
            ("GET /v1/statistics of a force", "auditor", ["/v1/statistics?force=kent"]),
            ("GET /v1/statistics as of then", "auditor", [f"/v1/statistics?{past}"]),
            ("GET /v1/statistics, holder", "auditor+holder", ["/v1/statistics"]),
            *_shared(sources=True),
        ]
        with _serving("referral", url, keys) as address:
            return _read("referral", address, keys, routes)


def _shared(*, sources: bool) -> Iterator[Route]:
    """What every service has."""
    events = [f"/v1/events?slot={slot}&after=100100&limit=500" for slot in range(0, 240, 7)]
    yield "GET /v1/events", "service", events
    yield "GET /v1/events/heads", "service", ["/v1/events/heads"]
    yield "GET /v1/parked", "operator", ["/v1/parked?limit=200"]
    if sources:
        consumed = [f"{each.replace('?', '/consumed?source=intake&')}" for each in events]
        yield "GET /v1/events/consumed", "service", consumed
        yield "GET /v1/events/cursors", "service", ["/v1/events/cursors?source=intake"]


def _named(filters: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in filters.items())


def _list(keys: Path, filters: Mapping[str, str], deep: bool) -> str:
    """The first page of a list, or one from its middle."""
    path = "/v1/cases?" + "&".join(f"{name}={value}" for name, value in filters.items())
    if not deep:
        return path
    cursors = Cursors(load_keys(keys_file(keys, "referral")).digest("page cursors"))
    listing = cursors.listing(
        "/v1/cases",
        status=filters.get("status"),
        force=filters.get("force"),
        order=filters["order"],
        caller=_SUBJECT,
    )
    middle: str | int = (FIRST_DAY + timedelta(DAYS // 2)).isoformat()
    if filters["order"] == "priority":
        middle = 45
    at = [middle, "80000000-0000-4000-8000-000000000000"]
    page = listing.page([at, at], 1, position=lambda row: row, item=str)
    return f"{path}&cursor={page.next_cursor}"


@contextlib.contextmanager
def _serving(service: str, url: str, keys: Path) -> Iterator[str]:
    """The service's HTTP alone, as a process."""
    port, metrics_port = free_ports(2)
    token_file = keys / "bench.token"
    token_file.write_text(Issuer(keys).mint("service"))
    environment = {
        **os.environ,
        "HOTLINE_DATABASE_URL": url,
        "HOTLINE_KEYS_FILE": str(keys_file(keys, service)),
        "HOTLINE_KAFKA": "127.0.0.1:1",
        "HOTLINE_PEERS": json.dumps(dict.fromkeys(SERVICES, "http://127.0.0.1:1")),
        "HOTLINE_SERVICE_TOKEN_FILE": str(token_file),
        "HOTLINE_JWKS": str(keys / "jwks.json"),
        "HOTLINE_ISSUER": ISSUER,
        "HOTLINE_AUDIENCE": AUDIENCE,
        "HOTLINE_RELEASE": "never",
        "HOTLINE_PORT": str(port),
        "HOTLINE_METRICS_PORT": str(metrics_port),
    }
    program = [sys.executable, "-m", f"services.{service}"]
    subprocess.run([*program, "migrate"], env=environment, cwd=ROOT, check=True)
    process = subprocess.Popen(
        [*program, "serve", "--only", "http"], env=environment, cwd=ROOT, stderr=subprocess.DEVNULL
    )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(f"{address}/healthz/ready"), what="the service is ready")
        yield address
    finally:
        process.terminate()
        process.wait(30)


async def _posted(address: str, token: str) -> list[str]:
    ids = []
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    async with aiohttp.ClientSession(address, headers=headers) as session:
        for number in range(large_history.REAL):
            async with session.post("/v1/complaints", data=body(number)) as answer:
                ids.append((await answer.json())["complaint_id"])
    return ids


def _read(service: str, address: str, keys: Path, routes: Sequence[Route]) -> list[Figure]:
    figures = []
    for name, role, paths in routes:
        figure = f"{service}: {name}"
        _tell(figure)
        if not paths:
            raise RuntimeError(f"{figure}: there is nothing to ask for")
        figures.append(Figure(figure, asyncio.run(_p99(address, _token(keys, role), paths)), "ms"))
        _tell(f"{figures[-1].value:.1f} ms")
    slowest = max(figures, key=lambda each: each.value)
    return [Figure(_slowest(service), slowest.value, "ms", slowest.name), *figures]


def _slowest(service: str) -> str:
    return f"{service}: its slowest route"


def _token(keys: Path, role: str) -> str:
    plain, _, holder = role.partition("+")
    return Issuer(keys).mint(plain, subject=_SUBJECT, holder=HOLDER if holder else None)


async def _p99(address: str, token: str, paths: Sequence[str]) -> float:
    """Milliseconds; the first requests, by which connections and plans are made, are not counted."""
    took: list[float] = []
    waiting, begin = cycle(paths), 4 * READERS

    async def read_on(session: aiohttp.ClientSession) -> None:
        while len(took) < begin + REQUESTS:
            before = time.perf_counter()
            async with session.get(next(waiting)) as answer:
                await answer.read()
                if answer.status != 200:
                    raise RuntimeError(f"answered {answer.status}: {await answer.text()}")
            took.append(1000 * (time.perf_counter() - before))

    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(address, headers=headers) as session:
        await asyncio.gather(*(read_on(session) for _ in range(READERS)))
    counted = sorted(took[begin:])
    return counted[int(0.99 * len(counted))]


def _tell(what: str) -> None:
    Console(stderr=True).print(f"S9: {what}", style="dim")


S9 = Benchmark(
    number="S9",
    title=f"Reading with {SIZE.cases:,} cases and {SIZE.events:,} events, p99 of each route",
    targets=tuple(AtMost(_slowest(service), LIMIT) for service in SERVICES),
    prepared=prepared,
    is_single=True,
)
