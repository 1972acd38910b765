"""The system in containers, as `make up` starts it: used, stopped, found again, and silent.

It builds the image and runs Apache Kafka and PostgreSQL, so it is run on request: HOTLINE_TEST_COMPOSE=1,
where docker and its compose plugin are and an engine answers.
"""

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.containers.engine import Compose, EngineError
from deploy.containers.project import read_env_file
from deploy.local.data_directory import ROOT, DataDirectory
from deploy.local.ports import free_ports
from tests.end_to_end.complaints import write_complaints

COUNT = 200
SERVICES = ("intake", "dedup", "referral")


def missing() -> str:
    """Why this cannot run here; empty where it can."""
    if os.environ.get("HOTLINE_TEST_COMPOSE") != "1":
        return "the system in containers is tested on request: HOTLINE_TEST_COMPOSE=1"
    try:
        Compose.found(Path("compose.env"))
    except EngineError as error:
        return str(error)
    return ""


pytestmark = [
    pytest.mark.skipif(bool(missing()), reason=missing() or "it is not skipped"),
    pytest.mark.timeout(900),
]


class Contained:
    """A system of the test's own: `contained.make("up")`, `contained.hotline("verify")`."""

    def __init__(self, directory: Path) -> None:
        self.data = DataDirectory(directory / "data $ directory")
        ports = zip(SERVICES, free_ports(3), strict=True)
        self.environment = {
            **os.environ,
            "HOTLINE_DATA": str(self.data.path),
            **{f"HOTLINE_{service.upper()}_PORT": str(port) for service, port in ports},
            "HOTLINE_RELEASE": "never",
            "HOTLINE_RELEASE_IMPORTS": "never",
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "200",
        }

    def make(self, target: str) -> subprocess.CompletedProcess[str]:
        """What `make up` and `make down` run."""
        return self._run(sys.executable, "-m", "deploy.containers", target)

    def hotline(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._run(str(ROOT / "hotline"), *arguments)

    def docker(self, *arguments: str) -> str:
        return self._run("docker", *arguments).stdout

    def compose(self, *arguments: str) -> str:
        return self.docker("compose", "--env-file", str(self.data.containers_file), *arguments)

    @property
    def name(self) -> str:
        return read_env_file(self.data)["COMPOSE_PROJECT_NAME"]

    def inspected(self, service: str) -> dict[str, Any]:
        (container,) = json.loads(self.docker("inspect", f"{self.name}-{service}-1"))
        assert isinstance(container, dict)
        return container

    def _run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            argv, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=600, check=False
        )


@pytest.fixture(scope="module")
def contained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Contained]:
    system = Contained(tmp_path_factory.mktemp("contained"))
    told = system.make("up")
    try:
        assert told.returncode == 0, told.stdout + told.stderr
        assert "Hotline is running" in told.stdout
        yield system
    finally:
        if system.data.containers_file.exists():
            system.compose("down", "--volumes")
        shutil.rmtree(system.data.path, ignore_errors=True)


@pytest.fixture(scope="module")
def imported(contained: Contained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = write_complaints(tmp_path_factory.mktemp("import") / "complaints.ndjson.gz", COUNT)
    told = contained.hotline("import", str(file))
    assert told.returncode == 0, told.stderr
    assert f"{COUNT} accepted, 0 known from before, 0 refused" in told.stderr
    return file


def test_an_import_is_verified_from_outside_the_containers(contained: Contained, imported: Path) -> None:
    told = contained.hotline("verify")
    assert told.returncode == 0, told.stdout + told.stderr
    told = contained.hotline("rebuild", "dedup", "--check")
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_not_root_cannot_write_and_shows_no_secret(contained: Contained, service: str) -> None:
    container = contained.inspected(service)
    shown = json.dumps(container)
    secret = (contained.data.path / "passwords.json").read_text()
    assert container["Config"]["User"] == "10001:10001"
    assert container["HostConfig"]["ReadonlyRootfs"]
    assert not any(password in shown for password in json.loads(secret).values())
    wrote = contained.compose("exec", "-T", service, "sh", "-c", "touch /app/x || echo refused; id -u")
    assert wrote.split() == ["refused", "10001"]


def test_the_image_has_neither_keys_nor_tests_nor_tools(contained: Contained) -> None:
    listed = contained.docker("run", "--rm", "--entrypoint", "find", "hotline", "/app", "-name", "*")
    paths = set(listed.split())
    assert "/app/services/intake/__main__.py" in paths
    assert "/app/.venv/bin/uv" not in paths
    ours = {path.split("/")[2] for path in paths if path != "/app"}
    assert ours == {".venv", "deploy", "services", "shared"}
    assert not any(path.endswith((".token", "issuer.json", "passwords.json")) for path in paths)


def test_each_role_gets_into_its_own_database_alone(contained: Contained) -> None:
    password = json.loads((contained.data.path / "passwords.json").read_text())["dedup"]
    answers = {
        database: contained.compose(
            *("exec", "-T", "-e", f"PGPASSWORD={password}", "postgres"),
            *("psql", "-h", "127.0.0.1", "-U", "dedup", "-d", database, "-Atc", "SELECT 1"),
        ).strip()
        for database in ("dedup", "intake", "referral", "postgres", "template1")
    }
    assert answers == {"dedup": "1", "intake": "", "referral": "", "postgres": "", "template1": ""}


def test_postgresql_is_durable_and_its_log_tells_nothing_of_a_contact(
    contained: Contained, imported: Path
) -> None:
    password = json.loads((contained.data.path / "passwords.json").read_text())["intake"]
    told = contained.compose(
        *("exec", "-T", "-e", f"PGPASSWORD={password}", "postgres"),
        *("psql", "-h", "127.0.0.1", "-U", "intake", "-d", "intake", "-Atc"),
        "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings"
        " WHERE name IN ('data_checksums', 'fsync', 'synchronous_commit')",
    )
    assert told.strip() == "data_checksums=on fsync=on synchronous_commit=on"
    log = contained.compose("logs", "--no-log-prefix", "postgres")
    assert "database system is ready" in log
    assert not any(word in log for word in ("connection received", "INSERT", "SELECT", "DETAIL", "STATEMENT"))


def test_run_json_is_its_owners_alone_and_make_run_keeps_off(contained: Contained) -> None:
    assert stat.S_IMODE(contained.data.run_file.stat().st_mode) == 0o600
    local = subprocess.run(
        [sys.executable, "-m", "deploy.local"],
        cwd=ROOT,
        env=contained.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert local.returncode == 1
    assert "is the data directory of `make up`" in local.stderr


def test_down_and_up_again_finds_everything(contained: Contained, imported: Path) -> None:
    before = contained.data.containers_file.read_text()
    told = contained.make("down")
    assert told.returncode == 0, told.stderr
    assert f"docker volume rm {contained.name}_postgres" in told.stdout
    assert contained.compose("ps", "--quiet") == ""
    assert "nothing runs" in contained.hotline("verify").stderr
    told = contained.make("up")
    assert told.returncode == 0, told.stdout + told.stderr
    assert contained.data.containers_file.read_text() == before
    again = contained.hotline("import", str(imported))
    assert f"0 accepted, {COUNT} known from before, 0 refused" in again.stderr
    verified = contained.hotline("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
