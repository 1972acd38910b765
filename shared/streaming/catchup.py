"""Catch-up over HTTP: the follower's side. `shared.streaming.routes` is the owner's."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import aiohttp
import orjson

from shared.streaming.handling import SurroundingsFault
from shared.streaming.returning import ConsumedPage, Reached

_TIMEOUT = aiohttp.ClientTimeout(total=30, connect=5)


class Owner(Protocol):
    """The service whose events are followed."""

    async def events(self, slot: int, after: int, limit: int) -> list[dict[str, Any]]:
        """CloudEvents of one slot in order, those above slot sequence `after`.

        Raises:
            SurroundingsFault: the owner does not answer.
        """

    async def heads(self) -> dict[int, int]:
        """The newest slot sequence of each slot that has events.

        Raises:
            SurroundingsFault: the owner does not answer.
        """


class HttpPeer:
    """
    Args:
        url: the other service's base address.
        token_file: holds a bearer token of role `service`; read at each call, so that it may rotate.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str, token_file: Path) -> None:
        self._session, self._url, self._token_file = session, url, token_file

    async def _get(self, path: str, parameters: Mapping[str, int | str]) -> Any:
        try:
            headers = {"Authorization": f"Bearer {self._token_file.read_text().strip()}"}
            async with self._session.get(
                self._url + path, params=parameters, headers=headers, timeout=_TIMEOUT
            ) as answer:
                if answer.status != 200:
                    raise SurroundingsFault(f"{self._url}{path} answers {answer.status}")
                return orjson.loads(await answer.read())
        except (aiohttp.ClientError, OSError, TimeoutError, orjson.JSONDecodeError) as fault:
            raise SurroundingsFault(f"{self._url}{path} does not answer: {type(fault).__name__}") from fault


class HttpOwner(HttpPeer):
    """A followed service, over HTTP."""

    async def events(self, slot: int, after: int, limit: int) -> list[dict[str, Any]]:
        asked = {"slot": slot, "after": after, "limit": limit}
        items: list[dict[str, Any]] = (await self._get("/v1/events", asked))["items"]
        return items

    async def heads(self) -> dict[int, int]:
        return {int(slot): head for slot, head in (await self._get("/v1/events/heads", {}))["heads"].items()}


class HttpFollower(HttpPeer):
    """A service that follows this one, over HTTP. Raises `SurroundingsFault` as an owner does."""

    async def reached(self, source: str) -> Mapping[int, Reached]:
        """By slot, the last event of `source` that it consumed."""
        slots = (await self._get("/v1/events/cursors", {"source": source}))["slots"]
        return {int(slot): Reached(last["at"], UUID(last["event_id"])) for slot, last in slots.items()}

    async def consumed(self, source: str, slot: int, after: int, limit: int) -> ConsumedPage:
        """The events of `source` as it was given them, those of one slot above `after`, in order."""
        asked: dict[str, int | str] = {"source": source, "slot": slot, "after": after, "limit": limit}
        answer = await self._get("/v1/events/consumed", asked)
        # A follower that was not upgraded yet tells of none that it cannot read.
        return ConsumedPage(answer["items"], answer.get("unreadable", []))
