"""Generated clients of all three services record a complaint, page through cases, and decide one."""

import asyncio
import importlib
import json
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.documents import SERVICES
from tests.engines import Databases
from tests.integration.services.three import CODES, Three, three_services

TYPESCRIPT = Path(__file__).parent / "clients" / "typescript"
ROLES = {"intake": "call_handler", "dedup": "match_reviewer", "referral": "assessor"}


@pytest.fixture
async def three(databases: Databases, tmp_path: Path) -> AsyncIterator[Three]:
    async with three_services(databases, tmp_path) as running:
        yield running


async def run(*program: str, cwd: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        *program,
        cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


class Client:
    """A generated client: `await client("cases.list_cases", limit=2)` is an answer with its status."""

    def __init__(self, package: str, url: str, token: str) -> None:
        self._package = package
        self._client = importlib.import_module(package).AuthenticatedClient(base_url=url, token=token)

    def model(self, name: str, document: dict[str, Any]) -> Any:
        return getattr(importlib.import_module(f"{self._package}.models"), name).from_dict(document)

    async def close(self) -> None:
        await self._client.get_async_httpx_client().aclose()

    async def __call__(self, operation: str, *arguments: Any, **parameters: Any) -> Any:
        module = importlib.import_module(f"{self._package}.api.{operation}")
        return await module.asyncio_detailed(*arguments, client=self._client, **parameters)


async def generated(three: Three, service: str, directory: Path) -> Client:
    document = await three.write_document(service, directory)
    config = directory / "config.json"
    overrides = {"content_type_overrides": {"application/x-ndjson": "application/octet-stream"}}
    config.write_text(json.dumps({**overrides, "post_hooks": []}))
    program = str(Path(sys.executable).parent / "openapi-python-client")
    package = f"hotline_{service}_client"
    arguments = ("--path", str(document), "--meta", "none", "--config", str(config))
    output = await run(
        program, "generate", *arguments, "--output-path", package, "--fail-on-warning", cwd=directory
    )
    assert "WARNING" not in output
    return Client(package, three.services[service].url, three.services[service].token(ROLES[service]))


async def test_python_clients_record_page_and_decide(
    three: Three, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    intake, dedup, referral = [await generated(three, name, tmp_path) for name in SERVICES]

    sent = {"channel": "phone", "narrative": "He came again.", "subjects": [{"force": "hampshire"}]}
    body = intake.model("ComplaintBody", sent)
    first = await intake("complaints.record_complaint", body=body, idempotency_key="python-1")
    again = await intake("complaints.record_complaint", body=body, idempotency_key="python-1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.parsed == first.parsed
    wrong = await intake(
        "complaints.record_complaint", body=intake.model("ComplaintBody", sent | {"narrative": ""})
    )
    assert (wrong.status_code, wrong.parsed.errors[0].field) == (422, "narrative")

    cases: list[UUID] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await referral("cases.list_cases", limit=2, **cursor)).parsed
        cases += [item.case_id for item in page.items]
        if page.next_cursor is None:
            break
        cursor = {"cursor": page.next_cursor}
    assert (set(cases), len(cases)) == (three.cases, len(CODES))

    shown = await referral("cases.show_case", cases[0])
    decision = {"outcome": "more_information", "reason_code": "unclear", "reason": "Where was it?"}
    decided = await referral(
        "cases.decide_case",
        cases[0],
        body=referral.model("DecisionMade", decision),
        if_match=shown.headers["ETag"],
    )
    assert decided.status_code == 200
    assert decided.parsed.version == shown.parsed.version + 1

    matches = await dedup("matches.show_matches", first.parsed.complaint_id)
    assert (matches.status_code, matches.parsed.indexed) == (200, False)
    assert (await dedup("reviews.list_reviews", limit=10)).parsed.items == []
    for client in (intake, dedup, referral):
        await client.close()


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.skipif(shutil.which("npm") is None, reason="node and npm are not here")
async def test_typescript_clients_record_page_and_decide(three: Three, tmp_path: Path) -> None:
    directory = tmp_path / "typescript"
    shutil.copytree(TYPESCRIPT, directory, ignore=shutil.ignore_patterns("node_modules"))
    await run("npm", "ci", "--no-audit", "--no-fund", cwd=directory)
    places = {}
    for name, running in three.services.items():
        document = await three.write_document(name, directory)
        await run("npx", "openapi-typescript", str(document), "-o", f"{name}.ts", cwd=directory)
        places[name] = {"url": running.url, "token": running.token(ROLES[name])}
    await run("npx", "tsc", cwd=directory)
    seen = json.loads(await run("node", "built/work.js", json.dumps(places), cwd=directory))
    assert len(set(seen["receipts"])) == 1
    assert {UUID(case) for case in seen["cases"]} == three.cases
    assert seen["decided"] == seen["cases"][0]
    assert seen["reviews"] == 0
