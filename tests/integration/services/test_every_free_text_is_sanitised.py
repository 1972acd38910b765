"""No route keeps a text as it was typed: whatever any of them takes is a code, or is sanitised as it is read.

A reason for a decision said "Caller Jane Hale, 07700 900123, was drunk", and stood so in the case's history:
only the fields of a complaint were sanitised. So all parameters and bodies of all routes are walked here,
and each text in them is tried.
"""

import json
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from fastapi import FastAPI
from fastapi.params import Depends
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from services.dedup import settings as dedup_settings
from services.dedup import wiring as dedup_wiring
from services.intake import settings as intake_settings
from services.intake import wiring as intake_wiring
from services.intake.domain.complaints import sanitise_complaint
from services.referral import settings as referral_settings
from services.referral import wiring as referral_wiring
from shared.clock import today
from shared.contracts.admission import Admission
from shared.contracts.complaint import ComplaintBody, PreviewBody, read_complaint
from shared.errors import Unprocessable
from shared.vocabulary import load_vocabulary
from tests.engines import Databases
from tests.running import running_service

SERVICES: Final[dict[str, tuple[Any, Any]]] = {
    "intake": (intake_settings.Settings, intake_wiring.wire),
    "dedup": (dedup_settings.Settings, dedup_wiring.wire),
    "referral": (referral_settings.Settings, referral_wiring.wire),
}

TRACE: Final = "jane@example.org"
TEXT: Final = f"Ask {TRACE}."

KEPT_NOWHERE: Final = {
    **dict.fromkeys(
        (
            ("/v1/cases", "cursor"),
            ("/v1/patterns", "cursor"),
            ("/v1/reviews", "cursor"),
            ("/v1/parked", "cursor"),
            ("/v1/releases", "cursor"),
            ("/v1/returns", "cursor"),
        ),
        "decrypted, and refused where it is not our own",
    ),
}
"""(path, text) -> why it may come as it was typed."""

READ_BY_HAND: Final[dict[str, Any]] = {
    "/v1/complaints": ComplaintBody,
    "/v1/complaints/{complaint_id}": ComplaintBody,
    "/v1/imports": ComplaintBody,
    "/v1/sanitise": PreviewBody,  # the answer shows what would be taken out; nothing is stored
}
"""Routes that read their bytes themselves; `test_every_text_of_a_complaint_is_sanitised` tries them."""

HEADERS_BY_HAND: Final = {"Idempotency-Key": "a keyed hash of it is kept"}


@pytest.fixture
async def apps(databases: Databases, tmp_path: Path) -> AsyncIterator[list[FastAPI]]:
    async with AsyncExitStack() as stack:
        running = []
        for name, (settings, wire) in SERVICES.items():
            url = stack.enter_context(databases.new(name))
            running.append(await stack.enter_async_context(running_service(settings, wire, url, tmp_path)))
        yield [one.app for one in running]


async def test_a_text_that_a_route_takes_is_a_code_or_is_sanitised(apps: list[FastAPI]) -> None:
    as_typed = {
        (route.path, name)
        for app in apps
        for route in routes_of(app)
        for name, text in texts_of(route)
        if comes_as_typed(text)
    }
    assert as_typed == KEPT_NOWHERE.keys()


async def test_no_route_is_left_out(apps: list[FastAPI]) -> None:
    """Routes are found by FastAPI's own tables, and what they take by their signatures; the documents that
    clients see tell the same."""
    for app in apps:
        document = app.openapi()
        documented = {
            (path, method.upper()) for path, methods in document["paths"].items() for method in methods
        }
        routes = [route for route in routes_of(app) if route.include_in_schema]
        assert {(route.path, *(route.methods or ())) for route in routes} == documented
        assert not any(parameters_of(route) for route in routes_of(app) if route not in routes)
        for route in routes:
            (operation,) = (document["paths"][route.path][each.lower()] for each in route.methods or ())
            has_model = any(is_model(hint) for hint in parameters_of(route).values())
            is_read_by_hand = route.path in READ_BY_HAND and route.methods != {"GET"}
            assert ("requestBody" in operation) == (has_model or is_read_by_hand), route.path
            told = {
                parameter["name"].lower().replace("-", "_") for parameter in operation.get("parameters", ())
            }
            known = {name.rstrip("_") for name in parameters_of(route)}
            assert told <= known | {name.lower().replace("-", "_") for name in HEADERS_BY_HAND}, route.path


def test_every_text_of_a_complaint_is_sanitised() -> None:
    admission = Admission(today(), load_vocabulary())
    sanitised = set()
    for path, _ in texts_in(ComplaintBody, ()):
        try:
            body = read_complaint(json.dumps(complaint_with(path.split("."))).encode(), admission)
        except Unprocessable:
            continue
        assert TRACE not in sanitise_complaint(body)[0].model_dump_json(), path
        sanitised.add(path)
    assert {"narrative", "subjects.name", "incident.place", "external_reference"} <= sanitised


def complaint_with(path: list[str]) -> dict[str, Any]:
    """A complaint with the text in the field of that path."""
    value: Any = TEXT
    for name in reversed(path):
        value = {name: value}
        if name in {"subjects", "allegations", "national_categories"}:
            value = {name: [value[name]]}
    return {"channel": "phone", "narrative": "x", **value}


def comes_as_typed(text: TypeAdapter[Any]) -> bool:
    try:
        return TRACE in str(text.validate_python(TEXT))
    except ValidationError:
        return False


# What routes take


def routes_of(app: FastAPI) -> Iterator[APIRoute]:
    yield from _api_routes(app.routes)


def _api_routes(routes: Iterable[object]) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif (included := getattr(route, "original_router", None)) is not None:
            yield from _api_routes(included.routes)


def parameters_of(route: APIRoute) -> dict[str, Any]:
    """By name, what comes from the request: not who calls, and not what the framework hands in."""
    hints = get_type_hints(route.endpoint, include_extras=True)
    hints.pop("return", None)
    return {
        name: hint
        for name, hint in hints.items()
        if hint not in {Request, Response} and not any(isinstance(m, Depends) for m in get_args(hint)[1:])
    }


def is_model(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, BaseModel)


def texts_of(route: APIRoute) -> Iterator[tuple[str, TypeAdapter[Any]]]:
    """(path, type) of every text in the parameters and the body of a route."""
    for name, hint in parameters_of(route).items():
        for path, text in texts_in(hint, ()):
            yield f"{name}.{path}".rstrip("."), text


def texts_in(hint: Any, metadata: tuple[Any, ...]) -> Iterator[tuple[str, TypeAdapter[Any]]]:
    """(path, type) of every text in a type, with what is annotated on the way to it."""
    origin, arguments = get_origin(hint), get_args(hint)
    if is_model(hint):
        for name, field in hint.model_fields.items():
            for path, text in texts_in(field.annotation, tuple(field.metadata)):
                yield f"{field.alias or name}.{path}".rstrip("."), text
    elif origin is Annotated:
        yield from texts_in(arguments[0], (*arguments[1:], *metadata))
    elif origin in {Union, UnionType, tuple, list, set, frozenset, dict}:
        for argument in arguments:
            if argument not in {NoneType, Ellipsis}:
                yield from texts_in(argument, metadata if origin in {Union, UnionType} else ())
    elif hint is str:
        yield "", TypeAdapter(Annotated[(str, *metadata)] if metadata else str)
    elif hint is Any or hint is object:
        yield "", TypeAdapter(Any)
    else:
        assert origin is Literal or not isinstance(hint, str), f"no rule for {hint}"
