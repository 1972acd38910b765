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
from tests.bench import (
    append,
    machine,
    matching,
    much_named,
    passing,
    posting,
    reading,
    rereading,
    starting,
    surging,
    waiting,
)
from tests.bench.report import as_json, as_markdown, figures, how_often, judged, said
from tests.bench.rounds import LEAST_ROUNDS, ROUNDS, Benchmark, Measured, measure
from tests.engines.jars import fetched, locked
from tests.engines.java import java
from tests.engines.missing import EnginesMissing

BENCHMARKS = {
    benchmark.number: benchmark
    for benchmark in (
        posting.S1,
        append.S2,
        passing.S3,
        waiting.S4,
        matching.S5,
        surging.S6,
        rereading.S7,
        starting.S8,
        reading.S9,
        much_named.S10,
    )
}
RESULTS = ROOT / ".bench"
NUMBERS = ("measured", "from", "to")


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
    chosen = [BENCHMARKS[number] for number in numbers or BENCHMARKS]
    if any(benchmark.is_on_kafka for benchmark in chosen):
        try:
            java()
            fetched(locked())
        except EnginesMissing as reason:
            raise typer.BadParameter(f"S3, S4, S6 and S10 run on Apache Kafka: {reason}") from reason
    console, facts = Console(), machine.facts()
    console.print(" · ".join(f"{name} {value}" for name, value in facts.items()), style="dim")
    results = [_measured(benchmark, rounds, console) for benchmark in chosen]
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
    measured = _table("", *NUMBERS, "unit", title=f"{result.benchmark.number}: {result.benchmark.title}")
    for series in result.figures.values():
        measured.add_row(series.name, *figures(series.spread), series.unit)
    targets = _table("target", *NUMBERS, "")
    for verdict in result.verdicts():
        colour = "green" if verdict.holds else "red"
        targets.add_row(said(verdict.target), *figures(verdict.measured), f"[{colour}]{judged(verdict)}")
    console.print(measured, targets, how_often(result))


def _table(*headings: str, title: str | None = None) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, justify="right" if heading in NUMBERS else "left")
    return table


if __name__ == "__main__":
    typer.run(main)
