"""Keys rotate, issuers go away, strangers invent key ids: none of it is felt more often than allowed."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web
from joserfc.jwk import ECKey, OctKey, OKPKey

from shared.errors import Unavailable
from shared.web import jwks
from shared.web.jwks import KeySetError, KeySource, parse
from tests.unit.shared.web.issuer import Issuer, key_set


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Endpoint:
    """A JWKS address that counts and can be away."""

    def __init__(self) -> None:
        self.asked = 0
        self.body = b""
        self.is_away = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def answer(self, _: web.Request) -> web.Response:
        self.asked += 1
        await self.gate.wait()
        if self.is_away:
            return web.Response(status=502)
        return web.Response(body=self.body, content_type="application/jwk-set+json")


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
async def url(endpoint: Endpoint) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_get("/jwks", endpoint.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    _, port = runner.addresses[0][:2]
    yield f"http://127.0.0.1:{port}/jwks"
    await runner.cleanup()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)


async def test_a_file_is_read_again_when_a_token_names_a_new_key(tmp_path: Path) -> None:
    clock, first, second = Clock(), Issuer(kid="first"), Issuer(kid="second")
    path = tmp_path / "jwks.json"
    async with KeySource(first.write(path), clock) as keys:
        assert await keys.find("first")
        path.write_bytes(key_set(first, second))
        clock.now += 1
        assert await keys.find("second")
        assert await keys.find("first")


async def test_a_set_at_an_address_is_fetched_once(endpoint: Endpoint, url: str) -> None:
    endpoint.body = Issuer().jwks()
    async with KeySource(url, Clock()) as keys:
        for _ in range(5):
            assert await keys.find("key-1")
    assert endpoint.asked == 1


async def test_unknown_keys_cause_one_fetch_in_thirty_seconds(endpoint: Endpoint, url: str) -> None:
    clock = Clock()
    endpoint.body = Issuer().jwks()
    async with KeySource(url, clock) as keys:
        assert await keys.find("key-1")
        for _ in range(20):
            clock.now += 1
            assert await keys.find("invented") is None
        assert endpoint.asked == 1
        clock.now += 10
        endpoint.body = Issuer(kid="key-2").jwks()
        assert await keys.find("key-2")
        assert endpoint.asked == 2


async def test_an_outage_keeps_the_known_keys(endpoint: Endpoint, url: str) -> None:
    clock = Clock()
    endpoint.body = Issuer().jwks()
    async with KeySource(url, clock) as keys:
        known = await keys.find("key-1")
        assert known
        endpoint.is_away = True
        clock.now += 3600
        assert await keys.find("key-1") is known  # old: fetched anew in the background
        await until(lambda: endpoint.asked == 2 and not keys._is_reading())
        assert await keys.find("key-1") is known
        clock.now += 31
        assert await keys.find("invented") is None
        assert endpoint.asked == 3


async def test_a_withdrawn_key_is_gone_after_a_while_without_any_unknown_one(
    endpoint: Endpoint, url: str
) -> None:
    clock = Clock()
    endpoint.body = key_set(Issuer(kid="old"), Issuer(kid="new"))
    async with KeySource(url, clock) as keys:
        assert await keys.find("old")
        endpoint.body = Issuer(kid="new").jwks()
        clock.now += 601
        await keys.find("new")
        await until(lambda: endpoint.asked == 2 and not keys._is_reading())
        assert await keys.find("old") is None


async def test_many_who_wait_share_one_fetch_and_one_who_leaves_does_not_end_it(
    endpoint: Endpoint, url: str
) -> None:
    endpoint.body = Issuer().jwks()
    endpoint.gate.clear()
    async with KeySource(url, Clock()) as keys:
        waiting = [asyncio.create_task(keys.find("key-1")) for _ in range(10)]
        await until(lambda: endpoint.asked == 1)
        waiting[0].cancel()
        endpoint.gate.set()
        found = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert all(isinstance(key, ECKey) for key in found[1:])
    assert endpoint.asked == 1


async def test_before_the_first_reading_the_issuer_is_unavailable_and_asked_again_soon(
    endpoint: Endpoint, url: str
) -> None:
    clock = Clock()
    endpoint.is_away = True
    async with KeySource(url, clock) as keys:
        for _ in range(3):
            with pytest.raises(Unavailable):
                await keys.find("key-1")
        assert endpoint.asked == 1
        endpoint.is_away, endpoint.body = False, Issuer().jwks()
        clock.now += 1
        assert await keys.find("key-1")


async def test_an_address_where_nobody_listens_and_a_file_that_is_gone_are_unavailable(
    tmp_path: Path,
) -> None:
    for location in ("http://127.0.0.1:1/jwks", str(tmp_path / "gone.json")):
        async with KeySource(location, Clock()) as keys:
            with pytest.raises(Unavailable):
                await keys.find("key-1")


async def test_an_endless_answer_is_cut(
    endpoint: Endpoint, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "_LARGEST_SET", 1000)
    endpoint.body = b" " * 2000 + Issuer().jwks()
    async with KeySource(url, Clock()) as keys:
        with pytest.raises(Unavailable):
            await keys.find("key-1")


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b"{}", b'{"keys": {}}', b'{"keys": []}', b'{"keys": [1, {}]}', b"\xff"]
)
def test_what_is_no_key_set_is_refused(raw: bytes) -> None:
    with pytest.raises(KeySetError):
        parse(raw)


def test_keys_that_no_accepted_algorithm_uses_are_left_out() -> None:
    others = [
        OctKey.generate_key(256).as_dict(private=True) | {"kid": "symmetric", "crv": "P-256"},
        ECKey.generate_key("P-384").as_dict(private=False) | {"kid": "curve"},
        OKPKey.generate_key("X25519").as_dict(private=False) | {"kid": "agreement"},
        ECKey.generate_key("P-256").as_dict(private=False) | {"kid": "encryption", "use": "enc"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "broken"},
        {"kty": "AKP", "kid": "not known yet"},
    ]
    good = json.loads(Issuer(kid="good").jwks())["keys"]
    assert parse(json.dumps({"keys": others + good}).encode()).keys() == {"good"}


async def test_without_an_id_only_a_single_key_will_do(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    async with KeySource(Issuer().write(path), Clock()) as keys:
        assert await keys.find("key-1") is await keys.find(None)
    path.write_bytes(key_set(Issuer(kid="a"), Issuer(kid="b")))
    async with KeySource(str(path), Clock()) as keys:
        assert await keys.find(None) is None
