"""Fixtures of all tests. An engine is started when a test asks for it, and never before; where the tests run
in several processes, what those share is started before them."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from deploy.local.postgres import Postgres
from tests.engines import Databases, EmbeddedBroker, running_postgres
from tests.engines.choice import Choice, choose
from tests.engines.missing import EnginesMissing
from tests.engines.postgres import ServerAt

# No test is timed: the machines that run them are shared. A failure prints how to repeat it.
settings.register_profile("hotline", deadline=None, print_blob=True)
settings.load_profile("hotline")

_CHOICE = pytest.StashKey[Choice]()


def choice_of(config: pytest.Config) -> Choice:
    """The run's engines: this process's choice, or that of the one which started it as a worker."""
    if _CHOICE not in config.stash:
        shared = getattr(config, "workerinput", {}).get("engines")
        try:
            config.stash[_CHOICE] = Choice.of_another_process(shared) if shared else choose()
        except EnginesMissing as missing:
            raise pytest.UsageError(str(missing)) from missing
    return config.stash[_CHOICE]


def pytest_report_header(config: pytest.Config) -> list[str]:
    return choice_of(config).told()


def pytest_sessionstart(session: pytest.Session) -> None:
    choice_of(session.config)  # a run that cannot have what it requires fails here


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """A worker of pytest-xdist is about to start."""
    node.workerinput["engines"] = choice_of(node.config).shared()


def pytest_unconfigure(config: pytest.Config) -> None:
    if (choice := config.stash.get(_CHOICE, None)) is not None:
        choice.engines.close()


@pytest.fixture(scope="session")
def choice(pytestconfig: pytest.Config) -> Choice:
    """Which engines this run uses."""
    return choice_of(pytestconfig)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL 18 of the wheel for the whole run."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def databases(choice: Choice, request: pytest.FixtureRequest) -> Iterator[Databases]:
    """`with databases.new() as url:` for a test that needs several, or one for a whole module."""
    if url := choice.engines.postgres():
        server = ServerAt(url)
        yield Databases(server)
        server.close()
    else:
        yield Databases(request.getfixturevalue("postgres"))


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """The address of a new, empty database."""
    with databases.new() as url:
        yield url


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    """An embedded broker of its own, with nothing in it; `broker.address`."""
    with EmbeddedBroker() as running:
        yield running
