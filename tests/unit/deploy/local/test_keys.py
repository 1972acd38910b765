"""The keys of a local system: who shares which, how they lie on disk, that they are made once."""

import base64
import stat
from pathlib import Path
from typing import Any

import pytest

from deploy.local.errors import DataDirectoryError
from deploy.local.keys import FOLLOWERS, ensure_keys, service_keys


def _bytes(key: str) -> bytes:
    return base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))


def _all_keys(files: dict[str, dict[str, Any]]) -> list[str]:
    """Every key once: `sources` repeats what stands in the owner's `followers`."""
    return [
        key
        for content in files.values()
        for ring in (content["kek"], content["hmac"], *content["followers"].values())
        for key in ring["keys"].values()
    ]


def test_every_key_is_32_bytes_without_padding_and_unlike_every_other() -> None:
    keys = _all_keys(service_keys())
    assert len(keys) == 3 * 2 + sum(len(followers) for followers in FOLLOWERS.values())
    assert len(set(keys)) == len(keys)
    assert all(len(_bytes(key)) == 32 and "=" not in key for key in keys)


def test_owner_and_follower_hold_the_same_transport_key_and_nobody_else_does() -> None:
    files = service_keys()
    for owner, followers in FOLLOWERS.items():
        assert set(files[owner]["followers"]) == set(followers)
        for follower in followers:
            ring = files[owner]["followers"][follower]
            assert files[follower]["sources"][owner] == ring["keys"]
            key = ring["keys"][ring["current"]]
            (other,) = set(files) - {owner, follower}
            assert key not in str(files[other])


def test_current_names_a_key_that_is_there() -> None:
    for service, content in service_keys().items():
        assert content["kek"]["current"] == f"{service}-kek-1"
        for ring in (content["kek"], content["hmac"], *content["followers"].values()):
            assert ring["current"] in ring["keys"]


def test_the_files_are_their_owners_alone(tmp_path: Path) -> None:
    ensure_keys(tmp_path / "keys")
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").iterdir()}
    assert modes == dict.fromkeys(
        ("dedup.json", "intake.json", "issuer.json", "jwks.json", "referral.json"), 0o600
    )


def test_keys_are_made_once_and_kept(tmp_path: Path) -> None:
    ensure_keys(tmp_path / "keys")
    before = {path.name: path.read_bytes() for path in (tmp_path / "keys").iterdir()}
    ensure_keys(tmp_path / "keys")
    assert {path.name: path.read_bytes() for path in (tmp_path / "keys").iterdir()} == before


def test_an_interrupted_making_leaves_no_half_set_of_keys(tmp_path: Path) -> None:
    (tmp_path / "keys.new").mkdir()
    (tmp_path / "keys.new" / "intake.json").write_text("half")
    ensure_keys(tmp_path / "keys")
    assert (tmp_path / "keys" / "intake.json").read_text() != "half"
    assert not (tmp_path / "keys.new").exists()


def test_a_lost_file_is_an_error_and_never_replaced(tmp_path: Path) -> None:
    ensure_keys(tmp_path / "keys")
    (tmp_path / "keys" / "dedup.json").unlink()
    with pytest.raises(DataDirectoryError, match=r"dedup\.json is missing.*restore it from a backup"):
        ensure_keys(tmp_path / "keys")
    assert not (tmp_path / "keys" / "dedup.json").exists()
