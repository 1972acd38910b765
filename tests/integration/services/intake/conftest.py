"""A running intake, on a database that is emptied before each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from services.intake.settings import Settings
from services.intake.wiring import wire
from tests.engines import Databases
from tests.running import Running, emptied, running_service


@pytest.fixture(scope="session")
def intake_database(databases: Databases) -> Iterator[str]:
    with databases.new() as url:
        yield url


@pytest.fixture
async def database_url(intake_database: str) -> str:
    await emptied("intake", intake_database)
    return intake_database


@pytest.fixture
async def intake(database_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    """Nothing waits for a release: whatever is recorded is published at once."""
    never: dict[str, Any] = {"release": "never", "release_imports": "never"}
    async with running_service(Settings, wire, database_url, tmp_path, **never) as running:
        yield running


@pytest.fixture
async def careful(database_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    """Whatever leaves a doubt waits for its release."""
    unsure: dict[str, Any] = {"release": "unsure", "release_imports": "unsure"}
    async with running_service(Settings, wire, database_url, tmp_path, **unsure) as running:
        yield running
