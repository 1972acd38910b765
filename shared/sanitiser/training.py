"""The command that fits the second opinion out of texts with labels.

    python -m shared.sanitiser.training FILE... [--check]

The files are those of `evaluation`. It writes `opinion.json` beside this module; `--check` writes nothing and prints
how many texts are held and how much leaks in the others at several thresholds, each file by a model of the others. The same files give the same weights. No service imports this.
"""

import json
import math
import random
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from shared.sanitiser.doubts import chances
from shared.sanitiser.evaluation import lines_of, sanitised, survives
from shared.sanitiser.markers import Redaction
from shared.sanitiser.opinion import candidates, features
from shared.sanitiser.persons import subjects_of
from shared.sanitiser.reading import Reading, Span

_ROUNDS: Final = 12
_RATE: Final = 0.15
_DECAY: Final = 2e-4
_LEAST: Final = 4

Example = tuple[tuple[str, ...], int]


def examples_of(line: dict[str, Any]) -> list[Example]:
    """The candidates of a text, each with its features and whether it must go."""
    reading = Reading(line["narrative"])
    private = _covered(reading, line["expected_masked"])
    open_ = _covered(reading, line.get("desirable_masked", ()))
    known = _known(line)
    found = []
    for first, last in candidates(reading):
        tokens = range(first, last + 1)
        if any(i in private for i in tokens):
            found.append((tuple(features(reading, first, last, known)), 1))
        elif not any(i in open_ for i in tokens):
            found.append((tuple(features(reading, first, last, known)), 0))
    return found


def _known(line: dict[str, Any]) -> frozenset[str]:
    subjects = subjects_of(one.get("name") for one in line.get("subjects", ()))
    return frozenset(name for subject in subjects for name in subject.names)


def _covered(reading: Reading, traces: Sequence[str]) -> set[int]:
    covered: set[int] = set()
    for trace in traces:
        part = Reading(trace).low.strip()
        position = reading.low.find(part) if part else -1
        while position >= 0:
            end = position + len(part)
            if not (reading.low[position - 1 : position].isalnum() or reading.low[end : end + 1].isalnum()):
                covered.update(
                    i
                    for i, (start, stop) in enumerate(zip(reading.starts, reading.ends, strict=True))
                    if start < end and position < stop
                )
            position = reading.low.find(part, end)
    return covered


def fit(examples: Sequence[Example]) -> dict[str, float]:
    """Weights of a logistic regression with a penalty on their squares, by AdaGrad in an order that a seed fixes."""
    counts = Counter(name for names, _ in examples for name in names)
    kept = [(tuple(name for name in names if counts[name] >= _LEAST), label) for names, label in examples]
    weights: dict[str, float] = {}
    squares: dict[str, float] = {}
    order = list(range(len(kept)))
    chance = random.Random(13)  # noqa: S311  # no secret: the same order each time
    for _ in range(_ROUNDS):
        chance.shuffle(order)
        for n in order:
            names, label = kept[n]
            total = sum(weights.get(name, 0.0) for name in names)
            error = 1 / (1 + math.exp(-max(-30.0, min(30.0, total)))) - label
            for name in names:
                weight = weights.get(name, 0.0)
                slope = error + _DECAY * weight * 10
                squares[name] = squares.get(name, 1.0) + slope * slope
                weights[name] = weight - _RATE * slope / math.sqrt(squares[name])
    return {name: round(weight, 3) for name, weight in sorted(weights.items()) if abs(weight) >= 0.02}


def check(files: Sequence[str]) -> None:
    """Prints, for several thresholds, how many texts would be held and how much leaks in the others, each file judged
    by a model of the others."""
    lines = {file: list(lines_of([file])) for file in files}
    examples = {
        file: [one for line in of_file for one in examples_of(line)] for file, of_file in lines.items()
    }
    told: list[tuple[float, bool, int, int]] = []
    for file in files:
        weights = fit([one for other, ones in examples.items() if other != file for one in ones])
        for line in lines[file]:
            result = sanitised(line)
            reading = Reading(line["narrative"])
            _, risk = chances(reading, _hidden(reading, result.redactions), _known(line), weights)
            held = any(doubt.reason != "unplaced_person" for doubt in result.doubts)
            leaks = sum(survives(trace, result.text) for trace in line["expected_masked"])
            told.append((risk, held, leaks, len(line["expected_masked"])))
    for threshold in (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.01):
        left = [one for one in told if one[0] < threshold and not one[1]]
        leaks, masked = sum(one[2] for one in left), sum(one[3] for one in left)
        sys.stdout.write(
            f"held from {threshold}: {1 - len(left) / len(told):.1%} of the texts;"
            f" in the others leak {leaks} of {masked} ({leaks / max(masked, 1):.1%})\n"
        )


def _hidden(reading: Reading, redactions: Sequence[Redaction]) -> set[int]:
    hidden = set()
    for i, (start, end) in enumerate(zip(reading.starts, reading.ends, strict=True)):
        sent = reading.as_sent(Span(start, end, "name"))
        if any(one.start < sent.end and sent.start < one.end for one in redactions):
            hidden.add(i)
    return hidden


def main(arguments: Sequence[str]) -> None:
    files = sorted(argument for argument in arguments if not argument.startswith("--"))
    if "--check" in arguments:
        check(files)
        return
    weights = fit([one for line in lines_of(files) for one in examples_of(line)])
    target = Path(__file__).parent / "opinion.json"
    target.write_text(
        json.dumps(
            {"files": [Path(file).name for file in files], "weights": weights}, indent=0, ensure_ascii=False
        )
        + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main(sys.argv[1:])
