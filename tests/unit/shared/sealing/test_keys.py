"""The keys file, key rings that rotate, keyed hashes, and data keys."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.errors import SettingsError
from shared.sealing.jwe import NoKeyError, encode, open_sealed, seal
from shared.sealing.keys import (
    KeyRing,
    ServiceKeys,
    destroy_data_key,
    load_keys,
    new_data_key,
    unwrap_data_keys,
)
from shared.store.requests import AppendRequest, RowExists
from tests.fakes.store import FakeStore


def ring(current: str, *older: str, seed: int = 0) -> KeyRing:
    names = (current, *older)
    return KeyRing(current=current, keys={name: encode(_key(name, seed)) for name in names})


def _key(name: str, seed: int = 0) -> bytes:
    return (name.encode() * 32)[:31] + bytes([seed])


def service_keys(hmac: KeyRing) -> ServiceKeys:
    return ServiceKeys(kek=ring("kek-1"), hmac=hmac)


def document() -> dict[str, Any]:
    key = encode(bytes(32))
    return {
        "kek": {"current": "dedup-kek-1", "keys": {"dedup-kek-1": key}},
        "hmac": {"current": "dedup-hmac-1", "keys": {"dedup-hmac-1": key}},
        "followers": {"referral": {"current": "referral-2", "keys": {"referral-1": key, "referral-2": key}}},
        "sources": {"intake": {"dedup-1": key}},
    }


# The file


def test_a_keys_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(document()))
    keys = load_keys(path)
    assert keys.kek.current_key == bytes(32)
    assert keys.follower_keys == {"referral-2": bytes(32)}, "only the current one seals"
    assert keys.sources == {"intake": {"dedup-1": bytes(32)}}


@pytest.mark.parametrize(
    ("entry", "value", "told"),
    [
        (
            "kek",
            {"current": "other", "keys": {"k": encode(bytes(32))}},
            "kek: .*current must name one of the keys",
        ),
        (
            "kek",
            {"current": "k", "keys": {"k": encode(b"topsecret" * 3)}},
            "kek.keys.k: .*base64url of 32 bytes",
        ),
        ("hmac", {"current": "k", "keys": {"k": "not/base64!"}}, "hmac.keys.k: .*base64url of 32 bytes"),
        ("sources", {"intake": {"k": 7}}, "sources.intake.k: .*base64url of 32 bytes"),
        ("followers", {"referral": {"keys": {}}}, "followers.referral.current: Field required"),
        ("extra", {}, "extra: Extra inputs are not permitted"),
    ],
)
def test_a_wrong_keys_file_names_the_entry_and_never_a_key(
    tmp_path: Path, entry: str, value: object, told: str
) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({**document(), entry: value}))
    with pytest.raises(SettingsError, match=f"HOTLINE_KEYS_FILE: {told}") as refused:
        load_keys(path)
    for secret in (encode(bytes(32)), encode(b"topsecret" * 3), "topsecret", "not/base64!"):
        assert secret not in str(refused.value)
        assert secret not in repr(refused.value)


@pytest.mark.parametrize("text", [None, "", "{", "[]", "null", "\xff"])
def test_an_unreadable_keys_file_is_named(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "keys.json"
    if text is not None:
        path.write_bytes(text.encode("latin-1"))
    with pytest.raises(SettingsError, match="HOTLINE_KEYS_FILE"):
        load_keys(path)


# Keyed hashes

purposes = st.text(max_size=12)
parts = st.lists(st.binary(max_size=12), max_size=4)


@given(purposes, parts, purposes, parts)
def test_a_digest_is_distinct_by_purpose_and_by_where_its_parts_end(
    purpose: str, one: list[bytes], other_purpose: str, other: list[bytes]
) -> None:
    keys = service_keys(ring("h-1"))
    same = (purpose, one) == (other_purpose, other)
    assert (keys.digest(purpose, *one) == keys.digest(other_purpose, *other)) == same


@given(st.binary(min_size=2, max_size=20), st.data())
def test_what_is_cut_elsewhere_is_another_digest(whole: bytes, data: st.DataObject) -> None:
    keys = service_keys(ring("h-1"))
    cut, other = (data.draw(st.integers(0, len(whole))) for _ in range(2))
    assume(cut != other)
    assert keys.digest("p", whole[:cut], whole[cut:]) != keys.digest("p", whole[:other], whole[other:])
    assert keys.digest("p", whole[:cut], whole[cut:]) != keys.digest("p", whole)


def test_a_purpose_does_not_blur_into_the_first_part() -> None:
    """The digest of one purpose must not be had by asking for another, whatever its parts."""
    keys = service_keys(ring("h-1"))
    inner = b"x"
    blurred = (len(inner).to_bytes(8) + inner).decode()
    assert keys.digest("p", inner) != keys.digest("p" + blurred)


def test_after_a_rotation_older_digests_are_looked_up_too() -> None:
    before = service_keys(ring("h-1"))
    after = service_keys(ring("h-2", "h-1"))
    assert after.digest("p", b"x") != before.digest("p", b"x")
    assert after.digests("p", b"x") == [after.digest("p", b"x"), before.digest("p", b"x")]
    assert service_keys(ring("h-1", seed=1)).digest("p", b"x") != before.digest("p", b"x"), "keyed"


# Data keys


def test_what_a_data_key_sealed_is_opened_after_the_kek_rotated() -> None:
    complaint = uuid4()
    data_key, put = new_data_key(ring("kek-1"), complaint)
    assert data_key.key not in put.row["wrapped"]
    sealed = seal(b"narrative", UUID(int=1), data_key.recipient)
    row = (put.row["key_id"], put.row["kek_id"], put.row["wrapped"])
    opened = unwrap_data_keys(ring("kek-2", "kek-1"), [row])
    assert open_sealed(sealed, opened, UUID(int=1)) == b"narrative"
    _, newer = new_data_key(ring("kek-2", "kek-1"), uuid4())
    assert newer.row["kek_id"] == "kek-2", "what is new is wrapped under the current one"


def test_a_kek_that_is_not_in_the_ring_is_a_fault_of_the_surroundings() -> None:
    _, put = new_data_key(ring("kek-1"), uuid4())
    row = (put.row["key_id"], put.row["kek_id"], put.row["wrapped"])
    with pytest.raises(NoKeyError, match="kek-1"):
        unwrap_data_keys(ring("kek-2"), [row])


def test_a_wrong_kek_under_the_right_name_is_a_fault_of_the_surroundings() -> None:
    """The keys file of another installation: no record is to blame for it."""
    _, put = new_data_key(ring("kek-1"), uuid4())
    row = (put.row["key_id"], put.row["kek_id"], put.row["wrapped"])
    with pytest.raises(NoKeyError, match="kek-1"):
        unwrap_data_keys(ring("kek-1", seed=1), [row])


def test_data_keys_are_random() -> None:
    keys = [new_data_key(ring("kek-1"), UUID(int=1))[0].key for _ in range(5)]
    assert all(one != other for one, other in pairwise(sorted(keys)))


async def test_a_destroyed_data_key_opens_nothing_and_is_replaced_by_none_before() -> None:
    store, complaint, kek = FakeStore(), uuid4(), ring("kek-1")
    data_key, put = new_data_key(kek, complaint)
    await store.append(AppendRequest(rows=(put,)))
    sealed = seal(b"narrative", UUID(int=1), data_key.recipient)
    with pytest.raises(RowExists):
        await store.append(AppendRequest(rows=(new_data_key(kek, complaint)[1],)))
    opened = unwrap_data_keys(kek, await store.data_keys([complaint]))
    assert open_sealed(sealed, opened, UUID(int=1)) == b"narrative"
    await store.append(AppendRequest(rows=(destroy_data_key(complaint),)))
    assert unwrap_data_keys(kek, await store.data_keys([complaint])) == {}
