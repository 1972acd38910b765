"""One launcher at a time on a directory that is ours."""

import os
import shutil
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from deploy.local.data_directory import DataDirectory
from deploy.local.errors import DataDirectoryError, NoSpaceError


def test_a_second_holder_is_told_the_process_of_the_first(tmp_path: Path) -> None:
    data = DataDirectory(tmp_path / "data")
    told = rf"already runs on .*\(process {os.getpid()}\)"
    with data.hold(), pytest.raises(DataDirectoryError, match=told), data.hold():
        pass
    with data.hold():
        pass


def test_a_directory_of_somebody_elses_files_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "letters").touch()
    tmp_path.chmod(0o755)
    with (
        pytest.raises(DataDirectoryError, match="not empty and no data directory of Hotline"),
        DataDirectory(tmp_path).hold(),
    ):
        pass
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert [path.name for path in tmp_path.iterdir()] == ["letters"]


def test_a_file_in_its_place_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with (
        pytest.raises(DataDirectoryError, match="cannot be used as the data directory"),
        DataDirectory(tmp_path / "data").hold(),
    ):
        pass


def test_too_little_space_is_said_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=499_999_999))
    with (
        pytest.raises(NoSpaceError, match=r"499 MB are free .* wants 500"),
        DataDirectory(tmp_path / "data").hold(),
    ):
        pass


def test_others_cannot_list_it_and_run_json_is_its_owners_alone(tmp_path: Path) -> None:
    data = DataDirectory(tmp_path / "data")
    with data.hold():
        data.write_run_file({"pid": 1})
        assert stat.S_IMODE(data.path.stat().st_mode) & 0o066 == 0
        assert stat.S_IMODE(data.run_file.stat().st_mode) == 0o600
        assert data.read_run_file() == {"pid": 1}


def test_the_environment_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_DATA", str(tmp_path))
    assert DataDirectory.from_environment().path == tmp_path


def test_neither_system_starts_on_the_directory_of_the_other(tmp_path: Path) -> None:
    local, in_containers = DataDirectory(tmp_path / "local"), DataDirectory(tmp_path / "containers")
    with local.hold():
        local.postgres.mkdir()
    with in_containers.hold(in_containers=True):
        in_containers.containers_file.touch()
    with (
        pytest.raises(DataDirectoryError, match="local is the data directory of `make run`"),
        local.hold(in_containers=True),
    ):
        pass
    with (
        pytest.raises(DataDirectoryError, match="containers is the data directory of `make up`"),
        in_containers.hold(),
    ):
        pass


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("HOTLINE_DATA", raising=False)
    monkeypatch.setattr("deploy.local.data_directory.ROOT", tmp_path)
    for name in (".hotline", ".hotline-compose"):
        (tmp_path / name).mkdir()
    return tmp_path


def test_commands_are_for_the_system_that_runs(clone: Path) -> None:
    assert DataDirectory.for_commands().path == clone / ".hotline"
    DataDirectory(clone / ".hotline-compose").write_run_file({})
    assert DataDirectory.for_commands().path == clone / ".hotline-compose"


def test_where_two_run_the_commands_ask_which(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (".hotline", ".hotline-compose"):
        DataDirectory(clone / name).write_run_file({})
    with pytest.raises(DataDirectoryError, match=r"on .*\.hotline and on .*\.hotline-compose: name the one"):
        DataDirectory.for_commands()
    monkeypatch.setenv("HOTLINE_DATA", str(clone / ".hotline"))
    assert DataDirectory.for_commands().path == clone / ".hotline"
