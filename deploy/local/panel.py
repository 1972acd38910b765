"""What `make run` and `make up` show in the end: what runs where, a token per role, what to try next."""

from collections.abc import Sequence

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from deploy.local.data_directory import DataDirectory
from deploy.local.issuer import ROLES, Issuer
from deploy.local.services import Service

# A recipient reads for one force or oversight body; the panel's token is for this one.
_RECIPIENT_FORCE = "metropolitan"


_COMMANDS = (
    ("./hotline simulate --calls 700 --over 60s --seed 1", "a day of calls, with a known truth"),
    ("./hotline import FILE.ndjson.gz", "complaints of your own, one JSON object a line"),
    ("./hotline token assessor", "a token, for curl and /docs"),
)


def local_places(data: DataDirectory, services: list[Service], broker: str) -> list[tuple[str, str]]:
    """What runs where under `make run`."""
    postgres = services[0].database_url.rpartition("@")[2].partition("/")[0]
    return [
        *((s.name, f"{s.url}  (/docs; metrics on port {s.metrics_port})") for s in services),
        ("PostgreSQL 18", f"{postgres}  (databases intake, dedup, referral)"),
        ("broker", f"{broker}  (in memory; another port at each start)"),
        ("data", str(data.path)),
        ("logs", str(data.logs)),
    ]


def show(console: Console, issuer: Issuer, places: Sequence[tuple[str, str]], ending: str) -> None:
    """
    Args:
        places: what there is, and where.
        ending: how one stops it.
    """
    table = Table.grid(padding=(0, 2))
    for name, where in places:
        table.add_row(Text(name, style="bold" if where.startswith("http") else ""), Text(where))
    commands = Text("\nNext, from another terminal:\n")
    for command, what in _COMMANDS:
        commands.append(f"  {command}", style="bold green").append(f"\n      {what}\n")
    commands.append(f"\n{ending}")
    console.print()
    console.print("A token per role, good for eight hours:", highlight=False)
    for role in ROLES:
        force = _RECIPIENT_FORCE if role == "recipient" else None
        # Unwrapped, so that one selects it with a double click.
        line = Text.assemble((f"{role:<17}", "bold"), issuer.mint(role, force=force))
        console.print(line, soft_wrap=True, highlight=False)
    console.print()
    console.print(Panel(Group(table, commands), title="Hotline is running", border_style="green"))
