"""A running intake."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.intake.settings import Settings
from services.intake.wiring import wire
from tests.running import Running, running_service


@pytest.fixture
async def intake(database_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    async with running_service(Settings, wire, database_url, tmp_path) as running:
        yield running
