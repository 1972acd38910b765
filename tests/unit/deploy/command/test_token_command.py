"""`./hotline token`, as a program: what it prints, and where."""

import os
import subprocess
import tomllib
from pathlib import Path

import pytest

from deploy.local.data_directory import ROOT
from deploy.local.keys import ensure_keys


@pytest.fixture
def data(tmp_path: Path) -> Path:
    ensure_keys(tmp_path / "keys")
    return tmp_path


def _hotline(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ROOT / "hotline"), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "HOTLINE_DATA": str(data)},
        cwd=data,
        check=False,
    )


def test_it_prints_the_token_and_nothing_else(data: Path) -> None:
    ran = _hotline(data, "token", "recipient", "--force", "hampshire")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.count("\n") == 1
    assert ran.stdout.count(".") == 2


def test_an_unknown_role_names_the_roles_without_a_traceback(data: Path) -> None:
    ran = _hotline(data, "token", "boss")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("hotline: there is no role 'boss'; the roles are call_handler, ")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("recipient", "--force", "hampshyre"), "no force or body 'hampshyre'; did you mean hampshire"),
        (("recipient", "--force", "xx"), "no force or body 'xx'; there are avon-and-somerset, "),
        (("assessor", "--holder-force", "iopc"), "there is no force 'iopc'"),
    ],
)
def test_an_unknown_force_is_refused_and_a_near_one_named(
    data: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    ran = _hotline(data, "token", *arguments)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert sentence in ran.stderr


def test_a_recipient_reads_for_an_oversight_body_too(data: Path) -> None:
    assert _hotline(data, "token", "recipient", "--force", "iopc").returncode == 0


def test_the_version_is_the_same_wherever_it_stands(data: Path) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert _hotline(data, "--version").stdout == f"hotline {version}\n"
    assert f"ARG VERSION={version}\n" in (ROOT / "deploy" / "Dockerfile").read_text()


def test_without_keys_it_says_what_makes_them(tmp_path: Path) -> None:
    ran = _hotline(tmp_path, "token", "assessor")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "`make run` does it" in ran.stderr


def test_help_shows_examples(data: Path) -> None:
    assert "./hotline token assessor" in _hotline(data, "--help").stdout


def test_without_an_environment_the_script_says_how_to_get_one(tmp_path: Path) -> None:
    script = tmp_path / "hotline"
    script.write_bytes((ROOT / "hotline").read_bytes())
    script.chmod(0o755)
    ran = subprocess.run([str(script), "token", "assessor"], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "run 'make run' (or 'make install')" in ran.stderr
