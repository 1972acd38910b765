"""A complaint is recorded once, however often it is sent, and its answer is the same each time."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import asyncpg
import orjson
import pytest

from shared.store import append_queue
from tests.running import Running

BODY: dict[str, Any] = {
    "channel": "phone",
    "narrative": "He showed up at my door again. My number is 07700 900123.",
    "subjects": [{"name": "PC Quentin Oddname", "force": "hampshire", "collar_number": "7743"}],
    "allegations": [{"code": "partner_abuse.stalking"}],
    "incident": {"from": "2020-03-01", "to": "2020-03-31", "force": "hampshire"},
}


async def record(intake: Running, body: dict[str, Any], key: str | None = None) -> tuple[int, Any]:
    headers = {"Idempotency-Key": key} if key else {}
    return await intake.json("POST", "/v1/complaints", json=body, headers=headers)


async def recorded_events(database_url: str) -> int:
    connection = await asyncpg.connect(database_url)
    try:
        count: int = await connection.fetchval(
            "SELECT count(*) FROM events WHERE type = 'complaint.recorded'"
        )
    finally:
        await connection.close()
    return count


async def test_a_complaint_is_answered_with_a_receipt_and_what_was_taken_out(intake: Running) -> None:
    status, answer = await record(intake, BODY, "call-1")
    assert status == 201
    assert len(answer["receipt"]) == 16
    assert answer["receipt"].isdecimal()
    assert answer["redactions"] == [{"kind": "phone", "count": 1}]


async def test_the_same_key_and_body_again_get_the_same_answer(intake: Running, database_url: str) -> None:
    first = await record(intake, BODY, "call-1")
    again = await record(intake, BODY, "call-1")
    assert (first[0], again[0]) == (201, 200)
    assert again[1] == first[1]
    assert await recorded_events(database_url) == 1


async def test_the_same_key_with_another_body_is_refused_and_names_the_key(intake: Running) -> None:
    await record(intake, BODY, "call-1")
    status, problem = await record(intake, {**BODY, "channel": "web"}, "call-1")
    assert status == 422
    assert problem["errors"][0]["field"] == "Idempotency-Key"


@pytest.mark.parametrize("key", ["", "x" * 201])
async def test_an_empty_key_or_one_that_is_too_long_is_refused_and_named(
    intake: Running, database_url: str, key: str
) -> None:
    contact = {"channel": "phone", "disposition": "abandoned"}
    for path, body in (("/v1/complaints", BODY), ("/v1/contacts", contact)):
        status, problem = await intake.json("POST", path, json=body, headers={"Idempotency-Key": key})
        assert status == 422
        assert [error["field"] for error in problem["errors"]] == ["Idempotency-Key"]
    assert await recorded_events(database_url) == 0


async def test_without_a_key_two_calls_are_two_complaints(intake: Running, database_url: str) -> None:
    first, second = await record(intake, BODY), await record(intake, BODY)
    assert first[1]["complaint_id"] != second[1]["complaint_id"]
    assert first[1]["receipt"] != second[1]["receipt"]
    assert await recorded_events(database_url) == 2


async def test_twenty_requests_with_one_key_at_once_make_one_complaint(
    intake: Running, database_url: str
) -> None:
    answers = await asyncio.gather(*(record(intake, BODY, "call-1") for _ in range(20)))
    statuses = {status for status, _ in answers}
    assert statuses <= {200, 201, 409}
    assert [status for status, _ in answers].count(201) == 1
    assert len({answer["complaint_id"] for status, answer in answers if status != 409}) == 1
    assert await recorded_events(database_url) == 1


async def test_when_too_much_waits_to_be_written_it_is_refused_and_told_when_to_come_again(
    intake: Running, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(append_queue, "QUEUE_LIMIT", 0)
    async with intake.ask("POST", "/v1/complaints", json=BODY) as answer:
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) >= 1
    monkeypatch.undo()
    assert (await record(intake, BODY))[0] == 201
    assert await recorded_events(database_url) == 1


async def test_who_continues_an_earlier_complaint_shares_its_source(intake: Running) -> None:
    _, first = await record(intake, BODY)
    typed = " ".join(first["receipt"][i : i + 4] for i in range(0, 16, 4))
    status, second = await record(intake, {**BODY, "continues": typed})
    assert status == 201
    assert second["receipt"] != first["receipt"]


async def test_a_receipt_of_nobody_is_refused_and_nothing_is_stored(
    intake: Running, database_url: str
) -> None:
    status, problem = await record(intake, {**BODY, "continues": "0000000000000000"})
    assert status == 422
    assert problem["errors"][0]["field"] == "continues"
    assert await recorded_events(database_url) == 0


async def test_what_is_shown_of_a_complaint_is_sanitised(intake: Running) -> None:
    _, answer = await record(intake, BODY)
    status, shown = await intake.json("GET", f"/v1/complaints/{answer['complaint_id']}")
    assert status == 200
    assert shown["body"]["narrative"] == "He showed up at my door again. My number is [phone]."
    assert shown["body"]["subjects"][0]["name"] == "PC Quentin Oddname"


async def test_a_call_handler_sees_what_they_recorded_and_nobody_elses(intake: Running) -> None:
    _, answer = await record(intake, BODY)
    lines = orjson.dumps(BODY) + b"\n"
    async with intake.ask("POST", "/v1/imports", data=lines) as imported:
        line = orjson.loads(await imported.read())
    none = await answered(intake, f"/v1/complaints/{uuid4()}")
    assert none[0] == 404
    for complaint_id in (answer["complaint_id"], line["complaint_id"]):
        path = f"/v1/complaints/{complaint_id}"
        assert (await intake.json("GET", path))[0] == 200
        assert await answered(intake, path, subject="somebody-else") == none


@pytest.mark.parametrize(
    "holder", [{"name": "Quentin Oddname"}, {"collar_number": "7743", "force": "hampshire"}]
)
async def test_who_is_accused_sees_what_they_recorded_as_if_it_were_not_there(
    intake: Running, holder: dict[str, Any]
) -> None:
    """The world with the complaint and the one without differ in no answer to this call handler."""
    _, answer = await record(intake, BODY)
    path, nowhere = f"/v1/complaints/{answer['complaint_id']}", f"/v1/complaints/{uuid4()}"
    without = await answered(intake, nowhere, holder=holder)
    assert without[0] == 404
    assert await answered(intake, path, holder=holder) == without
    assert (await answered(intake, path, holder={"name": "Jane Wilson", "force": "hampshire"}))[0] == 200


async def answered(intake: Running, path: str, **claims: Any) -> tuple[int, dict[str, str], str]:
    """The whole answer to an account with these claims, but for the second of it."""
    headers = {"Authorization": f"Bearer {intake.token('call_handler', **claims)}"}
    async with intake.ask("GET", path, None, headers=headers) as answer:
        kept = {name.lower(): value for name, value in answer.headers.items() if name.lower() != "date"}
        return answer.status, kept, await answer.text()


async def test_an_unknown_complaint_is_not_found(intake: Running) -> None:
    status, _ = await intake.json("GET", "/v1/complaints/7f0c1a52-6a75-4f5c-8f41-6f1b6d3c1a11")
    assert status == 404


async def test_the_preview_takes_out_what_recording_would_and_stores_nothing(
    intake: Running, database_url: str
) -> None:
    status, preview = await intake.json("POST", "/v1/sanitise", json={"narrative": BODY["narrative"]})
    assert status == 200
    (span,) = preview["redactions"]
    assert BODY["narrative"][span["start"] : span["end"]] == "07700 900123"
    assert (preview["doubts"], preview["held"]) == ([], False)
    assert await recorded_events(database_url) == 0


async def test_the_preview_knows_the_subjects_of_the_form_and_says_what_is_in_doubt(careful: Running) -> None:
    body = {"narrative": "He hit me. Tom Ward saw it.", "subjects": [{"name": "PC David Ward"}]}
    status, preview = await careful.json("POST", "/v1/sanitise", json=body)
    assert (status, preview["narrative"]) == (200, "He hit me. [name-1] saw it.")
    assert preview["redactions"] == [{"start": 11, "end": 19, "kind": "name", "person": 1}]
    assert preview["held"]
    (doubt,) = preview["doubts"]
    assert (doubt["start"], doubt["end"], doubt["field"]) == (11, 19, "narrative")


async def test_other_roles_record_nothing(intake: Running, database_url: str) -> None:
    status, _ = await intake.json("POST", "/v1/complaints", role="assessor", json=BODY)
    assert status == 403
    status, _ = await intake.json("POST", "/v1/complaints", role=None, json=BODY)
    assert status == 401
    assert await recorded_events(database_url) == 0


async def test_contacts_without_a_complaint_are_noted_once(intake: Running, database_url: str) -> None:
    contact = {"channel": "phone", "disposition": "abandoned", "count": 12}
    key = {"Idempotency-Key": "monday"}
    assert await intake.json("POST", "/v1/contacts", json=contact, headers=key) == (201, {"count": 12})
    assert await intake.json("POST", "/v1/contacts", json=contact, headers=key) == (200, {"count": 12})
    status, problem = await intake.json("POST", "/v1/contacts", json={**contact, "disposition": "bored"})
    assert status == 422
    assert problem["errors"][0]["field"] == "disposition"


async def test_white_space_around_a_key_makes_no_other_key(intake: Running, database_url: str) -> None:
    """aiohttp takes it away itself, so this is sent as it stands."""
    body = json.dumps(BODY)
    answers = []
    for key in ("call-1  ", "call-1", "\tcall-1 \t"):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(intake.url.rpartition(":")[2]))
        writer.write(
            f"POST /v1/complaints HTTP/1.1\r\nHost: hotline\r\nConnection: close\r\n"
            f"Authorization: Bearer {intake.token('call_handler')}\r\nIdempotency-Key: {key}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        head, _, answer = (await reader.read()).decode().partition("\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        answers.append((head.split()[1], json.loads(answer)))
    assert [status for status, _ in answers] == ["201", "200", "200"]
    assert answers[0][1] == answers[1][1] == answers[2][1]
    assert await recorded_events(database_url) == 1
