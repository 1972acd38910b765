"""What tests of the release queue share: complaints that leave a doubt, and people who ask for them."""

import json
from typing import Any

import asyncpg

from tests.running import Running

SECRET = "Tom Ward"
"""Of whom it is not sure whether he is police; masked as `[name-1]`."""
UNSURE: dict[str, Any] = {
    "channel": "phone",
    "narrative": f"He hit me behind the mill. {SECRET} saw it. They call it zorbleth there. "
    "Ring me on 07700 900123.",
    "subjects": [{"name": "PC David Ward", "force": "hampshire", "collar_number": "7743"}],
    "allegations": [{"code": "partner_abuse.stalking"}],
}
SURE: dict[str, Any] = {"channel": "phone", "narrative": "He showed up at my door again."}
HANDLER, REVIEWER, ANOTHER = "handler-1", "reviewer-1", "reviewer-2"


async def asked(
    intake: Running,
    method: str,
    path: str,
    role: str = "release_reviewer",
    subject: str = REVIEWER,
    *,
    version: int | None = None,
    json: Any = None,
    holder: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, Any]:
    """(status, JSON) of an answer to this account."""
    status, _, answer = await answered(
        intake, method, path, role, subject, version=version, json=json, holder=holder, headers=headers
    )
    return status, answer


async def answered(
    intake: Running,
    method: str,
    path: str,
    role: str,
    subject: str,
    *,
    version: int | None = None,
    json: Any = None,
    holder: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, dict[str, str], Any]:
    """(status, headers but for the second, JSON) of an answer to this account."""
    claims: dict[str, Any] = {"subject": subject} | ({"holder": holder} if holder else {})
    sent = {"Authorization": f"Bearer {intake.token(role, **claims)}", **(headers or {})}
    if version is not None:
        sent["If-Match"] = f'"{version}"'
    async with intake.ask(method, path, None, json=json, headers=sent) as answer:
        kept = {name.lower(): value for name, value in answer.headers.items() if name.lower() != "date"}
        text = await answer.text()
        return answer.status, kept, _read(text)


def _read(text: str) -> Any:
    return json.loads(text) if text else None


async def recorded(
    intake: Running, body: dict[str, Any], subject: str = HANDLER, key: str | None = None
) -> dict[str, Any]:
    """The answer to a complaint that was taken."""
    headers = {"Idempotency-Key": key} if key else None
    status, answer = await asked(
        intake, "POST", "/v1/complaints", "call_handler", subject, json=body, headers=headers
    )
    assert status in (200, 201), answer
    taken: dict[str, Any] = answer
    return taken


async def rows(database_url: str, query: str, *parameters: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(database_url)
    try:
        found: list[asyncpg.Record] = await connection.fetch(query, *parameters)
    finally:
        await connection.close()
    return found


async def published(database_url: str) -> int:
    """How many complaints were published."""
    query = "SELECT count(*) FROM events WHERE type = 'complaint.recorded' AND slot IS NOT NULL"
    return int((await rows(database_url, query))[0][0])


async def data_keys(database_url: str) -> set[str]:
    return {str(row[0]) for row in await rows(database_url, "SELECT key_id FROM data_keys")}
