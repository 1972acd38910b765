"""`python -m tests.bench [S2 ...]`: measure, print, and keep the figures in `.bench/`.

Exits with 1 where a target does not hold.
"""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.local.data_directory import ROOT
from tests.bench import append, machine, posting, rereading, starting
from tests.bench.report import as_json, as_markdown, figures, judged, said
from tests.bench.rounds import LEAST_ROUNDS, ROUNDS, Benchmark, Measured, measure

BENCHMARKS = {benchmark.number: benchmark for benchmark in (posting.S1, append.S2, rereading.S7, starting.S8)}
RESULTS = ROOT / ".bench"


def main(
    numbers: Annotated[
        list[str] | None, typer.Argument(help=f"Of {', '.join(BENCHMARKS)}; all by default.")
    ] = None,
    rounds: Annotated[
        int, typer.Option(min=1, help=f"Fewer than {LEAST_ROUNDS} are for trying things out.")
    ] = ROUNDS,
) -> None:
    """Measure our speeds beside their peers', in alternating rounds."""
    unknown = set(numbers or ()) - BENCHMARKS.keys()
    if unknown:
        raise typer.BadParameter(
            f"there is no {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}"
        )
    console, facts = Console(), machine.facts()
    console.print(" · ".join(f"{name} {value}" for name, value in facts.items()), style="dim")
    results = [_measured(BENCHMARKS[number], rounds, console) for number in numbers or BENCHMARKS]
    RESULTS.mkdir(exist_ok=True)
    stem = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    (RESULTS / f"{stem}.json").write_bytes(as_json(results, facts))
    (RESULTS / f"{stem}.md").write_text(as_markdown(results, facts))
    console.print(f"Kept in {(RESULTS / stem).relative_to(ROOT)}.json and .md")
    if not all(result.holds for result in results):
        raise typer.Exit(1)


def _measured(benchmark: Benchmark, rounds: int, console: Console) -> Measured:
    columns = (
        TextColumn("{task.fields[number]}"),
        BarColumn(),
        TextColumn("{task.fields[last]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None, number=benchmark.number, last="starting")

        def told(last: str) -> None:
            progress.update(task, advance=1, last=last)

        result = measure(benchmark, rounds, told)
    _show(result, console)
    return result


def _show(result: Measured, console: Console) -> None:
    sides = Table(title=f"{result.benchmark.number}: {result.benchmark.title}", title_justify="left")
    for heading in ("side", result.benchmark.unit, "from", "to"):
        sides.add_column(heading, justify="left" if heading == "side" else "right", no_wrap=True)
    for side in result.sides:
        sides.add_row(side.name, *figures(result.spread(side.name)))
    targets = Table()
    for heading in ("target", "measured", "from", "to", ""):
        targets.add_column(heading, justify="right" if heading in ("measured", "from", "to") else "left")
    for verdict in result.verdicts():
        colour = "green" if verdict.holds else "red"
        targets.add_row(said(verdict.target), *figures(verdict.measured), f"[{colour}]{judged(verdict)}")
    console.print(sides, targets)
    if any(len(values) < LEAST_ROUNDS for values in result.rounds.values()):
        console.print(f"Fewer than {LEAST_ROUNDS} rounds: not to be cited.", style="yellow")


if __name__ == "__main__":
    typer.run(main)
