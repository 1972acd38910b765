"""One service's own log and inbox: numbers without gaps, each event once."""

import zlib
from collections import Counter

import asyncpg

from deploy.verification.findings import Findings

SLOTS = 240


async def check_log(service: str, connection: asyncpg.Connection, findings: Findings) -> None:
    """Positions, stream versions, slot numbers and applied numbers of one service."""
    count, least, most = await _one_row(
        connection, "SELECT count(*), min(position), max(position) FROM events"
    )
    gaps = (
        [f"{count} events between positions {least} and {most}"]
        if count and (least, most) != (1, count)
        else []
    )
    findings.add(f"{service}: positions have no gaps", count, gaps)

    rows = await connection.fetch(
        "SELECT stream_id FROM events GROUP BY stream_id "
        "HAVING min(version) <> 1 OR max(version) <> count(*) ORDER BY stream_id LIMIT 11"
    )
    streams = await connection.fetchval("SELECT count(DISTINCT stream_id) FROM events")
    findings.add(
        f"{service}: versions of each stream have no gaps", streams, [f"stream {row[0]}" for row in rows]
    )

    rows = await connection.fetch(
        "SELECT slot, count(*), min(slot_sequence), max(slot_sequence) FROM events "
        "WHERE slot IS NOT NULL GROUP BY slot ORDER BY slot"
    )
    wrong = [
        f"slot {slot}: {n} events from {low} to {high}"
        for slot, n, low, high in rows
        if (low, high) != (1, n)
    ]
    findings.add(f"{service}: slot numbers have no gaps", len(rows), wrong)

    public = await connection.fetch("SELECT DISTINCT stream_id, slot FROM events WHERE slot IS NOT NULL")
    misplaced = [
        f"stream {stream} in slot {slot}"
        for stream, slot in public
        if zlib.crc32(stream.encode()) % SLOTS != slot
    ]
    findings.add(f"{service}: each stream is in its own slot", len(public), misplaced)

    count, least, most = await _one_row(
        connection, "SELECT count(*), min(applied_no), max(applied_no) FROM inbox WHERE state = 'applied'"
    )
    wrong = [f"{count} applied from {least} to {most}"] if count and (least, most) != (1, count) else []
    findings.add(f"{service}: applied numbers have no gaps", count, wrong)


async def _one_row(connection: asyncpg.Connection, query: str) -> asyncpg.Record:
    (row,) = await connection.fetch(query)
    return row


async def check_following(
    owner: str,
    follower: str,
    published: asyncpg.Connection,
    consumed: asyncpg.Connection,
    findings: Findings,
) -> None:
    """What a follower consumed of an owner is exactly what the owner published, each event once."""
    log = {
        (row["slot"], row["slot_sequence"]): row["event_id"]
        for row in await published.fetch(
            "SELECT slot, slot_sequence, event_id FROM events WHERE slot IS NOT NULL"
        )
    }
    inbox_rows = await consumed.fetch(
        "SELECT slot, slot_sequence, event_id, state FROM inbox WHERE source = $1", owner
    )
    inbox = {(row["slot"], row["slot_sequence"]): row["event_id"] for row in inbox_rows}
    times = Counter(row["event_id"] for row in inbox_rows)
    wrong = [f"lost: number {at[1]} of slot {at[0]}" for at in sorted(log.keys() - inbox.keys())]
    wrong += [
        f"unknown to its owner: number {at[1]} of slot {at[0]}" for at in sorted(inbox.keys() - log.keys())
    ]
    wrong += [
        f"another event: number {at[1]} of slot {at[0]}"
        for at in sorted(log.keys() & inbox.keys())
        if log[at] != inbox[at]
    ]
    wrong += [f"double: event {event}" for event, count in times.items() if count > 1]
    findings.add(f"{follower} received each event of {owner} once", len(log), wrong)

    heads: dict[int, int] = {}
    for slot, number in log:
        heads[slot] = max(number, heads.get(slot, 0))
    rows = await consumed.fetch("SELECT slot, at FROM cursors WHERE source = $1", owner)
    cursors = {row["slot"]: row["at"] for row in rows}
    wrong = [
        f"slot {slot}: cursor {cursors.get(slot, 0)}, head {heads.get(slot, 0)}"
        for slot in sorted(heads.keys() | cursors.keys())
        if heads.get(slot, 0) != cursors.get(slot, 0)
    ]
    findings.add(f"{follower} stands at the heads of {owner}", len(heads), wrong)

    waiting = [row for row in inbox_rows if row["state"] in ("parked", "queued")]
    findings.add(
        f"{follower} has none of {owner} parked",
        len(inbox_rows),
        [f"{row['state']}: number {row['slot_sequence']} of slot {row['slot']}" for row in waiting],
    )
