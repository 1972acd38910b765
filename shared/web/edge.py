"""Promises about every request and every answer, whatever the route.

- A body over its limit is 413, at once where `Content-Length` says so, else when the bytes that
  really arrived pass it.
- A header that a route reads and that is sent twice with two values is 400 and named; a body in a
  `Content-Encoding` is 415.
- `HEAD` is `GET` without the body.
- Nothing is cached, and a browser loads nothing for an answer and tells no address of it.
- A request whose client is gone is given up.
- Any exception that nothing else turned into an answer is a 500 without content. The log gets its
  type and the frames; its message may quote a caller, so nobody sees it.
- An answer that had begun cannot be taken back: the connection is closed instead.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import BadRequest, InternalError, Problem, UnsupportedMediaType
from shared.web import logs, problems

BODY_LIMIT: Final = 256 * 1024
ENDLESS: Final = "endless"
"""Stands in the state of a request whose body has no limit, for the server that limits its time."""
TASK: Final = "task"
"""The task that answers the request stands there, for the server that cancels it when the client is gone."""
GONE: Final = "gone"
"""And this, that it did so."""

_POLICY: Final = b"content-security-policy"
_HEADERS: Final = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
_NOTHING_LOADED: Final = (
    _POLICY,
    b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
)
ON_EVERY_ANSWER: Final = (*_HEADERS, _NOTHING_LOADED)
"""What an answer carries; a page has a policy of its own."""

# Headers with one value each: with two, a proxy and we might each go by another one.
_SINGLE: Final = {
    name.lower().encode(): name
    for name in ("Authorization", "Content-Encoding", "Content-Type", "Idempotency-Key", "If-Match")
}


class Edge:
    """Pure ASGI: it costs no task, and streams pass through it unbuffered."""

    def __init__(self, app: ASGIApp, body_limits: Mapping[str, int | None]) -> None:
        """`body_limits`: by path, where it differs from 256 KiB; None is no limit."""
        self._app = app
        self._body_limits = body_limits
        self._log = logs.logger(__name__)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        limit = self._body_limits.get(scope["path"], BODY_LIMIT)
        if limit is None:
            scope.setdefault("state", {})[ENDLESS] = True
        scope.setdefault("state", {})[TASK] = asyncio.current_task()
        received = 0
        has_started = False

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            if limit is not None and message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > limit:
                    # The framework's own type: FastAPI passes it through while it reads a body.
                    raise HTTPException(413)
            return message

        async def headed(message: Message) -> None:
            nonlocal has_started
            if message["type"] == "http.response.start":
                has_started = True
                headers = [*message.get("headers", ()), *_HEADERS]
                for name, _ in headers:
                    if name == _POLICY:
                        break
                else:
                    headers.append(_NOTHING_LOADED)
                message["headers"] = headers
            await send(message)

        try:
            if (problem := _refused(scope["headers"], limit)) is not None:
                await problems.response(problem)(scope, receive, headed)
                return
            if scope["method"] == "HEAD":  # in a copy: the server goes by its own, and sends no body
                scope = {**scope, "method": "GET"}
            await self._app(scope, counted, headed)
        except ClientDisconnect:
            return  # nobody is there to be answered
        except asyncio.CancelledError:
            if GONE not in scope["state"]:
                raise
        except Exception as error:  # noqa: BLE001  # the outermost edge: logged, answered, not passed on
            self._log.error(
                "request failed",
                route=getattr(scope.get("route"), "path", None),
                method=scope["method"],
                exc_info=error,
            )
            if not has_started:
                internal = InternalError("Something went wrong here. It has been noted.")
                await problems.response(internal)(scope, receive, headed)


def _refused(headers: Iterable[tuple[bytes, bytes]], limit: int | None) -> Problem | None:
    """Why a request is refused for its headers alone. Costs about a microsecond."""
    single: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _SINGLE:
            if single.setdefault(name, value) != value:
                return BadRequest(f"The header {_SINGLE[name]} is sent twice, with two values.")
        # A server lets only digits through; what it does not, the counting catches.
        elif name == b"content-length" and limit is not None and value.isdigit() and int(value) > limit:
            return problems.too_large()
    if single.get(b"content-encoding", b"identity").lower() != b"identity":
        return UnsupportedMediaType(
            "A body is taken as it is, without a Content-Encoding.", headers={"Accept-Encoding": "identity"}
        )
    return None
