"""Who calls: a bearer JWT of the configured issuer, and what its roles may do.

A route's permission is read in its signature: `async def decide(caller: Assessor, ...)`. No token, or one
that is not accepted, is 401 with `WWW-Authenticate`; a good token of another role is 403.

Accepted are ES256, Ed25519 (also under its older name EdDSA), RS256 and PS256, by keys of the issuer's set,
with the right `iss` and `aud`, `exp` and `sub` present, and 60 seconds of leeway for clocks. A verified
token is remembered for at most 60 seconds: a signature check costs more than the rest of a small request.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Final, Literal, Self, get_args

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from fastapi.security.utils import get_authorization_scheme_param
from joserfc import jws, jwt
from joserfc.errors import ClaimError, ExpiredTokenError, JoseError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.conflict import Holder
from shared.errors import Forbidden, Unauthorized
from shared.settings import ServiceSettings
from shared.web.jwks import KeySource

Role = Literal[
    "call_handler",
    "release_reviewer",
    "match_reviewer",
    "assessor",
    "approver",
    "recipient",
    "auditor",
    "operator",
    "service",
]
ROLES: Final[frozenset[str]] = frozenset(get_args(Role))
ALGORITHMS: Final = frozenset({"ES256", "EdDSA", "Ed25519", "RS256", "PS256"})

_LEEWAY_SECONDS = 60
_REMEMBERED_SECONDS = 60
_MOST_REMEMBERED = 4096
_LONGEST_TOKEN = 16 * 1024


class Caller(BaseModel):
    """A verified token. `force` is the one that a `recipient` acts for."""

    model_config = ConfigDict(frozen=True)

    subject: str = Field(min_length=1)
    roles: frozenset[Role]
    force: str | None = None
    holder: Holder | None = None


@dataclass(frozen=True)
class ClaimPaths:
    """Where an issuer puts what we need: `realm_access.roles` for Keycloak, for instance."""

    roles: str = "roles"
    force: str = "force"
    holder: str = "holder"


class _Registry(jws.JWSRegistry):
    def get_alg(self, name: str) -> Any:  # the library does not export the type
        """The library warns at each EdDSA token since RFC 9864 renamed it; most issuers still say it."""
        if name not in ALGORITHMS:
            raise JoseError("this algorithm is not accepted")
        return self.algorithms[name]


class Authenticator:
    """`await authenticator.caller(token)` -> `Caller`, or `Unauthorized`."""

    def __init__(
        self,
        keys: KeySource,
        *,
        issuer: str,
        audience: str,
        claims: ClaimPaths | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._paths = claims or ClaimPaths()
        self._now = now
        # Other headers are the issuer's business: RFC 7515 has unknown ones ignored.
        self._registry = _Registry(strict_check_header=False)
        self._required = jwt.JWTClaimsRegistry(
            now=lambda: int(now()),
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        self._remembered: dict[bytes, tuple[Caller, float]] = {}

    @classmethod
    def of(cls, settings: ServiceSettings, keys: KeySource) -> Self:
        """As the settings of a service say."""
        return cls(
            keys,
            issuer=settings.issuer,
            audience=settings.audience,
            claims=ClaimPaths(settings.claim_roles, settings.claim_force, settings.claim_holder),
        )

    async def caller(self, token: str) -> Caller:
        """Who holds this token."""
        if len(token) > _LONGEST_TOKEN:
            raise _refused("The token is too long.")
        digest = sha256(token.encode()).digest()
        known = self._remembered.get(digest)
        if known is not None:
            caller, until = known
            if self._now() < until:
                return caller
            del self._remembered[digest]
        claims = await self._verified(token)
        caller = self._read(claims)
        self._remember(digest, caller, claims["exp"])
        return caller

    def _remember(self, digest: bytes, caller: Caller, expires: float) -> None:
        until = min(expires, self._now() + _REMEMBERED_SECONDS)
        if until <= self._now():
            return
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.pop(next(iter(self._remembered)))
        self._remembered[digest] = (caller, until)

    async def _verified(self, token: str) -> Mapping[str, Any]:
        try:
            signed = jws.extract_compact(token.encode(), registry=self._registry)
            header = signed.headers()
            self._registry.check_header(header)
            key = await self._keys.find(header.get("kid"))
            if key is None:
                raise _refused("The token is not signed with a key of the accepted issuer.")
            claims = jwt.decode(token, key, registry=self._registry).claims
            self._required.validate(claims)
        except ExpiredTokenError:
            raise _refused("The token has expired.") from None
        except ClaimError as error:
            raise _refused(f"The token's claim `{error.claim}` is missing or not accepted.") from None
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            raise _refused("The token is not valid.") from None
        return claims

    def _read(self, claims: Mapping[str, Any]) -> Caller:
        roles = _at(claims, self._paths.roles)
        named = roles if isinstance(roles, list) else [roles]
        try:
            return Caller(
                subject=claims["sub"],
                roles=frozenset(role for role in named if isinstance(role, str) and role in ROLES),
                force=_at(claims, self._paths.force),
                holder=_at(claims, self._paths.holder),
            )
        except ValidationError:
            # A holder that cannot be read must not become one without conflicts.
            raise _refused("The token's claims cannot be read.") from None


def _at(claims: Mapping[str, Any], path: str) -> Any:
    """The claim at a path: the whole path as a name first, for some issuers have dots in theirs."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for part in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def _refused(detail: str) -> Unauthorized:
    return Unauthorized(detail, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


class RequiresRole(SecurityBase):
    """The dependency behind the types below. `roles` is there for tests that list who may do what.

    It declares the scheme itself: `Depends(HTTPBearer())` beneath it would cost a small request a tenth.
    """

    def __init__(self, *roles: Role) -> None:
        self.roles: Final[frozenset[Role]] = frozenset(roles)
        self.scheme_name = "bearer"
        self.model = HTTPBearer(bearerFormat="JWT", description="A JWT of the configured OIDC issuer.")

    async def __call__(self, request: Request) -> Caller:
        scheme, token = get_authorization_scheme_param(request.headers.get("Authorization"))
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized("A bearer token is needed.", headers={"WWW-Authenticate": "Bearer"})
        authenticator: Authenticator = request.app.state.authenticator
        caller = await authenticator.caller(token)
        if not caller.roles & self.roles:
            raise Forbidden(
                f"This needs the role {' or '.join(sorted(self.roles))}.",
                headers={"WWW-Authenticate": 'Bearer error="insufficient_scope"'},
            )
        return caller


def role(*roles: Role) -> RequiresRole:
    """`Annotated[Caller, Depends(role("assessor", "approver"))]`: any one of the roles will do."""
    return RequiresRole(*roles)


CallHandler = Annotated[Caller, Depends(role("call_handler"))]
ReleaseReviewer = Annotated[Caller, Depends(role("release_reviewer"))]
MatchReviewer = Annotated[Caller, Depends(role("match_reviewer"))]
Assessor = Annotated[Caller, Depends(role("assessor"))]
Approver = Annotated[Caller, Depends(role("approver"))]
Recipient = Annotated[Caller, Depends(role("recipient"))]
Auditor = Annotated[Caller, Depends(role("auditor"))]
Operator = Annotated[Caller, Depends(role("operator"))]
ServiceAccount = Annotated[Caller, Depends(role("service"))]
AnyRole = Annotated[Caller, Depends(role(*get_args(Role)))]
