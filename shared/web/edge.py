"""What all answers have in common: bodies are limited, nothing is cached, no crash tells anything.

- A body over its limit is 413, at once where `Content-Length` says so, else when the bytes that
  really arrived pass it.
- Any exception that nothing else turned into an answer is a 500 without content. The log gets its
  type and the frames; its message may quote a caller, so nobody sees it.
- An answer that had begun cannot be taken back: the connection is closed instead.
"""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import InternalError
from shared.web import logs, problems

BODY_LIMIT = 256 * 1024

_HEADERS = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]


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
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        try:
            if limit is not None and _declared_length(scope) > limit:
                await problems.response(problems.too_large())(scope, receive, headed)
                return
            await self._app(scope, counted, headed)
        except ClientDisconnect:
            return  # nobody is there to be answered
        except Exception as error:  # noqa: BLE001  # the outermost edge: logged, answered, not passed on
            self._log.error(
                "request failed",
                route=getattr(scope.get("route"), "path", None),
                method=scope["method"],
                exc_info=error,
            )
            if not has_started:
                problem = InternalError("Something went wrong here. It has been noted.")
                await problems.response(problem)(scope, receive, headed)


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            # A server lets only digits through; what it does not, the counting catches.
            return int(value) if value.isdigit() else 0
    return 0
