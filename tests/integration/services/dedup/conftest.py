"""A migrated database of dedup, and one process on it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.sealing.keys import ServiceKeys
from shared.store.migrate import migrate
from tests.engines import Databases
from tests.integration.services.dedup.desk import Desk, dedup_keys, opened


@pytest.fixture
def keys(tmp_path: Path) -> ServiceKeys:
    return dedup_keys(tmp_path / "keys")


@pytest.fixture
async def dedup_url(databases: Databases) -> AsyncIterator[str]:
    with databases.new("dedup") as url:
        await migrate("dedup", url)
        yield url


@pytest.fixture
async def desk(dedup_url: str, keys: ServiceKeys) -> AsyncIterator[Desk]:
    async with opened(dedup_url, keys) as one:
        yield one
