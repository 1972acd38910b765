"""Every replica is replaced by one of the next version, one after the other, while calls come in.

The databases are migrated first, beneath replicas of before; then both versions stand side by side, on one
database and one topic, long enough for those of before to meet events that they do not know. It used to make
all replicas of before unready at once, and to leave parked what they had parked after the new ones' start.
"""

import asyncio
import time
from pathlib import Path

import asyncpg
import pytest

from tests.conditions import wait_until
from tests.engines import reachable_directory
from tests.failure.balancer import LOOKS_EVERY, Balancer
from tests.failure.callers import Callers, Calls
from tests.failure.checker import checked
from tests.failure.cluster import EVERYTHING, SERVICES, Cluster, running_cluster
from tests.failure.evidence import gathered, wait_until_settled
from tests.failure.next_version import next_version

PACE = 8.0
RETRY_PARKED = "2"
SIDE_BY_SIDE = 40
"""Calls that are taken before the next replica goes."""
TWO_OF_EACH = dict.fromkeys(SERVICES, (EVERYTHING,) * 2)

pytestmark = [pytest.mark.timeout(900), pytest.mark.long]


def ask(url: str, statement: str) -> object:
    async def asked() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(asked())


def more(calls: Calls, count: int = SIDE_BY_SIDE) -> None:
    enough = len(calls.accepted) + count
    wait_until(lambda: len(calls.accepted) >= enough, what=f"{count} more calls are accepted", seconds=120)


def waiting(cluster: Cluster) -> dict[str, object]:
    """How many events wait in each inbox."""
    count = "SELECT count(*) FROM inbox WHERE state IN ('parked', 'queued')"
    return {service: ask(url, count) for service, url in cluster.database_urls.items()}


def parked_by(cluster: Cluster, service: str) -> int:
    """How many events replicas of the service have parked, as their logs tell."""
    return sum(replica.log.read_text().count('"event parked"') for replica in cluster.of(service))


def upgrade(cluster: Cluster, service: str, which: int, root: Path) -> None:
    replica = cluster.of(service)[which]
    assert replica.stop() == 0, replica.log.read_text()
    replica.root = root
    replica.start()
    cluster.wait_until_ready()
    time.sleep(2 * LOOKS_EVERY)  # the balancer has to see it before the next one goes


def test_a_rolling_upgrade_refuses_nothing_and_leaves_nothing_parked() -> None:
    with (
        running_cluster(
            TWO_OF_EACH, HOTLINE_DRAIN_SECONDS="2", HOTLINE_RETRY_PARKED_SECONDS=RETRY_PARKED
        ) as cluster,
        reachable_directory() as directory,
    ):
        root = next_version(directory / "next")
        takers, token = cluster.of("intake"), cluster.issuer.mint("call_handler")
        with (
            Balancer(takers) as balancer,
            Callers(lambda: balancer.ready, token, pace=PACE, most=8000, seed=1) as calls,
        ):
            more(calls)
            cluster.migrate(root)
            more(calls)
            assert all(replica.is_ready for replica in cluster.replicas), "those of before go on"
            for service in SERVICES:
                upgrade(cluster, service, 0, root)
                more(calls)
            met = {service: parked_by(cluster, service) for service in ("dedup", "referral")}
            for service in SERVICES:
                upgrade(cluster, service, 1, root)
                more(calls)
        print(f"{len(calls.accepted)} calls accepted, the slowest in {calls.slowest:.2f} s; parked: {met}")
        assert calls.retried == {}
        assert calls.wrong == []
        assert all(met.values()), "those of before met events that they do not know"
        wait_until_settled(cluster.database_urls, 120)
        wait_until(lambda: not any(waiting(cluster).values()), what="nothing waits any more", seconds=30)
        wait_until_settled(cluster.database_urls, 120)
        evidence = gathered(cluster.database_urls, cluster.kafka.address, cluster.data.keys)
        accepted = {number: complaint for number, (complaint, _) in calls.accepted.items()}
        assert checked(evidence, accepted) == []
        languages = ask(
            cluster.database_url("dedup"),
            "SELECT array_agg(DISTINCT language ORDER BY language) FROM indexed",
        )
        versions = ask(
            cluster.database_url("intake"),
            "SELECT array_agg(DISTINCT schema_version ORDER BY schema_version) FROM events"
            " WHERE type = 'complaint.recorded'",
        )
        assert (languages, versions) == (["", "en"], [1, 2])
