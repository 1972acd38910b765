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
    heads = {}
    for owner, connection in databases.items():
        rows = await connection.fetch(
            "SELECT slot, max(slot_sequence) AS head FROM events WHERE slot IS NOT NULL GROUP BY slot"
        )
        heads[owner] = {row["slot"]: row["head"] for row in rows}
    for follower, owners in FOLLOWED.items():
        for owner in owners:
            rows = await databases[follower].fetch("SELECT slot, at FROM cursors WHERE source = $1", owner)
            cursors = {row["slot"]: row["at"] for row in rows}
            if any(cursors.get(slot, 0) < head for slot, head in heads[owner].items()):
                return False
    resolved = await databases["dedup"].fetchval(
        "SELECT at FROM cursors WHERE source = 'resolver' AND slot = 0"
    )
    # What the resolver itself appends lies above the position it has read; it needs no second look.
    facts = await databases["dedup"].fetchval(
        "SELECT coalesce(max(position), 0) FROM events WHERE slot IS NULL"
    )
    return bool((resolved or 0) >= facts)
