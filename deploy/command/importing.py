"""`./hotline import FILE`: posts complaint bodies, one a line, and says what became of them.

Sending a file again changes nothing, so a broken connection is mended by sending it again: the command does
so itself a few times. Exit code 0 where every line is kept, 1 where one is not.
"""

import asyncio
import gzip
import zlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.command.system import System
from deploy.local.errors import LaunchError
from shared.contracts.json_text import without_mark

CHUNK = 64 * 1024
SHOWN = 20
PAUSE_SECONDS = 2.0


class ImportFailed(LaunchError):
    """The file cannot be read, or the service did not take it."""


@dataclass(slots=True)
class Outcome:
    """What was answered. `answered` lines of the file are dealt with."""

    answered: int = 0
    accepted: int = 0
    repeated: int = 0
    held: int = 0
    retry: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def take(self, answer: dict[str, Any]) -> None:
        self.answered += 1
        if (error := answer.get("error")) is None:
            self.repeated += answer.get("repeated", False)
            self.accepted += not answer.get("repeated", False)
            self.held += answer.get("held", False)
            return
        if error.get("retry"):
            self.retry += 1
            return
        fields = "; ".join(f"{e['field']} {e['message']}" for e in error.get("errors", ()))
        self.refused[fields or error["detail"]] += 1
        if len(self.examples) < SHOWN:
            self.examples.append(f"line {answer['line']}: {fields or error['detail']}")


def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="NDJSON, gzip or plain: a body a line.")],
    *,
    url: Annotated[str | None, typer.Option(help="Intake's address (default: that of `make run`).")] = None,
    token: Annotated[
        str | None,
        typer.Option(envvar="HOTLINE_TOKEN", help="A call handler's token (default: a local one)."),
    ] = None,
    attempts: Annotated[int, typer.Option(min=1, help="How often to send it while connections break.")] = 10,
) -> None:
    """Post complaint bodies from a file. The same file again changes nothing.

    Example: ./hotline import complaints.ndjson.gz
    """
    system = None if url and token else System.running()
    address = url or (system.url("intake") if system else "")
    bearer = token or (system.token("call_handler") if system else "")
    console = Console(stderr=True)
    total = _count(file)
    outcome = asyncio.run(_send_until_kept(file, address, bearer, total, attempts, console))
    console.print(
        f"{outcome.accepted} accepted, {outcome.repeated} known from before, "
        f"{sum(outcome.refused.values())} refused, of {total} lines",
        highlight=False,
    )
    if outcome.held:
        console.print(f"{outcome.held} of them go through a release reviewer", highlight=False)
    for example in outcome.examples:
        console.print(f"  {example}", markup=False, highlight=False)
    if outcome.refused or outcome.answered < total:
        raise typer.Exit(1)


async def _send_until_kept(
    file: Path, url: str, token: str, total: int, attempts: int, console: Console
) -> Outcome:
    accepted_before = 0
    for attempt in range(1, attempts + 1):
        outcome = Outcome()
        try:
            await _send(file, url, token, total, outcome, console)
            reason = f"{outcome.retry} lines could not be kept just now" if outcome.retry else ""
        except (aiohttp.ClientError, ConnectionError, TimeoutError) as fault:
            reason = f"the connection to {url} broke after {outcome.answered} lines ({type(fault).__name__})"
        accepted_before += outcome.accepted
        if not reason:
            # What earlier attempts brought counts as accepted, not as known from before.
            earlier = accepted_before - outcome.accepted
            outcome.accepted, outcome.repeated = accepted_before, max(outcome.repeated - earlier, 0)
            return outcome
        if attempt < attempts:
            console.print(f"{reason}; sending it again, which doubles nothing", highlight=False)
            await asyncio.sleep(PAUSE_SECONDS)
    raise ImportFailed(f"{reason}. Send the file again later: what is kept stays, nothing is doubled.")


async def _send(file: Path, url: str, token: str, total: int, outcome: Outcome, console: Console) -> None:
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=60)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
    columns = (TextColumn("import"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("import", total=total)
        async with (
            aiohttp.ClientSession(timeout=timeout, read_bufsize=2**20) as session,
            session.post(f"{url}/v1/imports", data=_chunks(file), headers=headers) as answer,
        ):
            if answer.status != 200:
                problem = await answer.json(content_type=None)
                raise ImportFailed(f"{url} answered {answer.status}: {problem.get('detail', '')}")
            async for line in answer.content:
                outcome.take(orjson.loads(line))
                progress.update(bar, completed=outcome.answered)
    if outcome.answered < total:
        raise ConnectionError("the answer ended early")


async def _chunks(file: Path) -> AsyncIterator[bytes]:
    with _open(file) as stream:
        while chunk := stream.read(CHUNK):
            yield chunk
            await asyncio.sleep(0)


def _count(file: Path) -> int:
    try:
        with _open(file) as stream:
            return sum(1 for line in stream if without_mark(line).strip())
    except (OSError, EOFError, zlib.error) as fault:
        raise ImportFailed(f"{file} cannot be read: {fault}") from fault


def _open(file: Path) -> gzip.GzipFile | BufferedReader:
    with file.open("rb") as stream:
        is_gzip = stream.read(2) == b"\x1f\x8b"
    return gzip.open(file, "rb") if is_gzip else file.open("rb")
