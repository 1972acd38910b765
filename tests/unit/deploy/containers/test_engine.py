"""What `make up` says where docker, compose or the engine is missing: by a docker of the test's own."""

import json
import os
from pathlib import Path

import pytest
from rich.console import Console

from deploy.containers.engine import Compose, EngineError, containers_of
from deploy.containers.system import NeverUpError, down
from deploy.local.data_directory import DataDirectory


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory that is searched for programs."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    return directory


def write_docker(programs: Path, script: str) -> None:
    docker = programs / "docker"
    docker.write_text(f"#!/bin/sh\n{script}\n")
    docker.chmod(0o755)


def test_no_docker_is_a_sentence_that_names_the_way_without(programs: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"docker command is not here: install Docker .* `make run`"):
        Compose.found(tmp_path / "compose.env")


def test_no_compose_plugin_is_a_sentence(programs: Path, tmp_path: Path) -> None:
    write_docker(programs, '[ "$1" != compose ]')
    with pytest.raises(EngineError, match=r"no compose plugin \(version 2\): install it"):
        Compose.found(tmp_path / "compose.env")


def test_an_engine_that_does_not_answer_is_a_sentence_with_its_words(programs: Path, tmp_path: Path) -> None:
    write_docker(programs, '[ "$1" = compose ] || { echo "Cannot connect to the daemon." >&2; exit 1; }')
    with pytest.raises(EngineError, match=r"does not answer \(Cannot connect to the daemon\): start Docker"):
        Compose.found(tmp_path / "compose.env")


def container(service: str, **state: object) -> dict[str, object]:
    return {"Service": service, "State": "running", "Health": "", "ExitCode": 0, "Publishers": None, **state}


def write_listing(programs: Path, *containers: dict[str, object]) -> None:
    """A docker whose `up` fails, whose `ps` tells these containers, and whose `logs` names the service."""
    listing = programs / "listing"
    listing.write_text("".join(f"{json.dumps(one)}\n" for one in containers))
    write_docker(
        programs,
        'case "$*" in\n'
        f"*' ps '*) while read -r line; do echo \"$line\"; done < '{listing}';;\n"
        '*" logs "*) for last; do :; done; echo "the log of $last";;\n'
        '*" up "*) exit 1;;\nesac',
    )


def test_what_did_not_come_up_is_named_with_the_end_of_its_log(programs: Path, tmp_path: Path) -> None:
    write_listing(
        programs,
        container("postgres", Health="healthy"),
        container("databases", State="exited"),
        container("dedup-migrate", State="exited", ExitCode=1),
        container("dedup", State="created"),
        container("intake", Health="unhealthy"),
    )
    with pytest.raises(EngineError) as raised:
        Compose.found(tmp_path / "compose.env").up()
    assert str(raised.value).startswith("dedup-migrate and intake did not come up;")
    assert "the log of dedup-migrate" in str(raised.value)


def test_published_ports_are_those_of_running_containers(programs: Path, tmp_path: Path) -> None:
    write_listing(
        programs,
        container("intake", Publishers=[{"PublishedPort": 8001}, {"PublishedPort": 0}]),
        container("dedup", State="exited", Publishers=[{"PublishedPort": 8002}]),
    )
    assert Compose.found(tmp_path / "compose.env").published_ports() == {8001}


def test_older_composes_tell_a_list_and_newer_ones_lines() -> None:
    listed = [container("intake"), container("dedup")]
    assert containers_of(json.dumps(listed)) == listed
    assert containers_of("\n".join(map(json.dumps, listed))) == listed
    assert containers_of("") == []


def test_what_the_caller_set_does_not_overrule_the_env_file(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_docker(programs, 'echo "$COMPOSE_PROJECT_NAME$HOTLINE_KAFKA_PORT$DOCKER_HOST" > "$0.told"')
    for name, value in {
        "COMPOSE_PROJECT_NAME": "other",
        "HOTLINE_KAFKA_PORT": "1",
        "DOCKER_HOST": "unix:///engine.sock",
    }.items():
        monkeypatch.setenv(name, value)
    Compose.found(tmp_path / "compose.env").down()
    assert (programs / "docker.told").read_text() == "unix:///engine.sock\n"
    assert os.environ["COMPOSE_PROJECT_NAME"] == "other"


def test_down_where_nothing_was_up_is_a_sentence_and_makes_nothing(tmp_path: Path) -> None:
    data = DataDirectory(tmp_path / "data")
    with pytest.raises(NeverUpError, match=r"nothing was ever started on .*: `make up` does it"):
        down(data, Console())
    assert not data.path.exists()
