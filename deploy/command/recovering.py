"""`./hotline recover SERVICE`: a service whose database was set back gets its lost events back.

The service's own code does it, in a process of its own, from the topic and its followers, while all run.
Exit code 0 where it was done, or nothing was lost; 1 where it could not be done.
"""

import json
from tempfile import NamedTemporaryFile
from typing import Annotated

import typer
from rich.console import Console

from deploy.command.program import run_program
from deploy.command.system import SERVICES, System, require_service


def recover(
    service: Annotated[
        str, typer.Argument(help="The service; of several intake first, then dedup, then referral.")
    ],
    *,
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Go on where it (a follower, or topic) does not answer."),
    ] = None,
) -> None:
    """Adopt the events that a service's set-back database has lost, and say what could not be had.

    Example: ./hotline recover intake
    """
    require_service(service)
    system, console = System.running(), Console()
    arguments = ["recover", *(part for name in without or () for part in ("--without", name))]
    with NamedTemporaryFile("w") as token:  # mode 0600
        token.write(system.token("service"))
        token.flush()
        environment = {
            "HOTLINE_KAFKA": system.broker,
            "HOTLINE_SERVICE_TOKEN_FILE": token.name,
            "HOTLINE_PEERS": json.dumps({name: system.url(name) for name in SERVICES if name != service}),
        }
        code, outcome = run_program(
            system, service, arguments, console, what="topic and followers", environment=environment
        )
    for sentence in outcome.get("said", ()):
        console.print(sentence, highlight=False)
    if code != 0:
        raise typer.Exit(1)
