"""The OpenAPI document tells what is really answered: problems instead of FastAPI's own error bodies.

A route declares the problems that are its own (`responses=problems(NotFound, Conflict)`); those that
follow from its form are added here: 401, 403 and 503 where a token is needed, 422 where there is anything
to get wrong, 413 where there is a body.
"""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from shared import errors
from shared.errors import Problem
from shared.web.problems import MEDIA_TYPE

_METHODS = {"get", "put", "post", "delete", "patch", "head", "options", "trace"}

_PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457. Further members may stand beside these.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
# What FastAPI adds for its own validation errors, which nobody here ever gets.
_FOREIGN_SCHEMAS = ("HTTPValidationError", "ValidationError")


def problems(*kinds: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """For the `responses` of a route: the problems that it answers beside those of its form."""
    return {kind.status: _response(kind) for kind in kinds}


def request_body(model: type[BaseModel], media_type: str = "application/json") -> dict[str, Any]:
    """For the `openapi_extra` of a route that reads its bytes itself: the body it expects."""
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})

    def whole(part: Any) -> Any:
        """References within the schema would not resolve in the document: written out."""
        if isinstance(part, list):
            return [whole(item) for item in part]
        if not isinstance(part, dict):
            return part
        if name := part.get("$ref"):
            siblings = {key: value for key, value in part.items() if key != "$ref"}
            return whole({**definitions[name.rpartition("/")[2]], **siblings})
        return {key: whole(value) for key, value in part.items()}

    return {"requestBody": {"required": True, "content": {media_type: {"schema": whole(schema)}}}}


def _response(kind: type[Problem]) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": kind.title,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if kind is errors.Unavailable:
        response["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "seconds"}}
    return response


def install(app: FastAPI) -> None:
    """Make `app.openapi()` answer the document described above."""
    generate = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            generated = generate()
            schemas = generated.setdefault("components", {}).setdefault("schemas", {})
            for name in _FOREIGN_SCHEMAS:
                schemas.pop(name, None)
            schemas["Problem"] = _PROBLEM_SCHEMA
            for operation in _operations(generated):
                for kind in _problems_by_form(operation):
                    operation["responses"][str(kind.status)] = _response(kind)
        assert app.openapi_schema is not None  # noqa: S101  # `generate` keeps what it answers there
        return app.openapi_schema

    # FastAPI documents this way of extending it: the method is replaced on the instance.
    app.openapi = document  # type: ignore[method-assign]


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from (operation for method, operation in path.items() if method in _METHODS)


def _problems_by_form(operation: dict[str, Any]) -> Iterator[type[Problem]]:
    if operation.get("security"):
        yield from (errors.Unauthorized, errors.Forbidden, errors.Unavailable)
    if "422" in operation["responses"] or "requestBody" in operation:
        yield errors.Unprocessable
    if "requestBody" in operation:
        yield errors.TooLarge
