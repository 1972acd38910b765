"""`./hotline rewrap SERVICE`: retires the older key-encryption keys of a running service.

Exit code 0 where nothing is wrapped under an older key any more; 1 where something is, or it failed.
"""

from typing import Annotated

import typer
from rich.console import Console

from deploy.command.program import run_program
from deploy.command.system import System, require_service


def rewrap(
    service: Annotated[str, typer.Argument(help="The service: intake, dedup or referral.")],
) -> None:
    """Wrap all data keys of a service under its current key-encryption key, while it runs.

    First add the new key to `kek` of the service's keys file, in every replica; then make it `current`, in
    every replica; then run this; then take the older key out.

    Example: ./hotline rewrap intake
    """
    require_service(service)
    console = Console()
    code, outcome = run_program(System.running(), service, ["rewrap"], console, what="keys")
    if outcome:
        console.print(outcome["said"], highlight=False)
    if code != 0:
        raise typer.Exit(1)
