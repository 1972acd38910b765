"""The command that measures the sanitiser on texts with labels.

    python -m shared.sanitiser.evaluation FILE... [--show]

Each line of a file is a JSON object with `narrative`, `expected_masked`, `expected_kept`, and as far as known
`subjects`, `register`, `could_be_guessed`. A leak is an expected string that survives, a wrong mask one that is
lost. A text with a doubt is held. `--show` lists each leak, wrong mask and doubt. No service imports this.
"""

import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from shared.sanitiser.reading import Reading
from shared.sanitiser.text import Sanitised, sanitise

_PLATE: Final = re.compile(r"[A-Z]{2}[0-9]{2}\s?[A-Z]{3}\Z", re.IGNORECASE)


def kind_of(trace: str) -> str:
    """A rough kind of an expected string, for the table."""
    if "@" in trace or " dot " in trace:
        return "email"
    if _PLATE.search(trace):
        return "plate"
    digits = sum(map(str.isdecimal, trace))
    if digits and any(c.isalpha() for c in trace):
        return "address or code"
    if digits:
        return "number"
    return "name or words"


def survives(trace: str, kept: str) -> bool:
    """Whether a string stands in a text, in whole words."""
    text, part = Reading(kept).low, Reading(trace).low.strip()
    position = text.find(part)
    while position >= 0:
        before, after = text[position - 1 : position], text[position + len(part) : position + len(part) + 1]
        if not (before.isalnum() and part[:1].isalnum()) and not (after.isalnum() and part[-1:].isalnum()):
            return True
        position = text.find(part, position + 1)
    return False


def lines_of(paths: Iterable[str]) -> Iterator[dict[str, Any]]:
    for path in paths:
        for line in Path(path).read_text(encoding="utf-8").splitlines():
            if line.strip():
                yield json.loads(line)


def sanitised(line: dict[str, Any]) -> Sanitised:
    return sanitise(line["narrative"], subjects=[subject.get("name") for subject in line.get("subjects", ())])


def evaluate(
    lines: Iterable[dict[str, Any]],
    *,
    show: bool = False,
    sanitised_by: Callable[[dict[str, Any]], Sanitised] = sanitised,
) -> dict[str, float]:
    """Prints the tables and gives the four shares."""
    texts = held = masked = kept = leaks = wrong = open_masked = open_leaks = 0
    by: dict[str, Counter[str]] = defaultdict(Counter)
    reasons: Counter[str] = Counter()
    for line in lines:
        result = sanitised_by(line)
        is_held = bool(result.doubts) or line.get("could_be_guessed") == "yes"
        leaked = [trace for trace in line["expected_masked"] if survives(trace, result.text)]
        lost = [part for part in line["expected_kept"] if not survives(part, result.text)]
        register = line.get("register") or "hard"
        texts, held = texts + 1, held + is_held
        masked, kept = masked + len(line["expected_masked"]), kept + len(line["expected_kept"])
        leaks, wrong = leaks + len(leaked), wrong + len(lost)
        if not is_held:
            open_masked, open_leaks = open_masked + len(line["expected_masked"]), open_leaks + len(leaked)
        by[register].update(texts=1, held=is_held, masked=len(line["expected_masked"]), leaks=len(leaked))
        by[register].update(kept=len(line["expected_kept"]), wrong=len(lost))
        for trace in line["expected_masked"]:
            by["- " + kind_of(trace)].update(masked=1, leaks=trace in leaked)
        for part in line["expected_kept"]:
            by["- " + kind_of(part)].update(kept=1, wrong=part in lost)
        reasons.update({doubt.reason for doubt in result.doubts})
        if show and (leaked or lost or result.doubts):
            doubts = [f"{d.reason}: {line['narrative'][d.start : d.end][:40]}" for d in result.doubts]
            sys.stdout.write(
                f"{line.get('id')} {'HELD ' if is_held else ''}leak={leaked} wrong={lost} {doubts}\n"
            )
            if leaked or lost:
                sys.stdout.write(f"    {result.text}\n")
    for name, row in sorted(by.items()):
        sys.stdout.write(
            f"{name:22} texts {row['texts']:4} held {row['held']:4}  leaks {row['leaks']:4} of {row['masked']:5}"
            f"  wrong {row['wrong']:4} of {row['kept']:5}\n"
        )
    shares = {
        "leaks": leaks / max(masked, 1),
        "leaks_not_held": open_leaks / max(open_masked, 1),
        "wrong_masks": wrong / max(kept, 1),
        "held": held / max(texts, 1),
    }
    sys.stdout.write(f"reasons: {dict(reasons)}\n")
    sys.stdout.write(
        f"leaks {leaks} of {masked} ({shares['leaks']:.1%}); in texts not held {open_leaks} of {open_masked}"
        f" ({shares['leaks_not_held']:.1%}); wrong masks {wrong} of {kept} ({shares['wrong_masks']:.1%});"
        f" held {held} of {texts} ({shares['held']:.1%})\n"
    )
    return shares


if __name__ == "__main__":
    evaluate(
        lines_of(argument for argument in sys.argv[1:] if not argument.startswith("--")),
        show="--show" in sys.argv,
    )
