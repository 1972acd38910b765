"""Complaints that wait for their release lie in intake alone, sealed, and are released once whatever dies.

R6 before a release: nothing that was sent lies anywhere, and no other database and no topic knows of it.
"""

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from deploy.local.data_directory import DataDirectory
from deploy.local.issuer import Issuer
from tests.end_to_end.complaints import complaint
from tests.end_to_end.dump import TIME_OF_DAY, dump_of
from tests.end_to_end.system import System, running_system
from tests.end_to_end.test_whole_way import fetch

COUNT = 40
KILLS = 4


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    always: dict[str, Any] = {"HOTLINE_RELEASE": "always", "HOTLINE_RELEASE_IMPORTS": "always"}
    with running_system(**always) as running:
        yield running


@pytest.fixture(scope="module")
def held(system: System) -> list[str]:
    """The ids of complaints that wait."""

    async def send() -> list[str]:
        found = []
        async with aiohttp.ClientSession(headers=bearer(system, "call_handler", "handler")) as session:
            for number in range(COUNT):
                url = f"{system.urls['intake']}/v1/complaints"
                async with session.post(url, json=complaint(number)) as answer:
                    told = await answer.json()
                    assert (answer.status, told["held"]) == (201, True)
                    found.append(told["complaint_id"])
        return found

    return asyncio.run(send())


def bearer(system: System, role: str, subject: str) -> dict[str, str]:
    token = Issuer(DataDirectory(system.data).keys).mint(role, subject=subject)
    return {"Authorization": f"Bearer {token}"}


def published(system: System) -> list[str]:
    query = "SELECT data->'clear'->>'complaint_id' FROM events WHERE type = 'complaint.recorded'"
    return sorted(row[0] for row in fetch(system, "intake", query))


def test_before_its_release_a_complaint_is_nowhere_but_sealed_in_intake(
    system: System, held: list[str]
) -> None:
    dump = dump_of(system)
    assert dump["intake.releases"].count(b"waiting") == COUNT
    needles = {each.encode() for each in held}
    for number in range(COUNT):
        body: dict[str, Any] = complaint(number)
        needles |= {
            f"Narrative{number}x".encode(),
            f"9{number % 100000:05d}.".encode(),
            f"Zsurname{number}x".encode(),
            body["subjects"][0]["collar_number"].encode(),
            body["incident"]["place"].encode(),
            body["external_reference"].encode(),
        }
    found = [
        (needle, where)
        for needle in needles
        for where, content in dump.items()
        if needle.lower() in content.lower() and not (needle.decode() in held and where.startswith("intake."))
    ]
    assert not found
    assert published(system) == []
    assert dump["hotline.complaints.v1"].strip() == b""
    assert not TIME_OF_DAY.search(dump["intake.events"] + dump["intake.releases"])


def test_two_reviewers_release_each_once_while_intake_is_killed(system: System, held: list[str]) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)

    async def review(subject: str, order: list[str]) -> None:
        headers = bearer(system, "release_reviewer", subject)
        async with aiohttp.ClientSession(headers=headers) as session:
            for complaint_id in order:
                place = f"{system.urls['intake']}/v1/releases/{complaint_id}/release"
                while True:
                    try:
                        async with session.post(place, headers={"If-Match": '"1"'}) as answer:
                            await answer.read()
                            if answer.status in (200, 404, 409):
                                break
                    except aiohttp.ClientError:
                        pass
                    await asyncio.sleep(0.05)

    async def kill() -> None:
        for number in range(1, KILLS + 1):
            while len(await asyncio.to_thread(published, system)) < COUNT * number // (KILLS + 2):
                await asyncio.sleep(0.01)
            await asyncio.sleep(chance.random() * 0.02)
            await asyncio.to_thread(system.kill, "intake")

    async def all_at_once() -> None:
        shuffled = chance.sample(held, COUNT)
        await asyncio.gather(kill(), review("reviewer-1", held), review("reviewer-2", shuffled))

    asyncio.run(asyncio.wait_for(all_at_once(), 240))
    assert published(system) == sorted(held)
    assert fetch(system, "intake", "SELECT count(*) FROM releases")[0][0] == 0
    verified = system.hotline("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    # The acts of reviewers have a time, which is sealed.
    assert not TIME_OF_DAY.search(dump_of(system)["intake.events"])


def test_a_simulation_brings_its_own_reviewers(system: System, held: list[str]) -> None:
    told = system.hotline("simulate", "--calls", "60", "--over", "0s", "--seed", "1", "--reviewers", "4")
    assert told.returncode == 0, told.stdout + told.stderr
    assert "60 of 60 (100%) waited for their release" in told.stdout
