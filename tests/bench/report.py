"""The figures as JSON, for machines and later comparisons, and as a Markdown table for people."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import orjson

from tests.bench.rounds import AtLeast, Measured, Reaches, Spread, Target, Verdict


def as_json(results: Sequence[Measured], facts: Mapping[str, str]) -> bytes:
    """Everything: each round of each side, the ratios, and whether the targets hold."""
    benchmarks = [
        {
            "number": result.benchmark.number,
            "title": result.benchmark.title,
            "unit": result.benchmark.unit,
            "sides": [
                {
                    "name": side.name,
                    "note": side.note,
                    "rounds": result.rounds[side.name],
                    **asdict(result.spread(side.name)),
                }
                for side in result.sides
            ],
            "targets": [
                {"target": said(verdict.target), "holds": verdict.holds, **asdict(verdict.measured)}
                for verdict in result.verdicts()
            ],
        }
        for result in results
    ]
    return orjson.dumps(
        {"machine": dict(facts), "benchmarks": benchmarks},
        option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
    )


def as_markdown(results: Sequence[Measured], facts: Mapping[str, str]) -> str:
    """A section for each benchmark, then the machine."""
    lines = ["# Measurements", ""]
    for result in results:
        benchmark = result.benchmark
        rounds = len(result.rounds[result.sides[0].name])
        lines += [
            f"## {benchmark.number}: {benchmark.title}",
            "",
            f"{rounds} alternating rounds; medians, with the least and the greatest.",
            "",
            f"| side | {benchmark.unit} | from | to | |",
            "|---|--:|--:|--:|---|",
        ]
        for side in result.sides:
            median, least, greatest = figures(result.spread(side.name))
            lines.append(f"| {side.name} | {median} | {least} | {greatest} | {side.note} |")
        lines += ["", "| target | measured | from | to | |", "|---|--:|--:|--:|---|"]
        lines += [
            f"| {said(v.target)} | {' | '.join(figures(v.measured))} | {judged(v)} |"
            for v in result.verdicts()
        ]
        lines.append("")
    lines += [
        "## Measured on",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in facts.items()),
    ]
    return "\n".join(lines) + "\n"


def said(target: Target) -> str:
    if isinstance(target, AtLeast):
        return f"{target.side} at least {target.times:g} x {target.beside}"
    bound = "at least" if isinstance(target, Reaches) else "at most"
    return f"{target.side} {bound} {target.limit:,g}"


def judged(verdict: Verdict) -> str:
    return "holds" if verdict.holds else "does not hold"


def figures(spread: Spread) -> tuple[str, str, str]:
    """Median, least and greatest, as many places as say something."""
    return figure(spread.median), figure(spread.least), figure(spread.greatest)


def figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
