"""The compose project of one data directory: its name, its ports, the file that tells both to compose.

The name is made once, so that two clones, or two data directories, have containers and volumes of their own.
The services' ports are those of `make run`; PostgreSQL's and Kafka's are `HOTLINE_POSTGRES_PORT` and
`HOTLINE_KAFKA_PORT`, else those of the last time, else free ones. A port that somebody else has is a
`PortInUseError` with the name of its variable.
"""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from deploy.containers.credentials import credentials
from deploy.local.data_directory import ROOT, DataDirectory, write_secret
from deploy.local.errors import PortInUseError
from deploy.local.ports import HOST, free_port, is_free
from deploy.local.services import port_variable, read_port, read_ports

COMPOSE_FILE = ROOT / "deploy" / "compose.yaml"
VOLUMES = ("postgres", "postgres-socket", "kafka")

_NAME = "COMPOSE_PROJECT_NAME"
_ENGINES = {"postgres": "PostgreSQL", "kafka": "Kafka"}


@dataclass(frozen=True)
class Project:
    """
    Attributes:
        ports: of intake, dedup, referral, postgres and kafka, on the loopback address.
    """

    name: str
    ports: Mapping[str, int]

    @classmethod
    def of(cls, data: DataDirectory, environment: Mapping[str, str], own: Collection[int] = ()) -> "Project":
        """
        Args:
            own: the ports which this project's containers have already.

        Raises:
            PortInUseError: a port is somebody else's, or two want the same.
        """
        kept = read_env_file(data)
        ports = read_ports(environment, own)
        for engine, called in _ENGINES.items():
            variable = port_variable(engine)
            if environment.get(variable):
                ports[engine] = read_port(variable, environment[variable], called, own)
            else:
                ports[engine] = _kept_or_free(kept.get(variable, ""), own, ports.values())
        _require_distinct(ports)
        return cls(kept.get(_NAME) or f"hotline-{secrets.token_hex(4)}", ports)

    @property
    def volumes(self) -> list[str]:
        """Their names in the engine."""
        return [f"{self.name}_{volume}" for volume in VOLUMES]

    @property
    def broker(self) -> str:
        return f"{HOST}:{self.ports['kafka']}"

    def url(self, service: str) -> str:
        return f"http://{HOST}:{self.ports[service]}"

    def write(self, data: DataDirectory) -> None:
        """The env file. Whoever uses compose by it gets the same project with the same values."""
        values = {
            _NAME: self.name,
            "COMPOSE_FILE": str(COMPOSE_FILE),
            "HOTLINE_SECRETS": str(credentials(data)),
            **{port_variable(name): str(port) for name, port in self.ports.items()},
        }
        lines = [f"{name}={_quoted(value)}\n" for name, value in values.items()]
        write_secret(data.containers_file, "".join(lines))


def read_env_file(data: DataDirectory) -> dict[str, str]:
    """What `Project.write` wrote, but for paths with special characters; empty where it never did."""
    try:
        lines = data.containers_file.read_text().splitlines()
    except FileNotFoundError:
        return {}
    return {name: value.strip('"') for name, _, value in (line.partition("=") for line in lines)}


def _quoted(value: str) -> str:
    """As compose reads it back, a path with spaces, quotes or dollar signs too."""
    for special in ("\\", '"', "$"):
        value = value.replace(special, f"\\{special}")
    return f'"{value}"'


def _kept_or_free(kept: str, own: Collection[int], others: Collection[int]) -> int:
    port = int(kept) if kept.isdecimal() else 0
    if port and port not in others and (port in own or is_free(port)):
        return port
    while (port := free_port()) in others:
        pass
    return port


def _require_distinct(ports: Mapping[str, int]) -> None:
    named: dict[int, str] = {}
    for name, port in ports.items():
        if port in named:
            raise PortInUseError(
                f"{port_variable(named[port])} and {port_variable(name)} both name port {port}: give each its"
                " own."
            )
        named[port] = name
