"""Release reviewers of a simulation, and how long people would take in their place.

`release_held` goes through the real queue with so many reviewers at once, and releases this play's complaints
alone: what else waits there is for people. A machine reads nothing, so `waits` computes how long the
complaints of the hour would wait for people who read each one.
"""

import asyncio
import heapq
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from deploy.local.errors import LaunchError
from deploy.simulation.playing import RETRIED

_PAGE = 200
_PAUSE = 0.5


class ReleaseFailed(LaunchError):
    """Complaints were left that could not be released."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds from the call to the release, of half of the complaints that were held, and of all."""

    half: float
    all: float


def waits(calls: Sequence[tuple[float, bool]], reviewers: int, reading: float) -> Waits:
    """How long complaints wait for `reviewers` who each read one after the other, immediate danger first and
    then the earliest.

    Args:
        calls: of each complaint that is held, its second and whether somebody is in danger.
        reading: seconds that a reviewer takes for one.
    """
    arriving = sorted(calls)
    free = [0.0] * reviewers
    queue: list[tuple[bool, float]] = []
    waited: list[float] = []
    next_call = 0
    while len(waited) < len(arriving):
        begin = heapq.heappop(free)
        if not queue:
            begin = max(begin, arriving[next_call][0])
        while next_call < len(arriving) and arriving[next_call][0] <= begin:
            at, is_urgent = arriving[next_call]
            heapq.heappush(queue, (not is_urgent, at))
            next_call += 1
        _, at = heapq.heappop(queue)
        heapq.heappush(free, begin + reading)
        waited.append(begin + reading - at)
    waited.sort()
    return Waits(waited[(len(waited) - 1) // 2], waited[-1]) if waited else Waits(0.0, 0.0)


async def release_held(
    url: str, token: str, held: Collection[str], reviewers: int, patience: float, tell: Callable[[int], None]
) -> float:
    """Release these complaints, in the order of the queue; seconds that it took.

    Raises:
        ReleaseFailed: some are left, and nothing was released for `patience` seconds.
    """
    begin = last = time.monotonic()
    left, done = set(held), 0
    timeout = aiohttp.ClientTimeout(total=60)
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:
        desk = _Desk(session, f"{url}/v1/releases")
        while left:
            waiting = iter([each for each in await desk.queue() if each["complaint_id"] in left])

            async def review(waiting: Any = waiting) -> None:
                nonlocal done, last
                for each in waiting:
                    if await desk.release(each):
                        left.discard(each["complaint_id"])
                        done, last = done + 1, time.monotonic()
                        tell(done)

            async with asyncio.TaskGroup() as group:
                for _ in range(reviewers):
                    group.create_task(review())
            if left:
                if time.monotonic() - last > patience:
                    raise ReleaseFailed(
                        f"{url} has released nothing for {patience:g} s; {len(left)} complaints still wait."
                    )
                await asyncio.sleep(_PAUSE)
    return time.monotonic() - begin


class _Desk:
    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self._url = session, url

    async def queue(self) -> list[Mapping[str, Any]]:
        """The complaints that wait, in the order of the queue, as far as intake answers."""
        found: list[Mapping[str, Any]] = []
        query = {"limit": str(_PAGE)}
        while True:
            try:
                async with self._session.get(self._url, params=query) as answer:
                    if answer.status in RETRIED:
                        return found
                    answer.raise_for_status()
                    page = await answer.json()
            except (aiohttp.ClientConnectionError, TimeoutError):
                return found
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            query["cursor"] = page["next_cursor"]

    async def release(self, waiting: Mapping[str, Any]) -> bool:
        """Read it and release the version that was read; False where it has to be tried again."""
        place = f"{self._url}/{waiting['complaint_id']}"
        try:
            async with self._session.get(place) as answer:
                if answer.status == 404:  # released by a request whose answer was lost
                    return True
                if answer.status != 200:
                    return False
                version = answer.headers["ETag"]
            async with self._session.post(f"{place}/release", headers={"If-Match": version}) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False
