"""Fixtures of all tests. An engine is started when a test asks for it, and never before."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from deploy.local.postgres import Postgres
from tests.engines import Databases, EmbeddedBroker, running_postgres

# No test is timed: the machines that run them are shared. A failure prints how to repeat it.
settings.register_profile("hotline", deadline=None, print_blob=True)
settings.load_profile("hotline")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL 18 for the whole run."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def databases(postgres: Postgres) -> Databases:
    """`with databases.new() as url:` for a test that needs several, or one for a whole module."""
    return Databases(postgres)


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """The address of a new, empty database."""
    with databases.new() as url:
        yield url


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    """A broker of its own, with nothing in it; `broker.address`."""
    with EmbeddedBroker() as running:
        yield running


def pytest_report_header() -> str:
    return "engines: PostgreSQL 18 and the broker of the wheels (embedded), started when asked for"
