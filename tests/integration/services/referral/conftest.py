"""A referral for each test: fed directly (`referral`), and asked over HTTP (`desk`).

They share a database, emptied before each test: a migrated one costs more than most of the tests.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from deploy.local.keys import ensure_keys
from services.referral.settings import Settings
from services.referral.wiring import wire
from tests.engines import Databases
from tests.integration.services.referral.feeding import Referral, referral_on
from tests.running import Running, running_service


@pytest.fixture(scope="session")
def referral_database(databases: Databases) -> Iterator[str]:
    with databases.new() as url:
        yield url


@pytest.fixture
async def referral(referral_database: str, tmp_path: Path) -> AsyncIterator[Referral]:
    ensure_keys(tmp_path / "keys")
    async with referral_on(referral_database, tmp_path / "keys" / "referral.json") as running:
        yield running


@pytest.fixture
async def desk(referral: Referral, referral_database: str, tmp_path: Path) -> AsyncIterator[Running]:
    """The routes, on the database and with the keys of `referral`."""
    async with running_service(Settings, wire, referral_database, tmp_path) as running:
        yield running
