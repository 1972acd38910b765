"""Connections to a service's database: services, migrations and commands all make them here.

A caller gets a connection to a server that takes writes. An address may name several hosts, as libpq's do
(`postgresql://user:password@one:5432,two:5432/database`): they are tried in their order, the next one as soon
as one failed, or has not answered for `HEAD_START` seconds. So a host that is gone costs a new connection a
quarter of a second, and a standby, or a primary that became one, is passed by. `sslmode`, `sslrootcert` and
the other parameters of an address mean what they mean to libpq. Limits of time are the caller's: those of an
address (`connect_timeout`, keepalives) are passed over.

How it fails: with the fault of the host that failed last (`AWAY`); none of them says that something was
written.
"""

import asyncio
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import asyncpg

HEAD_START = 0.25
DEFAULT_PORT = 5432

_LIMITS = frozenset({
    "connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count",
    "tcp_user_timeout", "load_balance_hosts",
})  # fmt: skip
# Of libpq, and not of asyncpg: one that asks for more security than it gets must not be passed over.
_UNKNOWN = frozenset({
    "channel_binding", "gssdelegation", "gssencmode", "hostaddr", "oauth_client_id", "oauth_issuer",
    "replication", "require_auth", "requirepeer", "requiressl", "scram_client_key", "scram_server_key",
    "sslcertmode", "sslcompression", "sslcrldir", "sslsni",
})  # fmt: skip
_HARMLESS = frozenset({"prefer", "allow", "disable", "0", ""})
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
_OF_THE_SYSTEM = "system"

AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # above all that no host takes writes
)
"""The faults with which a connection is not made."""

Host = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Address:
    """A database's address, taken apart as far as asyncpg does not do it.

    Attributes:
        url: the address without what `connect` cares for itself.
        hosts: at least one; a name that begins with a slash is the directory of a Unix socket.
        trusts_system: the server's certificate has to be one that the machine's own authorities signed.
    """

    url: str = field(repr=False)
    hosts: tuple[Host, ...]
    trusts_system: bool = False

    @classmethod
    def parse(cls, url: str) -> "Address":
        """
        Raises:
            ValueError: says what is wrong with the address, without a word of it but a parameter's name.
        """
        try:
            parts = urlsplit(url)
            parameters = dict(parse_qsl(parts.query, keep_blank_values=True))
            named = parts.netloc.rpartition("@")[2] or parameters.get("host", "")
            hosts = tuple(_hosts(named, parameters.get("port", "")))
        except ValueError:
            raise ValueError("is no PostgreSQL address") from None
        database = parts.path.strip("/") or parameters.get("dbname") or parameters.get("database")
        if parts.scheme not in {"postgresql", "postgres"} or not hosts or not database:
            raise ValueError("is no PostgreSQL address")
        _check(parameters)
        trusts_system = parameters.get("sslrootcert") == _OF_THE_SYSTEM
        ours = {"host", "port", "target_session_attrs", *_LIMITS, *_UNKNOWN}
        ours |= {"sslmode", "sslrootcert"} if trusts_system else set()
        rest = urlencode({name: value for name, value in parameters.items() if name not in ours})
        return cls(parts._replace(query=rest).geturl(), hosts, trusts_system)


async def connect(
    url: str,
    *,
    timeout: float,  # noqa: ASYNC109  (of the whole, as asyncpg's is)
    command_timeout: float | None = None,
    server_settings: Mapping[str, str] | None = None,
    max_cacheable_statement_size: int = 15 * 1024,
) -> asyncpg.Connection:
    """A connection to the first host of `url` that takes writes.

    Args:
        timeout: seconds for all hosts together.
        command_timeout: seconds for each statement, which is then cancelled.
        max_cacheable_statement_size: bytes; a longer statement is prepared each time.

    Raises:
        AWAY: no host can be connected to, or none of them takes writes.
    """
    address = Address.parse(url)
    given: dict[str, Any] = {"command_timeout": command_timeout, "timeout": timeout}
    given |= {"server_settings": dict(server_settings or {}), "target_session_attrs": "read-write"}
    given["max_cacheable_statement_size"] = max_cacheable_statement_size
    if address.trusts_system:
        given["ssl"] = ssl.create_default_context()

    async def try_host(host: Host) -> asyncpg.Connection:
        return await asyncpg.connect(address.url, host=host[0], port=host[1], **given)

    if len(address.hosts) == 1:
        return await try_host(address.hosts[0])
    waiting = iter(address.hosts)
    tries: set[asyncio.Task[asyncpg.Connection]] = set()
    fault: BaseException = ConnectionError("no host was tried")
    try:
        async with asyncio.timeout(timeout):
            while (host := next(waiting, None)) or tries:
                if host:
                    tries.add(asyncio.create_task(try_host(host)))
                ended, tries = await asyncio.wait(
                    tries, timeout=HEAD_START if host else None, return_when=asyncio.FIRST_COMPLETED
                )
                for one in ended:
                    if (failed := one.exception()) is None:
                        tries |= ended - {one}
                        return one.result()
                    fault = failed
    finally:
        for one in tries:
            one.add_done_callback(_close)
            one.cancel()
    raise fault


def is_writable(connection: "asyncpg.Connection") -> bool:
    """Whether its server still takes writes. The server itself reports when that changes, with the answer to
    the next statement: this costs no round trip."""
    settings = connection.get_settings()
    return "on" not in (
        getattr(settings, "default_transaction_read_only", "off"),
        getattr(settings, "in_hot_standby", "off"),
    )


def _close(tried: "asyncio.Task[asyncpg.Connection]") -> None:
    """One that came too late."""
    if not tried.cancelled() and tried.exception() is None:
        tried.result().terminate()


def _hosts(named: str, ports: str) -> Iterator[Host]:
    """
    Args:
        named: hosts with commas between them, each perhaps with its port.
        ports: one for all, or one for each.

    Raises:
        ValueError: not of that form.
    """
    names = named.split(",") if named else []
    of_each = [int(port) if port else DEFAULT_PORT for port in ports.split(",")]
    if len(of_each) == 1:
        of_each *= len(names)
    for name, default in zip(names, of_each, strict=True):
        host, port = unquote(name), ""
        if name.startswith("["):
            host, _, port = name[1:].partition("]")
            port = port.removeprefix(":")
        elif not host.startswith("/"):
            host, _, port = host.partition(":")
        number = int(port) if port else default
        if not host or not 0 < number < 65536:
            raise ValueError
        yield host, number


def _check(parameters: Mapping[str, str]) -> None:
    for name in sorted(parameters.keys() & _UNKNOWN):
        if parameters[name] not in _HARMLESS:
            raise ValueError(f"is wrong (this software cannot keep its parameter {name})")
    if parameters.get("target_session_attrs", "read-write") not in {"any", "read-write", "primary"}:
        raise ValueError("is wrong (its target_session_attrs names servers that take no writes)")
    if parameters.get("sslmode", "prefer") not in _SSL_MODES:
        raise ValueError(f"is wrong (its sslmode is none of {', '.join(_SSL_MODES)})")
    for name in _FILES:
        file = parameters.get(name, "")
        if file and not (name == "sslrootcert" and file == _OF_THE_SYSTEM) and not Path(file).is_file():
            raise ValueError(f"is wrong (its {name} is no file that is there)")
