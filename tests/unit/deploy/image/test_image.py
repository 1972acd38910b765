"""What the image runs, and what goes into it."""

import ast
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from deploy.image.__main__ import MODULES, command
from deploy.image.health import is_ready
from deploy.local.data_directory import ROOT
from deploy.local.ports import free_port


@pytest.mark.parametrize(
    ("arguments", "module", "rest"),
    [
        (["intake", "serve"], "services.intake", ["serve"]),
        (["dedup", "migrate", "--wait=60"], "services.dedup", ["migrate", "--wait=60"]),
        (["referral", "rebuild", "--check"], "services.referral", ["rebuild", "--check"]),
        (["topics", "apply", "--bootstrap", "k:1"], "deploy.topics", ["apply", "--bootstrap", "k:1"]),
    ],
)
def test_the_first_word_picks_the_program_and_the_others_are_its_own(
    arguments: list[str], module: str, rest: list[str]
) -> None:
    assert command(arguments) == [sys.executable, "-m", module, *rest]


@pytest.mark.parametrize(
    ("arguments", "said"), [([], "nothing was asked for"), (["bash"], "there is no 'bash' in this image")]
)
def test_what_is_not_in_the_image_is_one_sentence_with_what_is(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        command(arguments)
    assert raised.value.code == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert all(name in told for name in MODULES)


def test_the_entry_point_becomes_the_program_with_its_exit_code_and_words() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "deploy.image", "intake", "migrate"],
        cwd=ROOT,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert ran.stderr.startswith("HOTLINE_DATABASE_URL: is not set")


@contextmanager
def answering(status: int, body: bytes = b"") -> Iterator[int]:
    """A port where /healthz/ready answers `status`, and all else 404."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz/ready" else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the library's name)
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_healthy_is_ready_and_neither_live_alone_nor_silent() -> None:
    with answering(200) as port:
        assert is_ready(port)
    with answering(503) as port:
        assert not is_ready(port)
    assert not is_ready(free_port())


@pytest.mark.parametrize(
    ("body", "is_healthy"),
    [
        (b'{"not_ready": {"store": "store halted: ..."}}', True),
        (b'{"not_ready": {"store": "store halted: ...", "schema": "..."}}', False),
        (b'{"not_ready": {"database": "TimeoutError"}}', False),
        (b'["store"]', False),
        (b"{", False),
    ],
)
def test_healthy_is_halted_too_for_a_recovery_asks_what_runs(body: bytes, is_healthy: bool) -> None:
    with answering(503, body) as port:
        assert is_ready(port) == is_healthy


def test_the_health_check_needs_nothing_that_is_installed() -> None:
    with answering(200) as port:
        ran = subprocess.run(
            [sys.executable, "-I", "-S", str(ROOT / "deploy" / "image" / "health.py")],
            env={"HOTLINE_PORT": str(port)},
            check=False,
        )
    assert ran.returncode == 0


def allowed() -> list[Path]:
    """What .dockerignore lets into the image."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*"
    return [ROOT / line[1:] for line in lines if line.startswith("!")]


def imported(file: Path) -> Iterator[Path]:
    """The modules of this repository that a file imports."""
    for node in ast.walk(ast.parse(file.read_text())):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            path = ROOT.joinpath(*name.split("."))
            if name.split(".")[0] in {"deploy", "services", "shared"}:
                yield path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def test_what_the_programs_import_is_in_the_image_and_no_test_or_key_can_be() -> None:
    let_in = allowed()
    left = [ROOT / "deploy" / "topics.py", ROOT / "deploy" / "image" / "__main__.py"]
    left += [path for part in ("services", "shared") for path in (ROOT / part).rglob("*.py")]
    seen: set[Path] = set()
    while left:
        file = left.pop()
        if file in seen:
            continue
        seen.add(file)
        assert any(file == entry or entry in file.parents for entry in let_in), file
        left += imported(file)
    assert {entry.relative_to(ROOT).parts[0] for entry in let_in} == {
        "deploy",
        "pyproject.toml",
        "services",
        "shared",
        "uv.lock",
    }


def test_the_image_is_made_with_the_uv_of_the_makefile() -> None:
    used = {
        re.findall(r"uv==(\S+)", (ROOT / name).read_text())[0] for name in ("Makefile", "deploy/Dockerfile")
    }
    assert len(used) == 1
