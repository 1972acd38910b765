"""The figures as JSON, for machines and later comparisons, and as a Markdown table for people."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import orjson

from tests.bench.rounds import LEAST_ROUNDS, AtLeast, Measured, Reaches, Spread, Target, Verdict


def as_json(results: Sequence[Measured], facts: Mapping[str, str]) -> bytes:
    """Everything: each round of each figure, the ratios, and whether the targets hold."""
    benchmarks = [
        {
            "number": result.benchmark.number,
            "title": result.benchmark.title,
            "figures": [{**asdict(series), **asdict(series.spread)} for series in result.figures.values()],
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
        lines += [
            f"## {result.benchmark.number}: {result.benchmark.title}",
            "",
            how_often(result),
            "",
            "| | measured | from | to | unit | |",
            "|---|--:|--:|--:|---|---|",
        ]
        lines += [
            f"| {series.name} | {' | '.join(figures(series.spread))} | {series.unit} | {series.note} |"
            for series in result.figures.values()
        ]
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


def how_often(result: Measured) -> str:
    if result.benchmark.is_single:
        return "One run: no median."
    few = "" if result.is_enough else f" Fewer than {LEAST_ROUNDS}: not to be cited."
    return f"{result.rounds} alternating rounds; medians, with the least and the greatest.{few}"


def said(target: Target) -> str:
    if isinstance(target, AtLeast):
        return f"{target.figure} at least {target.times:g} x {target.beside}"
    bound = "at least" if isinstance(target, Reaches) else "at most"
    return f"{target.figure} {bound} {target.limit:,g}"


def judged(verdict: Verdict) -> str:
    return "holds" if verdict.holds else "does not hold"


def figures(spread: Spread) -> tuple[str, str, str]:
    """Median, least and greatest, as many places as say something."""
    return figure(spread.median), figure(spread.least), figure(spread.greatest)


def figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == 0 else f"{value:.2f}"
