"""A referral for each test: fed directly (`referral`), asked over HTTP (`desk`), or set back (`history`).

The first two share a database, emptied before each test: a migrated one costs more than most of the tests.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy.local.keys import ensure_keys
from services.referral.settings import Settings
from services.referral.wiring import wire
from shared.sealing.keys import load_keys
from shared.store.migrate import migrate
from tests.engines import Databases
from tests.integration.services.referral.feeding import Feed, Referral, referral_on
from tests.integration.services.referral.losing import History
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


@pytest.fixture
async def history(databases: Databases, tmp_path: Path) -> AsyncIterator[History]:
    ensure_keys(tmp_path / "keys")
    with ExitStack() as stack:
        history = History(databases, stack, Feed(load_keys(tmp_path / "keys" / "referral.json")))
        await migrate("referral", history.url)
        yield history
