"""`./hotline rebuild SERVICE`: the read models of a running service, made anew from its log and inbox.

The service's own code does it, in a process of its own, while the service runs. Exit code 0 where they were
rebuilt, or a check found no difference; 1 where it failed, or a check found one.
"""

import json
import os
import subprocess
import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.command.system import System
from deploy.local.data_directory import ROOT
from deploy.local.errors import LaunchError
from deploy.local.keys import keys_file
from deploy.local.process import tied_command

SERVICES = ("intake", "dedup", "referral")


class RebuildFailed(LaunchError):
    """Nothing was rebuilt."""


def rebuild(
    service: Annotated[str, typer.Argument(help="The service: intake, dedup or referral.")],
    *,
    check: Annotated[bool, typer.Option("--check", help="Only compare: change nothing.")] = False,
) -> None:
    """Make a service's read models anew, while it runs, and say whether they were right.

    Example: ./hotline rebuild dedup --check
    """
    if service not in SERVICES:
        raise RebuildFailed(f"{service} is no service: {', '.join(SERVICES)} are.")
    system, console = System.running(), Console()
    keys = keys_file(system.keys, service)
    environment = {
        **os.environ,
        "HOTLINE_DATABASE_URL": system.database_url(service),
        "HOTLINE_KEYS_FILE": str(keys),
    }
    argv = [sys.executable, "-m", f"services.{service}", "rebuild", "--json", *(["--check"] * check)]
    outcome: dict[str, Any] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # Its complaints, on standard error, are for the reader of this.
    with (
        Progress(*columns, console=console) as progress,
        subprocess.Popen(  # noqa: S603  (no shell, and argv is ours)
            tied_command(argv), env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as process,
    ):
        bar = progress.add_task(f"{service}: events", total=None)
        assert process.stdout is not None  # noqa: S101  (a pipe was asked for)
        for line in process.stdout:
            told = json.loads(line)
            if "done" in told:
                progress.update(bar, completed=told["done"], total=told["total"])
            else:
                outcome = told
                progress.update(bar, completed=told.get("happened", 0), total=told.get("happened", 0))
    if "nothing" in outcome:
        console.print(outcome["nothing"], highlight=False)
    elif outcome:
        _show(outcome, console)
    if process.returncode != 0:
        raise typer.Exit(1)


def _show(outcome: dict[str, Any], console: Console) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("read model", "rows", "too many", "missing", "other"):
        table.add_column(heading, justify="left" if heading == "read model" else "right")
    differing = 0
    for told in outcome["tables"]:
        wrong = [told["surplus"], told["missing"], told["changed"]]
        differing += sum(wrong)
        table.add_row(
            told["table"],
            f"{told['rows']:,}",
            *(f"[red]{count:,}[/red]" if count else "0" for count in wrong),
        )
    console.print(table)
    rate = outcome["happened"] / outcome["seconds"] if outcome["seconds"] else 0
    console.print(
        f"{outcome['happened']:,} events and inbox entries in {outcome['seconds']:.1f} s, {rate:,.0f}/s",
        highlight=False,
    )
    found = f"{differing:,} rows differed" if differing else "no row differed"
    done = "nothing was changed" if outcome["is_check"] else "the rebuilt tables are in place"
    console.print(f"{found}; {done}", highlight=False)
