"""The system in processes of its own: Apache Kafka, PostgreSQL 18, and several replicas of each service.

```
with running_cluster() as cluster:       # everything is ready
    cluster.replicas                     # each can be killed, stopped, continued, started again
    cluster.kafka, cluster.postgres      # so can these
    cluster.hotline("verify")            # the command, on this system
```

By default two processes of intake take calls and two relay and consume; of the others each does everything.
A replica keeps its ports over restarts. Everything dies with the test.
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from deploy.local.data_directory import ROOT, DataDirectory
from deploy.local.issuer import AUDIENCE, ISSUER, Issuer
from deploy.local.keys import ensure_keys, keys_file
from deploy.local.ports import is_free
from deploy.local.postgres import OWNERS, Postgres
from deploy.local.process import tied_command
from shared.streaming.topics import TOPICS
from tests.conditions import answers, wait_until
from tests.engines.kafka import KafkaNode, own_kafka
from tests.engines.missing import EnginesMissing
from tests.engines.postgres import reachable_directory

SERVICES = ("intake", "dedup", "referral")
EVERYTHING = "http,relay,consumer"
PARTS = {
    "intake": ("http", "http", "relay,consumer", "relay,consumer"),
    "dedup": (EVERYTHING,) * 2,
    "referral": (EVERYTHING,) * 2,
}
"""What each replica of a service runs. The first one of each answers the others' catch-up and the command."""

_TOKEN_HOURS = 100.0

# Linux takes the local ends of connections from 32768 up. Each is handed out once.
_BELOW_THE_EPHEMERAL = iter(random.sample(range(20_000, 32_000), 12_000))


class Replica:
    """One process of a service, and the one after it."""

    def __init__(
        self, name: str, service: str, parts: str, environment: Callable[[], Mapping[str, str]], log: Path
    ) -> None:
        """`environment` is asked at each start, when the addresses of all others are known."""
        self.name, self.service, self.parts, self.log = name, service, parts, log
        self._port, self._metrics_port = _lasting_ports(2)
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self.is_paused = False
        self.root = ROOT
        """The software that it runs from its next start on."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} does not run"
        return self._process.pid

    @property
    def takes_calls(self) -> bool:
        return "http" in self.parts

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def is_ready(self) -> bool:
        """One without HTTP has begun its work when its metrics can be read."""
        metrics = f"http://127.0.0.1:{self._metrics_port}/metrics"
        return self.is_running and answers(f"{self.url}/healthz/ready" if self.takes_calls else metrics)

    def start(self) -> None:
        command = [sys.executable, "-m", f"services.{self.service}", "serve", "--only", self.parts]
        ports = {"HOTLINE_PORT": str(self._port), "HOTLINE_METRICS_PORT": str(self._metrics_port)}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                tied_command(command, death_signal=signal.SIGKILL),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**self._environment(), **ports},
                cwd=self.root,
                start_new_session=True,
            )
        self.is_paused = False

    def kill(self) -> None:
        """kill -9."""
        self._send(signal.SIGKILL)
        self._ended()

    def ask_to_stop(self) -> None:
        """SIGTERM; it stops in order, and `is_running` tells when it has."""
        self._send(signal.SIGTERM)

    def stop(self, seconds: float = 30.0) -> int:
        """In order; the exit code."""
        self.ask_to_stop()
        return self._ended(seconds)

    def pause(self) -> None:
        """SIGSTOP: it holds what it holds, locks, leases and partitions, until `resume`."""
        self._send(signal.SIGSTOP)
        self.is_paused = True

    def resume(self) -> None:
        self._send(signal.SIGCONT)
        self.is_paused = False

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def _ended(self, seconds: float = 30.0) -> int:
        code = self._process.wait(seconds) if self._process is not None else 0
        self._process = None
        self.is_paused = False
        return code


class Cluster:
    """See the module. Opened by `running_cluster`."""

    def __init__(
        self,
        directory: Path,
        kafka: KafkaNode,
        settings: Mapping[str, str],
        parts: Mapping[str, Sequence[str]],
    ) -> None:
        self.directory, self.kafka, self._settings, self._parts = directory, kafka, settings, parts
        self.data = DataDirectory(directory / "data")
        self.postgres = Postgres(directory / "postgres")
        self.partitions = 12
        self.replicas: list[Replica] = []
        self._numbers = dict.fromkeys(SERVICES, 0)

    def start(self) -> None:
        self.data.path.mkdir(mode=0o711)
        ensure_keys(self.data.keys)
        self.issuer = Issuer(self.data.keys)
        self.postgres.prepare()
        self.postgres.start()
        self.make_topics()
        self.migrate()
        for service, parts in self._parts.items():
            for each in parts:
                self._new_replica(service, each)
        self._write_run_file()
        for replica in self.replicas:
            replica.start()
        self.wait_until_ready()

    def migrate(self, root: Path = ROOT) -> None:
        """The databases are those of the software in `root`."""
        migrating = [self._migration(service, root) for service in SERVICES]
        assert [process.wait(120) for process in migrating] == [0, 0, 0]

    def make_topics(self) -> None:
        self.kafka.create_topics(*TOPICS.values(), partitions=self.partitions)

    def add_replica(self, service: str) -> Replica:
        """One more, that does everything; it is starting."""
        replica = self._new_replica(service, EVERYTHING)
        replica.start()
        return replica

    @property
    def database_urls(self) -> dict[str, str]:
        return {service: self.database_url(service) for service in SERVICES}

    def first(self, service: str) -> Replica:
        return next(replica for replica in self.replicas if replica.service == service)

    def of(self, service: str) -> list[Replica]:
        return [replica for replica in self.replicas if replica.service == service]

    def wait_until_ready(self, seconds: float = 120.0) -> None:
        def is_ready() -> bool:
            for replica in self.replicas:
                assert replica.is_running, (
                    f"{replica.name} ended by itself: {replica.log.read_text()[-2000:]}"
                )
            return all(replica.is_ready for replica in self.replicas)

        wait_until(is_ready, what="every replica is ready", seconds=seconds)

    def database_url(self, service: str) -> str:
        return self.postgres.dsn(service)

    def owner_database_url(self, service: str) -> str:
        """For the account that may do anything, to the log too."""
        return self.postgres.dsn(service, OWNERS[service])

    def hotline(self, *arguments: str, seconds: float = 1800.0) -> subprocess.CompletedProcess[str]:
        """`./hotline ...` on this system."""
        return subprocess.run(
            [str(ROOT / "hotline"), *arguments],
            env={**os.environ, "HOTLINE_DATA": str(self.data.path), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def _new_replica(self, service: str, parts: str) -> Replica:
        self._numbers[service] += 1
        name = f"{service}-{self._numbers[service]}"
        environment, log = partial(self._environment, service), self.directory / f"{name}.log"
        replica = Replica(name, service, parts, environment, log)
        self.replicas.append(replica)
        return replica

    def _migration(self, service: str, root: Path) -> "subprocess.Popen[bytes]":
        as_owner = {
            "HOTLINE_DATABASE_URL": self.owner_database_url(service),
            "HOTLINE_SERVICE_ROLE": service,
        }
        return subprocess.Popen(
            [sys.executable, "-m", f"services.{service}", "migrate"],
            env=self._environment(service) | as_owner,
            cwd=root,
        )

    def _environment(self, service: str) -> dict[str, str]:
        token = self.data.keys / f"{service}.token"
        if not token.exists():
            token.write_text(self.issuer.mint("service", subject=f"service-{service}", hours=_TOKEN_HOURS))
        plain = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
        peers = {other: self.first(other).url for other in SERVICES if other != service and self.of(other)}
        return plain | {
            "HOTLINE_DATABASE_URL": self.database_url(service),
            "HOTLINE_KAFKA": self.kafka.address,
            "HOTLINE_KEYS_FILE": str(keys_file(self.data.keys, service)),
            "HOTLINE_SERVICE_TOKEN_FILE": str(token),
            "HOTLINE_PEERS": json.dumps(peers),
            "HOTLINE_JWKS": str(self.data.keys / "jwks.json"),
            "HOTLINE_ISSUER": ISSUER,
            "HOTLINE_AUDIENCE": AUDIENCE,
            # Complaints flow on at once: what waits for a person would never arrive.
            "HOTLINE_RELEASE": "never",
            "HOTLINE_RELEASE_IMPORTS": "never",
            **self._settings,
        }

    def _write_run_file(self) -> None:
        """By which `./hotline` finds this system."""
        services: dict[str, Any] = {
            service: {
                "url": self.first(service).url,
                "database_url": self.database_url(service),
                "owner_database_url": self.owner_database_url(service),
            }
            for service in SERVICES
        }
        key_file = str(self.issuer.key_file)
        run = {
            "pid": os.getpid(),
            "services": services,
            "broker": self.kafka.address,
            "issuer": {"iss": ISSUER, "key_file": key_file},
        }
        self.data.write_run_file(run)


def _lasting_ports(count: int) -> list[int]:
    """Ports that stay free while a replica is down: the system gives none of them to a connection."""
    ports = []
    for port in _BELOW_THE_EPHEMERAL:
        if is_free(port):
            ports.append(port)
            if len(ports) == count:
                return ports
    raise RuntimeError("no port is free")


@contextlib.contextmanager
def running_cluster(parts: Mapping[str, Sequence[str]] = PARTS, **settings: str) -> Iterator[Cluster]:
    """A cluster of its own, ready, removed afterwards. `settings` are variables of all services.

    Without Java, or the jars, the test that asks for one is skipped; a run that requires them fails before.
    """
    with contextlib.ExitStack() as stack:
        try:
            kafka = stack.enter_context(own_kafka())
        except EnginesMissing as reason:
            pytest.skip(f"needs a Kafka of its own to kill: {reason}")
        directory = stack.enter_context(reachable_directory())
        cluster = Cluster(directory, kafka, settings, parts)
        try:
            cluster.start()
            yield cluster
        finally:
            for replica in cluster.replicas:
                replica.kill()
            cluster.postgres.stop()
