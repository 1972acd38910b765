"""`./hotline simulate`: plays a day of calls with a known truth, and tells what became of them.

Posts through the real HTTP API, releases whatever of it waits for a release reviewer, waits until dedup has
matched everything, prints the funnel and how the matches compare with the truth. Exit code 0 where every call
was taken and indexed, 1 where one was not. With `--out` nothing is posted: the stream and its truth are
written to files, for an import.
"""

import asyncio
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.command.system import System
from deploy.local.errors import LaunchError
from deploy.simulation import Simulation, simulate
from deploy.simulation.asking import Matches, statistics
from deploy.simulation.evaluation import (
    LEAST_PURITY,
    MANY_COMPLAINTS,
    MANY_INCIDENTS,
    Answer,
    largest,
    officers_found,
    reach_of_pairs,
    recall_at_precision,
    same_incident_pairs,
)
from deploy.simulation.offline import PRECISION
from deploy.simulation.playing import Played, Player, arrivals
from deploy.simulation.purposes import Purpose
from deploy.simulation.releasing import release_held, waits
from deploy.simulation.stream import write_simulation
from deploy.simulation.truth import write_truth
from shared.vocabulary import Duty, load_vocabulary

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h)?")
_SECONDS = {None: 1, "s": 1, "m": 60, "h": 3600}
_COLUMNS = (
    TextColumn("{task.description:<8}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
    TextColumn("{task.fields[told]}"),
)


@dataclass(frozen=True, slots=True)
class Reviewing:
    """So many release reviewers. `reading`: seconds that a person takes for a complaint; `patience`: seconds
    in which nothing may be taken or released."""

    reviewers: int
    reading: float
    patience: float


class SimulateFailed(LaunchError):
    """The stream cannot be written, or nobody tells what became of it."""


def duration(text: str) -> float:
    """`60s`, `5m`, `1h`, `90` in seconds.

    Raises:
        typer.BadParameter: it is none of these.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise typer.BadParameter(f"{text!r} is no time: say 0s, 60s, 5m or 1h")
    return float(found[1]) * _SECONDS[found[2]]


def simulate_calls(
    *,
    calls: Annotated[int, typer.Option(min=1, help="How many complaints.")] = 700,
    over: Annotated[
        str, typer.Option(help="The hour is pressed into this time; 0s: as fast as it goes.")
    ] = "60s",
    seed: Annotated[
        int | None, typer.Option(help="The same seed is the same stream (default: a new one).")
    ] = None,
    purpose: Annotated[
        Purpose,
        typer.Option(help="Words, names, places and rates: of training, of tuning, or sealed for the end."),
    ] = "tuning",
    connections: Annotated[int, typer.Option(min=1, max=256, help="Calls at the same time.")] = 16,
    reviewers: Annotated[
        int, typer.Option(min=1, max=256, help="Release reviewers, for the calls that wait for one.")
    ] = 10,
    reading: Annotated[
        str, typer.Option(help="How long a person reads a complaint, for the times that people would take.")
    ] = "2m",
    wait: Annotated[str, typer.Option(help="The longest to wait for the matching at the end.")] = "10m",
    patience: Annotated[str, typer.Option(help="Give up where no call was taken for so long.")] = "10m",
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Post nothing: write NDJSON (.gz: compressed) and FILE.truth.ndjson."
        ),
    ] = None,
) -> None:
    """Play a day of calls with a known truth; print the funnel and the matching against the truth.

    Examples: ./hotline simulate --calls 700 --over 60s --seed 1

    ./hotline simulate --calls 4000 --over 0s --seed 1 --purpose sealed

    ./hotline simulate --calls 70000 --out calls.ndjson.gz
    """
    seconds, longest, patient = duration(over), duration(wait), duration(patience)
    seed = secrets.randbelow(10**6) if seed is None else seed
    console = Console()
    if out is not None:
        _write(simulate(calls, seed, purpose), out, console)
        return
    system = System.running()
    simulation = simulate(calls, seed, purpose)
    console.print(f"seed {seed}, {purpose}: {calls} calls over {seconds:g} s", highlight=False)
    desk = Reviewing(reviewers, duration(reading), patient)
    if not asyncio.run(_simulate(simulation, system, seconds, longest, connections, desk, console)):
        raise typer.Exit(1)


def _write(simulation: Simulation, out: Path, console: Console) -> None:
    truth = out.with_name(f"{out.name}.truth.ndjson")
    try:
        write_simulation(simulation, out)
        write_truth(truth, simulation.truth, simulation.seed, simulation.purpose)
    except OSError as fault:
        raise SimulateFailed(f"{out} cannot be written: {fault.strerror}") from fault
    console.print(
        f"seed {simulation.seed}, {simulation.purpose}: {len(simulation.complaints)} complaints in {out}, "
        f"the truth in {truth}",
        soft_wrap=True,
        highlight=False,
    )


async def _simulate(
    simulation: Simulation,
    system: System,
    seconds: float,
    longest: float,
    connections: int,
    desk: Reviewing,
    console: Console,
) -> bool:
    with Progress(*_COLUMNS, console=console) as progress:
        played = await _play(simulation, system, seconds, desk.patience, connections, progress)
        released_in = await _release(played, system, desk, progress)
        matches, is_settled = await _settle(played, system, longest, progress)
    _show_played(played, console)
    _show_releases(played, simulation, desk, released_in, console)
    try:
        told = await statistics(system.url("referral"), system.token("auditor"), longest)
    except (aiohttp.ClientError, TimeoutError) as fault:
        raise SimulateFailed(f"referral tells no statistics: {fault or type(fault).__name__}") from fault
    _show("the funnel, of everything that the system holds", _funnel(told), console)
    if not is_settled:
        left = len(matches.unindexed)
        what = f"{left} complaints are not indexed" if left else "matches were still changing"
        console.print(f"[red]after {longest:g} s {what}: the following is not the end[/red]", highlight=False)
    against = _against_truth(matches.answer(), simulation, played)
    _show("matching against the truth of this stream", against, console)
    return not played.refused and not matches.unindexed


async def _play(
    simulation: Simulation,
    system: System,
    seconds: float,
    patience: float,
    connections: int,
    progress: Progress,
) -> Played:
    bar = progress.add_task("calls", total=len(simulation.complaints), told="")

    def tell(played: Played) -> None:
        accepted, refused = len(played.ids), played.refused.total()
        told = f"{accepted} accepted, {played.retried} retried, {refused} refused"
        progress.update(bar, completed=accepted + refused, told=told)

    player = Player(
        simulation,
        system.url("intake"),
        system.token("call_handler"),
        f"simulate-{secrets.token_hex(8)}",
        connections=connections,
        patience=patience,
        tell=tell,
    )
    return await player.play(arrivals(len(simulation.complaints), seconds, simulation.seed))


async def _release(played: Played, system: System, desk: Reviewing, progress: Progress) -> float:
    if not played.held:
        return 0.0
    bar = progress.add_task("release", total=len(played.held), told=f"{desk.reviewers} reviewers")
    return await release_held(
        system.url("intake"),
        system.token("release_reviewer"),
        {played.ids[index] for index in played.held},
        desk.reviewers,
        desk.patience,
        lambda done: progress.update(bar, completed=done),
    )


async def _settle(played: Played, system: System, longest: float, progress: Progress) -> tuple[Matches, bool]:
    bar = progress.add_task("matching", total=len(played.ids), told="")

    def tell(what: str, done: int) -> None:
        progress.update(bar, completed=done, told=what)

    matches = Matches(system.url("dedup"), system.token("match_reviewer"), played.ids, tell)
    try:
        return matches, await matches.settle(longest)
    except* aiohttp.ClientResponseError as faults:
        raise SimulateFailed(f"dedup does not say what it matched: {faults.exceptions[0]}") from None


def _show_played(played: Played, console: Console) -> None:
    pace = f" in {played.seconds:.1f} s" if played.seconds else ""
    console.print(
        f"{len(played.ids)} calls accepted{pace}, {played.retried} times retried, "
        f"{played.refused.total()} refused; {played.redactions.total()} traces of callers taken out; "
        f"{played.closed_contacts} contacts closed without a complaint",
        highlight=False,
        soft_wrap=True,
    )
    if played.unclosed_contacts:
        console.print(
            f"{played.unclosed_contacts} contacts without a complaint left out: intake has no route for them",
            highlight=False,
            soft_wrap=True,
        )
    for example in played.examples:
        console.print(f"  {example}", markup=False, highlight=False)


def _show_releases(
    played: Played, simulation: Simulation, desk: Reviewing, released_in: float, console: Console
) -> None:
    """The share that waited for a reviewer, how fast the system released it, and how fast people would."""
    if not played.held:
        console.print("nothing waited for a release reviewer", highlight=False)
        return
    hour = arrivals(len(simulation.complaints), _SECONDS["h"], simulation.seed)
    people = waits(
        [(hour[index], _is_urgent(simulation.complaints[index])) for index in played.held],
        desk.reviewers,
        desk.reading,
    )
    held, calls = len(played.held), len(played.ids)
    console.print(
        f"{held} of {calls} ({held / calls:.0%}) waited for their release, and were released in "
        f"{released_in:.1f} s; {desk.reviewers} people who read {desk.reading:g} s each would release "
        f"half within {people.half / 60:.0f} min of the call and all within {people.all / 60:.0f} min",
        highlight=False,
        soft_wrap=True,
    )


def _is_urgent(complaint: dict[str, Any]) -> bool:
    return bool((complaint.get("risk") or {}).get("immediate_danger"))


def _funnel(told: dict[str, Any]) -> Table:
    table = _table()
    for name in ("contacts", "complaints", "incidents", "patterns"):
        table.add_row(name, str(told[name]))
    table.add_row("cases", str(told["cases"]["total"]))
    for status, count in sorted(told["cases"]["by_status"].items()):
        table.add_row(f"  {status.replace('_', ' ')}", str(count))
    table.add_row("referred", str(told["referred"]["total"]))
    criteria = load_vocabulary().criteria
    by_criterion = told["cases"].get("by_criterion") or told["referred"]["by_criterion"]
    for code, count in sorted(by_criterion.items()):
        if code in criteria and criteria[code].duty is Duty.MUST:
            table.add_row(f"  MUST {code}", str(count))
    table.add_row("deadlines met, missed", f"{told['deadlines']['met']}, {told['deadlines']['missed']}")
    return table


def _against_truth(answer: Answer, simulation: Simulation, played: Played) -> Table:
    truth = simulation.truth.only(played.ids)
    pairs, officers = same_incident_pairs(answer, truth), officers_found(answer, truth)
    table = _table()
    table.add_row("same-incident pairs: true, found, right", f"{pairs.true}, {pairs.found}, {pairs.right}")
    reach = reach_of_pairs(answer, truth)
    table.add_row(
        "true pairs: accepted, in review, never seen",
        f"{reach.accepted}, {reach.in_review}, {reach.never_seen}",
    )
    table.add_row("precision", _share(pairs.precision))
    table.add_row("recall", _share(pairs.recall))
    table.add_row("F1", _share(pairs.f1))
    recall = recall_at_precision(answer, truth, PRECISION)
    table.add_row(f"recall at precision {PRECISION:g}, by the weights of what is kept", _share(recall))
    table.add_row(
        f"officers with {MANY_INCIDENTS} incidents, {MANY_COMPLAINTS} complaints of whom are in one pattern, "
        f"{LEAST_PURITY:.0%} pure",
        f"{officers.found} of {officers.many}",
    )
    table.add_row("largest incidents", ", ".join(map(str, largest(answer.incidents.values()))) or "-")
    table.add_row("largest patterns", ", ".join(map(str, largest(answer.patterns.values()))) or "-")
    return table


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _show(title: str, table: Table, console: Console) -> None:
    console.print(f"\n[bold]{title}[/bold]", highlight=False)
    console.print(table)


def _table() -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    return table
