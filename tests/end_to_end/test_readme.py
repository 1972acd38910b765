"""The README's examples do what it says: each is run as it stands and its answer compared, `...` standing for
anything."""

import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jwcrypto.jws import InvalidJWSSignature

from deploy.local.data_directory import ROOT
from tests.end_to_end.complaints import write_complaints
from tests.end_to_end.system import System, running_system

PORTS = {"intake": 8001, "dedup": 8002, "referral": 8003}


@dataclass(frozen=True)
class Example:
    command: str
    expected: str


def examples() -> list[Example]:
    """The ```console blocks: a command after `$ `, over several lines where they end in a backslash or a
    quote is open, and its answer."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.rstrip("\n").split("\n")
            count = 1
            while lines[count - 1].endswith("\\") or "\n".join(lines[:count]).count("'") % 2:
                count += 1
            found.append(Example("\n".join(lines[:count]), "\n".join(lines[count:])))
    return found


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with running_system(HOTLINE_RELEASE="unsure") as running:
        yield running


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.command.split("\n")[0][:60])
def test_an_example_answers_as_the_readme_says(system: System, example: Example) -> None:
    command = example.command
    for service, port in PORTS.items():
        command = command.replace(f"http://127.0.0.1:{port}", system.urls[service])
    told = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=system.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    pattern = ".*".join(re.escape(part) for part in example.expected.split("..."))
    assert re.fullmatch(pattern, told.stdout.strip(), re.DOTALL), told.stdout


def python_example(name: str) -> Any:
    """The function that a ```python block defines."""
    block = re.search(rf"```python\n(.*?\ndef {name}\(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block is not None
    defined: dict[str, Any] = {}
    exec(block[1], defined)  # noqa: S102  (it is ours)
    return defined[name]


def test_the_example_that_checks_an_event_tells_a_genuine_one_from_a_forged_one(
    system: System, tmp_path: Path
) -> None:
    check = python_example("check")
    told = system.hotline("import", str(write_complaints(tmp_path / "complaints.ndjson.gz", 5)))
    assert told.returncode == 0, told.stderr
    keys = json.loads((system.data / "keys" / "dedup.json").read_text())["sources"]["intake"]
    ((kid, key),) = keys.items()
    events = [
        event
        for slot in ask(system, "/v1/events/heads")["heads"]
        for event in ask(system, f"/v1/events?slot={slot}")["items"]
    ]
    assert len(events) >= 5
    for event in events:
        rest = {name: value for name, value in event["data"].items() if name != "authentication"}
        assert check(event, kid, key) == {**event, "data": rest}
        for forged in ({**event, "subject": "another"}, {**event, "data": {**event["data"], "erased": True}}):
            with pytest.raises(InvalidJWSSignature):
                check(forged, kid, key)


def ask(system: System, path: str) -> Any:
    """What intake answers a service."""
    token = system.hotline("token", "service").stdout.strip()
    request = urllib.request.Request(  # noqa: S310  (our own address)
        system.urls["intake"] + path, headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  (our own address)
        return json.load(answer)


def test_the_readme_has_examples() -> None:
    assert len(examples()) >= 4
