"""Kafka and PostgreSQL as containers, by whatever speaks Docker's API here."""

import gc
import warnings
from contextlib import ExitStack, suppress

import docker
from docker.errors import DockerException, ImageNotFound
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.container import DockerContainer

from deploy.local.ports import free_port
from tests.engines.kafka import SETTINGS
from tests.engines.missing import EnginesMissing
from tests.engines.topics import Topics, wait_until_answers

KAFKA_IMAGE = "apache/kafka:4.3.0"
POSTGRES_IMAGE = "postgres:18"

# As the product makes its data directory; what an image makes by itself depends on its locale.
_INITDB = "--data-checksums --encoding=UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8"

_ANSWER_SECONDS = 5
_START_SECONDS = 120.0


def check_engine() -> None:
    """The engine answers, and has the images; those that it lacks are pulled.

    Raises:
        EnginesMissing
    """
    if (client := _client()) is None:
        raise EnginesMissing("no container engine answers (Docker's API at DOCKER_HOST or docker.sock)")
    try:
        for image in (KAFKA_IMAGE, POSTGRES_IMAGE):
            _have(image, client)
    except (DockerException, OSError) as fault:
        raise EnginesMissing(f"the container engine fails ({type(fault).__name__})") from fault
    finally:
        client.close()


def _client() -> docker.DockerClient | None:
    """One that was answered; None where nobody does."""
    # The library leaves the socket of a connection that fails to the garbage collector, which warns of it,
    # at any time and in any test.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        with suppress(DockerException):
            return docker.from_env(timeout=_ANSWER_SECONDS)
        gc.collect()
    return None


def _have(image: str, client: docker.DockerClient) -> None:
    try:
        client.images.get(image)
    except ImageNotFound:
        print(f"pulling {image}", flush=True)
        puller = docker.from_env(timeout=600)
        try:
            puller.images.pull(image)
        except (DockerException, OSError) as fault:
            raise EnginesMissing(f"the image {image} is not there and cannot be pulled") from fault
        finally:
            puller.close()


class Containers:
    """One of each, started when asked for; `close()` removes them, and where a run is killed before that,
    testcontainers' own reaper does (unless TESTCONTAINERS_RYUK_DISABLED)."""

    def __init__(self) -> None:
        self._running = ExitStack()
        self._kafka = self._postgres = ""

    def kafka(self) -> str:
        """The broker's address; it answers."""
        if not self._kafka:
            # Bound rather than mapped: the broker tells its clients this address, and has to know it first.
            port = free_port()
            container = DockerContainer(KAFKA_IMAGE).with_bind_ports(9092, port)
            address = f"{container.get_container_host_ip()}:{port}"
            for name, value in _settings(address).items():
                container.with_env(f"KAFKA_{name.upper().replace('.', '_')}", value)
            self._running.enter_context(container)
            if not wait_until_answers(Topics(address), _START_SECONDS):
                out, error = container.get_logs()
                told = (out + error).decode(errors="replace")[-2000:]
                raise RuntimeError(f"Kafka in a container does not answer at {address}: {told}")
            self._kafka = address
        return self._kafka

    def postgres(self) -> str:
        """The superuser's address of the server; it answers."""
        if not self._postgres:
            container = PostgresContainer(POSTGRES_IMAGE, driver=None).with_command("-c max_connections=400")
            container.with_env("POSTGRES_INITDB_ARGS", _INITDB)
            self._running.enter_context(container)
            self._postgres = container.get_connection_url()
        return self._postgres

    def close(self) -> None:
        self._running.close()


def _settings(address: str) -> dict[str, str]:
    return {
        **SETTINGS,
        "listeners": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "advertised.listeners": f"PLAINTEXT://{address}",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "controller.quorum.voters": "1@localhost:9093",
    }
