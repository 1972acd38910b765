"""A Kafka of one's own: one node out of the jars, which tests start, kill, stop, freeze and wipe.

```
node = KafkaNode(directory, program, jars)    # nothing happens yet; `own_kafka()` knows program and jars
node.start()                                  # formatted, running, answering at node.address
node.create_topics("a", "b", partitions=12)
node.kill(); node.start()                     # SIGKILL; the same data at the same address
node.pause(); node.resume()                   # SIGSTOP, SIGCONT: a machine that hangs, a network that is cut
node.wipe(); node.start()                     # the same cluster id and address, nothing in it
node.stop()                                   # in order
```

Broker and controller in one process, KRaft, at 127.0.0.1, its address the same for its whole life. It dies
with the thread that started it (see `deploy.local.process`). It flushes as Kafka does by default: records
that it acknowledged survive its own death, for they are in the page cache, and not the machine's.

How it fails: `KafkaNodeError` with the end of its log, where it does not come up.
"""

import contextlib
import os
import shutil
import signal
import subprocess
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from deploy.local.ports import HOST, free_ports
from deploy.local.process import PLAIN_ENVIRONMENT, tied_command
from tests.engines.jars import fetched, locked
from tests.engines.java import java
from tests.engines.postgres import reachable_directory
from tests.engines.topics import Topics, wait_until_answers

# Small and quick to start rather than fast.
_JAVA = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.level=WARN")

SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "5",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # The default of 3 s would be waited for at each start of a consumer.
    "group.initial.rebalance.delay.ms": "0",
    # A broker that was killed is let in again when its session is over; the default is 9 s.
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "3000",
    "log.cleaner.dedupe.buffer.size": str(8 * 1024 * 1024),  # of a heap that is small
}

_START_SECONDS = 120.0  # on a machine that is busy
_STOP_SECONDS = 30.0


class KafkaNodeError(Exception):
    pass


class KafkaNode:
    """One node on one directory, which holds its data, settings and log."""

    def __init__(self, directory: Path, program: str, jars: Path) -> None:
        self.directory, self._program, self._jars = directory, program, jars
        self.log = directory / "kafka.log"
        self.cluster_id = urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")
        self._data, self._settings = directory / "kafka-data", directory / "kafka.properties"
        self._take_ports()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Runs and answers when this returns; its address."""
        for _ in range(5):
            begin = self.log.stat().st_size if self.log.exists() else 0
            is_new = not (self._data / "meta.properties").exists()
            if is_new:
                self._format()
            self._process = self._child("kafka.Kafka", str(self._settings))
            process = self._process
            if wait_until_answers(self.topics, _START_SECONDS, lambda: process.poll() is not None):
                return self.address
            ended = process.poll() is not None
            self.kill()
            told = self.log.read_bytes()[begin:].decode(errors="replace")
            if not (ended and is_new and "Address already in use" in told):
                raise KafkaNodeError(f"Kafka did not start: {told[-2000:]}")
            self.wipe()
            self._take_ports()  # somebody was quicker, and nobody knows the address yet
        raise KafkaNodeError("Kafka found its ports taken, five times in a row")

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """In order: what it has is on the disk, its groups know."""
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        """It holds its connections and answers nobody, until `resume()`."""
        self._running().send_signal(signal.SIGSTOP)
        os.waitpid(self._running().pid, os.WUNTRACED)  # until all of its threads stand still

    def resume(self) -> None:
        self._running().send_signal(signal.SIGCONT)

    def wipe(self) -> None:
        """Kills it and deletes its data: topics, records, groups. `start()` makes the same cluster anew."""
        self.kill()
        shutil.rmtree(self._data, ignore_errors=True)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._running().pid

    def create_topics(self, *names: str, partitions: int = 12) -> None:
        self.topics.create(*names, partitions=partitions)

    def add_partitions(self, topic: str, total: int) -> None:
        """The topic has so many from now on; what was published stays where it is."""
        self.topics.add_partitions(topic, total)

    def tool(self, program: str, *arguments: str, seconds: float = 120.0) -> subprocess.CompletedProcess[str]:
        """A program of Apache Kafka's own at this node, to its end: `tool("org.apache.kafka.tools...")`."""
        # Its log would stand among what it prints.
        command = self._command("-Dlog4j2.level=OFF", program, "--bootstrap-server", self.address, *arguments)
        return subprocess.run(
            tied_command(command),
            capture_output=True,
            text=True,
            env=PLAIN_ENVIRONMENT,
            timeout=seconds,
            check=False,
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _take_ports(self) -> None:
        port, controller = free_ports(2)
        self.address = f"{HOST}:{port}"
        self.topics = Topics(self.address)
        settings = {
            **SETTINGS,
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://{HOST}:{controller}",
            "controller.quorum.bootstrap.servers": f"{HOST}:{controller}",
            "log.dirs": str(self._data),
        }
        self._settings.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))

    def _format(self) -> None:
        # In one word: an id may begin with a hyphen.
        asked = ("format", "--standalone", f"--cluster-id={self.cluster_id}", "-c", str(self._settings))
        if self._child("kafka.tools.StorageTool", *asked).wait(_START_SECONDS) != 0:
            raise KafkaNodeError(f"Kafka's data directory could not be made: {self.log.read_text()[-2000:]}")

    def _command(self, *arguments: str) -> list[str]:
        return [self._program, *_JAVA, "-cp", f"{self._jars}/*", *arguments]

    def _child(self, program: str, *arguments: str) -> "subprocess.Popen[bytes]":
        command = self._command(program, *arguments)
        with self.log.open("ab") as log:
            return subprocess.Popen(
                tied_command(command, death_signal=signal.SIGKILL),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=PLAIN_ENVIRONMENT,
                cwd=self.directory,
                start_new_session=True,
            )

    def _running(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None and self._process.poll() is None, "Kafka does not run"
        return self._process

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        if self.is_running:
            self._process.send_signal(signal.SIGCONT)  # a frozen one would not see SIGTERM
            self._process.send_signal(number)
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None


@contextlib.contextmanager
def own_kafka() -> Iterator[KafkaNode]:
    """A node of the caller's own, running, in a temporary place.

    Raises:
        EnginesMissing: there is no Java, or the jars cannot be fetched.
    """
    program, jars = java(), fetched(locked())
    with reachable_directory() as directory, KafkaNode(directory, program, jars) as node:
        yield node
