"""`./hotline parked list | show | retry | drop`: events that a service could not apply."""

import asyncio
from typing import Annotated, Any

import aiohttp
import typer
from rich.console import Console
from rich.table import Table

from deploy.command.system import SERVICES, System, require_service
from deploy.local.errors import LaunchError

parked = typer.Typer(
    help="Events that a service could not apply: what is wrong, try again, or give up.",
    epilog="Examples:\n\n  ./hotline parked list\n\n  ./hotline parked retry dedup intake-17-5",
    no_args_is_help=True,
)

Service = Annotated[str, typer.Argument(help="The service that parked it: intake, dedup or referral.")]
ParkedId = Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it, such as intake-17-5.")]


class ParkedFailed(LaunchError):
    """The service did not do it."""


@parked.command("list")
def list_parked(
    service: Annotated[str | None, typer.Argument(help="One service; all of them otherwise.")] = None,
) -> None:
    """What is parked, and why."""
    asyncio.run(_list((service,) if service else SERVICES))


@parked.command(no_args_is_help=True)
def show(service: Service, parked_id: ParkedId) -> None:
    """One parked event. Its content is shown to nobody."""
    _tell(asyncio.run(_ask("GET", service, f"/v1/parked/{parked_id}")))


@parked.command(no_args_is_help=True)
def retry(service: Service, parked_id: ParkedId) -> None:
    """Apply it, and what queues behind it; exit code 1 where an event fails again."""
    _report(asyncio.run(_ask("POST", service, f"/v1/parked/{parked_id}/retry")))


@parked.command(no_args_is_help=True)
def drop(
    service: Service,
    parked_id: ParkedId,
    *,
    reason: Annotated[str, typer.Option(help="Why it must never be applied; it is kept with your name.")],
    operator: Annotated[
        str, typer.Option(metavar="NAME", help="Who you are; a second operator has another name.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Give it up for good, and apply what queued behind it; two operators have to say so.

    Example: ./hotline parked drop dedup intake-17-5 --operator ada --reason "A test record of ours."
    """
    if not yes:
        typer.confirm(f"{parked_id} will never be applied by {service}. Drop it?", abort=True)
    path, body = f"/v1/parked/{parked_id}", {"reason": reason}
    answer = asyncio.run(_ask("DELETE", service, path, body=body, operator=operator))
    if not answer["dropped"]:
        print("asked for: it is dropped when another operator gives the same command")
        return
    _report(answer)


async def _list(services: tuple[str, ...]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("service", "id", "type", "reason"):
        table.add_column(heading)
    count = 0
    for service in services:
        cursor: str | None = ""
        while cursor is not None:
            page = await _ask("GET", service, "/v1/parked", {"cursor": cursor} if cursor else {})
            for item in page["items"]:
                table.add_row(service, item["id"], item["type"], item["reason"])
                count += 1
            cursor = page["next_cursor"]
    Console().print(table if count else "nothing is parked")


def _tell(event: dict[str, Any]) -> None:
    for member, value in event.items():
        print(f"{member}: {value}")


def _report(answer: dict[str, Any]) -> None:
    print(f"{answer['applied']} applied")
    if answer["reason"]:
        print(f"the next one fails: {answer['reason']}")
        raise typer.Exit(1)


async def _ask(
    method: str,
    service: str,
    path: str,
    parameters: dict[str, str] | None = None,
    *,
    body: dict[str, str] | None = None,
    operator: str | None = None,
) -> Any:
    require_service(service)
    system = System.running()
    headers = {"Authorization": f"Bearer {system.token('operator', operator)}"}
    url = system.url(service) + path
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session,
            session.request(method, url, headers=headers, params=parameters, json=body) as answer,
        ):
            document = await answer.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError) as fault:
        raise ParkedFailed(f"{url} does not answer: {type(fault).__name__}") from fault
    if answer.status >= 400:
        raise ParkedFailed(f"{service}: {document.get('detail', answer.status)}")
    return document
