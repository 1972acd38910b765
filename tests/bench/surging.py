"""S6: an hour of calls pressed into as little time as they take, and one replica killed in the middle.

64 lines call at once, each its next call as soon as one is answered, at the two replicas of intake in turn.
When half of the calls are answered, one of the two gets `kill -9` and is started again. A call whose
connection broke, or who found nobody, calls the other replica with the same Idempotency-Key, as any client
does; that is no refusal. Any answer but 200 and 201 is one, 409, 429 and 503 too. When everything is at rest
the checker of the failure tests looks for what is lost, double or in disagreement, and `./hotline verify`
does so after it.

`HOTLINE_BENCH_CALLS` makes fewer, to try things out.
"""

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial

import orjson
import uvloop

from deploy.simulation import simulate
from tests.bench.calling import Called, call
from tests.bench.resting import is_at_rest, opened, until, verify
from tests.bench.rounds import AtMost, Benchmark, Figure, Side
from tests.failure.callers import REFERENCE
from tests.failure.checker import checked
from tests.failure.cluster import Cluster, running_cluster
from tests.failure.evidence import gathered

CALLS = int(os.environ.get("HOTLINE_BENCH_CALLS") or 70_000)
SEED = 6
LINES = 64
SHOWN = 20

REFUSED, LOST, WRONG = "refused", "lost", "done twice, or otherwise wrong"


@contextlib.contextmanager
def prepared() -> Iterator[Sequence[Side]]:
    bodies = [
        orjson.dumps({**body, "external_reference": REFERENCE.format(number)})
        for number, body in enumerate(simulate(CALLS, SEED).complaints)
    ]
    with running_cluster() as cluster:
        yield (Side("surge", partial(_surged, cluster, bodies)),)


def _surged(cluster: Cluster, bodies: Sequence[bytes]) -> Sequence[Figure]:
    called, seconds = uvloop.run(_surge(cluster, bodies))
    cluster.wait_until_ready()
    evidence = gathered(cluster.database_urls, cluster.kafka.address, cluster.data.keys)
    found = checked(evidence, called.accepted)
    for one in found[:SHOWN]:
        print(one, file=sys.stderr)
    verify(cluster)
    lost = sum("lost" in one for one in found)
    return [
        Figure(REFUSED, called.refused.total(), "calls", _by_status(called)),
        Figure(LOST, lost, "findings"),
        Figure(WRONG, len(found) - lost, "findings"),
        Figure("attempts that broke and were made again", called.broken, "attempts"),
        Figure("taken by intake", called.answered / called.seconds, "calls/s"),
        Figure("the whole way", called.answered / seconds, "calls/s", "until everything was at rest"),
    ]


async def _surge(cluster: Cluster, bodies: Sequence[bytes]) -> tuple[Called, float]:
    takers = [replica for replica in cluster.of("intake") if replica.takes_calls]
    token = cluster.issuer.mint("call_handler")

    def strike_at_half(called: Called) -> None:
        if called.answered == len(bodies) // 2:
            takers[0].kill()
            takers[0].start()

    async with opened(cluster.database_urls) as databases:
        begin = time.monotonic()
        called = await call(
            bodies, [replica.url for replica in takers], token, connections=LINES, tell=strike_at_half
        )
        # A refused one may be there all the same: the checker will tell.
        await until(partial(is_at_rest, databases, len(called.accepted)))
        return called, time.monotonic() - begin


def _by_status(called: Called) -> str:
    return ", ".join(f"{count} times {status}" for status, count in sorted(called.refused.items()))


S6 = Benchmark(
    number="S6",
    title=f"A surge of {CALLS:,} calls as fast as they are taken, one replica killed in the middle",
    targets=(AtMost(REFUSED, 0), AtMost(LOST, 0), AtMost(WRONG, 0)),
    prepared=prepared,
    is_on_kafka=True,
    is_single=True,
)
