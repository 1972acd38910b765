"""`./hotline verify`: the three databases, the statistics and Kafka against each other.

It first waits until the followers stand at their owners' heads, for nothing can be said while events are on
their way. Exit code 0 where every check holds, 1 where one does not.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from deploy.command.system import SERVICES, System
from deploy.local.errors import LaunchError
from deploy.local.keys import keys_file
from deploy.verification.agreement import check_agreement, check_statistics
from deploy.verification.findings import MOST_SHOWN, Findings
from deploy.verification.logs import check_following, check_log
from deploy.verification.settling import FOLLOWED, is_settled
from deploy.verification.topics import check_topic
from shared.sealing.keys import load_keys
from shared.store.connections import AWAY, connect
from shared.streaming.authentication import OwnEvents

TOPICS = {
    "intake": "hotline.complaints.v1",
    "dedup": "hotline.matches.v1",
    "referral": "hotline.referrals.v1",
}


class VerifyFailed(LaunchError):
    """The system cannot be looked at."""


def verify(
    *,
    wait: Annotated[float, typer.Option(help="Seconds to wait until nothing is on its way.")] = 120.0,
    kafka: Annotated[bool, typer.Option(help="Compare what Kafka holds with the logs.")] = True,
) -> None:
    """Prove that nothing is lost, nothing is double and the services agree.

    Example: ./hotline verify
    """
    system = System.running()
    # A claim is a line, also where the output goes into a file.
    console = Console() if Console().is_terminal else Console(width=140)
    findings = asyncio.run(_verify(system, wait, kafka=kafka, console=console))
    console.print(_table(findings))
    for check in findings.checks:
        for wrong in check.wrong[:MOST_SHOWN]:
            console.print(f"[red]{check.claim}[/red]: {wrong}", highlight=False)
        if len(check.wrong) > MOST_SHOWN:
            console.print(
                f"[red]{check.claim}[/red]: and {len(check.wrong) - MOST_SHOWN} more", highlight=False
            )
    if not findings.all_hold:
        console.print("[bold red]NOT verified[/bold red]")
        raise typer.Exit(1)
    console.print("[bold green]verified[/bold green]")


async def _verify(system: System, wait: float, *, kafka: bool, console: Console) -> Findings:
    findings = Findings()
    async with AsyncExitStack() as stack:
        databases = {}
        for service in SERVICES:
            try:
                connection = await connect(system.database_url(service), timeout=10)
            except AWAY as fault:
                raise VerifyFailed(
                    f"the database of {service} does not answer: {type(fault).__name__}"
                ) from fault
            stack.push_async_callback(connection.close)
            databases[service] = connection
        with console.status("waiting until nothing is on its way"):
            until = time.monotonic() + wait
            while not (settled := await is_settled(databases)) and time.monotonic() < until:
                await asyncio.sleep(0.5)
        findings.add(
            "nothing is on its way", 1, [] if settled else [f"events were still moving after {wait:g} s"]
        )
        for service, connection in databases.items():
            await check_log(service, connection, findings)
        for follower, owners in FOLLOWED.items():
            for owner in owners:
                await check_following(owner, follower, databases[owner], databases[follower], findings)
        await check_agreement(databases, findings)
        await check_statistics(databases, system.url("referral"), system.token("auditor"), findings)
        if kafka:
            for service, topic in TOPICS.items():
                own = OwnEvents(service, load_keys(keys_file(system.keys, service)))
                await check_topic(own, topic, system.broker, databases[service], findings)
    return findings


def _table(findings: Findings) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("", "looked at", "claim", ""):
        table.add_column(heading, justify="right" if heading == "looked at" else "left")
    for check in findings.checks:
        mark = "[green]ok[/green]" if check.holds else "[red]WRONG[/red]"
        table.add_row(mark, str(check.seen), check.claim, check.note)
    return table
