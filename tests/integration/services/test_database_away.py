"""A service whose database is dead or full says so at once, keeps nothing that it refused, and recovers.

On the day with 700 calls a call handler who waits for a time limit of the driver's loses the next caller,
and who is told "recorded" although the disk was full loses this one. PostgreSQL is real here: it gets
kill -9, and its data directory lies on a small disk that somebody fills.
"""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from deploy.local.postgres import OWNERS, Postgres
from services.dedup import settings as dedup_settings
from services.dedup import wiring as dedup_wiring
from services.intake import settings as intake_settings
from services.intake import wiring as intake_wiring
from services.referral import settings as referral_settings
from services.referral import wiring as referral_wiring
from tests.conditions import wait_until
from tests.engines import Databases, reachable_directory, running_postgres
from tests.integration.shared.store.waiting import until
from tests.running import Running, running_service

AT_ONCE = 4.0
"""Seconds: far from the driver's 30 and the 10 in which an unknown outcome is looked up."""

SERVICES: dict[str, tuple[Any, Any]] = {
    "intake": (intake_settings.Settings, intake_wiring.wire),
    "dedup": (dedup_settings.Settings, dedup_wiring.wire),
    "referral": (referral_settings.Settings, referral_wiring.wire),
}
DISPOSITION = {"outcome": "refer", "recipient": "x", "reason_code": "criteria", "reason": "It must be."}
WRITING: dict[tuple[str, str], tuple[str, dict[str, Any] | None]] = {
    ("POST", "/v1/complaints"): ("call_handler", {"channel": "phone", "narrative": "He took money."}),
    ("POST", "/v1/contacts"): (
        "call_handler",
        {"channel": "phone", "disposition": "abandoned", "count": 3},
    ),
    ("PUT", "/v1/complaints/{complaint_id}"): (
        "call_handler",
        {"channel": "phone", "narrative": "He took money."},
    ),
    ("POST", "/v1/releases/{complaint_id}/mask"): (
        "release_reviewer",
        {"masks": [{"start": 0, "end": 4}]},
    ),
    ("POST", "/v1/releases/{complaint_id}/release"): ("release_reviewer", None),
    ("POST", "/v1/releases/{complaint_id}/return"): ("release_reviewer", {"note": "Who is it?"}),
    ("POST", "/v1/reviews/{match_id}"): ("match_reviewer", {"decision": "accept", "reason": "Same."}),
    ("POST", "/v1/matches/{match_id}/retract"): ("match_reviewer", {"reason": "Another."}),
    ("POST", "/v1/cases/{case_id}/decision"): ("assessor", DISPOSITION),
    ("POST", "/v1/cases/{case_id}/approval"): ("approver", {"approve": True, "reason": "I looked."}),
    ("POST", "/v1/parked/{parked_id}/retry"): ("operator", None),
    ("DELETE", "/v1/parked/{parked_id}"): ("operator", {"reason": "A test record."}),
}
"""By method and path: a role and a body, for every route that writes."""
ONCE = {"Connection": "close"}
"""Starting PostgreSQL stops this process's only loop for longer than a server keeps an idle connection."""
ANSWERS_BY_LINE, STORES_NOTHING = ("POST", "/v1/imports"), ("POST", "/v1/sanitise")

Open = Callable[[str, str], AbstractAsyncContextManager[Running]]


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[Postgres]:
    """A server of this module's own: the tests kill it."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def own_url(own_postgres: Postgres) -> Iterator[str]:
    if not own_postgres.is_ready():
        own_postgres.start()
    with Databases(own_postgres).new() as url:
        yield url


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """A service on a database."""

    def open_service(service: str, url: str) -> AbstractAsyncContextManager[Running]:
        settings, wire = SERVICES[service]
        return running_service(settings, wire, url, tmp_path)

    return open_service


def _kill(server: Postgres) -> None:
    """kill -9; a worker that has not seen it yet would serve one more request."""
    workers = server.query("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()").split()
    server.kill()
    wait_until(
        lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), what="the workers were gone"
    )


async def _writing_routes(running: Running) -> list[tuple[str, str]]:
    _, document = await running.json("GET", "/openapi.json", None)
    routes = [
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method in methods
        if method.upper() in {"POST", "PUT", "PATCH", "DELETE"}
    ]
    return [route for route in routes if route not in {ANSWERS_BY_LINE, STORES_NOTHING}]


async def _asked(running: Running, service: str, method: str, path: str) -> tuple[int, str | None, float]:
    followed = "referral" if service == "intake" else "intake"
    role, body = WRITING[method, path]
    filled = path.format(match_id=uuid4(), case_id=uuid4(), complaint_id=uuid4(), parked_id=f"{followed}-1-1")
    began = time.monotonic()
    async with running.ask(method, filled, role, json=body, headers={"If-Match": '"1"', **ONCE}) as answer:
        await answer.read()
        return answer.status, answer.headers.get("Retry-After"), time.monotonic() - began


@pytest.mark.parametrize("service", SERVICES)
async def test_every_writing_route_is_refused_at_once_while_the_server_is_dead_and_works_again_after(
    service: str, own_postgres: Postgres, own_url: str, opened: Open
) -> None:
    async with opened(service, own_url) as running:
        routes = await _writing_routes(running)
        before = {route: await _asked(running, service, *route) for route in routes}
        assert all(status < 500 for status, *_ in before.values()), before
        _kill(own_postgres)
        # The first one finds the connections that were open; the second one finds none.
        answers = [(route, await _asked(running, service, *route)) for _ in range(2) for route in routes]
        assert [(route, status, retry) for route, (status, retry, _) in answers if status != 503] == []
        assert all(retry is not None and int(retry) >= 1 for _, (_, retry, _) in answers)
        assert max(seconds for _, (_, _, seconds) in answers) < AT_ONCE
        own_postgres.start()

        async def serves() -> bool:
            return all([(await _asked(running, service, *route))[0] == before[route][0] for route in routes])

        await until(serves, what="the service answered as before")


async def test_a_line_of_an_import_is_to_be_sent_again(
    own_postgres: Postgres, own_url: str, opened: Open
) -> None:
    line = b'{"channel": "web", "narrative": "He took money."}\n'
    async with opened("intake", own_url) as running:
        _kill(own_postgres)
        async with running.ask("POST", "/v1/imports", data=line, headers=ONCE) as answer:
            assert (await answer.json(content_type=None))["error"]["retry"] is True
        own_postgres.start()

        async def is_kept() -> bool:
            async with running.ask("POST", "/v1/imports", data=line, headers=ONCE) as answer:
                return "complaint_id" in await answer.json(content_type=None)

        await until(is_kept, what="the line was kept")
    assert len(await _kept(own_url)) == 1


async def test_a_complaint_that_continues_another_is_refused_at_once_too(
    own_postgres: Postgres, own_url: str, opened: Open
) -> None:
    """It is looked up before it is appended: by a connection of its own."""
    body = {"channel": "phone", "narrative": "He took money."}
    async with opened("intake", own_url) as running:
        _, first = await running.json("POST", "/v1/complaints", json=body)
        continuing = {**body, "continues": first["receipt"]}
        _kill(own_postgres)
        began = time.monotonic()
        status, _ = await running.json("POST", "/v1/complaints", json=continuing, headers=ONCE)
        assert (status, time.monotonic() - began < AT_ONCE) == (503, True)
        own_postgres.start()


async def test_of_a_burst_in_which_the_server_dies_exactly_what_was_answered_as_recorded_is_kept(
    own_postgres: Postgres, own_url: str, opened: Open
) -> None:
    async with opened("intake", own_url) as running:
        calls = Calls(running)
        callers = [asyncio.create_task(calls.go_on()) for _ in range(8)]
        for _ in range(2):
            await calls.more(30)
            own_postgres.kill()
            await calls.refused_again()
            own_postgres.start()
        await calls.more(30)
        calls.is_over = True
        await asyncio.gather(*callers)
    assert await _kept(own_url) == calls.recorded
    assert len(set(calls.recorded)) == len(calls.recorded)


class Calls:
    """Callers one after the other, and what each was answered."""

    def __init__(self, running: Running, narrative: str = "He took money.") -> None:
        self._running, self._narrative = running, narrative
        self.recorded: list[str] = []
        self.refused = 0
        self.longest = 0.0
        self.is_over = False

    async def go_on(self) -> None:
        while not self.is_over:
            await self.call()

    async def call(self) -> bool:
        body = {"channel": "phone", "narrative": self._narrative}
        began = time.monotonic()
        status, answer = await self._running.json("POST", "/v1/complaints", json=body, headers=ONCE)
        self.longest = max(self.longest, time.monotonic() - began)
        assert status in {201, 503}, answer
        if status == 201:
            self.recorded = sorted([*self.recorded, answer["complaint_id"]])
        self.refused += status == 503
        return bool(status == 201)

    async def more(self, count: int) -> None:
        enough = len(self.recorded) + count

        async def there_are() -> bool:
            return len(self.recorded) >= enough

        await until(there_are, what=f"{count} more were recorded", seconds=60)

    async def refused_again(self) -> None:
        before = self.refused

        async def there_are() -> bool:
            return self.refused > before

        await until(there_are, what="one was refused", seconds=60)


async def _kept(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT data->'clear'->>'complaint_id' AS id FROM events WHERE type = 'complaint.recorded'"
        )
        return sorted(row["id"] for row in rows)
    finally:
        await connection.close()


# A full disk

DISK_MIB = 160


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A directory on a disk of its own."""
    with reachable_directory() as directory:
        size = f"size={DISK_MIB}m"
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(directory)], capture_output=True, check=False
        )
        if mounted.returncode:
            pytest.skip("no small disk: this account may not mount a tmpfs")
        try:
            yield directory
        finally:
            subprocess.run(["umount", "--lazy", str(directory)], check=True)


@pytest.fixture
async def on_small_disk(small_disk: Path) -> AsyncIterator[tuple[Postgres, Path]]:
    """A server on the small disk, and the file with which somebody fills it."""
    small = {"shared_buffers": "16MB", "max_wal_size": "32MB", "min_wal_size": "32MB"}
    log = small_disk.parent / f"{small_disk.name}.log"
    server = Postgres(small_disk / "postgres", log=log, settings=small)
    server.prepare()
    server.start()
    try:
        yield server, small_disk / "filler"
    finally:
        server.stop()
        log.unlink()


def _fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"\0" * 4096) == 4096:
            pass


async def _tell_that_the_disk_is_full(url: str) -> None:
    """What PostgreSQL answers to somebody else."""
    connection = await asyncpg.connect(url)
    try:
        with pytest.raises(asyncpg.DiskFullError):
            await connection.execute(
                "CREATE TABLE filling AS SELECT repeat('x', 1000) FROM generate_series(1, 100000)"
            )
    finally:
        await connection.close()


async def test_on_a_full_disk_a_complaint_is_refused_and_with_space_again_recorded(
    on_small_disk: tuple[Postgres, Path], opened: Open
) -> None:
    """PostgreSQL answers 53100 where a table cannot grow. (Where its write-ahead log cannot, it ends itself:
    then it is a dead server, as above.)"""
    server, filler = on_small_disk
    url = server.dsn("intake", OWNERS["intake"])
    async with opened("intake", url) as running:
        calls = Calls(running, "He took money. " * 1000)
        assert await calls.call()
        _fill(filler)
        while await calls.call():
            pass
        for _ in range(5):
            assert not await calls.call()
        assert calls.longest < AT_ONCE
        await _tell_that_the_disk_is_full(url)
        filler.unlink()

        async def records() -> bool:
            return await calls.call()

        await until(records, what="a complaint was recorded", seconds=60)
    assert await _kept(url) == calls.recorded
    assert len(calls.recorded) > 1
