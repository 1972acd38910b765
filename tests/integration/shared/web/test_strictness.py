"""A request says each thing once, in one spelling, in a form that is taken; else the thing is named."""

import re
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Annotated
from uuid import UUID

import pytest
from fastapi import Query
from pydantic import BaseModel, ConfigDict

from shared.web.auth import Assessor
from shared.web.pages import Cursor, Limit
from shared.web.parameters import ForceFilter, IfMatch
from shared.web.routing import Router
from tests.integration.shared.web.raw import Answer, Served, served
from tests.unit.shared.web.issuer import Issuer

MARK = b"\xef\xbb\xbf"


class Inner(BaseModel):
    name: str


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    inner: list[Inner] = []


router = Router(prefix="/v1")
taken: list[str] = []


@router.get("/things")
async def list_things(
    day: date | None = None,
    from_: Annotated[date | None, Query(alias="from")] = None,
    force: ForceFilter = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> dict[str, int]:
    return {"limit": limit}


@router.get("/things/{thing_id}")
async def show_thing(thing_id: UUID) -> dict[str, UUID]:
    return {"thing_id": thing_id}


@router.post("/things/{thing_id}")
async def post_thing(thing_id: UUID, body: Body, if_match: IfMatch) -> dict[str, str]:
    taken.append(body.name)
    return {"name": body.name}


@router.delete("/things/{thing_id}")
async def delete_thing(thing_id: UUID) -> None: ...


@router.get("/secret")
async def secret(_: Assessor, limit: Limit = 50) -> None: ...


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Served]:
    taken.clear()
    async with served([router], Issuer(), tmp_path) as running:
        yield running


async def ask(
    service: Served, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> Answer:
    lines = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    head = f"{method} {target} HTTP/1.1\r\nHost: hotline\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
    return await service.ask(head.encode("latin-1") + body)


ID = "5f0c7d1e-3a4b-4c5d-8e6f-7a8b9c0d1e2f"
JSON = {"Content-Type": "application/json", "If-Match": '"3"'}


async def post(service: Served, body: bytes, **headers: str) -> Answer:
    return await ask(service, "POST", f"/v1/things/{ID}", JSON | headers, body)


def named(answer: Answer) -> list[str]:
    assert answer.status == 422
    return [error["field"] for error in answer.problem["errors"]]


# Parameters.

NO_INTEGERS = ["%2B1", "01", "1.0", "1e1", "1_0", "%201", "1%20", "", "0x1", "%D9%A1", "-0"]


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ("day=0", "day", "must be a date, as 2020-12-31"),
        ("day=1577836800", "day", "must be a date, as 2020-12-31"),
        ("day=2020-12-31T00:00:00", "day", "must be a date, as 2020-12-31"),
        ("day=20201231", "day", "must be a date, as 2020-12-31"),
        ("day=2020-W01-1", "day", "must be a date, as 2020-12-31"),
        ("day=2020-02-30", "day", "must be a date, as 2020-12-31"),
        ("day=%2B020-12-31", "day", "must be a date, as 2020-12-31"),
        ("day=", "day", "must be a date, as 2020-12-31"),
        ("from=0", "from", "must be a date, as 2020-12-31"),
        ("from_=2020-12-31", "from_", "is not a parameter of this address"),
        *((f"limit={text}", "limit", "must be a whole number, as 50") for text in NO_INTEGERS),
        ("limit=0", "limit", "must be greater than or equal to 1"),
        ("limit=201", "limit", "must be less than or equal to 200"),
        ("limit=5&limit=5", "limit", "must be given once"),
        ("limit=5&l%69mit=6", "limit", "must be given once"),
        ("force=atlantis", "force", "must be one of the known forces, or unknown"),
        ("force=A%00", "force", "must be one of the known forces, or unknown"),
        ("force=", "force", "must be one of the known forces, or unknown"),
        ("offset=3", "offset", "is not a parameter of this address"),
        ("=3", "query", "is not a parameter of this address"),
        ("limit", "limit", "must be a whole number, as 50"),
    ],
)
async def test_a_parameter_has_one_spelling_and_stands_once(
    service: Served, query: str, field: str, message: str
) -> None:
    answer = await ask(service, "GET", f"/v1/things?{query}")
    assert answer.status == 422
    assert answer.problem["errors"] == [{"field": field, "message": message}]


@pytest.mark.parametrize(
    "query",
    ["", "day=2020-12-31&from=2020-02-29", "limit=1", "limit=200", "force=unknown", "force=hampshire"],
)
async def test_what_is_right_is_taken(service: Served, query: str) -> None:
    assert (await ask(service, "GET", f"/v1/things?{query}")).status == 200


@pytest.mark.parametrize("spelling", [f"{{{ID}}}", f"urn:uuid:{ID}", ID.replace("-", ""), "1", f"{ID}0"])
async def test_an_id_has_one_spelling(service: Served, spelling: str) -> None:
    answer = await ask(service, "GET", f"/v1/things/{spelling}")
    assert named(answer) == ["thing_id"]
    assert "must be a UUID" in answer.problem["errors"][0]["message"]


async def test_who_has_no_token_hears_of_no_parameter(service: Served) -> None:
    assert (await ask(service, "GET", "/v1/secret?offset=3&limit=01")).status == 401


# Methods.


@pytest.mark.parametrize(
    ("target", "allowed"),
    [
        ("/v1/things", "GET, HEAD, OPTIONS"),
        (f"/v1/things/{ID}", "DELETE, GET, HEAD, OPTIONS, POST"),
        ("/healthz/live", "GET, HEAD, OPTIONS"),
        ("/docs", "GET, HEAD, OPTIONS"),
        ("/openapi.json", "GET, HEAD, OPTIONS"),
    ],
)
async def test_allow_names_every_method_of_an_address(service: Served, target: str, allowed: str) -> None:
    refused = await ask(service, "PATCH", target)
    assert (refused.status, refused.headers["allow"].upper()) == (405, allowed)
    answer = await ask(service, "OPTIONS", target)
    assert (answer.status, answer.headers["allow"].upper(), answer.body) == (204, allowed, b"")


async def test_options_of_no_address_is_not_found(service: Served) -> None:
    assert (await ask(service, "OPTIONS", "/nowhere")).status == 404


@pytest.mark.parametrize(
    "target", ["/v1/things", "/healthz/live", "/docs", "/openapi.json", "/nowhere", "/v1/secret"]
)
async def test_head_is_get_without_the_body(service: Served, target: str) -> None:
    get = await ask(service, "GET", target)
    async with service.line() as line:
        await line.send(f"HEAD {target} HTTP/1.1\r\nHost: hotline\r\nConnection: close\r\n\r\n".encode())
        head = (await line.interim()).decode()
        assert await line.is_closed()
    assert f"HTTP/1.1 {get.status} " in head
    assert f"content-length: {len(get.body)}\r\n" in head


# Headers.


@pytest.mark.parametrize("name", ["Idempotency-Key", "If-Match", "Authorization", "Content-Type"])
async def test_a_header_with_two_values_is_refused_by_name(service: Served, name: str) -> None:
    def twice(one: bytes, other: bytes) -> bytes:
        return b"GET /v1/things HTTP/1.1\r\nHost: h\r\n%s: %s\r\n%s: %s\r\n\r\n" % (
            name.encode(), one, name.lower().encode(), other,
        )  # fmt: skip

    answer = await service.ask(twice(b"a", b"b"))
    assert answer.problem["status"] == 400
    assert name in answer.problem["detail"]
    assert (await service.ask(twice(b"a", b" a  "))).status == 200


@pytest.mark.parametrize("version", ["3", '"3"', 'W/"3"', ' "3" '])
async def test_a_version_is_taken_as_the_etag_gave_it(service: Served, version: str) -> None:
    assert (await post(service, b'{"name": "x"}', **{"If-Match": version})).status == 200


@pytest.mark.parametrize("version", ["*", '"3", "4"', "three", "", '"-1"'])
async def test_a_version_that_is_none_is_explained(service: Served, version: str) -> None:
    answer = await post(service, b'{"name": "x"}', **{"If-Match": version})
    assert answer.problem["errors"] == [
        {"field": "If-Match", "message": 'must be the version, as the ETag header gave it, such as "3"'}
    ]


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "identity, gzip", "chunked", ""])
async def test_a_body_in_an_encoding_is_415(service: Served, encoding: str) -> None:
    answer = await post(service, b'{"name": "x"}', **{"Content-Encoding": encoding})
    assert answer.problem["status"] == 415
    assert answer.headers["accept-encoding"] == "identity"
    assert taken == []


async def test_a_body_in_no_encoding_may_say_so(service: Served) -> None:
    assert (await post(service, b'{"name": "x"}', **{"Content-Encoding": "Identity"})).status == 200


# Bodies.


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b'{"name": "x", "name": "y"}', ["name"]),
        (rb'{"name": "x", "n\u0061me": "y"}', ["name"]),
        (b'{"name": "x", "inner": [{"name": "a"}, {"name": "b", "name": "b"}]}', ["inner.1.name"]),
        (MARK + b'{"name": "x", "name": "y"}', ["name"]),
    ],
)
async def test_a_name_that_stands_twice_is_refused_by_its_path(
    service: Served, body: bytes, fields: list[str]
) -> None:
    answer = await post(service, body)
    assert named(answer) == fields
    assert answer.problem["errors"][0]["message"] == "must be given once"
    assert taken == []


async def test_a_byte_order_mark_is_passed_over(service: Served) -> None:
    assert (await post(service, MARK + b'{"name": "x"}')).status == 200


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "latin-1"])
async def test_a_body_is_utf_8(service: Served, encoding: str) -> None:
    assert named(await post(service, '{"name": "é"}'.encode(encoding))) == ["body"]


# Pages and files.


async def test_no_answer_names_another_host(service: Served) -> None:
    """But the library that draws the page, which has addresses in its texts: its policy lets it ask none."""
    page = await ask(service, "GET", "/docs")
    files = re.findall(r'(?:src|href)="([^"]+)"', page.body.decode())
    assert len(files) == 4
    assert all(file.startswith("/docs/") for file in files)
    for target in [
        "/docs",
        "/docs/start.js",
        "/openapi.json",
        "/healthz/live",
        "/healthz/ready",
        "/nowhere",
        *files,
    ]:
        answer = await ask(service, "GET", target)
        assert answer.status == (404 if target == "/nowhere" else 200)
        if "swagger-ui" not in target:
            assert b"//" not in re.sub(rb"urn:[a-z:-]+|application/\S+", b"", answer.body), target
        assert not any("//" in value for value in answer.headers.values())
    policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert {source for sources in policy.values() for source in sources.split()} <= {
        "'none'",
        "'self'",
        "data:",
    }
    assert "data:" not in policy["script-src"] + policy["connect-src"] + policy["style-src"]


@pytest.mark.parametrize(
    "target", ["/docs", "/openapi.json", "/healthz/live", "/nowhere", "/v1/things?limit=0"]
)
async def test_every_answer_keeps_a_browser_from_loading_guessing_and_telling(
    service: Served, target: str
) -> None:
    answer = await ask(service, "GET", target)
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
