"""Calls made as fast as so many connections allow, each its next one at once. S3 and S6 make theirs so.

A call keeps its Idempotency-Key. A connection that breaks, or finds nobody, is no answer: the call is made
again, at the next replica. Any answer but 200 and 201 is a refusal, and the call's end.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import aiohttp
import orjson

ANSWER_SECONDS = 60.0
PATIENCE = 120.0
"""Seconds after which a call that nobody answers ends the measurement."""
_PAUSE = 0.05


@dataclass(slots=True)
class Called:
    """What became of the calls.

    Attributes:
        accepted: call -> the complaint that it became.
        refused: status -> how many calls.
        broken: attempts without an answer.
        seconds: from the first call to the last answer.
    """

    accepted: dict[int, str] = field(default_factory=dict)
    refused: Counter[int] = field(default_factory=Counter)
    broken: int = 0
    seconds: float = 0.0

    @property
    def answered(self) -> int:
        return len(self.accepted) + self.refused.total()


async def call(
    bodies: Sequence[bytes],
    urls: Sequence[str],
    token: str,
    *,
    connections: int,
    tell: Callable[[Called], None] = lambda _: None,
) -> Called:
    """Every body once; `tell` hears each answer.

    Args:
        urls: the replicas, which are called in turn.

    Raises:
        RuntimeError: a call was not answered for `PATIENCE` seconds.
    """
    called = Called()
    waiting = iter(enumerate(bodies))
    places = [f"{url}/v1/complaints" for url in urls]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    begin = time.monotonic()
    async with (
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections),
            timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
        ) as session,
        asyncio.TaskGroup() as lines,
    ):

        async def answered(number: int, body: bytes) -> tuple[int, bytes]:
            until = time.monotonic() + PATIENCE
            key = {"Idempotency-Key": f"call-{number}"}
            attempt = 0
            while time.monotonic() < until:
                place = places[(number + attempt) % len(places)]
                try:
                    async with session.post(place, data=body, headers=headers | key) as answer:
                        return answer.status, await answer.read()
                except (aiohttp.ClientError, OSError, TimeoutError):
                    called.broken += 1
                attempt += 1
                if attempt % len(places) == 0:  # none of them answered
                    await asyncio.sleep(_PAUSE)
            raise RuntimeError(f"call {number} was not answered for {PATIENCE:g} s")

        async def call_in_turn() -> None:
            for number, body in waiting:
                status, content = await answered(number, body)
                if status in (200, 201):
                    called.accepted[number] = orjson.loads(content)["complaint_id"]
                else:
                    called.refused[status] += 1
                called.seconds = time.monotonic() - begin
                tell(called)

        for _ in range(connections):
            lines.create_task(call_in_turn())
    return called
