"""Which engines a run of the tests uses: the strongest that the machine has, the same for all its workers.

| HOTLINE_TEST_ENGINES | Kafka | PostgreSQL |
|---|---|---|
| `addresses` | at HOTLINE_TEST_KAFKA | at HOTLINE_TEST_POSTGRES, the superuser's address |
| `containers` | a container | a container |
| `jars` | Apache Kafka's jars under the machine's Java | the wheel's, one server a worker |
| `embedded` | the broker of `make run`, one a test | the wheel's, one server a worker |

Guarantee: where the variable names one of them, it is that one, or `EnginesMissing` says in one sentence
what is missing. Without it the first that can be had, from above, and `passed_over` tells why not those
before it. What a run needs is fetched or pulled by `choose()`; engines start when a test asks for them.
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import asyncpg

from tests.engines.jars import fetched, locked
from tests.engines.java import java
from tests.engines.kafka import own_kafka
from tests.engines.missing import EnginesMissing
from tests.engines.postgres import superusers_answer
from tests.engines.topics import Topics

VARIABLE = "HOTLINE_TEST_ENGINES"
KAFKA, POSTGRES = "HOTLINE_TEST_KAFKA", "HOTLINE_TEST_POSTGRES"

_ANSWER_SECONDS = 10.0


class Kind(StrEnum):
    """From the strongest down."""

    ADDRESSES = "addresses"
    CONTAINERS = "containers"
    JARS = "jars"
    EMBEDDED = "embedded"


TOLD = {
    Kind.ADDRESSES: f"those at {KAFKA} and {POSTGRES}",
    Kind.CONTAINERS: "Apache Kafka and PostgreSQL in containers",
    Kind.JARS: "Apache Kafka out of its jars, PostgreSQL of the wheel",
    Kind.EMBEDDED: "the embedded broker and PostgreSQL of the wheels",
}


class Engines(Protocol):
    """Engines that the tests of a run share."""

    def kafka(self) -> str:
        """A broker's address; empty where each test has an embedded one of its own."""

    def postgres(self) -> str:
        """A superuser's address; empty where each worker has a server of the wheel."""

    def close(self) -> None: ...


@dataclass(frozen=True)
class Given:
    """Engines that somebody else runs, and ends."""

    kafka_address: str = ""
    postgres_address: str = ""

    def kafka(self) -> str:
        return self.kafka_address

    def postgres(self) -> str:
        return self.postgres_address

    def close(self) -> None:
        pass


class JarsAndWheel:
    """One node for the whole run."""

    def __init__(self) -> None:
        self._running = ExitStack()
        self._address = ""

    def kafka(self) -> str:
        if not self._address:
            self._address = self._running.enter_context(own_kafka()).address
        return self._address

    def postgres(self) -> str:
        return ""

    def close(self) -> None:
        self._running.close()


@dataclass(frozen=True)
class Choice:
    kind: Kind
    engines: Engines
    passed_over: Sequence[str] = ()

    def told(self) -> list[str]:
        """For the head of the report."""
        chosen = f"engines: {self.kind} ({TOLD[self.kind]})"
        return [chosen, *(f"  not {reason}" for reason in self.passed_over)]

    def shared(self) -> dict[str, str]:
        """What another process needs to use the same; they are running from now on."""
        return {"kind": self.kind, "kafka": self.engines.kafka(), "postgres": self.engines.postgres()}

    @classmethod
    def of_another_process(cls, shared: Mapping[str, str]) -> "Choice":
        return cls(Kind(shared["kind"]), Given(shared["kafka"], shared["postgres"]))


def choose(environment: Mapping[str, str] = os.environ) -> Choice:
    """
    Raises:
        EnginesMissing: those that the environment requires cannot be had, or it requires unknown ones.
    """
    if required := environment.get(VARIABLE):
        if required not in list(Kind):
            raise EnginesMissing(f"{VARIABLE} is {required!r}; it should be one of {', '.join(Kind)}.")
        kind = Kind(required)
        try:
            return Choice(kind, _had(kind, environment))
        except EnginesMissing as missing:
            raise EnginesMissing(f"{VARIABLE} requires {kind}: {missing}.") from missing
    passed_over: list[str] = []
    for kind in Kind:
        try:
            return Choice(kind, _had(kind, environment), passed_over)
        except EnginesMissing as missing:
            passed_over.append(f"{kind}: {missing}")
    raise AssertionError("the embedded ones are always there")


def _had(kind: Kind, environment: Mapping[str, str]) -> Engines:
    match kind:
        case Kind.ADDRESSES:
            return _answering(environment)
        case Kind.CONTAINERS:
            # Its imports take longer than many a run of tests does.
            from tests.engines.containers import Containers, check_engine  # noqa: PLC0415

            check_engine()
            return Containers()
        case Kind.JARS:
            java()
            fetched(locked())
            return JarsAndWheel()
        case Kind.EMBEDDED:
            return Given()


def _answering(environment: Mapping[str, str]) -> Given:
    kafka, postgres = environment.get(KAFKA, ""), environment.get(POSTGRES, "")
    if not (kafka and postgres):
        missing = " and ".join(name for name in (KAFKA, POSTGRES) if not environment.get(name))
        raise EnginesMissing(f"{missing} not set")
    if not Topics(kafka).answers(_ANSWER_SECONDS):
        raise EnginesMissing(f"no Kafka answers at {kafka}, the {KAFKA}")
    try:
        is_superuser = superusers_answer(
            postgres, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
        )
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError) as fault:
        # The type alone: the address has a password in it.
        raise EnginesMissing(f"no PostgreSQL answers at {POSTGRES} ({type(fault).__name__})") from fault
    if not is_superuser:
        raise EnginesMissing(f"{POSTGRES} names an account that is no superuser")
    return Given(kafka, postgres)
