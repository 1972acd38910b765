"""`./hotline simulate`, as a program, where nothing runs."""

import os
import subprocess
from pathlib import Path

import orjson
import pytest
import typer

from deploy.command.simulating import duration
from deploy.local.data_directory import ROOT


def hotline(cwd: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ROOT / "hotline"), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "HOTLINE_DATA": str(cwd / "data"), **environment},
        cwd=cwd,
        check=False,
    )


def test_it_writes_the_same_stream_and_truth_in_any_process(tmp_path: Path) -> None:
    for name, hash_seed in (("one", "1"), ("other", "2")):
        arguments = ("--calls", "60", "--seed", "4", "--out", f"{name}.ndjson")
        ran = hotline(tmp_path, "simulate", *arguments, PYTHONHASHSEED=hash_seed)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert "seed 4, tuning: 60 complaints" in ran.stdout
    bodies = (tmp_path / "one.ndjson").read_bytes()
    assert bodies == (tmp_path / "other.ndjson").read_bytes()
    truth = (tmp_path / "one.ndjson.truth.ndjson").read_bytes()
    assert truth == (tmp_path / "other.ndjson.truth.ndjson").read_bytes()

    first, *lines = map(orjson.loads, truth.splitlines())
    assert first == {"seed": 4, "purpose": "tuning", "complaints": 60}
    assert [line["line"] for line in lines] == list(range(1, 61))
    for line, body in zip(lines, map(orjson.loads, bodies.splitlines()), strict=True):
        assert len(line["officers"]) == len(body.get("subjects", ()))


def test_a_purpose_that_there_is_not_is_refused(tmp_path: Path) -> None:
    ran = hotline(tmp_path, "simulate", "--purpose", "holiday", "--out", "one.ndjson")
    assert ran.returncode == 2
    assert "sealed" in ran.stderr


def test_without_a_running_system_it_says_so(tmp_path: Path) -> None:
    ran = hotline(tmp_path, "simulate", "--calls", "1")
    assert ran.returncode == 1
    assert ran.stderr.startswith("hotline: nothing runs on ")


@pytest.mark.parametrize(
    ("text", "seconds"), [("60s", 60), ("0s", 0), ("1.5m", 90), ("1h", 3600), ("90", 90)]
)
def test_a_time_is_read_as_people_write_it(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1s", "5 weeks"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        duration(text)
