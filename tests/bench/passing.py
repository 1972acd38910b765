"""S3: a year of complaints through intake, Kafka, dedup, Kafka and referral, to the last recommendation.

A simulated stream is posted over 64 connections, each complaint its own `POST /v1/complaints`, as fast as
they are taken. The clock runs from the first of them until every complaint is compared with the others,
resolved into incidents and patterns, and assessed in its case. PostgreSQL, Apache Kafka, one process of each
service and the caller share the machine. A speed counts only where `./hotline verify` then finds nothing.

`HOTLINE_BENCH_COMPLAINTS` plays fewer, to try things out; `HOTLINE_BENCH_REPLICAS` runs more of each service.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import orjson
import uvloop

from deploy.simulation import simulate
from tests.bench.calling import Called, call
from tests.bench.processes import OTHERS, Meter, peak_memory
from tests.bench.resting import are_recommended, is_at_rest, opened, until, verify
from tests.bench.rounds import AtMost, Benchmark, Figure, Reaches, Side
from tests.failure.cluster import EVERYTHING, SERVICES, Cluster, running_cluster

COMPLAINTS = int(os.environ.get("HOTLINE_BENCH_COMPLAINTS") or 94_940)
REPLICAS = int(os.environ.get("HOTLINE_BENCH_REPLICAS") or 1)
SEED = 3
CONNECTIONS = 64
LOOKS_EVERY = 0.5

SPEED = "the whole way"
MEMORY = "memory of the three services"
_MIB = 1024 * 1024


@contextlib.contextmanager
def prepared() -> Iterator[Sequence[Side]]:
    bodies = [orjson.dumps(body) for body in simulate(COMPLAINTS, SEED).complaints]
    with running_cluster(dict.fromkeys(SERVICES, (EVERYTHING,) * REPLICAS)) as cluster:
        yield (Side("everything", partial(_passed, cluster, bodies)),)


def _passed(cluster: Cluster, bodies: Sequence[bytes]) -> Sequence[Figure]:
    figures = uvloop.run(_pass(cluster, bodies))
    verify(cluster)
    return figures


async def _pass(cluster: Cluster, bodies: Sequence[bytes]) -> Sequence[Figure]:
    services = {replica.name: replica.pid for replica in cluster.replicas}
    others = {"Kafka": cluster.kafka.pid, "the caller": os.getpid()}
    postmaster = cluster.postgres.pid
    assert postmaster is not None
    async with opened(cluster.database_urls) as databases:
        meter = Meter({**services, **others}, postmaster, SERVICES)
        looking = asyncio.create_task(_look(meter))
        begin = time.monotonic()
        called = await _called(cluster, bodies)
        await until(partial(are_recommended, databases, len(bodies)))
        seconds = time.monotonic() - begin
        await until(partial(is_at_rest, databases, len(bodies)))
        looking.cancel()
        return [
            Figure(SPEED, len(bodies) / seconds, "complaints/s"),
            Figure("taken by intake", len(bodies) / called.seconds, "complaints/s"),
            *_memory(services),
            *_time(meter, len(bodies), time.monotonic() - begin),
        ]


async def _look(meter: Meter) -> None:
    while True:
        meter.look()
        await asyncio.sleep(LOOKS_EVERY)


async def _called(cluster: Cluster, bodies: Sequence[bytes]) -> Called:
    urls = [replica.url for replica in cluster.of("intake")]
    called = await call(bodies, urls, cluster.issuer.mint("call_handler"), connections=CONNECTIONS)
    if called.refused or called.broken:
        raise RuntimeError(f"refused: {dict(called.refused)}, without an answer: {called.broken}")
    return called


def _memory(services: Mapping[str, int]) -> Iterator[Figure]:
    peaks = {name: peak_memory(pid) / _MIB for name, pid in services.items()}
    yield Figure(MEMORY, sum(peaks.values()), "MiB", "the sum of each process's most, resident")
    for name, peak in peaks.items():
        yield Figure(f"memory of {name}", peak, "MiB")


def _time(meter: Meter, complaints: int, seconds: float) -> Iterator[Figure]:
    """Until everything was at rest."""
    server = meter.seconds_of_server()
    spent = meter.seconds() | {
        f"PostgreSQL, {database}": server[database] for database in (*SERVICES, OTHERS)
    }
    for name, of_it in spent.items():
        yield Figure(f"CPU of {name}", 1000 * of_it / complaints, "ms a complaint")
    yield Figure("CPU of all", 1000 * sum(spent.values()) / complaints, "ms a complaint")
    yield Figure("cores at work", sum(spent.values()) / seconds, "cores")


S3 = Benchmark(
    number="S3",
    title=f"End to end: {COMPLAINTS:,} complaints from the first POST to the last recommendation",
    targets=(Reaches(SPEED, 400), AtMost(MEMORY, 600)),
    prepared=prepared,
    is_on_kafka=True,
    is_single=True,
)
