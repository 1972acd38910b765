"""An import answers a line a line, stops at nothing, and changes nothing when it comes again."""

import asyncio
import json
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import pytest

from services.intake import importing
from shared.store.postgres import PostgresStore
from shared.store.requests import Appended, AppendRequest
from tests.integration.services.intake.test_recording import BODY, recorded_events
from tests.running import Running


def lines(*bodies: Any) -> bytes:
    return b"".join(
        (body if isinstance(body, bytes) else json.dumps(body).encode()) + b"\n" for body in bodies
    )


async def send(intake: Running, data: Any) -> list[dict[str, Any]]:
    async with intake.ask("POST", "/v1/imports", data=data) as answer:
        assert answer.status == 200
        return [json.loads(line) async for line in answer.content]


async def test_each_line_is_answered_in_order_and_a_bad_one_stops_nothing(
    intake: Running, database_url: str
) -> None:
    answers = await send(
        intake,
        lines(BODY, b"{no json", {**BODY, "channel": "pigeon"}, {**BODY, "narrative": "Another one."}),
    )
    assert [answer["line"] for answer in answers] == [1, 2, 3, 4]
    assert ["error" in answer for answer in answers] == [False, True, True, False]
    assert answers[2]["error"]["errors"][0]["field"] == "channel"
    assert await recorded_events(database_url) == 2


async def test_the_same_file_again_changes_nothing(intake: Running, database_url: str) -> None:
    file = lines(*({**BODY, "external_reference": f"{number}"} for number in range(300)))
    first = await send(intake, file)
    again = await send(intake, file)
    assert [answer["complaint_id"] for answer in again] == [answer["complaint_id"] for answer in first]
    assert all(answer["repeated"] for answer in again)
    assert not any("repeated" in answer for answer in first)
    assert await recorded_events(database_url) == 300


async def test_equal_lines_of_one_file_are_complaints_of_their_own(
    intake: Running, database_url: str
) -> None:
    answers = await send(intake, lines(BODY, BODY, BODY))
    assert len({answer["complaint_id"] for answer in answers}) == 3
    again = await send(intake, lines(BODY, BODY, BODY, BODY))
    assert ["repeated" in answer for answer in again] == [True, True, True, False]
    assert await recorded_events(database_url) == 4


async def test_a_line_that_is_too_long_is_refused_alone(intake: Running, database_url: str) -> None:
    file = lines(BODY, b"x" * (2 * 1024 * 1024), {**BODY, "narrative": "After it."})
    answers = await send(intake, BytesIO(file))
    assert ["error" in answer for answer in answers] == [False, True, False]
    assert await recorded_events(database_url) == 2


async def test_no_more_lines_are_in_hand_than_have_their_bytes(
    intake: Running, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once 256 of the longest lines were read and sealed side by side."""
    large = {**BODY, "narrative": "He took money. " * 600}
    file = lines(*({**large, "external_reference": f"{number}"} for number in range(60)))
    in_hand, most, append = 0, 0, PostgresStore.append

    async def counted(store: PostgresStore, request: AppendRequest) -> Appended:
        nonlocal in_hand, most
        in_hand += 1
        most = max(most, in_hand)
        try:
            return await append(store, request)
        finally:
            in_hand -= 1

    monkeypatch.setattr(PostgresStore, "append", counted)
    monkeypatch.setattr(importing, "BYTES_AT_ONCE", 4 * len(lines(large)))
    assert not any("error" in answer for answer in await send(intake, BytesIO(file)))
    assert 1 <= most <= 4
    assert await recorded_events(database_url) == 60


async def test_a_last_line_without_its_end_counts(intake: Running) -> None:
    assert len(await send(intake, lines(BODY)[:-1])) == 1


async def test_two_imports_of_one_file_at_once_make_it_once(intake: Running, database_url: str) -> None:
    file = lines(*({**BODY, "external_reference": f"{number}"} for number in range(200)))
    one, other = await asyncio.gather(send(intake, file), send(intake, file))
    assert [a["complaint_id"] for a in one] == [a["complaint_id"] for a in other]
    assert await recorded_events(database_url) == 200


async def test_a_client_that_only_sends_does_not_stop_the_import(intake: Running, database_url: str) -> None:
    """Answers that nobody reads yet fill the sockets; the server must go on reading all the same."""
    count = 3000

    async def body() -> AsyncIterator[bytes]:
        for number in range(count):
            yield lines({**BODY, "external_reference": f"{number}"})
            if number % 100 == 0:
                await asyncio.sleep(0)

    answers = await send(intake, body())
    assert len(answers) == count
    assert await recorded_events(database_url) == count


async def test_equal_lines_count_however_they_are_spelled(intake: Running, database_url: str) -> None:
    """Counting the bytes of lines and keying what they say would take the second spelling for a repetition of
    the first, and lose it."""
    reordered = dict(reversed(BODY.items()))
    file = lines(BODY, reordered, {**BODY, "wish": "pass_on"}, json.dumps(BODY, indent=None).encode() + b"\r")
    answers = await send(intake, file)
    assert not any("repeated" in answer for answer in answers)
    assert len({answer["complaint_id"] for answer in answers}) == 4
    assert all(answer["repeated"] for answer in await send(intake, file))
    assert await recorded_events(database_url) == 4


MARK = b"\xef\xbb\xbf"


async def test_a_byte_order_mark_before_a_file_or_a_line_is_passed_over(
    intake: Running, database_url: str
) -> None:
    file = MARK + lines(BODY, MARK + json.dumps({**BODY, "narrative": "Another one."}).encode(), MARK)
    answers = await send(intake, file)
    assert ["error" in answer for answer in answers] == [False, False]
    assert await recorded_events(database_url) == 2
    assert [answer["repeated"] for answer in await send(intake, file.replace(MARK, b""))] == [True, True]


async def test_a_line_that_says_something_twice_is_refused_alone(intake: Running, database_url: str) -> None:
    answers = await send(intake, lines(b'{"channel": "phone", "narrative": "a", "narrative": "b"}', BODY))
    assert answers[0]["error"]["errors"] == [{"field": "narrative", "message": "must be given once"}]
    assert "complaint_id" in answers[1]
    assert await recorded_events(database_url) == 1
