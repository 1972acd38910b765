"""`POST /v1/imports`: a stream of complaint bodies, a line answered per line read, in their order.

A bad line stops nothing. Lines are recorded side by side, so that commits gather, but no more of them than
have `BYTES_AT_ONCE`. Answers wait in memory for a client that reads late, else one that only sends would stop
both; with `ANSWERS_WAITING` of them it is stopped.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from hashlib import sha256

import orjson
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from services.intake.recording import Recorder, canonical
from shared.contracts.complaint import ComplaintBody
from shared.contracts.json_text import without_mark
from shared.errors import FieldError, Unprocessable
from shared.store.requests import StoreHalted, StoreUnavailable
from shared.web.edge import BODY_LIMIT

MEDIA_TYPE = "application/x-ndjson"
LINES_AT_ONCE = 256
BYTES_AT_ONCE = 4 * 2**20
ANSWERS_WAITING = 100_000
"""Some 70 MB."""


class ImportResponse(Response):
    """Reads the request and answers it at the same time, which a framework's response would not."""

    media_type = MEDIA_TYPE

    def __init__(self, recorder: Recorder, caller: str) -> None:
        super().__init__()
        self._recorder, self._caller = recorder, caller

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", MEDIA_TYPE.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        answers: asyncio.Queue[Awaitable[bytes] | None] = asyncio.Queue(ANSWERS_WAITING)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(receive, answers, tasks))
                while (answer := await answers.get()) is not None:
                    await send({"type": "http.response.body", "body": await answer, "more_body": True})
            is_connected = True
        except* (ClientDisconnect, OSError):
            is_connected = False  # what was recorded stays; the same file again goes on from there
        if is_connected:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _read(
        self, receive: Receive, answers: "asyncio.Queue[Awaitable[bytes] | None]", tasks: asyncio.TaskGroup
    ) -> None:
        seen: Counter[bytes] = Counter()
        in_hand = _InHand()
        number = 0
        async for raw in _lines(receive):
            number += 1
            if not without_mark(raw).strip():
                continue
            await in_hand.enter(len(raw))
            task = tasks.create_task(self._answer(number, *self._counted(raw, seen)))
            task.add_done_callback(partial(in_hand.leave, len(raw)))
            await answers.put(task)
        await answers.put(None)

    def _counted(self, raw: bytes, seen: Counter[bytes]) -> tuple[ComplaintBody | Unprocessable, int]:
        """The line's complaint, and how many lines before it say the same: whatever their spelling, for
        their keys are made of what was read."""
        try:
            if len(raw) > BODY_LIMIT:
                raise Unprocessable.field("body", f"must not be longer than {BODY_LIMIT} bytes")
            body = self._recorder.read_line(raw)
        except Unprocessable as fault:
            return fault, 0
        digest = sha256(canonical(body)).digest()
        seen[digest] += 1
        return body, seen[digest] - 1

    async def _answer(self, number: int, body: ComplaintBody | Unprocessable, occurrence: int) -> bytes:
        try:
            if isinstance(body, Unprocessable):
                raise body
            recorded = await self._recorder.record_line(body, self._caller, occurrence)
        except Unprocessable as fault:
            return _line(line=number, error={"detail": fault.detail, "errors": _shown(fault.errors)})
        except (StoreUnavailable, StoreHalted):
            detail = "not kept: the database is away; send the file again"
            return _line(line=number, error={"detail": detail, "retry": True})
        marks = {"held": recorded.is_held, "repeated": recorded.is_repeated}
        said = {name: True for name, is_true in marks.items() if is_true}
        return _line(line=number, complaint_id=str(recorded.complaint_id), **said)


class _InHand:
    """The lines that are being recorded, bounded in number and in bytes."""

    def __init__(self) -> None:
        self._lines = self._bytes = 0
        self._left = asyncio.Event()

    async def enter(self, size: int) -> None:
        """Returns when there is room; a line that has more bytes than all may have gets in alone."""
        while self._lines >= LINES_AT_ONCE or (self._lines and self._bytes + size > BYTES_AT_ONCE):
            self._left.clear()
            await self._left.wait()
        self._lines += 1
        self._bytes += size

    def leave(self, size: int, _: object) -> None:
        self._lines -= 1
        self._bytes -= size
        self._left.set()


def _shown(errors: tuple[FieldError, ...]) -> list[dict[str, str]]:
    return [{"field": error.field, "message": error.message} for error in errors]


def _line(**members: object) -> bytes:
    return orjson.dumps(members) + b"\n"


async def _lines(receive: Receive) -> AsyncIterator[bytes]:
    """The lines of a request's body; one over the limit comes cut, so that it is refused without being
    held whole."""
    buffer = bytearray()
    is_cut = False
    async for chunk in _chunks(receive):
        *ended, rest = chunk.split(b"\n")
        for part in ended:
            if not is_cut:
                buffer += part
            yield bytes(buffer)
            buffer.clear()
            is_cut = False
        if len(buffer) <= BODY_LIMIT:
            buffer += rest
        is_cut = len(buffer) > BODY_LIMIT
    if buffer:
        yield bytes(buffer)


async def _chunks(receive: Callable[[], Awaitable[Message]]) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return
