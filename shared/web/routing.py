"""`Router`: the routes of every service, which take what they say that they take and nothing beside it.

Before a route's own code runs,

- a query parameter that the route does not know, or that is given twice, is 422 and named;
- a day, a whole number and a UUID have one spelling each: pydantic also takes seconds since 1970 for a day,
  and `1_000`, `1.0` or `+1` for a number;
- a JSON body is UTF-8, with or without a byte order mark, and names each field once.

All of this follows from a route's signature. A caller without a fitting token learns nothing of it: 401 and
403 come first.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from shared.contracts.json_text import repeated_names, without_mark
from shared.errors import FieldError, Unprocessable
from shared.web.auth import RequiresRole
from shared.web.problems import field_path

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

# By the type, or the format, that JSON Schema has for it.
_SPELLINGS: Final[Mapping[str, tuple[re.Pattern[str], str]]] = {
    "date": (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), "must be a date, as 2020-12-31"),
    "integer": (re.compile(r"0|-?[1-9][0-9]{0,18}"), "must be a whole number, as 50"),
    "uuid": (
        re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
        "must be a UUID, as 5f0c7d1e-3a4b-4c5d-8e6f-7a8b9c0d1e2f",
    ),
}


class _JsonRequest(Request):
    """Reads its body as UTF-8 alone, where the framework guesses among five encodings."""

    async def json(self) -> Any:
        return json.loads(without_mark(await self.body()).decode())


class Route(APIRoute):
    """A route that is strict about its parameters and its body."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        dependants = list(_all(self.dependant))
        query = {field.alias: _spelling(field) for each in dependants for field in each.query_params}
        path = {field.alias: _spelling(field) for each in dependants for field in each.path_params}
        admissions = [each.call for each in dependants if isinstance(each.call, RequiresRole)]
        has_body = self.body_field is not None

        async def examine(request: Request) -> Response:
            faults = []
            if request.scope["query_string"]:
                faults += _query_faults(request.scope["query_string"], query)
            if path:
                faults += _misspelled(request.path_params.items(), path)
            if has_body:
                request = _JsonRequest(request.scope, request.receive)
                names = repeated_names(without_mark(await request.body()))
                faults += [FieldError(field_path(name), "must be given once") for name in names]
            if faults:
                for admission in admissions:
                    await admission(request)
                raise Unprocessable("; ".join(f"{e.field}: {e.message}" for e in faults[:3]), errors=faults)
            return await handle(request)

        return examine


class Router(APIRouter):
    """As FastAPI's own, of routes that are strict."""

    def __init__(self, **options: Any) -> None:
        super().__init__(route_class=Route, **options)


def _all(dependant: Dependant) -> Sequence[Dependant]:
    return [dependant, *(inner for each in dependant.dependencies for inner in _all(each))]


def _spelling(field: Any) -> tuple[re.Pattern[str], str] | None:
    schema = TypeAdapter(field.field_info.annotation).json_schema()
    for alternative in schema.get("anyOf", [schema]):
        kind = alternative.get("format") or alternative.get("type")
        if kind in _SPELLINGS:
            return _SPELLINGS[kind]
    return None


Spellings = Mapping[str, tuple[re.Pattern[str], str] | None]


def _query_faults(query_string: bytes, known: Spellings) -> list[FieldError]:
    given = parse_qsl(query_string.decode("latin-1"), keep_blank_values=True)
    faults = []
    for name, count in Counter(name for name, _ in given).items():
        if name not in known:
            faults.append(FieldError(field_path([name or "query"]), "is not a parameter of this address"))
        elif count > 1:
            faults.append(FieldError(name, "must be given once"))
    return faults or _misspelled(given, known)


def _misspelled(given: Any, spellings: Spellings) -> list[FieldError]:
    return [
        FieldError(name, spelling[1])
        for name, value in given
        if (spelling := spellings[name]) is not None and not spelling[0].fullmatch(value)
    ]
