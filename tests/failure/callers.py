"""Callers who do not give up: complaints posted while everything dies, and what was answered to each.

Each call keeps its Idempotency-Key until a replica has accepted it, whatever breaks in between, and one in
ten is sent again afterwards: the answer must be the same. What was accepted is what the checker looks for.
"""

import asyncio
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

from deploy.simulation import simulate

REFERENCE = "call {}"
"""A call's `external_reference`, by which its complaint is known again in the log."""

_AGAIN = 0.1
_ANSWER_SECONDS = 20.0
_LONGEST_PAUSE = 1.0


@dataclass(slots=True)
class Calls:
    """What became of them.

    Attributes:
        accepted: call -> the complaint that it became, and its receipt.
        wrong: answers that must never be, in words.
        retried: the reason of each attempt that was not accepted -> how many.
        slowest: seconds from the first attempt of a call to its acceptance, the most.
    """

    accepted: dict[int, tuple[str, str]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    retried: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    slowest: float = 0.0


class Callers:
    """`with Callers(...) as calls:` they call while the body runs; then those under way come to their end.

    Args:
        addresses: the replicas that take calls now, asked at each attempt.
        pace: calls a second.
    """

    def __init__(
        self, addresses: Callable[[], Sequence[str]], token: str, *, pace: float, most: int, seed: int
    ) -> None:
        self._addresses, self._pace = addresses, pace
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._bodies = simulate(most, seed).complaints
        self._chance = random.Random(seed)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._call_all()), name="callers")
        self.calls = Calls()

    def __enter__(self) -> Calls:
        self._thread.start()
        return self.calls

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    async def _call_all(self) -> None:
        timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as calls:
            for number, body in enumerate(self._bodies):
                if self._is_over.is_set():
                    return
                calls.create_task(self._call(session, number, body))
                await asyncio.sleep(self._chance.expovariate(self._pace))
        if not self._is_over.is_set():
            self.calls.wrong.append(f"after {len(self._bodies)} calls there were none left to make")

    async def _call(self, session: aiohttp.ClientSession, number: int, body: dict[str, Any]) -> None:
        raw = orjson.dumps({**body, "external_reference": REFERENCE.format(number)})
        begin = time.monotonic()
        status, answer = await self._post_until_accepted(session, raw, f"call-{number}")
        told = answer["complaint_id"], answer["receipt"]
        self.calls.accepted[number] = told
        self.calls.slowest = max(self.calls.slowest, time.monotonic() - begin)
        if self._chance.random() < _AGAIN:
            status, again = await self._post_until_accepted(session, raw, f"call-{number}")
            self.calls.repeated += 1
            if status != 200 or (again["complaint_id"], again["receipt"]) != told:
                self.calls.wrong.append(f"call {number} sent again is answered otherwise ({status})")

    async def _post_until_accepted(
        self, session: aiohttp.ClientSession, raw: bytes, key: str
    ) -> tuple[int, dict[str, Any]]:
        pause = 0.05
        headers = {**self._headers, "Idempotency-Key": key}
        while True:
            address = self._chance.choice(self._addresses())
            try:
                async with session.post(f"{address}/v1/complaints", data=raw, headers=headers) as answer:
                    content = await answer.read()
                    if answer.status in (200, 201):
                        accepted: dict[str, Any] = orjson.loads(content)
                        return answer.status, accepted
                    if answer.status not in (409, 503):
                        self.calls.wrong.append(f"{key} is answered {answer.status}: {content[:200]!r}")
                    reason = str(answer.status)
            except (aiohttp.ClientError, ConnectionError, TimeoutError) as fault:
                reason = type(fault).__name__
            self.calls.retried[reason] += 1
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
