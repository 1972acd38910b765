"""Supervision, shown with small programs: started again, stopped, shown when it fails, never left behind."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from deploy.local.children import Backoff, Child, Program
from deploy.local.data_directory import ROOT
from deploy.local.errors import ChildError
from deploy.local.process import tied_command
from tests.conditions import wait_until

# Says that it is there, then waits for a signal.
_STAYS = "import pathlib, signal, sys; pathlib.Path(sys.argv[1]).touch(); signal.pause()"
_STAYS_THROUGH_SIGTERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + _STAYS
_FAILS = "import sys; print('the reason', file=sys.stderr); sys.exit(3)"

Make = Callable[..., Child]


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
async def make(tmp_path: Path, said: list[str]) -> AsyncIterator[Make]:
    """Makes a child that runs the given Python code; all are stopped at the end."""
    children: list[Child] = []

    def child(code: str, *, grace: float = 10.0) -> Child:
        marker = tmp_path / "there"
        program = Program(
            name="sleeper",
            command=lambda: tied_command([sys.executable, "-c", code, str(marker)]),
            log=tmp_path / "sleeper.log",
            before=lambda: marker.unlink(missing_ok=True),
            ready=marker.exists,
            grace=grace,
        )
        children.append(Child(program, said.append, Backoff(first=0.01, cap=0.05)))
        return children[-1]

    yield child
    for made in children:
        made.kill()
        await made.stop()


async def _until(condition: Callable[[], bool], what: str) -> None:
    await asyncio.to_thread(wait_until, condition, what=what)


async def test_a_killed_child_is_started_again_and_a_line_says_so(make: Make, said: list[str]) -> None:
    child = make(_STAYS)
    await child.start()
    for _ in range(3):
        before = child.pid
        assert before
        said.clear()
        os.kill(before, signal.SIGKILL)
        await _until(lambda: "sleeper is ready again" in said, "the child was ready again")
        assert child.pid not in (None, before)
        assert said[0].startswith("sleeper was ended by SIGKILL; it is started again in 0.0")


async def test_a_child_that_cannot_come_back_is_tried_again_and_again(
    make: Make, said: list[str], tmp_path: Path
) -> None:
    # Runs for as long as this file is there.
    (allowed := tmp_path / "allowed").touch()
    child = make(
        f"import pathlib, sys; sys.exit(5) if not pathlib.Path({str(allowed)!r}).exists() else 0;{_STAYS}"
    )
    await child.start()
    assert child.pid
    allowed.unlink()
    os.kill(child.pid, signal.SIGKILL)
    await _until(lambda: sum("ended with exit code 5" in line for line in said) >= 3, "it failed three times")
    allowed.touch()
    await _until(lambda: "sleeper is ready again" in said, "the child was ready again")


async def test_stop_ends_it_for_good(make: Make, said: list[str]) -> None:
    child = make(_STAYS)
    await child.start()
    pid = child.pid
    assert pid
    await child.stop()
    assert not _is_alive(pid)
    assert child.pid is None
    assert said == []


async def test_one_that_ignores_the_signal_is_killed_after_its_grace(make: Make, said: list[str]) -> None:
    child = make(_STAYS_THROUGH_SIGTERM, grace=0.1)
    await child.start()
    pid = child.pid
    assert pid
    await child.stop()
    assert not _is_alive(pid)
    assert said == ["sleeper did not stop within 0 s and is killed"]


async def test_one_that_ends_at_once_is_shown_with_the_end_of_its_log(make: Make, tmp_path: Path) -> None:
    (tmp_path / "sleeper.log").write_text("from an earlier run\n")
    with pytest.raises(ChildError) as raised:
        await make(_FAILS).start()
    sentence = str(raised.value)
    assert "sleeper ended with exit code 3 before it was ready" in sentence
    assert str(tmp_path / "sleeper.log") in sentence
    assert "the reason" in sentence
    assert "earlier run" not in sentence


_PARENT = """
import subprocess, sys, time
from deploy.local.process import tied_command
child = subprocess.Popen(tied_command([sys.executable, "-c", sys.argv[1], sys.argv[2]]))
print(child.pid, flush=True)
child.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals the death of a parent")
def test_a_tied_command_dies_with_a_parent_that_gets_kill_9(tmp_path: Path) -> None:
    marker = tmp_path / "there"
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, _STAYS, str(marker)], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    wait_until(marker.exists, what="the child was there")
    assert _is_alive(child)
    parent.kill()
    parent.communicate()
    wait_until(lambda: not _is_alive(child), what="the child was gone")


def test_a_tied_command_whose_parent_is_gone_does_not_begin() -> None:
    ran = subprocess.run(
        [
            sys.executable,
            str(ROOT / "deploy/local/tied.py"),
            "1",
            "SIGTERM",
            f"{os.getuid()}:{os.getgid()}",
            "true",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr == "true: the process that started it is gone\n"
