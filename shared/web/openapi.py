"""The OpenAPI document tells what is really taken and answered, in the words of the domain.

A route declares the problems that are its own (`responses=problems(NotFound, Conflict)`); those that
follow from its form are added here: 400 and 422 everywhere, since an unknown parameter is wrong at any
address; 401, 403 and 503 where a token is needed; 408, 413 and 415 where there is a body. Of the rest

- an operation is called as its function, and summed up by the first sentence of its docstring;
- codes are enumerations with a name and the meaning of each code (`shared.web.codes`);
- a parameter is there or not, and never null.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel

from shared import errors
from shared.errors import Problem
from shared.vocabulary import load_vocabulary
from shared.web.auth import RequiresRole
from shared.web.codes import MARKER, OF_VOCABULARY, Meanings, all_codes
from shared.web.problems import MEDIA_TYPE

Schema = dict[str, Any]

_METHODS: Final = {"get", "put", "post", "delete", "patch", "head", "options", "trace"}

TAGS: Final[Mapping[str, str]] = {
    "complaints": "What callers tell, recorded without their traces, and contacts that made no complaint.",
    "releases": "Complaints that a second person looks at before they leave intake.",
    "matches": "Complaints that tell of one incident, and subjects that are one officer.",
    "reviews": "Matches that a person decides: those in doubt, and wrong ones.",
    "cases": "The assessment of incidents: recommendation, decision and approval.",
    "policy": "The rules by which recommendations are made.",
    "statistics": "The numbers, from the contact to the referral.",
    "followers": "Catch-up over HTTP for services and systems that follow the events.",
    "operators": "Events that could not be applied.",
    "health": "Whether the process lives, and whether it can do its work.",
}

_PROBLEM_SCHEMA: Final[Schema] = {
    "title": "Problem",
    "description": "An error, as RFC 9457 has it. Further members may stand beside these.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri",
            "description": "The kind of error, as a URN.",
            "examples": ["urn:hotline:problem:unprocessable"],
        },
        "title": {"type": "string", "description": "The kind of error in words."},
        "status": {"type": "integer", "description": "The HTTP status.", "examples": [422]},
        "detail": {
            "type": "string",
            "description": "What is wrong this time. Nothing that was sent is quoted.",
        },
        "errors": {
            "type": "array",
            "description": "Each field that is wrong.",
            "items": {
                "title": "FieldError",
                "type": "object",
                "required": ["field", "message"],
                "properties": {
                    "field": {
                        "type": "string",
                        "description": "The path of the field, or the name of the parameter or header.",
                        "examples": ["subjects.0.name"],
                    },
                    "message": {"type": "string", "description": "What it should be."},
                },
            },
        },
    },
}
# What FastAPI adds for its own validation errors, which nobody here ever gets.
_FOREIGN_SCHEMAS: Final = ("HTTPValidationError", "ValidationError")

_EXAMPLES: Final = {
    "uuid": "5f0c7d1e-3a4b-4c5d-8e6f-7a8b9c0d1e2f",
    "date": "2026-11-24",
    "date-time": "2026-11-24T14:05:00Z",
}
_SUCCESSES: Final = {"200": "The answer.", "201": "It was recorded."}
_REFERENCE: Final = "#/components/schemas/"


def problems(*kinds: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """For the `responses` of a route: the problems that it answers beside those of its form."""
    return {kind.status: _response(kind) for kind in kinds}


def request_body(
    model: type[BaseModel], media_type: str = "application/json", *, is_required: bool = True
) -> dict[str, Any]:
    """For the `openapi_extra` of a route that reads its bytes itself: the body it expects."""
    schema = model.model_json_schema(ref_template=_REFERENCE + "{model}")
    return {"requestBody": {"required": is_required, "content": {media_type: {"schema": schema}}}}


def _response(kind: type[Problem]) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": kind.title,
        "content": {MEDIA_TYPE: {"schema": {"$ref": f"{_REFERENCE}Problem"}}},
    }
    if kind is errors.Unavailable:
        response["headers"] = {
            "Retry-After": {
                "schema": {"type": "integer"},
                "description": "Seconds to wait before asking again.",
            }
        }
    if kind in {errors.Unauthorized, errors.Forbidden}:
        response["headers"] = {
            "WWW-Authenticate": {"schema": {"type": "string"}, "description": "What a token lacks."}
        }
    return response


def install(app: FastAPI, endless: Collection[str] = ()) -> None:
    """Make `app.openapi()` answer the document described above. `endless`: paths whose body has no limit."""
    generate = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app, generate, endless)
        return app.openapi_schema

    # FastAPI documents this way of extending it: the method is replaced on the instance.
    app.openapi = document  # type: ignore[method-assign]


def _described(
    app: FastAPI, generate: Callable[[], dict[str, Any]], endless: Collection[str]
) -> dict[str, Any]:
    document = generate()
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in _FOREIGN_SCHEMAS:
        schemas.pop(name, None)
    schemas["Problem"] = _PROBLEM_SCHEMA
    names, roles = _names(app), _roles(app)
    for key, operation in _operations(document):
        operation["operationId"] = names[key]
        _sum_up(operation, roles[key])
        for parameter in operation.get("parameters", ()):
            _never_null(parameter)
        for media in operation.get("requestBody", {}).get("content", {}).values():
            media["schema"] = _kept(media["schema"], schemas)
        for status, response in operation["responses"].items():
            if response["description"] == "Successful Response":
                response["description"] = _SUCCESSES[status]
        for kind in _problems_by_form(operation):
            if kind is not errors.TooLarge or key[0] not in endless:
                operation["responses"][str(kind.status)] = _response(kind)
    used = {tag for _, operation in _operations(document) for tag in operation.get("tags", ())}
    document["tags"] = [
        {"name": name, "description": description} for name, description in TAGS.items() if name in used
    ]
    codes = _Codes(all_codes(load_vocabulary()))
    described: dict[str, Any] = codes.named(document)
    described["components"]["schemas"] |= codes.schemas()
    return described


Key = tuple[str, str]


def _operations(document: Schema) -> Iterator[tuple[Key, Schema]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method in _METHODS:
                yield (path, method), operation


def _names(app: FastAPI) -> dict[Key, str]:
    return {
        (str(route.path_format), method.lower()): str(route.name)
        for route in iter_route_contexts(app.routes)
        for method in route.methods or ()
    }


def _roles(app: FastAPI) -> dict[Key, frozenset[str]]:
    return {
        (str(route.path_format), method.lower()): _required(getattr(route, "dependant", None))
        for route in iter_route_contexts(app.routes)
        for method in route.methods or ()
    }


def _required(dependant: Dependant | None) -> frozenset[str]:
    if dependant is None:
        return frozenset()
    own = dependant.call.roles if isinstance(dependant.call, RequiresRole) else frozenset()
    return own.union(*(_required(inner) for inner in dependant.dependencies))


def _sum_up(operation: Schema, roles: frozenset[str]) -> None:
    text = " ".join(operation.get("description", "").split())
    first, end, _ = text.partition(". ")
    operation["summary"] = first + end.strip() if end else text
    if roles:
        text += f"\n\nFor the role {' or '.join(f'`{role}`' for role in sorted(roles))}."
    operation["description"] = text


def _never_null(parameter: Schema) -> None:
    schema = parameter["schema"]
    options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    if len(options) == 1:
        parameter["schema"] = {key: value for key, value in schema.items() if key != "anyOf"} | options[0]
    # It stands beside the schema, where readers look for it.
    description = parameter["schema"].pop("description", None)
    if parameter["in"] == "path" and parameter["name"].endswith("_id"):
        description = description or f"The id of the {parameter['name'].removesuffix('_id')}."
    if description:
        parameter.setdefault("description", description)


def _kept(schema: Schema, schemas: Schema) -> Schema:
    """A body's schema as a named one, with those that it is made of."""
    if "title" not in schema or "$ref" in schema:
        return schema
    definitions = schema.pop("$defs", {})
    for name, definition in {**definitions, schema["title"]: schema}.items():
        schemas.setdefault(name, definition)
    return {"$ref": _REFERENCE + schema["title"]}


def _problems_by_form(operation: Schema) -> Iterator[type[Problem]]:
    yield from (errors.BadRequest, errors.Unprocessable)
    if operation.get("security"):
        yield from (errors.Unauthorized, errors.Forbidden, errors.Unavailable)
    if "requestBody" in operation:
        yield from (errors.RequestTimeout, errors.TooLarge, errors.UnsupportedMediaType)


class _Codes:
    """Gives enumerations their names, and an example to what has a format."""

    def __init__(self, codes: Mapping[str, Meanings]) -> None:
        self._codes = codes
        self._by_codes = {frozenset(meanings): name for name, meanings in codes.items()}
        self._used: set[str] = set()

    def named(self, part: Any) -> Any:
        if isinstance(part, list):
            return [self.named(item) for item in part]
        if not isinstance(part, dict):
            return part
        if (name := self._name(part)) is not None:
            self._used.add(name)
            kept = {key: part[key] for key in ("description", "default", "examples") if key in part}
            return {"$ref": _REFERENCE + name, **kept}
        if (example := _EXAMPLES.get(str(part.get("format")))) and part.get("type") == "string":
            part = {**part, "examples": part.get("examples", [example])}
        return {key: self.named(value) for key, value in part.items()}

    def _name(self, schema: Schema) -> str | None:
        if isinstance(vocabulary := schema.get(MARKER), str):
            return OF_VOCABULARY[vocabulary]
        if isinstance(codes := schema.get("enum"), list):
            return self._by_codes.get(frozenset(codes))
        return None

    def schemas(self) -> Schema:
        return {name: self._schema(name, self._codes[name]) for name in sorted(self._used)}

    def _schema(self, name: str, meanings: Meanings) -> Schema:
        return {
            "title": name,
            "type": "string",
            "enum": list(meanings),
            "description": "\n".join(f"- `{code}`: {meaning}" for code, meaning in meanings.items()),
        }
