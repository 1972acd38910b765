"""A sealed payload is opened by whom it is for, as it was sealed, and by nobody else."""

import copy
import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK

from shared.sealing.jwe import (
    PROTECTED,
    BrokenSealError,
    NoKeyError,
    Sealed,
    SealingError,
    decode,
    encode,
    open_sealed,
    recipient_ids,
    rewrap,
    seal,
)

key_rings = st.dictionaries(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=12), st.binary(min_size=32, max_size=32),
    min_size=1, max_size=4,
)  # fmt: skip


@given(st.binary(max_size=3000), st.uuids(), key_rings)
def test_every_recipient_opens_what_was_sealed(plain: bytes, event_id: UUID, keys: dict[str, bytes]) -> None:
    sealed = json.loads(json.dumps(seal(plain, event_id, keys)))
    assert list(recipient_ids(sealed)) == list(keys)
    for kid, key in keys.items():
        assert open_sealed(sealed, {kid: key, "another": bytes(32)}, event_id) == plain


def test_it_is_a_json_web_encryption_in_general_form() -> None:
    event_id = uuid4()
    sealed = seal(b"text", event_id, {"dedup-1": bytes(32), "referral-1": bytes(32)})
    assert sealed.keys() == {"protected", "aad", "recipients", "iv", "ciphertext", "tag"}
    assert json.loads(decode(sealed["protected"])) == {"enc": "A256GCM"}
    assert sealed["aad"] == str(event_id)
    assert [r["header"] for r in sealed["recipients"]] == [
        {"alg": "A256KW", "kid": "dedup-1"},
        {"alg": "A256KW", "kid": "referral-1"},
    ]
    assert (len(decode(sealed["iv"])), len(decode(sealed["tag"])), len(decode(sealed["ciphertext"]))) == (
        12,
        16,
        4,
    )


@given(st.binary(min_size=1, max_size=500), key_rings)
def test_a_jose_library_opens_it_with_one_recipients_key(plain: bytes, keys: dict[str, bytes]) -> None:
    document = json.dumps(seal(plain, uuid4(), keys))
    for key in keys.values():
        other = JWE()
        other.deserialize(document, JWK(kty="oct", k=encode(key)))
        assert other.payload == plain


@given(st.binary(min_size=1, max_size=500), st.uuids())
def test_what_a_jose_library_sealed_is_opened(plain: bytes, event_id: UUID) -> None:
    key = secrets.token_bytes(32)
    # The library encodes the additional data; ours is base64url as it stands.
    other = JWE(plain, protected='{"enc":"A256GCM"}', aad=decode(str(event_id)))
    for kid in ("stranger", "ours"):
        of = JWK(kty="oct", k=encode(key if kid == "ours" else secrets.token_bytes(32)))
        other.add_recipient(of, header=json.dumps({"alg": "A256KW", "kid": kid}))
    assert open_sealed(json.loads(other.serialize()), {"ours": key}, event_id) == plain


def test_two_payloads_share_no_key_and_no_nonce() -> None:
    one, other = (seal(b"text", UUID(int=1), {"k": bytes(32)}) for _ in range(2))
    assert one["iv"] != other["iv"]
    assert one["ciphertext"] != other["ciphertext"]
    assert one["recipients"] != other["recipients"]


def test_without_a_recipients_key_it_says_so() -> None:
    sealed = seal(b"text", UUID(int=1), {"one": bytes(32)})
    for keys in ({}, {"other": bytes(32)}):
        with pytest.raises(NoKeyError):
            open_sealed(sealed, keys, UUID(int=1))
        with pytest.raises(NoKeyError):
            rewrap(sealed, keys, {"new": bytes(32)})
    with pytest.raises(NoKeyError):
        open_sealed({**sealed, "recipients": []}, {"one": bytes(32)}, UUID(int=1))


def test_a_wrong_key_under_the_right_name_opens_nothing() -> None:
    sealed = seal(b"text", UUID(int=1), {"one": bytes(32)})
    with pytest.raises(BrokenSealError):
        open_sealed(sealed, {"one": b"\1" * 32}, UUID(int=1))


@given(st.uuids(), st.uuids())
def test_it_belongs_to_its_event(event_id: UUID, other: UUID) -> None:
    assume(event_id != other)
    sealed, keys = seal(b"text", event_id, {"one": bytes(32)}), {"one": bytes(32)}
    with pytest.raises(BrokenSealError):
        open_sealed(sealed, keys, other)
    with pytest.raises(BrokenSealError):
        open_sealed({**sealed, "aad": str(other)}, keys, other)


KEYS = {"one": b"\7" * 32, "two": b"\5" * 32}
EVENT = UUID("5ab8d3f5-6b51-4b0b-9d8f-2a6f0b2c7a11")


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterable[tuple[Any, ...]]:
    """The way to every text in a document."""
    if isinstance(value, str):
        yield path
        return
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _paths(inner, (*path, key))


ALL_PATHS = sorted(_paths(seal(b"a narrative", EVENT, KEYS)), key=str)
# Of the second recipient nothing is looked at where the first one opens it.
TOLD = [path for path in ALL_PATHS if path[:2] != ("recipients", 1) and path[-1] != "alg"]


@given(st.sampled_from(TOLD), st.data())
def test_whatever_member_is_altered_it_is_noticed(path: tuple[Any, ...], data: st.DataObject) -> None:
    sealed = seal(b"a narrative", EVENT, KEYS)
    holder: Any = sealed
    for key in path[:-1]:
        holder = holder[key]
    at = data.draw(st.integers(0, len(holder[path[-1]]) - 1))
    letter = data.draw(st.sampled_from("Aw9-_.é"))
    text = holder[path[-1]]
    altered = text[:at] + letter + text[at + 1 :]
    assume(_meaning(altered) != _meaning(text))
    holder[path[-1]] = altered
    # An unknown kid hides the first recipient, and the second opens it.
    if path[-1] == "kid":
        assert open_sealed(sealed, KEYS, EVENT) == b"a narrative"
        with pytest.raises(NoKeyError):
            open_sealed(sealed, {"one": KEYS["one"]}, EVENT)
        return
    with pytest.raises(BrokenSealError):
        open_sealed(sealed, KEYS, EVENT)


def _meaning(text: str) -> object:
    """What base64url stands for: its last letter has bits to spare."""
    try:
        return decode(text)
    except ValueError:
        return text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(["protected", "aad", "recipients", "iv", "ciphertext", "tag"]), json_values)
def test_whatever_stands_in_a_members_place_is_a_fault_of_the_record(member: str, value: object) -> None:
    sealed: Sealed = {**seal(b"x", EVENT, KEYS), member: value}
    with pytest.raises(SealingError):
        open_sealed(sealed, KEYS, EVENT)
    del sealed[member]
    with pytest.raises(BrokenSealError):
        open_sealed(sealed, KEYS, EVENT)


@given(json_values)
def test_whatever_a_recipient_is_it_is_a_fault_of_the_record(value: object) -> None:
    sealed = seal(b"x", EVENT, KEYS)
    for recipients in ([value], [{"header": value, "encrypted_key": "AA"}],
                       [{"header": {"alg": "A256KW", "kid": "one"}, "encrypted_key": value}]):  # fmt: skip
        with pytest.raises(SealingError):
            open_sealed({**sealed, "recipients": recipients}, KEYS, EVENT)


@given(st.binary(max_size=300), key_rings, key_rings)
def test_rewrapping_changes_who_opens_it_and_nothing_else(
    plain: bytes, before: dict[str, bytes], after: dict[str, bytes]
) -> None:
    sealed = seal(plain, EVENT, before)
    kept = copy.deepcopy(sealed)
    rewrapped = rewrap(sealed, before, after)
    assert sealed == kept, "what was given is not changed"
    assert list(recipient_ids(rewrapped)) == list(after)
    assert open_sealed(rewrapped, after, EVENT) == plain
    assert {**rewrapped, "recipients": None} == {**sealed, "recipients": None}
    strangers = {kid: key for kid, key in before.items() if kid not in after}
    with pytest.raises(NoKeyError):
        open_sealed(rewrapped, strangers, EVENT)


@pytest.mark.parametrize(
    "text", ["AA=", "A", "A+", "A/", "A A", "A\n", "Aé", "AA\0", "AA==", "AAA=", "AAA+", "AAA/", "AAA!"]
)
def test_what_is_not_base64url_is_not_passed_over(text: str) -> None:
    with pytest.raises(ValueError, match="."):  # noqa: RUF043  (the standard library has its own words)
        decode(text)


@given(st.binary())
def test_base64url_has_no_padding(raw: bytes) -> None:
    assert encode(raw) == urlsafe_b64encode(raw).decode().rstrip("=")
    assert decode(encode(raw)) == raw


def test_the_protected_header_is_what_the_contract_says() -> None:
    assert decode(PROTECTED) == b'{"enc":"A256GCM"}'
