"""Plays a stream of calls through the HTTP API of intake, as so many call handlers at once.

Each call keeps its Idempotency-Key until it is answered, whatever breaks in between, so that none is lost
and none is there twice. Where nothing at all is taken for `patience` seconds it gives up, with `PlayFailed`.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiohttp
import orjson

from deploy.local.errors import LaunchError
from deploy.simulation.stream import Simulation

RETRIED = frozenset({409, 429, 500, 502, 503, 504})
MOST_EXAMPLES = 10
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


class PlayFailed(LaunchError):
    """Calls were left that the service did not take."""


@dataclass(slots=True)
class Played:
    """The outcome of the calls; `ids` has the complaint that each became, `held` the calls whose complaint
    waits for a release reviewer. Where intake has no route for contacts without a complaint, they are
    `unclosed_contacts`."""

    ids: dict[int, str] = field(default_factory=dict)
    held: set[int] = field(default_factory=set)
    retried: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    closed_contacts: int = 0
    unclosed_contacts: int = 0
    redactions: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


def arrivals(calls: int, seconds: float, seed: int) -> list[float]:
    """When each call comes: an hour after the news, pressed into `seconds`. It rises fast and fades."""
    rng = Random(seed)  # noqa: S311  (a seeded stream, no secret)
    return sorted(seconds * rng.betavariate(2.0, 3.5) for _ in range(calls)) if seconds else [0.0] * calls


class Player:
    """One play of a simulation. `key` is this play's own: another play's calls are other calls."""

    def __init__(
        self,
        simulation: Simulation,
        url: str,
        token: str,
        key: str,
        *,
        connections: int,
        patience: float,
        tell: Callable[[Played], None],
    ) -> None:
        self._simulation, self._url, self._key = simulation, url, key
        self._connections, self._patience, self._tell = connections, patience, tell
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._played = Played()
        self._receipts: dict[int, asyncio.Future[str | None]] = {}
        self._last_taken = 0.0

    async def play(self, at: Sequence[float]) -> Played:
        """Post every call at its time of `at` (seconds from the beginning), then the closed contacts.

        Raises:
            PlayFailed: nothing was taken for `patience` seconds.
        """
        loop = asyncio.get_running_loop()
        self._receipts = {index: loop.create_future() for index in self._simulation.truth.continues.values()}
        begin = self._last_taken = time.monotonic()
        calls = iter(enumerate(at))
        connector = aiohttp.TCPConnector(limit=self._connections)
        timeout = aiohttp.ClientTimeout(total=60)
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
                asyncio.TaskGroup() as group,
            ):
                # Calls are taken in their order, so who continues one waits for a call that is under way.
                for _ in range(self._connections):
                    group.create_task(self._handle(session, calls, begin))
        except* PlayFailed as failures:
            raise failures.exceptions[0] from None
        self._played.seconds = time.monotonic() - begin
        async with aiohttp.ClientSession(timeout=timeout) as session:
            await self._close_contacts(session)
        return self._played

    async def _handle(
        self, session: aiohttp.ClientSession, calls: Iterator[tuple[int, float]], begin: float
    ) -> None:
        for index, at in calls:
            if (early := begin + at - time.monotonic()) > 0:
                await asyncio.sleep(early)
                self._last_taken = max(self._last_taken, time.monotonic())  # a quiet hour is no failure
            await self._call(session, index)

    async def _call(self, session: aiohttp.ClientSession, index: int) -> None:
        body = self._simulation.complaints[index]
        if (earlier := self._simulation.truth.continues.get(index)) is not None:
            receipt = await self._receipts[earlier]
            body = {**body, "continues": receipt} if receipt is not None else body
        status, answer = await self._post(session, "/v1/complaints", body, f"{self._key}-{index}")
        receipt = None
        if status in (200, 201):
            self._played.ids[index] = answer["complaint_id"]
            receipt = answer["receipt"]
            if answer.get("held"):
                self._played.held.add(index)
            for redaction in answer["redactions"]:
                self._played.redactions[redaction["kind"]] += redaction["count"]
        else:
            self._refuse(f"call {index + 1}", status, answer)
        if (waiting := self._receipts.get(index)) is not None:
            waiting.set_result(receipt)
        self._tell(self._played)

    async def _close_contacts(self, session: aiohttp.ClientSession) -> None:
        for number, body in enumerate(self._simulation.contacts):
            status, answer = await self._post(session, "/v1/contacts", body, f"{self._key}-contact-{number}")
            if status in (200, 201, 202, 204):
                self._played.closed_contacts += body["count"]
            elif status in (404, 405):  # an intake that takes complaints alone
                self._played.unclosed_contacts += body["count"]
            else:
                self._refuse("closed contacts", status, answer)

    async def _post(
        self, session: aiohttp.ClientSession, path: str, body: dict[str, Any], key: str
    ) -> tuple[int, dict[str, Any]]:
        """Post until there is an answer that stands."""
        raw = orjson.dumps(body)
        headers = {**self._headers, "Idempotency-Key": key}
        pause = _FIRST_PAUSE
        while True:
            try:
                async with session.post(self._url + path, data=raw, headers=headers) as answer:
                    content = await answer.read()
                    if answer.status not in RETRIED:
                        self._last_taken = time.monotonic()
                        return answer.status, _object(content)
                    reason = f"answer {answer.status}"
            except (aiohttp.ClientError, ConnectionError, TimeoutError) as fault:
                reason = type(fault).__name__
            self._played.retried += 1
            self._tell(self._played)
            if time.monotonic() - self._last_taken > self._patience:
                raise PlayFailed(
                    f"{self._url} has taken nothing for {self._patience:g} s ({reason}); "
                    f"{len(self._played.ids)} of {len(self._simulation.complaints)} calls are recorded."
                )
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _refuse(self, what: str, status: int, answer: dict[str, Any]) -> None:
        fields = "; ".join(f"{error['field']} {error['message']}" for error in answer.get("errors") or ())
        reason = fields or answer.get("detail") or answer.get("title") or ""
        self._played.refused[f"{status} {reason}"] += 1
        if len(self._played.examples) < MOST_EXAMPLES:
            self._played.examples.append(f"{what}: {status} {reason}")


def _object(content: bytes) -> dict[str, Any]:
    """An answer's JSON object; empty where it is none, as the pages of proxies are."""
    try:
        read = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    return read if isinstance(read, dict) else {}
