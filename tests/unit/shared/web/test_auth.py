"""Only a token of the configured issuer, for this audience, now, names a caller; anything else is 401."""

import base64
import hmac
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwe
from joserfc.jwk import ECKey, OKPKey, RSAKey

from shared.conflict import Holder
from shared.errors import Unauthorized
from shared.web import auth
from shared.web.auth import Authenticator, Caller, ClaimPaths
from shared.web.jwks import KeySource
from tests.unit.shared.web.issuer import ISSUER, Issuer

FAR_FUTURE = 4_000_000_000
"""Seconds since 1970, in 2096."""


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def keys(issuer: Issuer, tmp_path: Path) -> AsyncIterator[KeySource]:
    async with KeySource(issuer.write(tmp_path / "jwks.json")) as source:
        yield source


@pytest.fixture
def authenticator(keys: KeySource, clock: Clock) -> Authenticator:
    return Authenticator(keys, issuer=ISSUER, audience="hotline", now=clock)


async def refusal(authenticator: Authenticator, token: str) -> str:
    with pytest.raises(Unauthorized) as raised:
        await authenticator.caller(token)
    assert raised.value.headers == {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    return raised.value.detail


async def test_a_good_token_names_its_caller(authenticator: Authenticator, issuer: Issuer) -> None:
    holder = {"force": "kent", "unit": "traffic", "name": "A Holder", "collar_number": 1234, "more": 1}
    token = issuer.token("recipient", "assessor", force="kent", holder=holder)
    assert await authenticator.caller(token) == Caller(
        subject="somebody",
        roles=frozenset({"recipient", "assessor"}),
        force="kent",
        holder=Holder(force="kent", unit="traffic", name="A Holder", collar_number="1234"),
    )


@pytest.mark.parametrize(
    ("alg", "key"),
    [
        ("ES256", ECKey.generate_key("P-256")),
        ("EdDSA", OKPKey.generate_key("Ed25519")),
        ("Ed25519", OKPKey.generate_key("Ed25519")),
        ("RS256", RSAKey.generate_key(2048)),
        ("PS256", RSAKey.generate_key(2048)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_the_listed_algorithms_are_accepted(alg: str, key: Any, tmp_path: Path) -> None:
    issuer = Issuer(key, alg)
    async with KeySource(issuer.write(tmp_path / "jwks.json")) as source:
        caller = await Authenticator(source, issuer=ISSUER, audience="hotline").caller(
            issuer.token("auditor")
        )
    assert caller.roles == {"auditor"}


async def test_an_algorithm_that_is_not_listed_is_refused_with_a_good_key(tmp_path: Path) -> None:
    issuer = Issuer(RSAKey.generate_key(2048), "RS512")
    async with KeySource(issuer.write(tmp_path / "jwks.json")) as source:
        authenticator = Authenticator(source, issuer=ISSUER, audience="hotline")
        assert await refusal(authenticator, issuer.token("auditor")) == "The token is not valid."


async def test_an_unsigned_token_is_refused(authenticator: Authenticator, issuer: Issuer) -> None:
    payload = issuer.token("auditor").split(".")[1]
    header = base64.urlsafe_b64encode(b'{"alg":"none","kid":"key-1"}').decode().rstrip("=")
    await refusal(authenticator, f"{header}.{payload}.")


async def test_the_public_key_is_no_shared_secret(authenticator: Authenticator, issuer: Issuer) -> None:
    """The old attack: an HMAC whose key is the published key."""
    assert isinstance(issuer.key, ECKey)
    payload = issuer.token("auditor").split(".")[1]
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"key-1"}').decode().rstrip("=")
    for published in (issuer.jwks(), issuer.key.as_pem(private=False)):
        mac = hmac.digest(published, f"{header}.{payload}".encode(), "sha256")
        signature = base64.urlsafe_b64encode(mac).decode().rstrip("=")
        await refusal(authenticator, f"{header}.{payload}.{signature}")


async def test_an_encrypted_token_is_refused(authenticator: Authenticator, issuer: Issuer) -> None:
    header = {"alg": "ECDH-ES+A128KW", "enc": "A128CBC-HS256", "kid": "key-1"}
    assert isinstance(issuer.key, ECKey)
    await refusal(authenticator, jwe.encrypt_compact(header, b"{}", issuer.key))


async def test_another_issuers_key_under_the_same_name_is_refused(authenticator: Authenticator) -> None:
    await refusal(authenticator, Issuer().token("auditor"))


async def test_a_changed_claim_breaks_the_signature(authenticator: Authenticator, issuer: Issuer) -> None:
    header, payload, signature = issuer.token("recipient").split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims["roles"] = ["approver"]
    changed = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    await refusal(authenticator, f"{header}.{changed}.{signature}")


@pytest.mark.parametrize(
    ("claims", "named"),
    [
        ({"iss": "https://other.test"}, "iss"),
        ({"iss": None}, "iss"),
        ({"aud": "other"}, "aud"),
        ({"aud": ["other"]}, "aud"),
        ({"aud": None}, "aud"),
        ({"exp": None}, "exp"),
        ({"exp": "tomorrow"}, "exp"),
        ({"sub": None}, "sub"),
        ({"sub": ""}, "sub"),
        ({"sub": 7}, "sub"),
        ({"nbf": FAR_FUTURE}, "nbf"),
    ],
    ids=str,
)
async def test_a_wrong_claim_is_refused_by_name(
    authenticator: Authenticator, issuer: Issuer, claims: dict[str, Any], named: str
) -> None:
    assert f"`{named}`" in await refusal(authenticator, issuer.token("auditor", **claims))


async def test_one_audience_of_several_is_enough(authenticator: Authenticator, issuer: Issuer) -> None:
    assert await authenticator.caller(issuer.token("auditor", aud=["other", "hotline"]))


@pytest.mark.parametrize(("seconds", "is_good"), [(1, True), (-58, True), (-62, False)])
async def test_clocks_may_differ_by_a_minute_at_the_end(
    authenticator: Authenticator, issuer: Issuer, clock: Clock, seconds: int, is_good: bool
) -> None:
    token = issuer.token("auditor", exp=int(clock.now) + seconds)
    if is_good:
        assert await authenticator.caller(token)
    else:
        assert await refusal(authenticator, token) == "The token has expired."


@pytest.mark.parametrize(("seconds", "is_good"), [(58, True), (62, False)])
async def test_clocks_may_differ_by_a_minute_at_the_beginning(
    authenticator: Authenticator, issuer: Issuer, clock: Clock, seconds: int, is_good: bool
) -> None:
    token = issuer.token("auditor", nbf=int(clock.now) + seconds)
    if is_good:
        assert await authenticator.caller(token)
    else:
        await refusal(authenticator, token)


@pytest.mark.parametrize("holder", ["PC Nobody", ["kent"], 7, {"force": {"slug": "kent"}}, {"name": ["A"]}])
async def test_a_holder_that_cannot_be_read_is_refused_for_its_conflicts_would_be_missed(
    authenticator: Authenticator, issuer: Issuer, holder: object
) -> None:
    await refusal(authenticator, issuer.token("assessor", holder=holder))


@pytest.mark.parametrize(
    ("roles", "read"),
    [
        (["assessor", "emperor", 7, None], {"assessor"}),
        ("assessor", {"assessor"}),
        ([], set()),
        (None, set()),
        ({"assessor": True}, set()),
    ],
    ids=str,
)
async def test_unknown_roles_give_nothing(
    authenticator: Authenticator, issuer: Issuer, roles: object, read: set[str]
) -> None:
    claims: dict[str, Any] = {"roles": roles}
    assert (await authenticator.caller(issuer.token(**claims))).roles == read


@pytest.mark.parametrize(
    ("path", "claims"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["auditor"]}}),
        ("https://hotline.test/roles", {"https://hotline.test/roles": ["auditor"]}),
    ],
)
async def test_claims_lie_where_the_settings_say(
    keys: KeySource, issuer: Issuer, path: str, claims: dict[str, Any]
) -> None:
    authenticator = Authenticator(keys, issuer=ISSUER, audience="hotline", claims=ClaimPaths(roles=path))
    assert (await authenticator.caller(issuer.token("approver", **claims))).roles == {"auditor"}
    assert (await authenticator.caller(issuer.token("approver"))).roles == set()


class CountingKeys(KeySource):
    asked = 0

    async def find(self, kid: str | None) -> Any:
        self.asked += 1
        return await super().find(kid)


async def test_a_verified_token_is_remembered_for_a_minute_and_not_past_its_end(
    issuer: Issuer, clock: Clock, tmp_path: Path
) -> None:
    async with CountingKeys(issuer.write(tmp_path / "jwks.json")) as keys:
        authenticator = Authenticator(keys, issuer=ISSUER, audience="hotline", now=clock)
        long = issuer.token("auditor", exp=int(clock.now) + 3600)
        for _ in range(3):
            await authenticator.caller(long)
        assert keys.asked == 1
        clock.now += 61
        await authenticator.caller(long)
        assert keys.asked == 2

        short = issuer.token("auditor", exp=int(clock.now) + 30)
        await authenticator.caller(short)
        clock.now += 120
        assert await refusal(authenticator, short) == "The token has expired."


async def test_the_memory_is_bounded(
    authenticator: Authenticator, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "_MOST_REMEMBERED", 5)
    for number in range(20):
        await authenticator.caller(issuer.token("auditor", sub=f"number {number}"))
    assert len(authenticator._remembered) == 5


async def test_a_token_without_kid_is_checked_with_the_only_key(
    authenticator: Authenticator, issuer: Issuer
) -> None:
    assert await authenticator.caller(issuer.token("auditor", header={"kid": None}))


async def test_unknown_headers_are_the_issuers_business(authenticator: Authenticator, issuer: Issuer) -> None:
    assert await authenticator.caller(issuer.token("auditor", header={"x-region": "eu"}))


async def test_an_endless_token_is_not_even_parsed(authenticator: Authenticator) -> None:
    assert await refusal(authenticator, "a" * 20_000) == "The token is too long."


_SEGMENT = st.one_of(
    st.text(max_size=40),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["alg", "kid", "typ", "crit", "b64", "exp", "iss", "jwk", "x5c"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=8,
    ).map(lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")),
    st.fixed_dictionaries(
        {"alg": st.sampled_from(["ES256", "RS256", "EdDSA", "Ed25519", "PS256", "HS256", "none"])},
        optional={"kid": st.sampled_from(["key-1", "key-2"]), "crit": st.lists(st.text(max_size=4))},
    ).map(lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")),
)


@given(token=st.lists(_SEGMENT, max_size=6).map(".".join))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_no_text_is_more_than_refused(authenticator: Authenticator, token: str) -> None:
    with pytest.raises(Unauthorized):
        await authenticator.caller(token)


async def test_json_nested_too_deeply_is_refused(authenticator: Authenticator) -> None:
    deep = base64.urlsafe_b64encode(b"[" * 5000).decode()
    await refusal(authenticator, f"{deep}.{deep}.")
