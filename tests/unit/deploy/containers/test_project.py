"""Name and ports of the compose project of a data directory."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.containers.project import Project, read_env_file
from deploy.local.data_directory import DataDirectory
from deploy.local.errors import PortInUseError
from deploy.local.ports import free_ports

SERVICES = ("HOTLINE_INTAKE_PORT", "HOTLINE_DEDUP_PORT", "HOTLINE_REFERRAL_PORT")


@pytest.fixture
def data(tmp_path: Path) -> DataDirectory:
    return DataDirectory(tmp_path)


@pytest.fixture
def environment() -> dict[str, str]:
    return dict(zip(SERVICES, map(str, free_ports(3)), strict=True))


@contextmanager
def taken(port: int = 0) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", port)) as listener:
        yield listener.getsockname()[1]


def test_name_and_ports_are_made_once_and_kept(data: DataDirectory, environment: dict[str, str]) -> None:
    first = Project.of(data, environment)
    first.write(data)
    assert Project.of(data, environment) == first
    assert len(set(first.ports.values())) == 5
    assert data.containers_file.stat().st_mode & 0o077 == 0


def test_two_data_directories_are_two_projects(tmp_path: Path, environment: dict[str, str]) -> None:
    one, other = (Project.of(DataDirectory(tmp_path / name), environment) for name in ("one", "other"))
    assert one.name != other.name
    assert not set(one.volumes) & set(other.volumes)


def test_a_port_that_its_own_containers_have_is_no_hindrance(
    data: DataDirectory, environment: dict[str, str]
) -> None:
    project = Project.of(data, environment)
    project.write(data)
    with taken(project.ports["intake"]), taken(project.ports["kafka"]):
        assert Project.of(data, environment, frozenset(project.ports.values())) == project


def test_a_kept_port_that_somebody_else_took_is_given_up(
    data: DataDirectory, environment: dict[str, str]
) -> None:
    project = Project.of(data, environment)
    project.write(data)
    with taken(project.ports["postgres"]):
        assert Project.of(data, environment).ports["postgres"] != project.ports["postgres"]


@pytest.mark.parametrize(
    ("variable", "whose"),
    [
        ("HOTLINE_INTAKE_PORT", "intake"),
        ("HOTLINE_POSTGRES_PORT", "PostgreSQL"),
        ("HOTLINE_KAFKA_PORT", "Kafka"),
    ],
)
def test_a_port_that_is_named_and_taken_is_told_with_its_variable(
    data: DataDirectory, environment: dict[str, str], variable: str, whose: str
) -> None:
    with (
        taken() as port,
        pytest.raises(PortInUseError, match=f"port {port}, on which {whose} is to listen.*{variable}"),
    ):
        Project.of(data, environment | {variable: str(port)})


def test_two_cannot_have_one_port(data: DataDirectory, environment: dict[str, str]) -> None:
    both = {"HOTLINE_KAFKA_PORT": environment["HOTLINE_DEDUP_PORT"]}
    with pytest.raises(PortInUseError, match="HOTLINE_DEDUP_PORT and HOTLINE_KAFKA_PORT both name"):
        Project.of(data, environment | both)


def test_a_path_with_what_is_special_to_compose_is_quoted(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    data = DataDirectory(tmp_path / 'a "$HOME" b')
    data.path.mkdir()
    Project.of(data, environment).write(data)
    assert 'a \\"\\$HOME\\" b/secrets"' in data.containers_file.read_text()
    assert read_env_file(data)["COMPOSE_PROJECT_NAME"].startswith("hotline-")
