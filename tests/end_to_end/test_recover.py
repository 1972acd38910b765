"""Intake's database comes back from an older copy, under a topic and followers that went on.

A failover to a standby that lagged, or a restore: what was accepted since then is gone, and its numbers would
be given a second time. Nothing is appended before `./hotline recover intake` has adopted what is left.
"""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from deploy.local.data_directory import DataDirectory
from deploy.local.issuer import Issuer
from tests.conditions import wait_until
from tests.end_to_end.complaints import complaint, write_complaints
from tests.end_to_end.system import System, running_system
from tests.end_to_end.test_whole_way import fetch

BEFORE, LOST = 200, 60

pytestmark = pytest.mark.long


@pytest.fixture
def system() -> Iterator[System]:
    with running_system() as running:
        yield running


def _as_superuser(system: System, *statements: str) -> None:
    """Outside of the database of intake, to which nobody may be connected for some of these."""
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


def _post(system: System, number: int) -> int:
    """The status of one more complaint."""
    token = Issuer(DataDirectory(system.data).keys).mint("call_handler")
    request = urllib.request.Request(  # noqa: S310  (our own address)
        f"{system.urls['intake']}/v1/complaints",
        data=json.dumps(complaint(number)).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  (our own address)
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


def test_a_database_that_was_set_back_gets_its_events_again(system: System, tmp_path: Path) -> None:
    first = write_complaints(tmp_path / "first.ndjson.gz", BEFORE)
    assert system.hotline("import", str(first)).returncode == 0
    assert system.hotline("verify").returncode == 0
    _as_superuser(
        system,
        *_alone("intake"),
        "CREATE DATABASE older TEMPLATE intake OWNER intake",
        "ALTER DATABASE intake ALLOW_CONNECTIONS true",
    )
    for number in range(BEFORE, BEFORE + LOST):
        assert _post(system, number) == 201
    assert system.hotline("verify").returncode == 0
    log = "SELECT event_id FROM events ORDER BY position"
    accepted = fetch(system, "intake", log)
    assert len(accepted) == BEFORE + LOST

    _as_superuser(
        system,
        *_alone("intake"),
        "ALTER DATABASE intake RENAME TO lost",
        "ALTER DATABASE older RENAME TO intake",
        "ALTER DATABASE intake ALLOW_CONNECTIONS true",
    )
    assert len(fetch(system, "intake", log)) == BEFORE
    assert {_post(system, 10_000) for _ in range(3)} == {503}
    assert len(fetch(system, "intake", log)) == BEFORE
    assert system.hotline("verify", "--wait", "3").returncode == 1

    recovered = system.hotline("recover", "intake")
    assert recovered.returncode == 0, recovered.stdout + recovered.stderr
    assert f"{LOST} events adopted" in recovered.stdout
    assert fetch(system, "intake", log) == accepted
    wait_until(lambda: _post(system, 10_000) == 201, what="complaints are accepted again", seconds=90)
    verified = system.hotline("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
