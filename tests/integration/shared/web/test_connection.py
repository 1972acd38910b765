"""A connection before and around the application: what is no HTTP, what is too much, what takes too long."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import pytest
from fastapi import Request

from shared.web.connection import Limits
from shared.web.routing import Router
from tests.integration.shared.web.raw import Served, served, until
from tests.unit.shared.web.issuer import Issuer


class Desk:
    """A route that stores, and answers when it may."""

    def __init__(self) -> None:
        self.stored: list[bytes] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.gone = 0
        self.router = Router()

        @self.router.post("/v1/things")
        async def store(request: Request) -> dict[str, int]:
            body = await request.body()
            self.stored.append(body)
            try:
                await self.may_answer.wait()
            except asyncio.CancelledError:
                self.gone += 1
                raise
            return {"bytes": len(body)}

        @self.router.post("/v1/stream")
        async def count(request: Request) -> dict[str, int]:
            return {"bytes": sum([len(part) async for part in request.stream()])}

        @self.router.get("/v1/header")
        async def show_header(request: Request) -> dict[str, str | None]:
            return {"key": request.headers.get("Idempotency-Key")}

        @self.router.get("/v1/long")
        async def long() -> str:
            return "x" * 10_000_000


Serve = Callable[..., AbstractAsyncContextManager[Served]]
HOST = b"Host: hotline\r\n"


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def serve(desk: Desk, tmp_path: Path) -> Serve:
    return partial(served, [desk.router], Issuer(), tmp_path)


@pytest.fixture
async def service(serve: Serve) -> AsyncIterator[Served]:
    async with serve() as running:
        yield running


def post(path: bytes = b"/v1/things", body: bytes = b"{}", headers: bytes = HOST) -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return b"POST " + path + b" HTTP/1.1\r\n" + headers + length + b"\r\n" + body


# A client that closes its sending side.


async def test_a_client_that_closes_its_sending_side_after_a_whole_request_is_answered(
    service: Served, desk: Desk
) -> None:
    desk.may_answer.clear()
    async with service.line() as line:
        await line.send(post())
        line.close_sending_side()
        await until(lambda: len(desk.stored) == 1)
        desk.may_answer.set()
        answer = await line.answer()
        assert (answer.status, answer.body) == (200, b'{"bytes":2}')
        assert answer.headers["connection"] == "close"
        assert await line.is_closed()


async def test_requests_one_after_the_other_and_then_the_end_are_all_answered(service: Served) -> None:
    async with service.line() as line:
        await line.send(post(body=b"a") + post(body=b"bb"))
        assert (await line.answer()).body == b'{"bytes":1}'
        line.close_sending_side()
        assert (await line.answer()).body == b'{"bytes":2}'


async def test_an_answer_that_takes_long_still_comes_to_a_client_that_closed_its_sending_side(
    service: Served, desk: Desk
) -> None:
    """Beside the interim answers by which a client that is gone is found out."""
    desk.may_answer.clear()
    async with service.line() as line:
        await line.send(post())
        line.close_sending_side()
        assert await line.interim() == b"HTTP/1.1 100 Continue\r\n\r\n"
        desk.may_answer.set()
        assert (await line.answer()).status == 200


@pytest.mark.parametrize("is_reset", [False, True], ids=["closed", "reset"])
async def test_the_request_of_a_client_that_is_gone_is_given_up(
    service: Served, desk: Desk, caplog: pytest.LogCaptureFixture, is_reset: bool
) -> None:
    """Though its end looks like that of one which closed its sending side alone."""
    desk.may_answer.clear()
    async with service.line() as line:
        await line.send(post())
        await until(lambda: len(desk.stored) == 1)
        await (line.reset() if is_reset else line.close())
    await until(lambda: desk.gone == 1)
    desk.may_answer.set()
    async with service.line() as line:
        await line.send(post())
        assert (await line.answer()).status == 200
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_half_a_body_and_the_end_store_nothing(service: Served, desk: Desk) -> None:
    async with service.line() as line:
        await line.send(post(body=b"12345678")[:-4])
        line.close_sending_side()
        assert await line.is_closed()
    assert desk.stored == []


# What is no HTTP.


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"hello\r\n\r\n", 400),
        (b"GET /healthz/live HTTP/3.7\r\n" + HOST + b"\r\n", 400),
        (b"GET http://[ HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET /healthz/live HTTP/1.1\r\n\r\n", 400),
        (b"GET /healthz/live HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400),
        (b"GET /healthz/live HTTP/1.1\r\n" + HOST + b"X: a\x00b\r\n\r\n", 400),
        (b"GET /healthz/live HTTP/1.1\r\n" + HOST + b"X : a\r\n\r\n", 400),
        (post(headers=HOST + b"Content-Length: 3\r\n"), 400),
        (post(headers=HOST + b"Transfer-Encoding: chunked\r\n"), 400),
        (post(headers=HOST + b"Content-Length: -1\r\n"), 400),
        (b"POST /v1/things HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST /v1/things HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        (b"POST /v1/things HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip\r\n\r\n", 501),
        (b"POST /v1/things HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: identity\r\n\r\n", 501),
        (post(headers=HOST + b"Connection: Upgrade\r\nUpgrade: h2c\r\n"), 501),
        (b"GET /healthz/live HTTP/1.1\r\n" + HOST + b"X: " + b"x" * 40_000 + b"\r\n\r\n", 431),
        (b"GET /healthz/live?" + b"x" * 40_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 431),
        (b"GET /healthz/live HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 7_000 + b"\r\n", 431),
    ],
)
async def test_a_request_that_is_none_is_a_problem_and_the_end_of_the_connection(
    service: Served, desk: Desk, request_: bytes, status: int
) -> None:
    async with service.line() as line:
        await line.send(request_)
        answer = await line.answer()
        assert answer.problem["status"] == status
        assert answer.headers["connection"] == "close"
        assert {"content-security-policy", "cache-control", "x-content-type-options"} <= answer.headers.keys()
        assert await line.is_closed()
    assert desk.stored == []


async def test_a_broken_request_does_not_cut_the_answer_to_the_one_before_it(
    service: Served, desk: Desk
) -> None:
    desk.may_answer.clear()
    async with service.line() as line:
        await line.send(post())
        await until(lambda: len(desk.stored) == 1)
        await line.send(b"hello\r\n\r\n")
        await asyncio.sleep(0)
        desk.may_answer.set()
        assert (await line.answer()).status == 200
        assert (await line.answer()).problem["status"] == 400


async def test_http_1_0_needs_no_host(service: Served) -> None:
    assert (await service.ask(b"GET /healthz/live HTTP/1.0\r\n\r\n")).status == 200


async def test_an_upgrade_that_is_not_spoken_is_passed_over(service: Served) -> None:
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    answer = await service.ask(b"GET /healthz/live HTTP/1.1\r\n" + HOST + upgrade + b"\r\n")
    assert (answer.status, answer.headers["connection"]) == (200, "close")


async def test_white_space_around_a_header_s_value_is_no_part_of_it(service: Served) -> None:
    for key in (b"a b", b" a b", b"\t a b \t", b"a b  "):
        answer = await service.ask(
            b"GET /v1/header HTTP/1.1\r\n" + HOST + b"Idempotency-Key:" + key + b"\r\n\r\n"
        )
        assert answer.body == b'{"key":"a b"}'


async def test_what_follows_a_body_in_parts_is_no_header(service: Served, desk: Desk) -> None:
    trailer = b"Content-Encoding: gzip\r\nIdempotency-Key: k\r\n"
    answer = await service.ask(
        b"POST /v1/things HTTP/1.1\r\n"
        + HOST
        + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
        + trailer
        + b"\r\n"
    )
    assert (answer.status, desk.stored) == (200, [b"{}"])


# Limits.


@pytest.mark.parametrize(
    "start",
    [
        b"GET /healthz/live HTTP/1.1\r\n" + HOST + b"X: ",
        b"GET /",
        b"POST /v1/things HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n2;",
        b"POST /v1/things HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: ",
    ],
    ids=["header", "address", "extension of a part", "after the last part"],
)
async def test_a_header_without_an_end_is_refused_before_it_is_long(service: Served, start: bytes) -> None:
    async with service.line() as line:
        await line.send(start)
        sending = asyncio.create_task(line.flood(b"x" * 65_536, 400))
        assert (await line.answer()).problem["status"] == 431
        await sending


async def test_headers_up_to_the_limit_are_taken(service: Served) -> None:
    long = b"X: " + b"x" * 30_000 + b"\r\n"
    answer = await service.ask(b"GET /healthz/live HTTP/1.1\r\n" + HOST + long + b"\r\n")
    assert answer.status == 200


async def test_headers_that_trickle_in_are_408(serve: Serve) -> None:
    async with serve(Limits(header_seconds=0.1)) as service, service.line() as line:
        await line.send(b"GET /healthz/live HTTP/1.1\r\nHost")
        assert (await line.answer()).problem["status"] == 408
        assert await line.is_closed()


async def test_the_headers_of_a_second_request_have_a_limit_too(serve: Serve) -> None:
    async with serve(Limits(header_seconds=0.1)) as service, service.line() as line:
        await line.send(post() + b"GET /healthz/live HTTP/1.1\r\nHost")
        assert (await line.answer()).status == 200
        assert (await line.answer()).problem["status"] == 408


async def test_a_connection_that_says_nothing_is_closed(serve: Serve) -> None:
    async with serve(Limits(header_seconds=0.1)) as service, service.line() as line:
        assert await line.is_closed()


async def test_line_ends_alone_keep_no_connection_open(serve: Serve) -> None:
    async with serve(Limits(header_seconds=0.1)) as service, service.line() as line:
        closed = asyncio.create_task(line.is_closed())
        await line.flood(b"\r\n")
        assert await closed


async def test_a_connection_that_was_answered_and_says_no_more_is_closed(serve: Serve) -> None:
    async with serve(Limits(idle_seconds=0.1)) as service, service.line() as line:
        await line.send(post())
        assert (await line.answer()).status == 200
        assert await line.is_closed()


async def test_a_connection_over_the_limit_is_told_so_and_a_place_that_is_left_is_given_again(
    serve: Serve,
) -> None:
    async with serve(Limits(connections=2)) as service:
        async with service.line() as first, service.line() as second:
            for line in (first, second):
                await line.send(post())
                assert (await line.answer()).status == 200
            async with service.line() as third:
                answer = await third.answer()
                assert (answer.problem["status"], answer.headers["retry-after"]) == (503, "1")
                assert await third.is_closed()
            await first.send(post())
            assert (await first.answer()).status == 200
        async with asyncio.timeout(20):
            while (await service.ask(post())).status != 200:
                await asyncio.sleep(0.01)


async def test_a_body_that_does_not_come_is_408_and_the_end(serve: Serve, desk: Desk) -> None:
    async with serve(Limits(body_seconds=0.1)) as service, service.line() as line:
        await line.send(post(body=b"12345678")[:-4])
        answer = await line.answer()
        assert (answer.problem["status"], answer.headers["connection"]) == (408, "close")
        assert await line.is_closed()
    assert desk.stored == []


async def test_a_body_that_trickles_in_has_one_time_for_all_of_it(serve: Serve, desk: Desk) -> None:
    async with serve(Limits(body_seconds=0.2)) as service, service.line() as line:
        await line.send(b"POST /v1/things HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n")
        sending = asyncio.create_task(line.flood(b"1\r\nx\r\n"))
        assert (await line.answer()).problem["status"] == 408
        sending.cancel()
    assert desk.stored == []


async def test_a_body_without_an_end_may_trickle_in_and_not_pause(serve: Serve) -> None:
    async with (
        serve(Limits(body_seconds=1), body_limits={"/v1/stream": None}) as service,
        service.line() as line,
    ):
        await line.send(b"POST /v1/stream HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n")
        began = asyncio.get_running_loop().time()
        while asyncio.get_running_loop().time() < began + 2.5:
            await line.flood(b"1\r\nx\r\n", 1)
        await line.send(b"0\r\n\r\n")
        assert (await line.answer()).status == 200
        await line.send(b"POST /v1/stream HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n")
        assert (await line.answer()).problem["status"] == 408


async def test_who_waits_to_be_told_to_go_on_has_not_begun_a_body(serve: Serve, desk: Desk) -> None:
    async with serve(Limits(body_seconds=0.1)) as service, service.line() as line:
        await line.send(post(headers=HOST + b"Expect: 100-continue\r\n")[:-2])
        assert await line.interim() == b"HTTP/1.1 100 Continue\r\n\r\n"
        await line.send(b"{}")
        assert (await line.answer()).status == 200


async def test_the_rest_of_a_body_that_was_answered_already_keeps_no_connection_open(serve: Serve) -> None:
    async with serve(Limits(header_seconds=0.1)) as service, service.line() as line:
        await line.send(b"POST /nowhere HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n")
        assert (await line.answer()).status == 404
        closed = asyncio.create_task(line.is_closed())
        await line.flood(b"1\r\nx\r\n")
        assert await closed


async def test_an_answer_that_nobody_reads_keeps_no_connection_open(serve: Serve) -> None:
    async with serve(Limits(unread_seconds=0.1)) as service, service.line() as line:
        await line.send(b"GET /v1/long HTTP/1.1\r\n" + HOST + b"\r\n")
        async with asyncio.timeout(20):
            await line.flood(b"\r\n")
