"""Every replica is stopped in order and started again, one after the other, while calls come in.

The load balancer sends calls to those that said that they are ready. A server that closed its port at SIGTERM
would refuse what is sent in between; one that closed idle connections would lose what crosses with the close.
"""

import threading
import time

import pytest

from tests.conditions import wait_until
from tests.failure.balancer import LOOKS_EVERY, Balancer
from tests.failure.callers import Callers
from tests.failure.checker import checked
from tests.failure.cluster import Cluster, running_cluster
from tests.failure.evidence import applied_of, gathered, wait_until_settled

PACE = 10.0
DRAIN_SECONDS = 2.0
MOST_STANDSTILL = 10.0
"""Far more than a rebalance takes; a member that left without a word is missed for as long as its session."""

pytestmark = [pytest.mark.timeout(900), pytest.mark.long]


class Standstills:
    """How long a follower stood still at most, while something was there for it to apply."""

    def __init__(self, cluster: Cluster, service: str) -> None:
        self._url = cluster.database_url(service)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"standstills of {service}")
        self.longest = 0.0

    def __enter__(self) -> "Standstills":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        seen, since = applied_of(self._url), time.monotonic()
        while not self._is_over.wait(0.05):
            applied, now = applied_of(self._url), time.monotonic()
            if applied != seen:
                self.longest = max(self.longest, now - since)
                seen, since = applied, now


def test_a_rolling_restart_refuses_nothing() -> None:
    with running_cluster(HOTLINE_DRAIN_SECONDS=str(DRAIN_SECONDS)) as cluster:
        takers = [replica for replica in cluster.of("intake") if replica.takes_calls]
        token = cluster.issuer.mint("call_handler")
        with (
            Balancer(takers) as balancer,
            Callers(lambda: balancer.ready, token, pace=PACE, most=5000, seed=1) as calls,
        ):
            wait_until(lambda: len(calls.accepted) > 20, what="calls are accepted")
            with Standstills(cluster, "dedup") as dedup, Standstills(cluster, "referral") as referral:
                for replica in cluster.replicas:
                    assert replica.stop() == 0, replica.log.read_text()
                    replica.start()
                    cluster.wait_until_ready()
                    time.sleep(2 * LOOKS_EVERY)  # the balancer has to see it before the next one goes
        print(f"{len(calls.accepted)} calls accepted, the slowest in {calls.slowest:.2f} s")
        print(f"the longest standstill of dedup {dedup.longest:.2f} s, of referral {referral.longest:.2f} s")
        assert calls.retried == {}
        assert calls.wrong == []
        assert max(dedup.longest, referral.longest) < MOST_STANDSTILL
        wait_until_settled(cluster.database_urls, 120)
        evidence = gathered(cluster.database_urls, cluster.kafka.address, cluster.data.keys)
        accepted = {number: complaint for number, (complaint, _) in calls.accepted.items()}
        assert checked(evidence, accepted) == []
