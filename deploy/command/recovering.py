"""`./hotline recover SERVICE`: a service whose database was set back gets its lost events back.

The service's own code does it, in a process of its own, from the topic and its followers, while all run.
Exit code 0 where it was done, or nothing was lost; 1 where it could not be done.
"""

import json
import os
import subprocess
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.command.system import System
from deploy.local.data_directory import ROOT, DataDirectory
from deploy.local.errors import LaunchError
from deploy.local.keys import keys_file
from deploy.local.process import tied_command

SERVICES = ("intake", "dedup", "referral")


class RecoverFailed(LaunchError):
    """Nothing was recovered."""


def recover(
    service: Annotated[str, typer.Argument(help="The service: intake.")],
    *,
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Go on where it (a follower, or topic) does not answer."),
    ] = None,
) -> None:
    """Adopt the events that a service's set-back database has lost, and say what could not be had.

    Example: ./hotline recover intake
    """
    if service not in SERVICES:
        raise RecoverFailed(f"{service} is no service: {', '.join(SERVICES)} are.")
    system, data, console = System.running(), DataDirectory.from_environment(), Console()
    environment = {
        **os.environ,
        "HOTLINE_DATABASE_URL": system.database_url(service),
        "HOTLINE_KEYS_FILE": str(keys_file(data.keys, service)),
        "HOTLINE_RUN_FILE": str(data.run_file),
        "HOTLINE_SERVICE_TOKEN_FILE": str(data.keys / f"{service}.token"),
        "HOTLINE_PEERS": json.dumps({name: system.url(name) for name in SERVICES if name != service}),
    }
    argv = [sys.executable, "-m", f"services.{service}", "recover", "--json"]
    argv += [part for name in without or () for part in ("--without", name)]
    said: list[str] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # Its complaints, on standard error, are for the reader of this.
    with (
        Progress(*columns, console=console) as progress,
        subprocess.Popen(  # noqa: S603  (no shell, and argv is ours)
            tied_command(argv), env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as process,
    ):
        bar = progress.add_task(f"{service}: topic and followers", total=None)
        assert process.stdout is not None  # noqa: S101  (a pipe was asked for)
        for line in process.stdout:
            told = json.loads(line)
            if "done" in told:
                progress.update(bar, completed=told["done"], total=told["total"])
            else:
                said = told["said"]
    for sentence in said:
        console.print(sentence, highlight=False)
    if process.returncode != 0:
        raise typer.Exit(1)
