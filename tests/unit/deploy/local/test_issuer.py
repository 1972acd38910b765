"""Tokens of the local issuer, verified as a service does it: by the public set alone."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from deploy.local.errors import DataDirectoryError
from deploy.local.issuer import AUDIENCE, ISSUER, ROLES, Issuer, UnknownRoleError, write_issuer


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("issuer")
    write_issuer(made)
    return made


def _claims(token: str, directory: Path) -> dict[str, Any]:
    public = KeySet.import_key_set(json.loads((directory / "jwks.json").read_text()))
    return jwt.decode(token, public, algorithms=["ES256"]).claims


@pytest.mark.parametrize("role", ROLES)
def test_a_token_is_good_for_its_role_for_eight_hours(role: str, directory: Path) -> None:
    claims = _claims(Issuer(directory).mint(role), directory)
    assert claims["roles"] == [role]
    assert (claims["iss"], claims["aud"], claims["sub"]) == (ISSUER, AUDIENCE, f"local-{role}")
    assert claims["exp"] - claims["iat"] == 8 * 3600
    assert abs(claims["iat"] - time.time()) < 60
    assert "force" not in claims
    assert "holder" not in claims


def test_force_holder_and_subject_are_claims(directory: Path) -> None:
    holder = {"force": "kent", "name": "A. Nonymous"}
    token = Issuer(directory).mint("recipient", force="hampshire", holder=holder, subject="jo", hours=1)
    claims = _claims(token, directory)
    assert (claims["force"], claims["holder"], claims["sub"]) == ("hampshire", holder, "jo")
    assert claims["exp"] - claims["iat"] == 3600


def test_the_public_set_holds_no_private_part(directory: Path) -> None:
    (public,) = json.loads((directory / "jwks.json").read_text())["keys"]
    private = json.loads((directory / "issuer.json").read_text())
    assert "d" not in public
    assert private["d"]
    assert public["kid"] == private["kid"]


def test_an_unknown_role_is_answered_with_all_roles(directory: Path) -> None:
    with pytest.raises(UnknownRoleError, match=r"'boss'.*call_handler.*service"):
        Issuer(directory).mint("boss")


def test_without_a_key_the_sentence_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(DataDirectoryError, match="`make run` does it"):
        Issuer(tmp_path)


def test_a_damaged_key_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "issuer.json").write_text('{"kty": "EC"}')
    with pytest.raises(DataDirectoryError, match="is damaged"):
        Issuer(tmp_path)
