"""A service that waits for its surroundings answers 503 to everything but what describes it.

Its own statements would find other tables than it knows, and what it wrote, others could not read.
"""

from collections.abc import Callable, Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import Unavailable
from shared.web import problems

RETRY_SECONDS = 5
_ALWAYS = ("/healthz/", "/openapi.json", "/docs")


class Waiting:
    """The application, while `waits_for` gives no reason against it."""

    def __init__(self, app: ASGIApp, waits_for: Callable[[], Mapping[str, str]]) -> None:
        self._app, self._waits_for = app, waits_for

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._app
        is_asked = scope["type"] == "http" and not scope["path"].startswith(_ALWAYS)
        if is_asked and (reasons := self._waits_for()):
            answer = problems.response(
                Unavailable(
                    "Nothing was stored; send it again later.",
                    retry_after=RETRY_SECONDS,
                    members={"not_ready": dict(reasons)},
                )
            )
        await answer(scope, receive, send)
