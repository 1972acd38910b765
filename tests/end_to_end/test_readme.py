"""The README's examples do what it says: each is run as it stands and its answer compared, `...` standing for
anything."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from deploy.local.data_directory import ROOT
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
    with running_system() as running:
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


def test_the_readme_has_examples() -> None:
    assert len(examples()) >= 4
