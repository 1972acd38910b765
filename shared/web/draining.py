"""Between the signal to stop and the stop a service says that it is not ready, and goes on answering.

Whoever spreads requests over replicas (a Kubernetes Service, a load balancer) needs some seconds to see that
one is going. Until then every request that comes is answered, and its connection closed, so that the client
takes another one; without that the close would cross with the next request on it, which would be lost.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import Unavailable
from shared.web import problems

READY = "/healthz/ready"


class Draining:
    """The application until `begin`, and from then on as above."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._has_begun = False

    def begin(self) -> None:
        self._has_begun = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def parting(message: Message) -> None:
            # Looked at when the answer begins: its request may be older than the signal.
            if self._has_begun and message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        answer = self._app
        if self._has_begun and scope["type"] == "http" and scope["path"] == READY:
            answer = problems.response(
                Unavailable("Not ready.", members={"not_ready": {"process": "is stopping"}})
            )
        await answer(scope, receive, parting)
