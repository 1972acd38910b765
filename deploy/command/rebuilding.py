"""`./hotline rebuild SERVICE`: the read models of a running service, made anew from its log and inbox.

The service's own code does it, in a process of its own, while the service runs. Exit code 0 where they were
rebuilt, or a check found no difference; 1 where it failed, or a check found one.
"""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from deploy.command.program import run_program
from deploy.command.system import System, require_service


def rebuild(
    service: Annotated[str, typer.Argument(help="The service: intake, dedup or referral.")],
    *,
    check: Annotated[bool, typer.Option("--check", help="Only compare: change nothing.")] = False,
) -> None:
    """Make a service's read models anew, while it runs, and say whether they were right.

    Example: ./hotline rebuild dedup --check
    """
    require_service(service)
    console = Console()
    arguments = ["rebuild", *(["--check"] * check)]
    code, outcome = run_program(System.running(), service, arguments, console, what="events", as_owner=True)
    if outcome:
        _show(outcome, console)
    if code != 0:
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
