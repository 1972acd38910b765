"""What `make run` shows when everything is up: what runs where, a token per role, what to try next."""

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


def show(console: Console, data: DataDirectory, services: list[Service], broker: str, issuer: Issuer) -> None:
    places = Table.grid(padding=(0, 2))
    for service in services:
        more = f"(/docs; metrics on port {service.metrics_port})"
        places.add_row(Text(service.name, style="bold"), f"{service.url}  {more}")
    postgres = services[0].database_url.rpartition("@")[2].partition("/")[0]
    places.add_row("PostgreSQL 18", f"{postgres}  (databases intake, dedup, referral)")
    places.add_row("broker", f"{broker}  (in memory; another port at each start)")
    places.add_row("data", str(data.path))
    places.add_row("logs", str(data.logs))
    commands = Text("\nNext, from another terminal:\n")
    for command, what in _COMMANDS:
        commands.append(f"  {command}", style="bold green").append(f"\n      {what}\n")
    commands.append("\nCtrl-C stops everything.")
    console.print()
    console.print("A token per role, good for eight hours:", highlight=False)
    for role in ROLES:
        force = _RECIPIENT_FORCE if role == "recipient" else None
        # Unwrapped, so that one selects it with a double click.
        line = Text.assemble((f"{role:<17}", "bold"), issuer.mint(role, force=force))
        console.print(line, soft_wrap=True, highlight=False)
    console.print()
    console.print(Panel(Group(places, commands), title="Hotline is running", border_style="green"))
