"""`python -m tests.bench.peers.presidio FILE...`: the sanitiser's figures and Presidio's on the same texts.

The files are those of `shared.sanitiser.evaluation`. Presidio runs in an environment of its own, which the
command makes on its first run. It knows no officers and no form: it is asked for every person, place and
number, and its wrong masks say how much of a complaint would be lost to it. It holds nothing.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from shared.sanitiser.evaluation import evaluate, lines_of
from shared.sanitiser.markers import Redaction, Rendered
from shared.sanitiser.text import Sanitised

PROJECT: Final = Path(__file__).parent


def presidio(texts: Sequence[str]) -> list[Sanitised]:
    """What Presidio leaves of each text. Fails as `uv` and Presidio do."""
    subprocess.run([*_uv("sync"), "--quiet"], env=_environment(), check=True)
    answered = subprocess.run(
        [*_uv("run"), "--no-sync", "python", str(PROJECT / "analyser.py")],
        env=_environment(),
        input="".join(json.dumps(text) + "\n" for text in texts),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.splitlines()
    results = []
    for text, line in zip(texts, answered, strict=True):
        redactions = tuple(Redaction(start, end, kind) for start, end, kind in json.loads(line))
        results.append(Sanitised(Rendered(text, redactions).text, redactions))
    return results


def main(files: Sequence[str]) -> None:
    lines: list[dict[str, Any]] = list(lines_of(files))
    sys.stdout.write("Ours\n")
    evaluate(lines)
    results = {
        line["narrative"]: result
        for line, result in zip(lines, presidio([line["narrative"] for line in lines]), strict=True)
    }
    sys.stdout.write("\nPresidio\n")
    evaluate(lines, sanitised_by=lambda line: results[line["narrative"]])


def _uv(command: str) -> list[str]:
    return [str(Path(sys.executable).with_name("uv")), command, "--frozen", "--project", str(PROJECT)]


def _environment() -> dict[str, str]:
    """Without what would lead uv to our own environment, or make it fetch a Python."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("UV_PROJECT", "VIRTUAL_ENV"))
    }
    return {**kept, "UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never"}


if __name__ == "__main__":
    main(sys.argv[1:])
