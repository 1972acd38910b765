"""The three services as programs: their ports, their environment, their migrations.

Ports come from `HOTLINE_INTAKE_PORT`, `HOTLINE_DEDUP_PORT`, `HOTLINE_REFERRAL_PORT` (8001, 8002, 8003); those
of the metrics are any free ones. What else a service reads is listed in `shared.settings`; a variable of the
caller's environment that the launcher does not set itself goes through to the services.
"""

import asyncio
import json
import os
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from deploy.image.health import is_ready
from deploy.local.children import Program, ended_at_once, read_from, set_aside_long_log
from deploy.local.data_directory import ROOT, DataDirectory, write_secret
from deploy.local.errors import PortInUseError
from deploy.local.issuer import AUDIENCE, ISSUER, Issuer
from deploy.local.keys import keys_file
from deploy.local.ports import HOST, free_port, is_free
from deploy.local.process import tied_command

DEFAULT_PORTS: Mapping[str, int] = {"intake": 8001, "dedup": 8002, "referral": 8003}

# A service's token is written anew at each start of the launcher.
_TOKEN_HOURS = 366 * 24.0


@dataclass(frozen=True)
class Service:
    name: str
    port: int
    metrics_port: int
    database_url: str
    owner_database_url: str
    """The same database for the account that owns it, for `migrate` and `rebuild`."""

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def metrics_url(self) -> str:
        return f"http://{HOST}:{self.metrics_port}/metrics"

    def described(self) -> dict[str, Any]:
        """Its entry in run.json."""
        return {
            "url": self.url,
            "metrics": self.metrics_url,
            "database_url": self.database_url,
            "owner_database_url": self.owner_database_url,
        }


def port_variable(service: str) -> str:
    return f"HOTLINE_{service.upper()}_PORT"


def read_ports(environment: Mapping[str, str], own: Collection[int] = ()) -> dict[str, int]:
    """The port of each service; a `PortInUseError` for one that is neither our `own` nor free."""
    ports: dict[str, int] = {}
    for service, default in DEFAULT_PORTS.items():
        variable = port_variable(service)
        port = read_port(variable, environment.get(variable) or str(default), service, own)
        for other, its_port in ports.items():
            if port == its_port:
                raise PortInUseError(
                    f"{port_variable(other)} and {variable} both name port {port}: give each its own."
                )
        ports[service] = port
    return ports


def read_port(variable: str, given: str, whose: str, own: Collection[int] = ()) -> int:
    """The port that `variable` gives; a `PortInUseError` for one that cannot be listened on."""
    if not given.isdecimal() or not 0 < int(given) < 65536:
        raise PortInUseError(f"{variable} is {given!r}; it should be a port number, 1 to 65535.")
    port = int(given)
    if port not in own and not is_free(port):
        raise PortInUseError(
            f"port {port}, on which {whose} is to listen, is in use (or not allowed to this account):"
            f" stop what listens there, or choose another one with {variable}, for instance"
            f" {variable}={free_port()}."
        )
    return port


def write_token(data: DataDirectory, service: str) -> None:
    """The bearer token by which `service` asks the others for what it missed."""
    token = Issuer(data.keys).mint("service", subject=f"service-{service}", hours=_TOKEN_HOURS)
    write_secret(data.keys / f"{service}.token", token + "\n")


def environment_of(service: Service, services: list[Service], data: DataDirectory) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name != "HOTLINE_KAFKA"}
    return {
        **inherited,
        "HOTLINE_DATABASE_URL": service.database_url,
        "HOTLINE_HOST": HOST,
        "HOTLINE_PORT": str(service.port),
        "HOTLINE_METRICS_HOST": HOST,
        "HOTLINE_METRICS_PORT": str(service.metrics_port),
        "HOTLINE_RUN_FILE": str(data.run_file),
        "HOTLINE_KEYS_FILE": str(keys_file(data.keys, service.name)),
        "HOTLINE_JWKS": str(data.keys / "jwks.json"),
        "HOTLINE_ISSUER": ISSUER,
        "HOTLINE_AUDIENCE": AUDIENCE,
        "HOTLINE_SERVICE_TOKEN_FILE": str(data.keys / f"{service.name}.token"),
        "HOTLINE_PEERS": json.dumps(
            {other.name: other.url for other in services if other.name != service.name}
        ),
    }


def program_of(service: Service, services: list[Service], data: DataDirectory) -> Program:
    return Program(
        name=service.name,
        command=lambda: tied_command([sys.executable, "-m", f"services.{service.name}", "serve"]),
        log=data.logs / f"{service.name}.log",
        ready=partial(is_ready, service.port, 2.0),
        environment=environment_of(service, services, data),
    )


async def migrate(service: Service, services: list[Service], data: DataDirectory) -> None:
    """Brings the service's database to its newest form; a `ChildError` with the end of its log if not."""
    log = data.logs / f"{service.name}.log"
    set_aside_long_log(log)
    with log.open("ab") as output:
        begin = log.stat().st_size
        process = await asyncio.create_subprocess_exec(
            *tied_command([sys.executable, "-m", f"services.{service.name}", "migrate"]),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={
                **environment_of(service, services, data),
                "HOTLINE_DATABASE_URL": service.owner_database_url,
                "HOTLINE_SERVICE_ROLE": service.name,
            },
            cwd=ROOT,
            start_new_session=True,
        )
        code = await process.wait()
    if code != 0:
        raise ended_at_once(f"{service.name} (migrate)", code, log, read_from(log, begin))
