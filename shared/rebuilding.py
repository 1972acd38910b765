"""`python -m services.X rebuild`: what is told of it while it runs, and of what it found.

As text for people, progress on standard error; or a JSON object a line, for `./hotline rebuild`:
``{"done", "total"}`` while it runs, then ``{"happened", "seconds", "is_check", "tables": [{"table", "rows",
"surplus", "missing", "changed"}]}``.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from shared.progress import JsonProgress, Progress
from shared.store.rebuilding import Compared, Report


class Teller(Progress):
    """Tells people."""

    def report(self, report: Report, *, is_check: bool) -> None:
        rate = report.happened / report.seconds if report.seconds else 0
        print(
            f"{self._service}: {report.happened:,} events and inbox entries in {report.seconds:.1f} s, "
            f"{rate:,.0f}/s"
        )
        for table in report.tables:
            print(f"{table.table}: {table.rows:,} rows, {said_of(table)}")
        print("checked, nothing was changed" if is_check else "the rebuilt tables are in place")


class JsonTeller(JsonProgress, Teller):
    """Tells a program."""

    def report(self, report: Report, *, is_check: bool) -> None:
        _line({**asdict(report), "is_check": is_check})


def said_of(table: Compared) -> str:
    """How a live table differed from the rebuilt one."""
    if not table.differing:
        return "none differed"
    kinds = (
        f"{table.surplus:,} too many, {table.missing:,} missing, {table.changed:,} other than they should be"
    )
    return f"{table.differing:,} differed: {kinds}"


def _line(document: Mapping[str, Any]) -> None:
    print(json.dumps(document), flush=True)
