"""The three services tell the same story: each complaint indexed and in one case, incidents are cases."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from typing import Any
from uuid import UUID

import aiohttp
import asyncpg

from deploy.verification.findings import Findings

Databases = Mapping[str, asyncpg.Connection]

_COMPLAINTS = "SELECT (data->'clear'->>'complaint_id')::uuid AS id FROM events WHERE type = $1"


# The texts that wait: those whose key there still is.
_HELD = """
SELECT (e.data->'clear'->>'complaint_id')::uuid AS id
FROM events e JOIN data_keys k ON k.key_id = (e.data->'clear'->>'key_id')::uuid
WHERE e.type = 'release.held'
"""


async def check_agreement(databases: Databases, findings: Findings) -> None:
    """Complaints of intake, the index of dedup and the cases of referral, one against the other."""
    recorded = await _ids(databases["intake"], _COMPLAINTS, "complaint.recorded")
    erased = await _ids(databases["intake"], _COMPLAINTS, "complaint.erased")
    alive = recorded - erased
    await _check_releases(databases["intake"], recorded, findings)
    indexed = await _ids(databases["dedup"], "SELECT complaint_id AS id FROM indexed")
    findings.add("each complaint is indexed", len(alive), _difference(alive, indexed, "index"))

    placed = await databases["referral"].fetch(
        "SELECT complaint_id, case_id, is_held FROM placements WHERE is_recorded AND NOT is_erased"
    )
    known = {row["complaint_id"] for row in placed}
    findings.add("referral knows each complaint", len(alive), _difference(alive, known, "placements"))
    homeless = [str(r["complaint_id"]) for r in placed if r["case_id"] is None and not r["is_held"]]
    held = [r for r in placed if r["is_held"]]
    findings.add(
        "each complaint is in one case",
        len(placed),
        [f"no case: complaint {complaint}" for complaint in homeless]
        + [f"held, yet in a case: complaint {r['complaint_id']}" for r in held if r["case_id"]],
        f"{len(held)} wait for another source" if held else "",
    )

    case_of = {r["complaint_id"]: r["case_id"] for r in placed if r["case_id"] is not None}
    living = await _ids(databases["referral"], "SELECT case_id AS id FROM cases WHERE status <> 'merged'")
    findings.add("each case has complaints", len(living), _difference(set(case_of.values()), living, "cases"))

    links = await databases["referral"].fetch("SELECT complaint_id, case_id FROM case_complaints")
    linked = {(row["complaint_id"], row["case_id"]) for row in links}
    findings.add(
        "each case lists its complaints",
        len(case_of),
        [f"case {case} does not list {c}" for c, case in case_of.items() if (c, case) not in linked],
    )

    rows = await databases["dedup"].fetch("SELECT complaint_id, incident_id FROM incident_members")
    incident_of = {complaint: complaint for complaint in case_of}
    incident_of |= {r["complaint_id"]: r["incident_id"] for r in rows if r["complaint_id"] in case_of}
    of_incidents, of_cases = _groups(incident_of), _groups(case_of)
    wrong = [
        f"complaints {_few(group)} are one incident and not one case" for group in of_incidents - of_cases
    ]
    wrong += [
        f"complaints {_few(group)} are one case and not one incident" for group in of_cases - of_incidents
    ]
    largest = max(map(len, of_incidents), default=0)
    findings.add(
        "each incident is one case",
        len(of_incidents),
        wrong,
        f"{len(of_incidents)} incidents, the largest of {largest} complaints",
    )


async def _check_releases(intake: asyncpg.Connection, recorded: set[UUID], findings: Findings) -> None:
    """A waiting complaint is published nowhere, has the key of its text, and stands in the queue."""
    queued = await _ids(intake, "SELECT complaint_id AS id FROM releases")
    readable = await _ids(intake, _HELD)
    wrong = [f"waits, and was published: complaint {one}" for one in sorted(queued & recorded, key=str)]
    wrong += _difference(readable, queued, "queue of releases")
    findings.add("what waits for its release is published nowhere", len(queued), wrong)


async def check_statistics(databases: Databases, url: str, token: str, findings: Findings) -> None:
    """`GET /v1/statistics` counts what the logs hold."""
    headers = {"Authorization": f"Bearer {token}"}
    claim = "the statistics count what the logs hold"
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session,
            session.get(f"{url}/v1/statistics", headers=headers) as answer,
        ):
            if answer.status != 200:
                findings.add(claim, 0, [f"{url}/v1/statistics answers {answer.status}"])
                return
            told: dict[str, Any] = await answer.json()
    except (aiohttp.ClientError, TimeoutError) as fault:
        findings.add(claim, 0, [f"{url} does not answer: {type(fault).__name__}"])
        return
    recorded = await _ids(databases["intake"], _COMPLAINTS, "complaint.recorded")
    erased = await _ids(databases["intake"], _COMPLAINTS, "complaint.erased")
    rows = await databases["dedup"].fetch("SELECT complaint_id, incident_id FROM incident_members")
    incident_of = {complaint: complaint for complaint in recorded - erased}
    incident_of |= {r["complaint_id"]: r["incident_id"] for r in rows if r["complaint_id"] in incident_of}
    (contacts,) = await databases["intake"].fetch(
        "SELECT coalesce(sum((data->'clear'->>'count')::int), 0) AS count FROM events WHERE type = $1",
        "contact.closed",
    )
    expected = {
        "contacts": len(recorded) + contacts["count"],
        "complaints": len(recorded),
        "incidents": len(set(incident_of.values())),
    }
    wrong = [
        f"{name}: {told[name]} told, {count} held" for name, count in expected.items() if told[name] != count
    ]
    findings.add(claim, len(recorded), wrong)


async def _ids(connection: asyncpg.Connection, query: str, *parameters: object) -> set[UUID]:
    return {row["id"] for row in await connection.fetch(query, *parameters)}


def _difference(expected: Iterable[UUID], found: Iterable[UUID], where: str) -> list[str]:
    expected, found = set(expected), set(found)
    return [f"missing in the {where}: {one}" for one in sorted(expected - found, key=str)] + [
        f"in the {where} alone: {one}" for one in sorted(found - expected, key=str)
    ]


def _groups(group_of: Mapping[UUID, Hashable]) -> set[frozenset[UUID]]:
    members: defaultdict[Hashable, set[UUID]] = defaultdict(set)
    for member, group in group_of.items():
        members[group].add(member)
    return {frozenset(group) for group in members.values()}


def _few(group: Iterable[UUID]) -> str:
    first, *others = sorted(map(str, group))
    return f"{first} and {len(others)} more" if others else first
