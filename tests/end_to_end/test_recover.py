"""A service's database comes back from an older copy, under a topic and followers that went on.

A failover to a standby that lagged, or a restore: what was appended since then is gone, and its numbers would
be given a second time. Nothing is appended before `./hotline recover` has adopted what is left; then
everything is there once, and the three services agree.
"""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from deploy.local.data_directory import DataDirectory
from deploy.local.issuer import Issuer
from deploy.local.postgres import OWNERS
from deploy.simulation import simulate
from tests.conditions import wait_until
from tests.end_to_end.complaints import complaint
from tests.end_to_end.system import SERVICES, System, running_system
from tests.end_to_end.test_whole_way import fetch
from tests.failure.callers import REFERENCE
from tests.failure.checker import checked
from tests.failure.evidence import gathered, wait_until_settled

BEFORE, LOST, SEED = 120, 60, 5
SETTLING_SECONDS = 120.0

pytestmark = pytest.mark.long


@pytest.fixture
def system() -> Iterator[System]:
    with running_system() as running:
        yield running


def _as_superuser(system: System, *statements: str) -> None:
    """Outside of the database of a service, to which nobody may be connected for some of these."""
    place = urlsplit(system.database_url("intake")).netloc.rpartition("@")[2]
    password = json.loads((system.data / "postgres" / "passwords.json").read_text())["postgres"]

    async def execute() -> None:
        connection = await asyncpg.connect(f"postgresql://postgres:{password}@{place}/postgres")
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(execute())


def _alone(database: str) -> tuple[str, str]:
    """Nobody is connected, and nobody gets in."""
    return (
        f"ALTER DATABASE {database} ALLOW_CONNECTIONS false",
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'",
    )


class Caller:
    """Posts complaints that match each other. `accepted`: number -> the complaint that it became."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._token = Issuer(DataDirectory(system.data).keys).mint("call_handler")
        self._bodies = simulate(BEFORE + LOST, SEED).complaints
        self.accepted: dict[int, str] = {}

    def posts(self, numbers: range) -> None:
        for number in numbers:
            assert self.post(number, self._bodies[number]) == 201

    def post(self, number: int, body: dict[str, Any]) -> int:
        """The status that is answered."""
        request = urllib.request.Request(  # noqa: S310  (our own address)
            f"{self._system.urls['intake']}/v1/complaints",
            data=json.dumps({**body, "external_reference": REFERENCE.format(number)}).encode(),
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  (our own address)
                self.accepted[number] = json.load(answer)["complaint_id"]
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code


def _settle(system: System) -> None:
    wait_until_settled({service: system.database_url(service) for service in SERVICES}, SETTLING_SECONDS)


PUBLIC = """
SELECT position, slot, slot_sequence, stream_id, version, event_id FROM events
WHERE slot IS NOT NULL ORDER BY position
"""
LOG = "SELECT event_id FROM events ORDER BY position"


@pytest.mark.parametrize("service", ["intake", "dedup", "referral"])
def test_a_database_that_was_set_back_gets_its_events_again(system: System, service: str) -> None:
    caller = Caller(system)
    public = _live_and_set_back(system, caller, service)
    lost = len(public) - len(fetch(system, service, PUBLIC))
    assert lost
    _assert_nothing_is_appended(system, caller, service)
    recovered = system.hotline("recover", service)
    assert recovered.returncode == 0, recovered.stdout + recovered.stderr
    assert f"{lost} events adopted" in recovered.stdout
    assert "topic and followers" in recovered.stdout and " 0/0" not in recovered.stdout
    assert fetch(system, service, PUBLIC)[: len(public)] == public
    _assert_all_is_there_once(system, caller)
    if service == "dedup":
        known = {row["stream_id"] for row in public}
        since = fetch(system, service, PUBLIC)[len(public) :]  # of complaints that came since, which match
        assert not [row for row in since if row["stream_id"] in known], "something was told a second time"


def _live_and_set_back(system: System, caller: Caller, service: str) -> list[asyncpg.Record]:
    """The public events that the service had."""
    caller.posts(range(BEFORE))
    _settle(system)
    _as_superuser(
        system,
        *_alone(service),
        f"CREATE DATABASE older TEMPLATE {service} OWNER {OWNERS[service]}",
        f"GRANT CONNECT ON DATABASE older TO {service}",
        f"ALTER DATABASE {service} ALLOW_CONNECTIONS true",
    )
    caller.posts(range(BEFORE, BEFORE + LOST))
    _settle(system)
    assert system.hotline("verify").returncode == 0
    public = fetch(system, service, PUBLIC)
    _take_the_place_of(system, service, "older", "lost")
    return public


def _take_the_place_of(system: System, service: str, database: str, aside: str) -> None:
    """`database` is the service's from now on; the one that was keeps the name `aside`."""
    _as_superuser(
        system,
        *_alone(service),
        f"ALTER DATABASE {service} RENAME TO {aside}",
        f"ALTER DATABASE {database} RENAME TO {service}",
        f"ALTER DATABASE {service} ALLOW_CONNECTIONS true",
    )


def _assert_nothing_is_appended(system: System, caller: Caller, service: str) -> None:
    copied = fetch(system, service, LOG)
    for number in range(1000, 1003):
        assert caller.post(number, complaint(number)) == (503 if service == "intake" else 201)
    assert system.hotline("verify", "--wait", "20").returncode == 1
    assert fetch(system, service, LOG) == copied


def _assert_all_is_there_once(system: System, caller: Caller) -> None:
    wait_until(
        lambda: caller.post(2000, complaint(2000)) == 201, what="complaints are accepted again", seconds=90
    )
    _settle(system)
    verified = system.hotline("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert system.run_file is not None
    urls = {each: system.database_url(each) for each in SERVICES}
    evidence = gathered(urls, system.run_file["broker"], DataDirectory(system.data).keys)
    assert checked(evidence, caller.accepted) == []
    for each in SERVICES:
        rebuilt = system.hotline("rebuild", each, "--check")
        assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
