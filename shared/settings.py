"""The settings of a service process, read once from the environment at start.

`read(SomeSettings)` answers a frozen object or raises `SettingsError`: one line for each variable
that is missing or wrong, with its name, what is wrong and what it should be, never its value.
"""

from pathlib import Path
from typing import Annotated, ClassVar, Self, TypeVar
from urllib.parse import urlsplit

import orjson
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    FilePath,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.errors import SettingsError
from shared.store.connections import Address

PREFIX = "HOTLINE_"


def _postgresql_url(secret: SecretStr) -> SecretStr:
    Address.parse(secret.get_secret_value())
    return secret


def _http_url(value: str) -> str:
    try:
        url = urlsplit(value)
        is_whole = url.scheme in {"http", "https"} and url.hostname
    except ValueError:
        is_whole = False
    if not is_whole:
        raise ValueError("is no http(s) address")
    return value.rstrip("/")


def _url_or_file(value: str) -> str:
    if value.startswith(("http://", "https://")):
        return _http_url(value)
    if not Path(value).is_file():
        raise ValueError("is neither an http(s) address nor a file that is there")
    return value


def _addresses(value: object) -> object:
    if not isinstance(value, str):
        return value
    addresses = tuple(part.strip() for part in value.split(","))
    for address in addresses:
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ValueError("is no list of addresses")
    return addresses


def _json_object(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        raise ValueError("is no JSON") from None


Port = Annotated[int, Field(ge=0, le=65535, description="a port number, 0 for any free one")]


class DatabaseSettings(BaseSettings):
    """The database's address. A container gets it, with its password, as a file: its environment is shown to
    whoever may look at the container."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    database_url: Annotated[
        SecretStr,
        AfterValidator(_postgresql_url),
        Field(
            description="postgresql://user:password@host:port/database, with several hosts where one may take"
            " the other's place, and libpq's parameters, such as sslmode=verify-full and sslrootcert"
        ),
    ]
    database_url_file: FilePath | None = Field(
        None, description="the path of a file that holds what HOTLINE_DATABASE_URL would"
    )

    @model_validator(mode="before")
    @classmethod
    def _read_from_file(cls, given: dict[str, object]) -> dict[str, object]:
        if (file := given.get("database_url_file")) is None:
            return given
        if "database_url" in given:
            raise ValueError("DATABASE_URL: is set, and so is HOTLINE_DATABASE_URL_FILE; set one of them")
        try:
            return {**given, "database_url": Path(str(file)).read_text().strip()}
        except (OSError, UnicodeDecodeError):
            raise ValueError("DATABASE_URL_FILE: names no file that can be read") from None


class MigrateSettings(DatabaseSettings):
    """What `migrate` needs; its account owns the tables."""

    service_role: str = Field(
        "",
        description="the PostgreSQL role as which the service runs, and which gets the rights that it needs;"
        " another one than the one that migrates, which may change and delete events",
    )


class RebuildSettings(DatabaseSettings):
    """What `rebuild` needs; its account owns the tables, as that of `migrate` does."""

    keys_file: FilePath = Field(description="the path of this service's keys, a JSON file of mode 0600")


class RecoverSettings(RebuildSettings):
    """What `recover` needs."""

    kafka: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_addresses)] = Field(
        (), description="host:port, or several with commas between them"
    )
    run_file: Path | None = Field(None, description="the path of the run.json of `make run`")

    service_token_file: FilePath = Field(
        description="the path of a file that holds a bearer token of role `service`"
    )
    peers: Annotated[
        dict[str, Annotated[str, AfterValidator(_http_url)]], NoDecode, BeforeValidator(_json_object)
    ] = Field(
        description="a JSON object of service and its http(s) address, for those that it follows"
        " and those that follow it"
    )

    @model_validator(mode="after")
    def _has_broker(self) -> Self:
        if not self.kafka and self.run_file is None:
            raise ValueError("KAFKA: neither it nor HOTLINE_RUN_FILE is set; set one of them")
        return self


class ServiceSettings(RecoverSettings):
    """What `serve` needs. A service's own class names its ports and whom it follows."""

    follows: ClassVar[tuple[str, ...]] = ()

    host: str = Field("127.0.0.1", description="the address to listen on")
    port: Port
    metrics_host: str = Field("127.0.0.1", description="the address for /metrics to listen on")
    metrics_port: Port
    drain_seconds: float = Field(
        0,
        ge=0,
        le=300,
        description="how many seconds it goes on answering after SIGTERM, saying that it is not ready",
    )

    retry_parked_seconds: float = Field(
        180,
        gt=0,
        description="how often, in seconds, it tries parked events again that an upgrade may have made known",
    )
    http_connections: int = Field(
        10, ge=1, le=200, description="how many connections to the database requests may use at once"
    )
    consumer_connections: int = Field(
        10, ge=1, le=200, description="how many connections to the database the consumers may use at once"
    )
    connection_wait_seconds: float = Field(
        2,
        gt=0,
        le=60,
        description="how many seconds a request waits for a connection before it is answered 503",
    )
    statement_seconds: float = Field(
        10,
        gt=0,
        le=300,
        description="how many seconds a statement of a request may take before it is answered 503",
    )
    connections: int = Field(
        1_000, ge=1, le=1_000_000, description="how many connections may be open, 503 for more"
    )
    header_bytes: int = Field(
        32 * 1024, ge=1024, le=2**20, description="how many bytes the headers of a request may have"
    )
    header_seconds: float = Field(
        10, gt=0, le=300, description="how many seconds the headers of a request may take to arrive"
    )
    body_seconds: float = Field(
        30,
        gt=0,
        le=3600,
        description="how many seconds a body may take to arrive; of an import, its next part",
    )
    idle_seconds: float = Field(
        75, gt=0, le=3600, description="how many seconds a connection may be open without a request"
    )
    unread_seconds: float = Field(
        60, gt=0, le=3600, description="how many seconds a client may leave an answer unread"
    )

    jwks: Annotated[str, AfterValidator(_url_or_file)] = Field(
        description="the http(s) address, or the path, of the issuer's JWK set"
    )
    issuer: str = Field(min_length=1, description="the exact `iss` of the tokens to accept")
    audience: str = Field("hotline", min_length=1, description="the `aud` of the tokens to accept")
    claim_roles: str = Field("roles", min_length=1, description="the path of a claim, such as a.b")
    claim_force: str = Field("force", min_length=1, description="the path of a claim, such as a.b")
    claim_holder: str = Field("holder", min_length=1, description="the path of a claim, such as a.b")

    @model_validator(mode="after")
    def _has_peers(self) -> Self:
        missing = [service for service in self.follows if service not in self.peers]
        if missing:
            raise ValueError(f"PEERS: has no address for {' and '.join(missing)}")
        return self


S = TypeVar("S", bound=BaseSettings)


def read(settings: type[S]) -> S:
    """The settings of this process's environment, or `SettingsError`."""
    try:
        return settings()
    except ValidationError as invalid:
        raise SettingsError(_lines(settings, invalid)) from None


def _lines(settings: type[BaseSettings], invalid: ValidationError) -> list[str]:
    lines = []
    for error in invalid.errors(include_url=False, include_context=False, include_input=False):
        said = error["msg"].removeprefix("Value error, ")
        if not error["loc"]:  # said about several variables: the message begins with the first one's name
            lines.append(f"{PREFIX}{said}")
            continue
        name = str(error["loc"][0])
        what = "is not set" if error["type"] == "missing" else _as_predicate(said)
        lines.append(
            f"{PREFIX}{name.upper()}: {what}; it should be {settings.model_fields[name].description}"
        )
    return lines


def _as_predicate(message: str) -> str:
    """Pydantic's own sentences begin with a noun, ours with a verb."""
    return message if message.startswith("is ") else f"is wrong ({message[:1].lower()}{message[1:]})"
