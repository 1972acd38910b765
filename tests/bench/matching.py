"""S5: the cost of one complaint in dedup, against a short history and against a long one.

A simulated stream of the longest history goes through dedup's own inbox, handlers and resolver, without Kafka
and HTTP: as many at a time as a poll brings. Its first complaints are spread over as many years as all of
them, so that the history grows denser as it grows. Behind each size of history so many further complaints are
measured. PostgreSQL is set as `make run` sets it.

`HOTLINE_BENCH_HISTORIES` names the sizes (`10000,100000`; the target is of `10000,1000000`, which takes
hours).
"""

import asyncio
import contextlib
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

import asyncpg
import orjson
import uvloop

from deploy.simulation.stream import calls_of
from services.dedup.domain.normalising import features_of
from shared.contracts.complaint import SanitisedComplaint
from shared.store.migrate import migrate
from shared.store.requests import InboxState
from shared.streaming.cloudevents import Envelope
from shared.web.process import quieten_collector
from tests.bench.processes import Meter, peak_memory
from tests.bench.rounds import AtLeast, AtMost, Benchmark, Figure, Side
from tests.bench.server import Server, running_server
from tests.integration.services.dedup.desk import Desk, dedup_keys, opened

HISTORIES = tuple(map(int, (os.environ.get("HOTLINE_BENCH_HISTORIES") or "10000,100000").split(",")))
MEASURED = 1_000
SEED = 5
AT_ONCE = 500
"""As many records as a follower fetches."""
LIMIT = 3.0
TIMES = 1.5

_MIB = 1024 * 1024
_TABLES: Final = ("events", "inbox", "data_keys", "indexed", "matches", "blocked")
_KNOWN: Final = frozenset(SanitisedComplaint.model_fields)
Body = Mapping[str, Any]


@contextlib.contextmanager
def prepared() -> Iterator[Sequence[Side]]:
    with running_server() as server:
        yield (Side("dedup", partial(_measured, server)),)


def _measured(server: Server) -> Sequence[Figure]:
    with server.database() as url, tempfile.TemporaryDirectory() as directory:
        return uvloop.run(_measure(url, Path(directory), server.pid))


async def _measure(url: str, directory: Path, postmaster: int) -> Sequence[Figure]:
    await migrate("dedup", url)
    quieten_collector()
    bodies = _bodies(max(HISTORIES) + MEASURED)
    figures: list[Figure] = []
    async with opened(url, dedup_keys(directory / "keys")) as desk, _resolving(desk):
        known = 0
        for history in HISTORIES:
            await _feed(desk, islice(bodies, history - known))
            figures += await _cost(desk, url, list(islice(bodies, MEASURED)), postmaster, f"{history:,}")
            known = history + MEASURED
    return [*figures, Figure("memory of dedup", peak_memory(os.getpid()) / _MIB, "MiB", "with the stream")]


def _bodies(complaints: int) -> Iterator[Body]:
    for call in calls_of(complaints, SEED, "tuning"):
        yield {name: value for name, value in orjson.loads(call.body).items() if name in _KNOWN}


@asynccontextmanager
async def _resolving(desk: Desk) -> AsyncIterator[None]:
    resolving = asyncio.create_task(desk.resolver.run())
    try:
        yield
    finally:
        resolving.cancel()
        await asyncio.wait([resolving])


async def _feed(desk: Desk, bodies: Iterator[Body]) -> None:
    while some := list(islice(bodies, AT_ONCE)):
        await _receive(desk, [desk.intake.recorded(body) for body in some])
        desk.intake.sent.clear()
    await _until_resolved(desk)


async def _receive(desk: Desk, envelopes: Collection[Envelope]) -> None:
    """Slot by slot in their order, the slots at once, as a follower does."""
    of_slot: dict[int, list[Envelope]] = defaultdict(list)
    for envelope in envelopes:
        of_slot[envelope.slot].append(envelope)

    async def one_after_another(those: Sequence[Envelope]) -> None:
        for envelope in those:
            if await desk.inbox.receive(envelope) is not InboxState.APPLIED:
                raise RuntimeError("a complaint was not applied")

    await asyncio.gather(*map(one_after_another, of_slot.values()))


async def _until_resolved(desk: Desk) -> None:
    head = await desk.store.head()
    while desk.resolver.position < head:
        await asyncio.sleep(0.02)
        head = await desk.store.head()


async def _cost(
    desk: Desk, url: str, bodies: Sequence[Body], postmaster: int, history: str
) -> Sequence[Figure]:
    polls = [
        [desk.intake.recorded(body) for body in bodies[begin : begin + AT_ONCE]]
        for begin in range(0, len(bodies), AT_ONCE)
    ]
    database = url.rpartition("/")[2]
    connection = await asyncpg.connect(url)
    try:
        before = await _counted(connection)
        meter = Meter({"dedup": os.getpid()}, postmaster, [database])
        begin = time.monotonic()
        for envelopes in polls:
            await _receive(desk, envelopes)
        await _until_resolved(desk)
        seconds = time.monotonic() - begin
        own, server = meter.seconds()["dedup"], meter.seconds_of_server()
        after = await _counted(connection)
    finally:
        await connection.close()
    compared = _features_seconds(bodies)
    count = len(bodies)
    ours, of_postgres = 1000 * own / count, 1000 * sum(server.values()) / count
    return [
        Figure(_cpu(history), ours + of_postgres, "ms a complaint"),
        Figure(f"CPU of dedup behind {history}", ours, "ms a complaint"),
        Figure(f"CPU of PostgreSQL behind {history}", of_postgres, "ms a complaint"),
        Figure(f"elapsed behind {history}", 1000 * seconds / count, "ms a complaint"),
        Figure(f"normalising behind {history}", 1000 * compared / count, "ms a complaint"),
        *(
            Figure(f"{name} behind {history}", (after[name] - before[name]) / count, "a complaint")
            for name in before
        ),
    ]


def _cpu(history: str) -> str:
    return f"CPU behind {history}"


def _features_seconds(bodies: Sequence[Body]) -> float:
    begin = time.process_time()
    for body in bodies:
        features_of(
            SanitisedComplaint.model_validate({"channel": "web", "narrative": "-", **body}, strict=False), ""
        )
    return time.process_time() - begin


async def _counted(connection: asyncpg.Connection) -> dict[str, int]:
    rows = {
        f"rows of {table}": await connection.fetchval(f"SELECT count(*) FROM {table}") for table in _TABLES
    }
    found = await connection.fetchrow(
        "SELECT xact_commit, pg_current_wal_lsn() - '0/0', pg_database_size(datname)"
        " FROM pg_stat_database WHERE datname = current_database()"
    )
    assert found is not None
    return {
        **rows,
        "transactions": found[0],
        "bytes of write-ahead log": int(found[1]),
        "bytes on disk": found[2],
    }


S5 = Benchmark(
    number="S5",
    title="Dedup of one complaint against those before it",
    targets=(
        AtMost(_cpu(f"{max(HISTORIES):,}"), LIMIT),
        AtLeast(_cpu(f"{min(HISTORIES):,}"), _cpu(f"{max(HISTORIES):,}"), 1 / TIMES),
    ),
    prepared=prepared,
    is_single=True,
)
