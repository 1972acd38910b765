"""What every service promises about every answer, asked over a socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import pytest
from fastapi import FastAPI, Header, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from shared.errors import Conflict, NotFound
from shared.web import app as web_app
from shared.web import openapi
from shared.web.app import create_app
from shared.web.auth import Assessor, Authenticator
from shared.web.jwks import KeySource
from shared.web.pages import Cursor, Limit
from shared.web.routing import Router
from tests.integration.shared.web.serving import client_of
from tests.unit.shared.web.issuer import ISSUER, Issuer
from tests.unit.shared.web.log_lines import SECRET, configured


class Subject(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=10)]
    seen_from: date | None = None


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    subjects: list[Subject] = []


router = Router(prefix="/v1")


@router.post("/things", status_code=201, responses=openapi.problems(Conflict))
async def post_thing(
    body: Body, caller: Assessor, idempotency_key: Annotated[str, Header(max_length=20)] = ""
) -> dict[str, str]:
    if idempotency_key == "taken":
        raise Conflict("Taken.", members={"case_id": "survivor"})
    return {"by": caller.subject}


@router.post("/public")
async def post_public(body: Body) -> Body:
    return body


@router.get("/things", responses=openapi.problems(NotFound))
async def get_things(limit: Limit = 50, cursor: Cursor = None) -> dict[str, int]:
    return {"limit": limit}


@router.get("/broken")
async def broken() -> None:
    raise RuntimeError(SECRET)


@router.get("/broken/half")
async def broken_half() -> StreamingResponse:
    async def stream() -> AsyncIterator[bytes]:
        yield b"a line\n"
        raise RuntimeError(SECRET)

    return StreamingResponse(stream())


@router.post("/imports")
async def imports(request: Request) -> dict[str, int]:
    return {"bytes": sum([len(chunk) async for chunk in request.stream()])}


@router.post("/measured")
async def measured(request: Request) -> dict[str, int]:
    return {"bytes": len(await request.body())}


class Dependencies:
    def __init__(self) -> None:
        self.failing: Mapping[str, str] = {}
        self.hangs = False

    async def readiness(self) -> Mapping[str, str]:
        if self.hangs:
            await asyncio.Event().wait()
        return self.failing


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def dependencies() -> Dependencies:
    return Dependencies()


@pytest.fixture
async def app(issuer: Issuer, dependencies: Dependencies, tmp_path: Path) -> AsyncIterator[FastAPI]:
    async with KeySource(issuer.write(tmp_path / "jwks.json")) as keys:
        yield create_app(
            title="Test",
            version="1",
            readiness=dependencies.readiness,
            authenticator=Authenticator(keys, issuer=ISSUER, audience="hotline"),
            routers=[router],
            body_limits={"/v1/imports": None},
        )


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[aiohttp.ClientSession]:
    async with client_of(app) as session:
        yield session


async def problem(answer: aiohttp.ClientResponse, status: int) -> dict[str, Any]:
    assert answer.status == status
    assert answer.content_type == "application/problem+json"
    document: dict[str, Any] = await answer.json(content_type=None)
    assert document["status"] == status
    assert {"type", "title", "detail"} <= document.keys()
    return document


async def fields(answer: aiohttp.ClientResponse) -> list[str]:
    return [error["field"] for error in (await problem(answer, 422))["errors"]]


async def test_health_is_public(client: aiohttp.ClientSession) -> None:
    for path, status in (("/healthz/live", "live"), ("/healthz/ready", "ready")):
        async with client.get(path) as answer:
            assert (answer.status, await answer.json()) == (200, {"status": status})


async def test_what_is_not_ready_is_named(client: aiohttp.ClientSession, dependencies: Dependencies) -> None:
    dependencies.failing = {"database": "ConnectionRefusedError"}
    async with client.get("/healthz/ready") as answer:
        assert (await problem(answer, 503))["not_ready"] == {"database": "ConnectionRefusedError"}
        assert answer.headers["Retry-After"] == "1"
    async with client.get("/healthz/live") as answer:
        assert answer.status == 200


async def test_a_dependency_that_hangs_does_not_hang_the_check(
    client: aiohttp.ClientSession, dependencies: Dependencies, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_app, "_READINESS_SECONDS", 0.01)
    dependencies.hangs = True
    async with client.get("/healthz/ready") as answer:
        assert "no answer" in (await problem(answer, 503))["not_ready"]["readiness"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/v1/things/", 404),
        ("DELETE", "/v1/things", 405),
        ("TRACE", "/", 404),
    ],
)
async def test_the_frameworks_own_refusals_are_problems(
    client: aiohttp.ClientSession, method: str, path: str, status: int
) -> None:
    async with client.request(method, path) as answer:
        await problem(answer, status)
        assert ("Allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize(
    "path", ["/healthz/live", "/openapi.json", "/docs", "/nowhere", "/v1/broken", "/v1/things?limit=0"]
)
async def test_no_answer_is_cached_or_tells_the_time_or_the_server(
    client: aiohttp.ClientSession, path: str
) -> None:
    async with client.get(path) as answer:
        assert answer.headers.getall("Cache-Control") == ["no-store"]
        assert not {"Date", "Server"} & set(answer.headers)


async def test_wrong_fields_are_named_by_path_and_not_quoted(client: aiohttp.ClientSession) -> None:
    body = {"subjects": [{"name": SECRET, "seen_from": SECRET}, {}], "more": SECRET}
    async with client.post("/v1/public", json=body) as answer:
        assert SECRET not in await answer.text()
        assert set(await fields(answer)) == {
            "subjects.0.name",
            "subjects.0.seen_from",
            "subjects.1.name",
            "more",
        }


@pytest.mark.parametrize(
    ("raw", "kind", "field"),
    [
        (b"{", "application/json", "body"),
        (b"", "application/json", "body"),
        (b'{"subjects": [{"name": "\xff"}]}', "application/json", "body"),
        (b"[" * 100_000, "application/json", "body"),
        (b"{}", "text/plain", "body"),
        (rb'{"subjects": [{"name": "\ud800"}]}', "application/json", "subjects.0.name"),
        (rb'{"\ud800": 1}', "application/json", "body"),
        (b'{"subjects": NaN}', "application/json", "subjects"),
    ],
    ids=["half", "empty", "no UTF-8", "deep", "another type", "lone surrogate", "surrogate name", "NaN"],
)
async def test_a_body_that_cannot_be_read_is_422(
    client: aiohttp.ClientSession, raw: bytes, kind: str, field: str
) -> None:
    async with client.post("/v1/public", data=raw, headers={"Content-Type": kind}) as answer:
        assert await fields(answer) == [field]


async def test_parameters_and_headers_are_fields_too(client: aiohttp.ClientSession, issuer: Issuer) -> None:
    async with client.get("/v1/things?limit=201") as answer:
        assert await fields(answer) == ["limit"]
    headers = {"Authorization": f"Bearer {issuer.token('assessor')}", "Idempotency-Key": "x" * 21}
    async with client.post("/v1/things", json={}, headers=headers) as answer:
        assert await fields(answer) == ["idempotency-key"]


async def test_a_route_raises_a_problem_with_members(client: aiohttp.ClientSession, issuer: Issuer) -> None:
    headers = {"Authorization": f"Bearer {issuer.token('assessor')}", "Idempotency-Key": "taken"}
    async with client.post("/v1/things", json={}, headers=headers) as answer:
        assert (await problem(answer, 409))["case_id"] == "survivor"


async def test_the_right_role_may_and_others_may_not(client: aiohttp.ClientSession, issuer: Issuer) -> None:
    async def post(authorization: str | None) -> aiohttp.ClientResponse:
        headers = {"Authorization": authorization} if authorization else {}
        return await client.post("/v1/things", json={}, headers=headers)

    async with await post(f"Bearer {issuer.token('assessor')}") as answer:
        assert (answer.status, await answer.json()) == (201, {"by": "somebody"})
    async with await post(None) as answer:
        await problem(answer, 401)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    for wrong in ("Basic eDp5", "Bearer", "Bearer x", "Bearer \xff", f"Bearer {Issuer().token('assessor')}"):
        async with await post(wrong) as answer:
            await problem(answer, 401)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    for others in (["approver", "operator"], []):
        async with await post(f"Bearer {issuer.token(*others)}") as answer:
            await problem(answer, 403)
            assert "insufficient_scope" in answer.headers["WWW-Authenticate"]


LIMIT = 256 * 1024


async def chunks(size: int) -> AsyncIterator[bytes]:
    for start in range(0, size, 10_000):
        yield b" " * min(10_000, size - start)


@pytest.mark.parametrize(
    ("path", "is_declared"),
    [
        *((path, True) for path in ("/v1/public", "/v1/measured", "/v1/things", "/nowhere")),
        # Nothing reads, and so nothing counts, what is sent without a length to no address.
        *((path, False) for path in ("/v1/public", "/v1/measured", "/v1/things")),
    ],
)
async def test_a_body_over_the_limit_is_413(
    client: aiohttp.ClientSession, path: str, is_declared: bool, issuer: Issuer
) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {issuer.token('assessor')}"}
    data = b" " * (LIMIT + 1) if is_declared else chunks(LIMIT + 1)
    async with client.post(path, data=data, headers=headers) as answer:
        await problem(answer, 413)


@pytest.mark.parametrize("is_declared", [True, False], ids=["declared", "chunked"])
async def test_a_body_at_the_limit_is_taken(client: aiohttp.ClientSession, is_declared: bool) -> None:
    data = b" " * LIMIT if is_declared else chunks(LIMIT)
    async with client.post("/v1/measured", data=data) as answer:
        assert (answer.status, await answer.json()) == (200, {"bytes": LIMIT})


async def test_a_streaming_route_may_take_more(client: aiohttp.ClientSession) -> None:
    async with client.post("/v1/imports", data=chunks(4 * LIMIT)) as answer:
        assert await answer.json() == {"bytes": 4 * LIMIT}


async def test_a_crash_tells_nothing_to_the_client_and_only_its_type_to_the_log(
    client: aiohttp.ClientSession, capsys: pytest.CaptureFixture[str]
) -> None:
    with configured(capsys) as lines:
        async with client.get("/v1/broken") as answer:
            assert SECRET not in json.dumps(await problem(answer, 500))
        line = lines.one()
    assert (line["error"], line["route"], line["method"]) == ("RuntimeError", "/v1/broken", "GET")
    assert any("broken" in frame for frame in line["frames"])


async def test_a_crash_in_the_middle_of_an_answer_breaks_it_off(
    client: aiohttp.ClientSession, capsys: pytest.CaptureFixture[str]
) -> None:
    with configured(capsys) as lines:
        async with client.get("/v1/broken/half") as answer:
            with pytest.raises(aiohttp.ClientPayloadError):
                await answer.read()
        assert "RuntimeError" in str(lines.all())


async def test_the_openapi_document_tells_what_is_answered(client: aiohttp.ClientSession) -> None:
    async with client.get("/openapi.json") as answer:
        document = await answer.json()
    answers = {
        (method, path): set(operation["responses"])
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert answers["get", "/healthz/live"] == {"200", "400", "422"}
    assert answers["get", "/healthz/ready"] == {"200", "400", "422", "503"}
    with_body = {"400", "408", "413", "415", "422"}
    assert answers["post", "/v1/things"] == {"201", "401", "403", "409", "503"} | with_body
    assert answers["post", "/v1/public"] == {"200"} | with_body
    assert answers["get", "/v1/things"] == {"200", "400", "404", "422"}
    assert "ValidationError" not in json.dumps(document)
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert set(response["content"]) == {"application/problem+json"}


async def test_the_frameworks_telemetry_stays_off(
    issuer: Issuer, dependencies: Dependencies, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would export bodies and seconds, and one variable turns it on."""
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    async with KeySource("nowhere") as keys:
        app = create_app(
            title="Test",
            version="1",
            readiness=dependencies.readiness,
            authenticator=Authenticator(keys, issuer=ISSUER, audience="hotline"),
        )
    switches = {name for name, value in app._telemetry.items() if value is True}
    assert switches == set()
