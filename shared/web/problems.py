"""Errors as HTTP: every error of every route is RFC 9457 `application/problem+json`.

A wrong field is named by its path (`subjects.0.name`) with what it should be. What was sent is
never quoted: neither values nor messages that a library made out of them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import iter_route_contexts
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from shared.contracts.messages import message
from shared.errors import (
    FieldError,
    MethodNotAllowed,
    NotFound,
    Problem,
    TooLarge,
    Unavailable,
    Unprocessable,
)
from shared.store.requests import OutcomeUnknown, StoreBusy, StoreHalted, StoreUnavailable

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:hotline:problem:"

# FastAPI's locations begin with where the field was; of these only the name is of interest.
_PLACES = {"body", "query", "path", "header", "cookie"}
_LONGEST_NAME = 64


class ProblemResponse(JSONResponse):
    media_type = MEDIA_TYPE


def response(problem: Problem) -> ProblemResponse:
    """The HTTP answer for a problem."""
    document: dict[str, Any] = {
        "type": TYPE_PREFIX + problem.slug,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.errors:
        document["errors"] = [{"field": error.field, "message": error.message} for error in problem.errors]
    document |= {name: value for name, value in problem.members.items() if name not in document}
    return ProblemResponse(document, status_code=problem.status, headers=problem.headers)


def from_validation(error: ValidationError | RequestValidationError) -> Unprocessable:
    """What pydantic found, as fields; for routes that validate a body themselves too."""
    found: Iterable[Mapping[str, Any]] = (
        error.errors(include_url=False, include_input=False)
        if isinstance(error, ValidationError)
        else error.errors()
    )
    errors = tuple(_field_error(entry) for entry in found)
    return Unprocessable("; ".join(f"{e.field}: {e.message}" for e in errors[:3]), errors=errors)


def _field_error(entry: Mapping[str, Any]) -> FieldError:
    # The location of unreadable JSON is an offset, not a field.
    location = entry["loc"][:1] if entry["type"] == "json_invalid" else entry["loc"]
    return FieldError(field_path(location), message(entry))


def field_path(location: Sequence[str | int]) -> str:
    """`("body", "subjects", 0, "name")` -> `subjects.0.name`. The name of an unknown field is the client's
    own: it is cut, and made fit for UTF-8 and for a terminal."""
    inside = location[1:] if len(location) > 1 and location[0] in _PLACES else location
    return ".".join(_printable(str(part)) for part in inside) or "body"


def _printable(name: str) -> str:
    return "".join(c if c.isprintable() else "�" for c in name[:_LONGEST_NAME])


def _on_problem(_: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, Problem)  # noqa: S101  # what the handler is registered for
    return response(error)


def _on_validation(_: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # what the handler is registered for
    return response(from_validation(error))


def _on_store_away(_: Request, __: Exception) -> ProblemResponse:
    """The database is away, or the log lost its tail: nothing was written."""
    return response(Unavailable("Nothing was stored; send it again later.", retry_after=2))


def _on_outcome_unknown(_: Request, __: Exception) -> ProblemResponse:
    """The database went away during the commit."""
    detail = "Whether it was stored is not known yet; send it again later, with the same Idempotency-Key."
    return response(Unavailable(detail, retry_after=2))


def _on_store_busy(_: Request, __: Exception) -> ProblemResponse:
    """Too much waits to be written, no connection was free, or a statement took too long."""
    return response(Unavailable("Too much is asked at once; ask again in a moment.", retry_after=1))


def _on_framework(request: Request, error: Exception) -> Response:
    """What Starlette and FastAPI raise themselves."""
    assert isinstance(error, HTTPException)  # noqa: S101  # what the handler is registered for
    problem: Problem
    match error.status_code:
        case 400:  # FastAPI's word for a body that is no UTF-8, or is nested too deeply
            problem = Unprocessable.field("body", "must be JSON in UTF-8")
        case 404:
            problem = NotFound("There is nothing at this address.")
        case 405:
            headers = {"Allow": ", ".join(_methods(request))}
            if request.method == "OPTIONS":
                return Response(status_code=204, headers=headers)
            problem = MethodNotAllowed("This address does not know this method.", headers=headers)
        case 413:
            problem = too_large()
        case _:
            raise error
    return response(problem)


def _methods(request: Request) -> list[str]:
    """Every method of the address, whose routes are one for each; the framework names those of the first."""
    path = request.scope["path"]
    methods = {"OPTIONS"}
    for route in iter_route_contexts(request.app.routes):
        if route.path_regex.match(path):
            methods |= route.methods or set()
    return sorted(methods | ({"HEAD"} if "GET" in methods else set()))


def too_large() -> TooLarge:
    """The one wording for a body over its limit."""
    return TooLarge("The body is longer than this address accepts.")


_HANDLERS: tuple[tuple[type[Exception], Callable[[Request, Exception], Response]], ...] = (
    (StoreUnavailable, _on_store_away),
    (OutcomeUnknown, _on_outcome_unknown),
    (StoreBusy, _on_store_busy),
    (StoreHalted, _on_store_away),
    (Problem, _on_problem),
    (RequestValidationError, _on_validation),
    (HTTPException, _on_framework),
)


def install(app: FastAPI) -> None:
    """Answer every error that a route or the framework raises as a problem."""
    for error, handler in _HANDLERS:
        app.add_exception_handler(error, handler)
