"""The panel that `make run` and `make up` show in the end: what runs where, and what to try next."""

from collections.abc import Sequence

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from deploy.local.data_directory import DataDirectory
from deploy.local.issuer import ROLES
from deploy.local.postgres import Postgres
from deploy.local.services import Service

_COMMANDS = (
    ("./hotline simulate --calls 700 --over 60s --seed 1", "a day of calls, with a known truth"),
    ("./hotline import FILE.ndjson.gz", "complaints of your own, one JSON object a line"),
    ("./hotline token ROLE", f"a token, for curl and /docs; ROLE is {', '.join(ROLES[:-1])} or {ROLES[-1]}"),
)


def local_places(
    data: DataDirectory, services: list[Service], broker: str, postgres: Postgres
) -> list[tuple[str, str]]:
    """What runs where under `make run`."""
    server = services[0].database_url.rpartition("@")[2].partition("/")[0]
    places = [
        *((s.name, f"{s.url}  (/docs; metrics on port {s.metrics_port})") for s in services),
        ("PostgreSQL 18", f"{server}  (databases intake, dedup, referral)"),
        ("broker", f"{broker}  (in memory; another port at each start)"),
        ("data", str(data.path)),
    ]
    if postgres.is_elsewhere:
        account = postgres.account.name
        places.append(
            ("databases", f"{postgres.data}  ({account}, as whom they run, cannot get to the above)")
        )
    return [*places, ("logs", str(data.logs))]


def show(console: Console, places: Sequence[tuple[str, str]], ending: str) -> None:
    """
    Args:
        places: what there is, and where.
        ending: how one stops it.
    """
    table = Table.grid(padding=(0, 2))
    for name, where in places:
        table.add_row(Text(name, style="bold" if where.startswith("http") else ""), Text(where))
    commands = Text("\nNext, from another terminal:\n")
    for command, purpose in _COMMANDS:
        commands.append(f"  {command}", style="bold green").append(f"\n      {purpose}\n")
    commands.append(f"\n{ending}")
    console.print()
    console.print(Panel(Group(table, commands), title="Hotline is running", border_style="green"))
