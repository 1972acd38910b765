"""What Kafka still holds equals the log; repetitions are counted, not wrong."""

import asyncio
from collections.abc import Mapping
from typing import Any

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from deploy.verification.findings import Findings
from shared.streaming.authentication import OwnEvents
from shared.streaming.cloudevents import UnreadableEnvelope, loaded, parse

READ_SECONDS = 60.0
_COMPARED = ("ciphertext", "iv", "tag")


async def check_topic(
    own: OwnEvents, topic: str, bootstrap: str, connection: asyncpg.Connection, findings: Findings
) -> None:
    """Read the topic from its beginning to its end of now and compare each record with the log.

    A record that differs and that the service did not sign is somebody else's, and nothing follows from it.
    """
    log = {
        (row["slot"], row["slot_sequence"]): row
        for row in await connection.fetch(
            "SELECT slot, slot_sequence, event_id, stream_id, position, type, data FROM events "
            "WHERE slot IS NOT NULL"
        )
    }
    claim = f"{topic} holds what the log of {own.service} holds"
    try:
        async with asyncio.timeout(READ_SECONDS):
            values = await _read(topic, bootstrap)
    except (KafkaError, TimeoutError, OSError) as fault:
        findings.add(claim, 0, [f"the broker at {bootstrap} does not answer: {type(fault).__name__}"])
        return
    seen: set[tuple[int, int]] = set()
    wrong: list[str] = []
    repetitions = foreign = 0
    for partition, offset, value in values:
        place = f"partition {partition}, offset {offset}"
        if (event := _event_of(own.service, value)) is None:
            foreign += 1
            continue
        at = (event["slot"], event["slotsequence"])
        row = log.get(at)
        is_right = row is not None and _equal(event, row)
        if not is_right and not _is_authentic(own, value):
            foreign += 1
            continue
        repetitions += at in seen
        seen.add(at)
        if row is None:
            wrong.append(f"{place}: number {at[1]} of slot {at[0]} is not in the log")
        elif not is_right:
            wrong.append(f"{place}: number {at[1]} of slot {at[0]} differs from the log")
    note = f"{len(seen)} of {len(log)} still held, {repetitions} repetitions"
    note += f", {foreign} records of others" if foreign else ""
    findings.add(claim, len(values), wrong, note)


def _event_of(service: str, value: bytes) -> Mapping[str, Any] | None:
    try:
        event = loaded(value)
        return event if parse(event).source == service else None
    except UnreadableEnvelope:
        return None


def _is_authentic(own: OwnEvents, value: bytes) -> bool:
    try:
        own.read(value)
    except UnreadableEnvelope:
        return False
    return True


def _equal(event: Mapping[str, Any], row: asyncpg.Record) -> bool:
    kept = orjson.loads(row["data"])
    sent = event["data"]
    is_same_payload = sent.get("erased") is True or (
        (kept["sealed"] is None) == (sent["sealed"] is None)
        and (kept["sealed"] is None or all(kept["sealed"][m] == sent["sealed"].get(m) for m in _COMPARED))
    )
    return (
        event["id"] == str(row["event_id"])
        and event["subject"] == row["stream_id"]
        and event["sequence"] == str(row["position"])
        and str(event["type"]).startswith(f"hotline.{row['type']}.v")
        and sent["clear"] == kept["clear"]
        and is_same_payload
    )


async def _read(topic: str, bootstrap: str) -> list[tuple[int, int, bytes]]:
    """(partition, offset, value) of what the topic holds up to its ends of now."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", fetch_max_wait_ms=100
    )
    await consumer.start()
    try:
        ends = await consumer.end_offsets(list(consumer.assignment()))
        begins = await consumer.beginning_offsets(list(ends))
        left = {at for at in ends if begins[at] < ends[at]}
        read: list[tuple[int, int, bytes]] = []
        while left:
            for at, messages in (await consumer.getmany(*left, timeout_ms=500)).items():
                read += [(at.partition, m.offset, m.value or b"") for m in messages if m.offset < ends[at]]
            left = {at for at in left if await consumer.position(at) < ends[at]}
        return read
    finally:
        await consumer.stop()
