"""What the databases and topics hold, read as it lies there: no code of the product has a hand in it.

`gathered` reads everything of a system at rest. Payloads are opened by jwcrypto, a JOSE library that the
product does not use, with the keys of the service whose log it is.
"""

import asyncio
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
from confluent_kafka import Consumer, TopicPartition
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap
from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK

from tests.conditions import wait_until

OWNERS = {"intake": ("referral",), "dedup": ("intake", "referral"), "referral": ("intake", "dedup")}
"""follower -> whose events it consumes."""
TOPICS = {
    "intake": "hotline.complaints.v1",
    "dedup": "hotline.matches.v1",
    "referral": "hotline.referrals.v1",
}
_ANSWER_SECONDS = 60.0

T = TypeVar("T")
Place = tuple[int, int]
"""Slot and number in it."""


@dataclass(frozen=True, slots=True)
class Event:
    position: int
    stream: str
    version: int
    id: UUID
    type: str
    slot: int | None
    number: int
    """In its slot; 0 on internal streams, which have none."""
    cause: str


@dataclass(frozen=True, slots=True)
class Entry:
    """Of an inbox."""

    owner: str
    slot: int
    number: int
    id: UUID
    state: str
    applied: int | None
    after: int | None


@dataclass(slots=True)
class OfService:
    log: list[Event]
    inbox: list[Entry]
    cursors: dict[tuple[str, int], int]
    published: list[tuple[int, str, Place]] = field(default_factory=list)
    """Of its topic: partition, event id, place."""


@dataclass(slots=True)
class Evidence:
    """`references`: complaint -> the `external_reference` that was read back out of its sealed event."""

    services: dict[str, OfService]
    references: dict[UUID, str]
    indexed: list[UUID]
    incident_of: dict[UUID, UUID]
    case_of: dict[UUID, UUID | None]
    held: set[UUID]
    listed: set[tuple[UUID, UUID]]


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`, which would drop the loop that pytest's plugin has made for the thread."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(coroutine)


def gathered(urls: Mapping[str, str], broker: str, keys: Path) -> Evidence:
    """
    Args:
        urls: service -> the address of its database.
        keys: the directory of the services' keys.
    """
    return run(_of_databases(urls, json.loads((keys / "intake.json").read_text()), of_services(urls, broker)))


def of_services(urls: Mapping[str, str], broker: str) -> dict[str, OfService]:
    """Logs, inboxes and topics alone; `urls` as for `gathered`."""
    services = {service: run(_of_service(url)) for service, url in urls.items()}
    for service, topic in TOPICS.items():
        services[service].published = list(_published(topic, broker))
    return services


async def _of_databases(
    urls: Mapping[str, str], keys: Mapping[str, Any], services: dict[str, OfService]
) -> Evidence:
    opened = {service: await asyncpg.connect(url) for service, url in urls.items()}
    try:
        dedup, referral = opened["dedup"], opened["referral"]
        placed = await referral.fetch(
            "SELECT complaint_id, case_id, is_held FROM placements WHERE is_recorded AND NOT is_erased"
        )
        return Evidence(
            services=services,
            references=await _references(opened["intake"], keys),
            indexed=[row[0] for row in await dedup.fetch("SELECT complaint_id FROM indexed")],
            incident_of={
                row[0]: row[1]
                for row in await dedup.fetch("SELECT complaint_id, incident_id FROM incident_members")
            },
            case_of={row["complaint_id"]: row["case_id"] for row in placed},
            held={row["complaint_id"] for row in placed if row["is_held"]},
            listed={
                (row[0], row[1])
                for row in await referral.fetch("SELECT complaint_id, case_id FROM case_complaints")
            },
        )
    finally:
        for connection in opened.values():
            await connection.close()


async def _of_service(url: str) -> OfService:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT position, stream_id, version, event_id, type, slot, coalesce(slot_sequence, 0),"
            " coalesce(metadata->>'causation', '') FROM events ORDER BY position"
        )
        entries = await connection.fetch(
            "SELECT source, slot, slot_sequence, event_id, state, applied_no, after_position FROM inbox"
        )
        cursors = await connection.fetch("SELECT source, slot, at FROM cursors")
    finally:
        await connection.close()
    return OfService(
        [Event(*row) for row in rows],
        [Entry(*row) for row in entries],
        {(row[0], row[1]): row[2] for row in cursors},
    )


async def _references(connection: "asyncpg.Connection", keys: Mapping[str, Any]) -> dict[UUID, str]:
    return {
        UUID(stream.partition("-")[2]): json.loads(payload)["body"]["external_reference"]
        for _, stream, payload in await _opened(connection, keys, "type = 'complaint.recorded'")
    }


def payloads(url: str, keys_file: Path) -> dict[UUID, bytes]:
    """Event -> its sealed part in the clear, of every public event that has one.

    Args:
        url: the address of the owner's database.
        keys_file: the owner's keys.
    """
    keys = json.loads(keys_file.read_text())

    async def read() -> dict[UUID, bytes]:
        connection = await asyncpg.connect(url)
        try:
            opened = await _opened(connection, keys, "slot IS NOT NULL")
            return {event: payload for event, _, payload in opened}
        finally:
            await connection.close()

    return run(read())


async def _opened(
    connection: "asyncpg.Connection", keys: Mapping[str, Any], which: str
) -> list[tuple[UUID, str, bytes]]:
    """Event id, stream and sealed part of those events of a log that are as `which` says, opened as their
    owner may."""
    rings = {kid: _bytes(key) for kid, key in keys["kek"]["keys"].items()}
    rows = await connection.fetch("SELECT key_id, kek_id, wrapped FROM data_keys")
    data_keys = {str(row[0]): aes_key_unwrap(rings[row[1]], row[2]) for row in rows}
    events = await connection.fetch(
        f"SELECT event_id, stream_id, data FROM events WHERE {which} ORDER BY position"
    )
    found = []
    for event, stream, data in events:
        if (sealed := json.loads(data)["sealed"]) is not None:
            kids = [recipient["header"]["kid"] for recipient in sealed["recipients"]]
            key = next(data_keys[kid] for kid in kids if kid in data_keys)
            found.append((event, stream, opened(sealed, urlsafe_b64encode(key).decode().rstrip("="))))
    return found


def opened(sealed: Mapping[str, Any], key: str) -> bytes:
    """A JWE's plaintext; `key` is one recipient's, in base64url.

    Raises:
        InvalidJWEData: no recipient's key is this one, or the JWE was altered.
    """
    payload = JWE()
    payload.deserialize(json.dumps(sealed))
    payload.decrypt(JWK(kty="oct", k=key))
    return bytes(payload.payload)


def _bytes(key: str) -> bytes:
    return urlsafe_b64decode(key + "=" * (-len(key) % 4))


def _published(topic: str, broker: str) -> Iterator[tuple[int, str, Place]]:
    """Every record of the topic, from its beginning to its end of now."""
    consumer = Consumer(
        {"bootstrap.servers": broker, "group.id": "evidence", "enable.auto.commit": False, "log_level": 0}
    )
    try:
        left: dict[int, int] = {}
        starts: list[TopicPartition] = []
        for partition in consumer.list_topics(topic, timeout=_ANSWER_SECONDS).topics[topic].partitions:
            at = TopicPartition(topic, partition)
            begin, end = consumer.get_watermark_offsets(at, timeout=_ANSWER_SECONDS)
            if begin < end:
                left[partition] = end
                starts.append(TopicPartition(topic, partition, begin))
        consumer.assign(starts)
        while left:
            message = consumer.poll(_ANSWER_SECONDS)
            assert message is not None and message.error() is None, f"{topic} cannot be read"
            partition, offset = message.partition(), message.offset()
            assert partition is not None and offset is not None
            event = json.loads(message.value() or b"")
            yield partition, event["id"], (event["slot"], event["slotsequence"])
            if offset + 1 >= left.get(partition, 0):
                left.pop(partition, None)
    finally:
        consumer.close()


def applied_of(url: str) -> int:
    """How many entries a service has applied."""

    async def ask() -> int:
        connection = await asyncpg.connect(url)
        try:
            return int(await connection.fetchval("SELECT coalesce(max(applied_no), 0) FROM inbox"))
        finally:
            await connection.close()

    return run(ask())


def wait_until_settled(urls: Mapping[str, str], seconds: float) -> None:
    """Until every follower stands at its owners' heads, and the resolver has read every fact."""
    wait_until(lambda: run(_is_settled(urls)), what="nothing is on its way", seconds=seconds)


async def _is_settled(urls: Mapping[str, str]) -> bool:
    try:
        opened = {service: await asyncpg.connect(url) for service, url in urls.items()}
    except (OSError, asyncpg.PostgresError):
        return False
    try:
        heads = {service: await _heads(connection) for service, connection in opened.items()}
        for follower, owners in OWNERS.items():
            for owner in owners:
                rows = await opened[follower].fetch("SELECT slot, at FROM cursors WHERE source = $1", owner)
                cursors = {row[0]: row[1] for row in rows}
                if any(cursors.get(slot, 0) < head for slot, head in heads[owner].items()):
                    return False
        read = await opened["dedup"].fetchval("SELECT at FROM cursors WHERE source = 'resolver'")
        facts = await opened["dedup"].fetchval("SELECT max(position) FROM events WHERE slot IS NULL")
        if (read or 0) < (facts or 0):
            return False
        # The resolver may have published what it read between the two looks.
        return heads == {service: await _heads(connection) for service, connection in opened.items()}
    finally:
        for connection in opened.values():
            await connection.close()


async def _heads(connection: "asyncpg.Connection") -> dict[int, int]:
    rows = await connection.fetch(
        "SELECT slot, max(slot_sequence) FROM events WHERE slot IS NOT NULL GROUP BY slot"
    )
    return {row[0]: row[1] for row in rows}
