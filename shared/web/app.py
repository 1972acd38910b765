"""`create_app`: the FastAPI application of a service, with what all three promise alike.

Public are `/healthz/live`, `/healthz/ready`, `/openapi.json` and `/docs`. Every error is problem+json,
every body limited, no answer cached (`shared.web.edge`), and the OpenAPI document declares
what may really be answered (`shared.web.openapi`). FastAPI's own telemetry is off, whatever the
environment says: it would record bodies and the second of a call.

The application owns no resources: the process opens them around it (`shared.web.process`),
so that one without HTTP has them too.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Literal

from fastapi import FastAPI

from shared.errors import Unavailable
from shared.web import docs, openapi, problems
from shared.web.auth import Authenticator
from shared.web.edge import BODY_SECONDS, Edge
from shared.web.routing import Router
from shared.web.schemas import Schema
from shared.web.waiting import Waiting

# What is not ready, by name, with a short reason that holds no secret; empty when all is well.
Readiness = Callable[[], Awaitable[Mapping[str, str]]]

_READINESS_SECONDS = 2.0


class Health(Schema):
    """How the process is."""

    status: Literal["live", "ready"]
    """What the process is."""


def create_app(
    *,
    title: str,
    version: str,
    readiness: Readiness,
    authenticator: Authenticator,
    routers: Sequence[Router] = (),
    body_limits: Mapping[str, int | None] | None = None,
    body_seconds: float = BODY_SECONDS,
    waits_for: Callable[[], Mapping[str, str]] = dict,
) -> FastAPI:
    """
    Args:
        body_limits: by exact path, where a body may be longer than 256 KiB, None for any length.
        body_seconds: for a body to arrive; where any length is taken, for its next part.
        waits_for: why the service does not work now, by name; nothing where it does.
    """
    app = FastAPI(
        title=title,
        version=version,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
    )
    app.state.authenticator = authenticator
    app.add_middleware(Waiting, waits_for=waits_for)
    app.add_middleware(Edge, body_limits=body_limits or {}, body_seconds=body_seconds)
    problems.install(app)
    for router in (*routers, _health(readiness), docs.pages(title)):
        app.include_router(router)
    openapi.install(app, {path for path, limit in (body_limits or {}).items() if limit is None})
    return app


def _health(readiness: Readiness) -> Router:
    router = Router(prefix="/healthz", tags=["health"])

    @router.get("/live")
    async def show_liveness() -> Health:
        """Show that the process answers."""
        return Health(status="live")

    @router.get("/ready", responses=openapi.problems(Unavailable))
    async def show_readiness() -> Health:
        """Show whether all that the service needs answers too."""
        try:
            async with asyncio.timeout(_READINESS_SECONDS):
                failing = await readiness()
        except TimeoutError:
            failing = {"readiness": f"no answer within {_READINESS_SECONDS:g} s"}
        if failing:
            raise Unavailable("Not ready.", members={"not_ready": dict(failing)})
        return Health(status="ready")

    return router
