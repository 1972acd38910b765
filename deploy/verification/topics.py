"""What Kafka still holds equals the log; repetitions are counted, not wrong."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Any

import asyncpg
import orjson

from deploy.verification.findings import Findings
from shared.streaming.authentication import OwnEvents
from shared.streaming.broker import BrokerUnavailable, Record
from shared.streaming.cloudevents import UnreadableEnvelope, loaded, parse
from shared.streaming.kafka import KafkaBroker

_COMPARED = ("ciphertext", "iv", "tag")
_PAGE = 1000

# Relies on events_slot_slot_sequence_key.
_ROWS = """
SELECT slot, slot_sequence, event_id, stream_id, position, type, data FROM events
JOIN unnest($1::smallint[], $2::bigint[]) AS _(of, at) ON slot = of AND slot_sequence = at
"""
_COUNT = "SELECT count(*) FROM events WHERE slot IS NOT NULL"


async def check_topic(
    own: OwnEvents, topic: str, bootstrap: str, connection: asyncpg.Connection, findings: Findings
) -> None:
    """Read the topic from its beginning to its end of now and compare it with the log, page by page.

    A record that differs and that the service did not sign is somebody else's, and nothing follows from it.
    Nor from a batch that cannot be read: followers fetch what it held.
    """
    comparison = _Comparison(own, connection)
    claim = f"{topic} holds what the log of {own.service} holds"
    try:
        async with aclosing(KafkaBroker(lambda: bootstrap).everything(topic)) as records:
            page: list[Record] = []
            async for record in records:
                page.append(record)
                if len(page) == _PAGE:
                    await comparison.take(page)
                    page.clear()
            await comparison.take(page)
    except BrokerUnavailable as fault:
        findings.add(claim, 0, [f"{bootstrap}: {fault}"])
        return
    findings.add(claim, comparison.records, comparison.wrong, await comparison.note())


class _Comparison:
    """What the topic holds, beside the log.

    Attributes:
        records: how many there were.
        wrong: a sentence for each that is not as in the log.
    """

    def __init__(self, own: OwnEvents, connection: asyncpg.Connection) -> None:
        self._own, self._connection = own, connection
        self._seen: defaultdict[int, bytearray] = defaultdict(bytearray)  # slot -> a byte for each number
        self._repetitions = self._foreign = self._unreadable = 0
        self.records = 0
        self.wrong: list[str] = []

    async def take(self, page: Sequence[Record]) -> None:
        """Compare some records, in their order."""
        events = [(record, _event_of(self._own.service, record)) for record in page]
        numbers = {(event["slot"], event["slotsequence"]) for _, event in events if event}
        asked = [slot for slot, _ in numbers], [number for _, number in numbers]
        log = {
            (row["slot"], row["slot_sequence"]): row for row in await self._connection.fetch(_ROWS, *asked)
        }
        for record, event in events:
            self.records += 1
            if record.fault:
                self._unreadable += 1
            elif event is None:
                self._foreign += 1
            else:
                self._compare(record, event, log.get((event["slot"], event["slotsequence"])))

    def _compare(self, record: Record, event: Mapping[str, Any], row: asyncpg.Record | None) -> None:
        place = f"partition {record.partition}, offset {record.offset}"
        slot, number = event["slot"], event["slotsequence"]
        is_right = row is not None and _equal(event, row)
        if not is_right and not _is_authentic(self._own, record.value):
            self._foreign += 1
        elif row is None:
            self.wrong.append(f"{place}: number {number} of slot {slot} is not in the log")
        else:
            self._repetitions += self._mark(slot, number)
            if not is_right:
                self.wrong.append(f"{place}: number {number} of slot {slot} differs from the log")

    def _mark(self, slot: int, number: int) -> int:
        """1 where it was seen before. The number is in the log: no stranger makes it a large one."""
        seen = self._seen[slot]
        seen.extend(bytes(max(0, number + 1 - len(seen))))
        before, seen[number] = seen[number], 1
        return before

    async def note(self) -> str:
        """What else there is to tell."""
        held = sum(map(sum, self._seen.values()))
        told = f"{held} of {await self._connection.fetchval(_COUNT)} still held"
        told += f", {self._repetitions} repetitions"
        told += f", {self._foreign} records of others" if self._foreign else ""
        return told + (f", {self._unreadable} batches that cannot be read" if self._unreadable else "")


def _event_of(service: str, record: Record) -> Mapping[str, Any] | None:
    try:
        event = loaded(record.value)
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
