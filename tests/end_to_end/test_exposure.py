"""What a stolen dump of everything tells (R6): nothing that was sent, and no time of day of a contact.

Searched are all tables of the three databases, all topics, and all logs. What the engines write for
themselves (write-ahead log, offsets, file times) is not: that is encrypted on disk by the operator.
"""

import asyncio
import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from jwcrypto.jwe import JWE, InvalidJWEData
from jwcrypto.jwk import JWK

from tests.end_to_end.complaints import complaint
from tests.end_to_end.dump import TIME_OF_DAY, decoded, dump_of, records_of
from tests.end_to_end.system import System, running_system

COUNT = 60
STAFF_OWNED = {"leases"}
"""Tables whose times are no contact's: a lease is renewed every two seconds, whatever happens."""


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with running_system() as running:
        yield running


@pytest.fixture(scope="module")
def receipts(system: System) -> list[str]:
    async def send() -> list[str]:
        headers = {"Authorization": f"Bearer {system.hotline('token', 'call_handler').stdout.strip()}"}
        got: list[str] = []
        async with aiohttp.ClientSession(headers=headers) as session:
            for number in range(COUNT):
                key = {"Idempotency-Key": f"Keyword{number}x"}
                url = f"{system.urls['intake']}/v1/complaints"
                async with session.post(url, json=complaint(number), headers=key) as answer:
                    assert answer.status == 201
                    got.append((await answer.json())["receipt"])
        return got

    receipts = asyncio.run(send())
    assert system.hotline("verify").returncode == 0
    return receipts


@pytest.fixture(scope="module")
def dump(system: System, receipts: list[str]) -> dict[str, bytes]:
    """As `dump_of`."""
    return dump_of(system)


def _needles(receipts: list[str]) -> dict[str, bytes]:
    needles = {f"receipt {number}": receipt.encode() for number, receipt in enumerate(receipts)}
    for number in range(COUNT):
        body: dict[str, Any] = complaint(number)
        subject = body["subjects"][0]
        needles |= {
            f"narrative {number}": f"Narrative{number}x".encode(),
            f"phone {number}": f"9{number % 100000:05d}.".encode(),
            f"name {number}": f"Zsurname{number}x".encode(),
            f"collar number {number}": subject["collar_number"].encode(),
            f"unit {number}": subject["unit"].encode(),
            f"description {number}": subject["description"].encode(),
            f"place {number}": body["incident"]["place"].encode(),
            f"reference {number}": body["external_reference"].encode(),
            f"idempotency key {number}": f"Keyword{number}x".encode(),
        }
    return needles | {"address": b"127.0.0.1", "user agent": b"aiohttp", "day of incident": b"2021-05-06"}


def test_nothing_that_was_sent_lies_anywhere(dump: dict[str, bytes], receipts: list[str]) -> None:
    assert len(dump) > 30, "the dump is not whole"
    found = [
        f"{what} in {where}"
        for what, needle in _needles(receipts).items()
        for where, content in dump.items()
        if needle.lower() in content.lower() and not (what == "address" and where in OWN_ADDRESSES)
    ]
    assert not found


OWN_ADDRESSES = {"launcher", "log postgres.log", "log intake.log", "log dedup.log", "log referral.log"}
"""Where the processes say on which loopback address they listen themselves."""


def test_no_time_of_day_of_a_contact_lies_in_a_database_or_topic(dump: dict[str, bytes]) -> None:
    found = [
        f"{match.group().decode()} in {where}"
        for where, content in dump.items()
        if not where.startswith(("log ", "launcher")) and where.split(".")[-1] not in STAFF_OWNED
        for match in TIME_OF_DAY.finditer(content)
    ]
    assert not found


def test_no_log_line_is_about_a_contact(dump: dict[str, bytes]) -> None:
    """Logs have times; so nothing in them may tell that a call came in."""
    lines = [
        line
        for where, content in dump.items()
        if where in {"log intake.log", "log dedup.log", "log referral.log"}
        for line in content.splitlines()
        if line.startswith(b"{")
    ]
    assert lines, "the services log nothing at all"
    told = {json.loads(line)["event"] for line in lines}
    assert told <= STARTING, told - STARTING


STARTING = {
    "serving",
    "metrics",
    "stopping",
    "follower interrupted",
    "relay interrupted",
    "heads of the owner unknown",
    "catch-up interrupted",
}
"""What services may say of themselves; none of it comes with a call."""


def test_the_search_itself_would_find_something(dump: dict[str, bytes], tmp_path: Path) -> None:
    """A search that cannot find anything proves nothing: here is what it does find when it is there."""
    planted = {
        "intake.events": json.dumps({"narrative": "Narrative7x", "at": "2026-01-02T03:04:05Z"}).encode()
    }
    assert any(needle in planted["intake.events"] for needle in _needles([]).values())
    assert TIME_OF_DAY.search(planted["intake.events"])
    assert b"Zsurname3x" in decoded(base64.urlsafe_b64encode(b"the officer is PC Zsurname3x"))


def test_another_jose_library_opens_a_payload_with_one_followers_key(
    system: System, receipts: list[str]
) -> None:
    """jwcrypto, which the project itself does not use, and the transport key of dedup alone."""
    keys = json.loads((system.data / "keys" / "dedup.json").read_text())["sources"]["intake"]
    dedup = JWK(kty="oct", k=next(iter(keys.values())))
    told = set()
    for record in asyncio.run(records_of(system, "hotline.complaints.v1")):
        sealed = json.dumps(json.loads(record.value)["data"]["sealed"])
        payload = JWE()
        payload.deserialize(sealed)
        payload.decrypt(dedup)
        told.add(json.loads(payload.payload)["body"]["narrative"].split(":")[0])
        stranger = JWE()
        stranger.deserialize(sealed)
        with pytest.raises(InvalidJWEData):
            stranger.decrypt(JWK.generate(kty="oct", size=256))
    assert told == {f"Narrative{number}x" for number in range(COUNT)}
