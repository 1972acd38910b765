"""Asks dedup what became of the calls, until all are indexed and the answers stand still.

Dedup indexes a complaint before it has looked for matches, and joins matches after that; over HTTP the end
of it shows only in answers that no longer change. Two rounds over all, `STILL_SECONDS` apart, must be equal.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import aiohttp

from deploy.simulation.evaluation import Answer, Pair
from deploy.simulation.playing import RETRIED

STILL_SECONDS = 4.0
_PAUSE = 0.5
_AT_ONCE = 16
_OF_INCIDENTS = frozenset({"duplicate", "same_incident"})

Told = Callable[[str, int], None]
"""What is going on, and how many complaints are done with."""


class Matches:
    """The answers of `GET /v1/complaints/{id}/matches` for the complaints of one play."""

    def __init__(self, url: str, token: str, ids: Mapping[int, str], tell: Told) -> None:
        self._url, self._ids, self._tell = url, ids, tell
        self._headers = {"Authorization": f"Bearer {token}"}
        self._answers: dict[int, dict[str, Any]] = {}

    async def settle(self, seconds: float) -> bool:
        """Wait until nothing changes any more; False where that took longer than `seconds`."""
        until = time.monotonic() + seconds
        connector = aiohttp.TCPConnector(limit=_AT_ONCE)
        timeout = aiohttp.ClientTimeout(total=30)
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, headers=self._headers
        ) as session:
            while waiting := self.unindexed:
                await self._ask(session, waiting, "indexed")
                if self.unindexed:
                    if time.monotonic() > until:
                        return False
                    await asyncio.sleep(_PAUSE)
            before: Answer | None = None
            while before is None or self.answer() != before:
                if time.monotonic() > until:
                    return False
                before = self.answer()
                await asyncio.sleep(STILL_SECONDS)
                await self._ask(session, self._ids, "matched")
        return True

    @property
    def unindexed(self) -> list[int]:
        return [index for index in self._ids if not self._answers.get(index, {}).get("indexed")]

    def answer(self) -> Answer:
        incidents: dict[int, str] = {}
        patterns: dict[tuple[int, int], str] = {}
        for index, answer in self._answers.items():
            if (incident := answer.get("incident_id")) is not None:
                incidents[index] = incident
            for pattern in answer.get("patterns") or ():
                patterns[index, pattern["subject"]] = pattern["pattern_id"]
        waiting: set[Pair] = set()
        weights: dict[Pair, float] = {}
        for pair, item in self._kept_as_one_incident():
            weights[pair] = max(item["weight"], weights.get(pair, item["weight"]))
            if item["zone"] == "review":
                waiting.add(pair)
        return Answer(incidents, patterns, frozenset(waiting), weights)

    def _kept_as_one_incident(self) -> Iterator[tuple[Pair, dict[str, Any]]]:
        """The matches of this play's complaints with each other as accounts of one incident."""
        index_of = {complaint_id: index for index, complaint_id in self._ids.items()}
        for index, answer in self._answers.items():
            for item in answer.get("items") or ():
                other = index_of.get(item["other_complaint_id"])
                if item["kind"] in _OF_INCIDENTS and other is not None:
                    yield (min(index, other), max(index, other)), item

    async def _ask(self, session: aiohttp.ClientSession, indexes: Iterable[int], what: str) -> None:
        remaining = iter(list(indexes))
        done = len(self._ids) - len(self.unindexed) if what == "indexed" else 0

        async def ask_in_turn() -> None:
            nonlocal done
            for index in remaining:
                answer = await self._matches(session, self._ids[index])
                self._answers[index] = answer
                done += bool(answer.get("indexed"))
                self._tell(what, done)

        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(ask_in_turn())

    async def _matches(self, session: aiohttp.ClientSession, complaint_id: str) -> dict[str, Any]:
        """What dedup says; that it is not indexed where dedup is away just now."""
        try:
            async with session.get(f"{self._url}/v1/complaints/{complaint_id}/matches") as answer:
                if answer.status in RETRIED:
                    return {}
                answer.raise_for_status()
                content: dict[str, Any] = await answer.json()
                return content
        except (aiohttp.ClientConnectionError, ConnectionError, TimeoutError):
            return {}


async def statistics(url: str, token: str, seconds: float) -> dict[str, Any]:
    """`GET /v1/statistics` of referral, over everything it holds, once it says the same twice; what it said
    last where that took longer than `seconds`.

    Raises:
        aiohttp.ClientError, TimeoutError: it did not answer all that time.
    """
    until = time.monotonic() + seconds
    before: dict[str, Any] | None = None
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(
        timeout=timeout, headers={"Authorization": f"Bearer {token}"}, raise_for_status=True
    ) as session:
        while True:
            try:
                async with session.get(f"{url}/v1/statistics") as answer:
                    told: dict[str, Any] = await answer.json()
            except (aiohttp.ClientError, TimeoutError):
                if time.monotonic() > until:
                    raise
            else:
                if told == before or time.monotonic() > until:
                    return told
                before = told
            await asyncio.sleep(STILL_SECONDS)
