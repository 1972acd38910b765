"""Calls go on while processes are killed and stopped, the broker is wiped, replicas come and go.

`make test` strikes five times, `make test-failure` 1,000 times. The seed is printed; `HOTLINE_FAILURE_SEED`
repeats a series of blows, `HOTLINE_FAILURE_POINTS` sets how many there are. What happened and what was found
is kept in `.failure/`.
"""

import json
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from deploy.local.data_directory import ROOT
from tests.failure.callers import Callers, Calls
from tests.failure.chaos import Blows, Chaos
from tests.failure.checker import checked
from tests.failure.cluster import Cluster, running_cluster
from tests.failure.evidence import Evidence, gathered, run, wait_until_settled

POINTS = int(os.environ.get("HOTLINE_FAILURE_POINTS") or 5)
SEED = int(os.environ.get("HOTLINE_FAILURE_SEED") or random.randrange(2**32))
PACE = float(os.environ.get("HOTLINE_FAILURE_PACE") or 15.0)
"""Calls a second, of the few that two cores leave beside the starts of processes."""
REPORT = ROOT / ".failure"
SETTLING_SECONDS = 900.0

NEWEST = "(SELECT max(position) FROM events WHERE type = 'complaint.recorded' AND slot IS NOT NULL)"

pytestmark = pytest.mark.timeout(4 * 3600)


@dataclass(slots=True)
class Endured:
    """A cluster at rest, and what it went through."""

    cluster: Cluster
    calls: Calls
    blows: Blows

    @property
    def accepted(self) -> dict[int, str]:
        return {number: complaint for number, (complaint, _) in self.calls.accepted.items()}

    def evidence(self) -> Evidence:
        cluster = self.cluster
        return gathered(cluster.database_urls, cluster.kafka.address, cluster.data.keys)


@pytest.fixture(scope="module")
def endured() -> Iterator[Endured]:
    print(f"seed {SEED}, {POINTS} points", flush=True)
    with running_cluster() as cluster:

        def addresses() -> list[str]:
            return [replica.url for replica in cluster.of("intake") if replica.takes_calls]

        def tell(blow: str) -> None:
            print(f"{blow}; {len(calls.accepted)} calls accepted", flush=True)

        token = cluster.issuer.mint("call_handler", hours=10)
        chaos = Chaos(cluster, SEED, tell)
        most = int(PACE * POINTS * 10) + 1000
        with Callers(addresses, token, pace=PACE, most=most, seed=SEED) as calls:
            blows = chaos.run(POINTS)
            cluster.wait_until_ready()
        begin = time.monotonic()
        wait_until_settled(cluster.database_urls, SETTLING_SECONDS)
        print(f"at rest after {time.monotonic() - begin:.1f} s", flush=True)
        yield Endured(cluster, calls, blows)


def test_nothing_is_lost_or_done_twice_and_all_agree(endured: Endured) -> None:
    assert endured.calls.accepted, "nobody was ever heard"
    evidence = endured.evidence()
    found = [*endured.calls.wrong, *checked(evidence, endured.accepted)]
    verified = endured.cluster.hotline("verify")
    _report(endured, evidence, found, verified.stdout)
    assert found == []
    assert verified.returncode == 0, verified.stdout + verified.stderr


PLANTED = {
    "an event that a follower lost": (
        "dedup",
        ["DELETE FROM inbox WHERE applied_no = (SELECT max(applied_no) FROM inbox)"],
        "lost: number",
    ),
    "a complaint that is gone": (
        "intake",
        [f"DELETE FROM events WHERE position = {NEWEST}"],
        "was accepted as",
    ),
    "a call that is there twice": (
        "intake",
        [
            f"INSERT INTO data_keys SELECT '{UUID(int=1)}', kek_id, wrapped FROM data_keys JOIN events"
            f" ON stream_id = 'complaint-' || key_id WHERE position = {NEWEST}",
            f"INSERT INTO events SELECT 1000000, 'complaint-{UUID(int=1)}', 1, gen_random_uuid(), type,"
            f" schema_version, NULL, NULL, data, metadata, recorded_on FROM events WHERE position = {NEWEST}",
        ],
        "double: call",
    ),
    "an effect that happened twice": (
        "referral",
        [
            "INSERT INTO events SELECT 1000000, 'again-' || gen_random_uuid(), 1, gen_random_uuid(), type,"
            " schema_version, NULL, NULL, data, metadata, recorded_on FROM events"
            " WHERE metadata->>'causation' <> '' ORDER BY position LIMIT 1"
        ],
        "what follows from",
    ),
    "two services that disagree": (
        "referral",
        [
            "DELETE FROM case_complaints WHERE (complaint_id, case_id) ="  # not of a case it was merged from
            " (SELECT complaint_id, case_id FROM placements WHERE case_id IS NOT NULL LIMIT 1)"
        ],
        "does not list complaint",
    ),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_the_checker_finds(at_rest: Endured, fault: str) -> None:
    """One fault beside those before it: this system is thrown away."""
    service, statements, told = PLANTED[fault]
    before = _found(at_rest)
    run(_execute(at_rest.cluster.owner_database_url(service), statements))
    found = set(_found(at_rest)) - set(before)
    assert [one for one in found if told in one], found


async def _execute(url: str, statements: list[str]) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            assert (await connection.execute(statement)).endswith(" 1"), statement
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def at_rest(endured: Endured) -> Endured:
    """Nobody is there any more who would mend anything."""
    for replica in endured.cluster.replicas:
        replica.stop()
    return endured


def _found(endured: Endured) -> list[str]:
    return checked(endured.evidence(), endured.accepted)


def _report(endured: Endured, evidence: Evidence, found: list[str], verified: str) -> None:
    calls, blows = endured.calls, endured.blows
    told: dict[str, Any] = {
        "seed": SEED,
        "points": POINTS,
        "blows": dict(blows.counts.most_common()),
        "calls": {
            "accepted": len(calls.accepted),
            "sent again": calls.repeated,
            "attempts that were not accepted": dict(calls.retried.most_common()),
            "the slowest in seconds": round(calls.slowest, 1),
        },
        "events": {name: len(service.log) for name, service in evidence.services.items()},
        "consumed": {name: len(service.inbox) for name, service in evidence.services.items()},
        "records in topics": {name: len(service.published) for name, service in evidence.services.items()},
        "incidents": len(set(evidence.incident_of.values())),
        "found": found,
    }
    print(json.dumps(told, indent=2))
    REPORT.mkdir(exist_ok=True)
    name = f"{POINTS}-points-seed-{SEED}"
    (REPORT / f"{name}.json").write_text(json.dumps({**told, "each": blows.each}, indent=2) + "\n")
    (REPORT / f"{name}.verify.txt").write_text(verified)
