"""schemathesis asks each route some hundred questions, good and bad ones, and checks every answer.

All of its checks are on. What is accepted all the same stands in `schemathesis.toml`, each with its reason.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.web.auth import ROLES
from tests.documents import SERVICES
from tests.engines import Databases
from tests.integration.services.three import Three, three_services

EXAMPLES = os.environ.get("HOTLINE_SCHEMATHESIS_EXAMPLES", "300")
ROOT = Path(__file__).parents[3]
CONFIG = Path(__file__).parent / "schemathesis.toml"


@pytest.fixture
async def three(databases: Databases, tmp_path: Path) -> AsyncIterator[Three]:
    async with three_services(databases, tmp_path) as running:
        yield running


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("service", list(SERVICES))
async def test_every_answer_is_as_the_document_says(three: Three, service: str, tmp_path: Path) -> None:
    running = three.services[service]
    program = str(Path(sys.executable).parent / "schemathesis")
    process = await asyncio.create_subprocess_exec(
        *(program, "--config-file", str(CONFIG), "run", f"{running.url}/openapi.json"),
        *("--checks", "all", "--max-examples", EXAMPLES, "--continue-on-failure", "--no-color"),
        cwd=tmp_path,
        env={
            **os.environ,
            **{f"TOKEN_{role.upper()}": running.token(role) for role in ROLES},
            "PYTHONPATH": str(ROOT),
            "SCHEMATHESIS_HOOKS": "tests.integration.services.schemathesis_hooks",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
