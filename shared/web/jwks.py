"""The issuer's public keys: a JWK set in a file or at an http(s) address.

Kept in memory and read again when a token names an unknown key, but not more often than the pause
allows, whoever sends such tokens; and, in the background, when it is old, so that a withdrawn key goes.
While the issuer is away the known keys stay good; before the first reading that is `Unavailable`.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, OKPKey, RSAKey

from shared.errors import HotlineError, Unavailable
from shared.web import logs

_URL_PAUSE_SECONDS = 30.0
_FILE_PAUSE_SECONDS = 1.0
_PAUSE_WITHOUT_KEYS_SECONDS = 1.0
_OLD_AFTER_SECONDS = 600.0
_FETCH_SECONDS = 5.0
_LARGEST_SET = 1 << 20

_log = logs.logger(__name__)


class KeySetError(HotlineError):
    """What was read is no JWK set."""


class KeySource:
    """`async with KeySource(location) as keys: await keys.find(kid)`."""

    def __init__(self, location: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._location = location
        self._is_url = location.startswith(("http://", "https://"))
        self._pause = _URL_PAUSE_SECONDS if self._is_url else _FILE_PAUSE_SECONDS
        self._clock = clock
        self._keys: Mapping[str, Key] = {}
        self._tried_at: float | None = None
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading

    async def find(self, kid: str | None) -> Key | None:
        """The key of this id; without an id the only key, if there is just one. None: no such key."""
        key = self._known(kid)
        if key is not None:
            if self._seconds_since_try() >= _OLD_AFTER_SECONDS:
                self._read_once()
            return key
        pause = self._pause if self._keys else _PAUSE_WITHOUT_KEYS_SECONDS
        if self._is_reading() or self._seconds_since_try() >= pause:
            # Shielded: a client that hangs up must not cancel what others wait for.
            await asyncio.shield(self._read_once())
        if not self._keys:
            raise Unavailable("The keys of the token issuer cannot be read.")
        return self._known(kid)

    def _known(self, kid: str | None) -> Key | None:
        if kid is not None:
            return self._keys.get(kid)
        return next(iter(self._keys.values())) if len(self._keys) == 1 else None

    def _seconds_since_try(self) -> float:
        return float("inf") if self._tried_at is None else self._clock() - self._tried_at

    def _is_reading(self) -> bool:
        return self._reading is not None and not self._reading.done()

    def _read_once(self) -> asyncio.Task[None]:
        """One reading at a time; who comes while it runs shares it."""
        if self._reading is None or self._reading.done():
            self._tried_at = self._clock()
            self._reading = asyncio.create_task(self._read())
        return self._reading

    async def _read(self) -> None:
        try:
            raw = await (_fetch(self._location) if self._is_url else asyncio.to_thread(_load, self._location))
            self._keys = parse(raw)
        except (KeySetError, OSError, TimeoutError) as error:
            _log.warning("the token issuer's keys cannot be read", count=len(self._keys), exc_info=error)


def _load(path: str) -> bytes:
    return Path(path).read_bytes()


async def _fetch(url: str) -> bytes:
    # Half a second of imports, which an issuer in a file does not need.
    import aiohttp  # noqa: PLC0415

    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_FETCH_SECONDS)) as session,
            session.get(url) as answer,
        ):
            answer.raise_for_status()
            raw = await answer.content.read(_LARGEST_SET + 1)
            while len(raw) <= _LARGEST_SET and (more := await answer.content.read(_LARGEST_SET)):
                raw += more
    except aiohttp.ClientError as error:
        raise KeySetError("the address does not answer with a JWK set") from error
    if len(raw) > _LARGEST_SET:
        raise KeySetError("the JWK set is too large")
    return raw


def parse(raw: bytes) -> dict[str, Key]:
    """The signature keys of a JWK set, by id. Kinds that no accepted algorithm uses are left out (RFC 7517,
    section 5), above all symmetric ones: with those a public set would be a signing key."""
    try:
        entries = orjson.loads(raw)["keys"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise KeySetError("this is no JWK set") from error
    if not isinstance(entries, list):
        raise KeySetError("this is no JWK set")
    found: dict[str, Key] = {}
    for entry in entries:
        key = _signature_key(entry)
        if key is not None:
            key.ensure_kid()
            found[str(key.kid)] = key
    if not found:
        raise KeySetError("the JWK set has no key for ES256, Ed25519, RS256 or PS256")
    return found


def _signature_key(entry: Any) -> Key | None:
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    if entry.get("kty") != "RSA" and entry.get("crv") not in {"P-256", "Ed25519"}:
        return None
    try:
        key = JWKRegistry.import_key(entry)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key if isinstance(key, ECKey | OKPKey | RSAKey) else None
