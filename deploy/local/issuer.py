"""The local issuer of tokens, in place of an organisation's OpenID Connect provider.

`write_issuer()` makes a P-256 key: the private JWK in `issuer.json`, the public set in `jwks.json`, which
the services verify by. `Issuer(directory).mint(role)` answers a signed JWT (ES256) with the claims that the
services read: `iss`, `sub`, `aud`, `iat`, `exp`, `roles`, `force`, `holder`.

It is for one machine: who can read the key file is everybody. A deployment names its own issuer's JWKS and
has no such key.
"""

import json
import secrets
import time
from collections.abc import Mapping
from pathlib import Path

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from deploy.local.data_directory import write_secret
from deploy.local.errors import DataDirectoryError, LaunchError

ISSUER = "urn:hotline:local"
AUDIENCE = "hotline"
ISSUER_FILE = "issuer.json"
JWKS_FILE = "jwks.json"
HOURS = 8.0
ROLES = (
    "call_handler",
    "release_reviewer",
    "match_reviewer",
    "assessor",
    "approver",
    "recipient",
    "auditor",
    "operator",
    "service",
)


class UnknownRoleError(LaunchError):
    def __init__(self, role: str) -> None:
        super().__init__(f"there is no role {role!r}; the roles are {', '.join(ROLES)}.")


def write_issuer(directory: Path) -> None:
    """Makes a new key: the private one, and the set with the public one."""
    key_id = f"local-{secrets.token_hex(4)}"  # a new one with each key, so that verifiers notice
    key = ECKey.generate_key("P-256", parameters={"use": "sig", "alg": "ES256", "kid": key_id})
    write_secret(directory / ISSUER_FILE, json.dumps(key.as_dict(private=True)) + "\n")
    write_secret(directory / JWKS_FILE, json.dumps({"keys": [key.as_dict(private=False)]}) + "\n")


class Issuer:
    """The issuer whose key lies in `directory`; a `DataDirectoryError` where none does."""

    def __init__(self, directory: Path) -> None:
        self.key_file = directory / ISSUER_FILE
        try:
            self._key = ECKey.import_key(json.loads(self.key_file.read_text()))
        except FileNotFoundError:
            raise DataDirectoryError(
                f"there is no {self.key_file}, so nothing was set up here yet: `make run` does it."
            ) from None
        except PermissionError:
            raise DataDirectoryError(
                f"{self.key_file} may be read by the account alone that ran `make run`."
            ) from None
        except (ValueError, JoseError) as error:
            raise DataDirectoryError(f"{self.key_file} is damaged: restore it from a backup.") from error

    def mint(
        self,
        role: str,
        *,
        force: str | None = None,
        holder: Mapping[str, str] | None = None,
        subject: str | None = None,
        hours: float = HOURS,
    ) -> str:
        """A token for `role`, valid from now for `hours`.

        `force` is the force or body for which a recipient reads; `holder` tells who the person is (`force`,
        `unit`, `name`, `collar_number`), for conflicts of interest; `subject` tells two persons apart.
        """
        if role not in ROLES:
            raise UnknownRoleError(role)
        now = int(time.time())
        claims: dict[str, object] = {
            "iss": ISSUER,
            "sub": subject or f"local-{role}",
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + int(hours * 3600),
            "roles": [role],
        }
        if force is not None:
            claims["force"] = force
        if holder:
            claims["holder"] = dict(holder)
        header = {"alg": "ES256", "kid": self._key.kid, "typ": "JWT"}
        return jwt.encode(header, claims, self._key, algorithms=["ES256"])
