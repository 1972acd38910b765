"""A service's own program on a running system, for the commands that let it do something to its database.

It runs on this machine, with the service's keys and the address of its database, and tells a JSON object a
line: ``{"done", "total"}`` moves the bar, anything else is the outcome. Its complaints go to standard error.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.command.system import System
from deploy.local.data_directory import ROOT
from deploy.local.keys import keys_file
from deploy.local.process import tied_command

_COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())


def run_program(
    system: System,
    service: str,
    arguments: Sequence[str],
    console: Console,
    *,
    what: str,
    environment: Mapping[str, str] | None = None,
    as_owner: bool = False,
) -> tuple[int, dict[str, Any]]:
    """Run `python -m services.SERVICE ARGUMENTS --json` to its end; its exit code, and what it told last.

    Args:
        what: what the bar counts.
        environment: what it needs beside its database and its keys.
        as_owner: with the account that owns the tables.
    """
    its_own = {
        "HOTLINE_DATABASE_URL": (system.owner_database_url if as_owner else system.database_url)(service),
        "HOTLINE_KEYS_FILE": str(keys_file(system.keys, service)),
    }
    outcome: dict[str, Any] = {}
    with (
        Progress(*_COLUMNS, console=console) as progress,
        subprocess.Popen(  # noqa: S603  (no shell, and argv is ours)
            tied_command([sys.executable, "-m", f"services.{service}", *arguments, "--json"]),
            env={**os.environ, **its_own, **(environment or {})},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        bar = progress.add_task(f"{service}: {what}", total=None)
        assert process.stdout is not None  # noqa: S101  (a pipe was asked for)
        done = 0
        for line in process.stdout:
            told = json.loads(line)
            if "done" in told:
                done = told["done"]
                progress.update(bar, completed=done, total=told["total"])
            else:
                outcome = told
                done = told.get("happened", done)
                progress.update(bar, completed=done, total=done)
    return process.returncode, outcome
