"""Everything that a thief of the running system's databases, topics and logs would have."""

import asyncio
import base64
import re

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from tests.end_to_end.system import SERVICES, System

TIME_OF_DAY = re.compile(rb"[T ](?!00:00:00)([01]\d|2[0-3]):[0-5]\d:[0-5]\d")
"""A time other than midnight, as ISO 8601 and PostgreSQL write it."""


def dump_of(system: System) -> dict[str, bytes]:
    """Where -> everything that lies there, the decoded forms of encoded bytes beside them."""
    found = asyncio.run(databases_of(system)) | asyncio.run(topics_of(system))
    for log in sorted((system.data / "logs").rglob("*.log")):
        found[f"log {log.name}"] = log.read_bytes()
    found["launcher"] = (system.data.parent / "launcher.out").read_bytes()
    return {where: content + decoded(content) for where, content in found.items()}


async def databases_of(system: System) -> dict[str, bytes]:
    found = {}
    for service in SERVICES:
        connection = await asyncpg.connect(system.database_url(service))
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in tables:
            rows = await connection.fetch(f"SELECT row_to_json(t.*)::text FROM {table} AS t")
            found[f"{service}.{table}"] = "\n".join(row[0] for row in rows).encode()
        await connection.close()
    return found


async def records_of(system: System, topic: str) -> list[ConsumerRecord]:
    assert system.run_file is not None
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=system.run_file["broker"], auto_offset_reset="earliest"
    )
    await consumer.start()
    ends = await consumer.end_offsets(list(consumer.assignment()))
    records: list[ConsumerRecord] = []
    while any([await consumer.position(at) < end for at, end in ends.items()]):
        for messages in (await consumer.getmany(timeout_ms=500)).values():
            records += messages
    await consumer.stop()
    return records


async def topics_of(system: System) -> dict[str, bytes]:
    found = {}
    for topic in ("hotline.complaints.v1", "hotline.matches.v1", "hotline.referrals.v1"):
        records = await records_of(system, topic)
        assert all(record.timestamp % 86_400_000 == 0 for record in records), "a record's time is no midnight"
        found[topic] = b"\n".join((record.key or b"") + (record.value or b"") for record in records)
    return found


def decoded(content: bytes) -> bytes:
    """bytea comes as hex, payloads as base64url: both decoded too."""
    hexes = [bytes.fromhex(m.decode()) for m in re.findall(rb"\\\\x((?:[0-9a-f]{2})+)", content)]
    words = re.findall(rb"[A-Za-z0-9_-]{24,}", content)
    plain = [base64.urlsafe_b64decode(word + b"=" * (-len(word) % 4)) for word in words if len(word) % 4 != 1]
    return b"\n".join([b"", *hexes, *plain])
