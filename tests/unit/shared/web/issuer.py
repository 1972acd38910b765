"""A token issuer for tests: its keys, its public set, and tokens with any claims."""

import json
import time
from pathlib import Path
from typing import Any

from joserfc import jws, jwt
from joserfc.jwk import ECKey, Key

ISSUER = "https://issuer.test"


class _AnyAlgorithm(jws.JWSRegistry):
    def get_alg(self, name: str) -> Any:
        """Without the library's warning at EdDSA."""
        return self.algorithms[name]


class Issuer:
    def __init__(self, key: Key | None = None, alg: str = "ES256", kid: str = "key-1") -> None:
        self.key = key or ECKey.generate_key("P-256")
        self.alg = alg
        self.kid = kid

    def jwks(self) -> bytes:
        public = self.key.as_dict(private=False) | {"kid": self.kid}
        return json.dumps({"keys": [public]}).encode()

    def write(self, path: Path) -> str:
        path.write_bytes(self.jwks())
        return str(path)

    def token(self, *roles: str, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A good token; a header or claim of None is left out."""
        now = int(time.time())
        said = {
            "iss": ISSUER,
            "aud": "hotline",
            "sub": "somebody",
            "iat": now,
            "exp": now + 3600,
            "roles": list(roles),
        } | claims
        return jwt.encode(
            _without_none({"alg": self.alg, "kid": self.kid} | (header or {})),
            _without_none(said),
            self.key,
            registry=_AnyAlgorithm(strict_check_header=False),
        )


def _without_none(entries: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entries.items() if value is not None}


def key_set(*issuers: Issuer) -> bytes:
    """One set with the keys of several issuers."""
    keys = [json.loads(issuer.jwks())["keys"][0] for issuer in issuers]
    return json.dumps({"keys": keys}).encode()
