"""A migrated database of dedup, emptied before each test, and one process on it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from shared.sealing.keys import ServiceKeys
from tests.engines import Databases
from tests.integration.services.dedup.desk import Desk, dedup_keys, opened
from tests.running import emptied


@pytest.fixture
def keys(tmp_path: Path) -> ServiceKeys:
    return dedup_keys(tmp_path / "keys")


@pytest.fixture(scope="session")
def dedup_database(databases: Databases) -> Iterator[str]:
    with databases.new("dedup") as url:
        yield url


@pytest.fixture
async def dedup_url(dedup_database: str) -> str:
    await emptied("dedup", dedup_database)
    return dedup_database


@pytest.fixture
async def desk(dedup_url: str, keys: ServiceKeys) -> AsyncIterator[Desk]:
    async with opened(dedup_url, keys) as one:
        yield one
