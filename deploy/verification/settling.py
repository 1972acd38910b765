"""Whether anything is still on its way between the services."""

from collections.abc import Mapping

import asyncpg

FOLLOWED: Mapping[str, tuple[str, ...]] = {
    "dedup": ("intake", "referral"),
    "referral": ("intake", "dedup"),
    "intake": ("referral",),
}
"""follower -> the owners whose events it consumes."""


async def is_settled(databases: Mapping[str, asyncpg.Connection]) -> bool:
    """Every follower stands at its owners' heads, and dedup's resolver at its own log's."""
    heads = {owner: await _heads(connection) for owner, connection in databases.items()}
    for follower, owners in FOLLOWED.items():
        for owner in owners:
            rows = await databases[follower].fetch("SELECT slot, at FROM cursors WHERE source = $1", owner)
            cursors = {row["slot"]: row["at"] for row in rows}
            if any(cursors.get(slot, 0) < head for slot, head in heads[owner].items()):
                return False
    # What the resolver itself appends lies above the position it has read; it needs no second look.
    if not await databases["dedup"].fetchval(
        "SELECT coalesce((SELECT at FROM cursors WHERE source = 'resolver' AND slot = 0), 0)"
        " >= coalesce((SELECT max(position) FROM events WHERE slot IS NULL), 0)"
    ):
        return False
    # Nor did anybody publish since, above all the resolver what it had just read.
    return heads == {owner: await _heads(connection) for owner, connection in databases.items()}


async def _heads(connection: asyncpg.Connection) -> dict[int, int]:
    rows = await connection.fetch(
        "SELECT slot, max(slot_sequence) AS head FROM events WHERE slot IS NOT NULL GROUP BY slot"
    )
    return {row["slot"]: row["head"] for row in rows}
