"""The flow in memory."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.shared.streaming.engines import InMemory
from tests.unit.shared.streaming.flow import Flow


@pytest.fixture
def memory() -> InMemory:
    return InMemory()


@pytest.fixture
async def flow(memory: InMemory) -> AsyncIterator[Flow]:
    flow = Flow(memory)
    yield flow
    await flow.close()
