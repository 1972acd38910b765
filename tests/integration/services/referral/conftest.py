"""A referral of its own for each test: fed directly (`referral`), and asked over HTTP (`desk`)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local.keys import ensure_keys
from services.referral.settings import Settings
from services.referral.wiring import wire
from tests.integration.services.referral.feeding import Referral, referral_on
from tests.running import Running, running_service


@pytest.fixture
async def referral(database_url: str, tmp_path: Path) -> AsyncIterator[Referral]:
    ensure_keys(tmp_path / "keys")
    async with referral_on(database_url, tmp_path / "keys" / "referral.json") as running:
        yield running


@pytest.fixture
async def desk(referral: Referral, database_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    """The routes, on the database and with the keys of `referral`."""
    async with running_service(Settings, wire, database_url, tmp_path) as running:
        yield running
