"""S4: how long a complaint waits for its recommendation, at 50 complaints a second.

Complaints are posted at an even pace whatever the answers do; each waits from when it was due to be sent
until its case, with the recommendation, is in referral's database, from which every `GET` is answered. That
is looked for every few milliseconds, by one query for those that wait, so that a figure is so much too long
at most; one case in ten is then read over HTTP. What is held back until another complaint comes has no
recommendation, and is not sent. Beside it, in turns: one record at a time produced to the same broker,
consumed, and its offset committed.
"""

import asyncio
import contextlib
import itertools
import math
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from uuid import UUID

import aiohttp
import asyncpg
import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.simulation import simulate
from tests.bench.rounds import AtMost, Benchmark, Figure, Side
from tests.failure.cluster import EVERYTHING, SERVICES, Cluster, running_cluster

SECONDS = 15.0
PACE = 50.0
SEED = 4
REPLICAS = int(os.environ.get("HOTLINE_BENCH_REPLICAS") or 1)
LOOKS_EVERY = 0.004
READ_OVER_HTTP = 10
PATIENCE = 60.0

TOPIC = "bench.round-trip"
RECORD = bytes(2000)  # about as long as a complaint on its way

HALF, NEARLY_ALL = "POST to recommendation, p50", "POST to recommendation, p99"
READABLE = "SELECT complaint_id, case_id FROM placements WHERE complaint_id = ANY($1) AND case_id IS NOT NULL"


@contextlib.contextmanager
def prepared() -> Iterator[Sequence[Side]]:
    with running_cluster(dict.fromkeys(SERVICES, (EVERYTHING,) * REPLICAS)) as cluster:
        cluster.kafka.create_topics(TOPIC, partitions=1)
        rounds = itertools.count()
        yield (
            Side("hotline", lambda: uvloop.run(_waited(cluster, next(rounds)))),
            Side("round trip", lambda: uvloop.run(_round_trips(cluster.kafka.address))),
        )


def percentile(values: Sequence[float], share: float) -> float:
    """The least of the values that so large a share of them does not exceed."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


async def _waited(cluster: Cluster, number: int) -> Sequence[Figure]:
    complaints = simulate(round(SECONDS * PACE), SEED + number).complaints
    bodies = [orjson.dumps(body) for body in complaints if body.get("wish") != "only_with_another"]
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        referral = await asyncpg.connect(cluster.database_url("referral"))
        stack.push_async_callback(referral.close)
        waiting = Waiting(cluster, session, referral)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(waiting.watch(len(bodies)))
            begin = time.monotonic()
            for place, body in enumerate(bodies):
                due = begin + place / PACE
                await asyncio.sleep(due - time.monotonic())
                tasks.create_task(waiting.post(body, f"round-{number}-call-{place}", due))
        for complaint, case in waiting.cases[::READ_OVER_HTTP]:
            await waiting.read(complaint, case)
    return [
        _milliseconds(HALF, percentile(waiting.took, 0.5)),
        _milliseconds(NEARLY_ALL, percentile(waiting.took, 0.99)),
        _milliseconds("POST to recommendation, the longest", max(waiting.took)),
        _milliseconds("POST to answer, p50", percentile(waiting.answered, 0.5)),
        _milliseconds("POST to answer, p99", percentile(waiting.answered, 0.99)),
    ]


class Waiting:
    """Complaints on their way. `answered` and `took` are seconds from when each was due to be sent."""

    def __init__(
        self, cluster: Cluster, session: aiohttp.ClientSession, referral: asyncpg.Connection
    ) -> None:
        self._session, self._referral = session, referral
        self._intake = itertools.cycle(replica.url for replica in cluster.of("intake"))
        self._cases = f"{cluster.first('referral').url}/v1/cases"
        self._caller, self._assessor = (
            {"Authorization": f"Bearer {cluster.issuer.mint(role)}"} for role in ("call_handler", "assessor")
        )
        self._due: dict[UUID, float] = {}
        self.answered: list[float] = []
        self.took: list[float] = []
        self.cases: list[tuple[UUID, UUID]] = []

    async def post(self, body: bytes, key: str, due: float) -> None:
        headers = {**self._caller, "Content-Type": "application/json", "Idempotency-Key": key}
        place = f"{next(self._intake)}/v1/complaints"
        async with self._session.post(place, data=body, headers=headers) as answer:
            content = await answer.read()
            if answer.status != 201:
                raise RuntimeError(f"{key} is answered {answer.status}")
        self.answered.append(time.monotonic() - due)
        self._due[UUID(orjson.loads(content)["complaint_id"])] = due

    async def watch(self, complaints: int) -> None:
        """Until so many have their recommendation."""
        while len(self.took) < complaints:
            await asyncio.sleep(LOOKS_EVERY)
            found = await self._referral.fetch(READABLE, list(self._due)) if self._due else ()
            now = time.monotonic()
            for complaint, case in found:
                self.took.append(now - self._due.pop(complaint))
                self.cases.append((complaint, case))
            if any(now - due > PATIENCE for due in self._due.values()):
                raise RuntimeError(f"a complaint had no recommendation within {PATIENCE:g} s")

    async def read(self, complaint: UUID, case: UUID) -> None:
        """What the case says over HTTP, and the one that it was merged into meanwhile."""
        async with self._session.get(f"{self._cases}/{case}", headers=self._assessor) as answer:
            answer.raise_for_status()
            shown = await answer.json()
        if shown["merged_into"] is not None:
            await self.read(complaint, UUID(shown["merged_into"]))
        elif not shown["recommendation"] or str(complaint) not in {
            one["complaint_id"] for one in shown["complaints"]
        }:
            raise RuntimeError(f"case {case} does not show complaint {complaint} with its recommendation")


async def _round_trips(address: str) -> Sequence[Figure]:
    producer = AIOKafkaProducer(bootstrap_servers=address, enable_idempotence=True, acks="all")
    consumer = AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=address,
        group_id=TOPIC,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    took = []
    async with producer, consumer:
        begin = time.monotonic()
        for place in range(round(SECONDS * PACE)):
            await asyncio.sleep(begin + place / PACE - time.monotonic())
            sent = time.monotonic()
            await producer.send_and_wait(TOPIC, RECORD)
            await consumer.getone()
            await consumer.commit()
            took.append(time.monotonic() - sent)
    return [
        _milliseconds("produce, consume, commit, p50", percentile(took, 0.5)),
        _milliseconds("produce, consume, commit, p99", percentile(took, 0.99)),
    ]


def _milliseconds(name: str, seconds: float) -> Figure:
    return Figure(name, 1000 * seconds, "ms")


S4 = Benchmark(
    number="S4",
    title=f"Latency at {PACE:g} complaints a second",
    targets=(AtMost(HALF, 60), AtMost(NEARLY_ALL, 300)),
    prepared=prepared,
    is_on_kafka=True,
)
