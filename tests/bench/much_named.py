"""S10: the day on which everybody calls about one officer.

Every complaint names the same officer by name, collar number and unit, so that the rule accepts each pair
that is compared, and all are one component of the graph. They are posted as fast as they are taken, while a
reader asks dedup for something every few milliseconds. The clock runs until all of them are in one pattern.
Intake and dedup are one process each; referral is stopped, for its time belongs to S3.

`HOTLINE_BENCH_NAMED` plays fewer, to try things out.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from functools import partial
from uuid import UUID

import aiohttp
import orjson
import uvloop

from tests.bench.calling import call
from tests.bench.processes import peak_memory
from tests.bench.resting import CONSUMED, IS_RESOLVED, Databases, opened, until
from tests.bench.rounds import AtMost, Benchmark, Figure, Reaches, Side
from tests.failure.cluster import EVERYTHING, SERVICES, Cluster, running_cluster

COMPLAINTS = int(os.environ.get("HOTLINE_BENCH_NAMED") or 5_000)
CONNECTIONS = 64
READS_EVERY = 0.02
READS = ("/v1/patterns", "/v1/reviews", "/v1/incidents/{}", "/v1/complaints/{}/matches")
"""The last two of something that is not there: they are answered from an index."""

IN_ONE_PATTERN, TERMS, READ = "in one pattern", "terms of the resolver", "p99 of a read of dedup meanwhile"
_MIB = 1024 * 1024
_UNKNOWN = UUID("5a1d1f0e-53f7-4a0c-9d7b-0a3c5a7a9b20")

LARGEST = (
    "SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM pattern_members GROUP BY pattern_id) AS _"
)
EPOCH = "SELECT epoch FROM leases WHERE name = 'resolver'"
LINKS = "SELECT count(*) FROM matches WHERE zone = 'accepted'"


def complaint(number: int) -> bytes:
    """What happened differs from all others in day, place and words; the officer does not."""
    year, rest = divmod(number, 336)
    month, day = divmod(rest, 28)
    when = f"{2005 + year % 20}-{month + 1:02}-{day + 1:02}"
    body = {
        "channel": "web",
        "narrative": f"Account {number}: he asked for money at the {number}th door of our street that day.",
        "subjects": [
            {
                "name": "PC Alan Brockway",
                "collar_number": "QX44716",
                "force": "hampshire",
                "unit": "Basingstoke",
            }
        ],
        "allegations": [{"code": "influence.bribery"}],
        "incident": {"from": when, "to": when, "place": f"Lane {number}", "force": "hampshire"},
    }
    return orjson.dumps(body)


@contextlib.contextmanager
def prepared() -> Iterator[Sequence[Side]]:
    bodies = [complaint(number) for number in range(COMPLAINTS)]
    with running_cluster(dict.fromkeys(SERVICES, (EVERYTHING,))) as cluster:
        cluster.first("referral").stop()
        yield (Side("much named", partial(_named, cluster, bodies)),)


def _named(cluster: Cluster, bodies: Sequence[bytes]) -> Sequence[Figure]:
    return uvloop.run(_name(cluster, bodies))


async def _name(cluster: Cluster, bodies: Sequence[bytes]) -> Sequence[Figure]:
    dedup, times = cluster.first("dedup"), list[float]()
    async with opened(cluster.database_urls) as databases:
        reading = asyncio.create_task(_read(dedup.url, cluster.issuer.mint("match_reviewer"), times))
        begin = time.monotonic()
        token = cluster.issuer.mint("call_handler")
        called = await call(bodies, [cluster.first("intake").url], token, connections=CONNECTIONS)
        if called.refused or called.broken:
            raise RuntimeError(f"refused: {dict(called.refused)}, without an answer: {called.broken}")
        await until(partial(_is_resolved, databases, len(bodies)))
        seconds = time.monotonic() - begin
        reading.cancel()
        times.sort()
        of_dedup = databases["dedup"]
        return [
            Figure(IN_ONE_PATTERN, await of_dedup.fetchval(LARGEST), "complaints"),
            Figure("accepted links", await of_dedup.fetchval(LINKS), "links"),
            Figure(TERMS, await of_dedup.fetchval(EPOCH), "epochs"),
            Figure("p50 of a read of dedup meanwhile", 1000 * times[len(times) // 2], "ms"),
            Figure(READ, 1000 * times[int(len(times) * 0.99)], "ms", f"{len(times)} reads"),
            Figure("slowest read", 1000 * times[-1], "ms"),
            Figure("the whole way", seconds, "seconds", "from the first POST until all is resolved"),
            Figure("memory of dedup", peak_memory(dedup.pid) / _MIB, "MiB"),
        ]


async def _is_resolved(databases: Databases, complaints: int) -> bool:
    dedup = databases["dedup"]
    return bool(await dedup.fetchval(CONSUMED, "intake") >= complaints and await dedup.fetchval(IS_RESOLVED))


async def _read(url: str, token: str, times: list[float]) -> None:
    """One read after another, each at its time: a slow one does not spare the service those after it."""
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:

        async def ask(path: str) -> None:
            begin = time.monotonic()
            async with session.get(url + path.format(_UNKNOWN)) as answer:
                await answer.read()
                if answer.status not in (200, 404):
                    raise RuntimeError(f"{path} was answered {answer.status}")
            times.append(time.monotonic() - begin)

        async with asyncio.TaskGroup() as asked:
            number = 0
            while True:
                asked.create_task(ask(READS[number % len(READS)]))
                number += 1
                await asyncio.sleep(READS_EVERY)


S10 = Benchmark(
    number="S10",
    title=f"{COMPLAINTS:,} complaints that name one officer, played in one go",
    targets=(Reaches(IN_ONE_PATTERN, COMPLAINTS), AtMost(TERMS, 1), AtMost(READ, 200)),
    prepared=prepared,
    is_on_kafka=True,
    is_single=True,
)
