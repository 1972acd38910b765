"""`python -m services.X rewrap`: its progress and its outcome.

As text for people, progress on standard error; or a JSON object a line, for `./hotline rewrap`:
``{"done", "total"}`` while it runs, then ``{"current", "rewrapped", "left": {kek_id: count}, "said"}``.
"""

import json
import sys
from dataclasses import asdict

from shared.store.key_retirement import Report


class Teller:
    """Tells people."""

    def __init__(self, service: str) -> None:
        self._service = service

    def progress(self, done: int, total: int) -> None:
        print(f"{self._service}: {done:,} of {total:,}", file=sys.stderr)

    def report(self, report: Report) -> None:
        print(said_of(self._service, report))


class JsonTeller(Teller):
    """Tells a program."""

    def progress(self, done: int, total: int) -> None:
        print(json.dumps({"done": done, "total": total}), flush=True)

    def report(self, report: Report) -> None:
        print(json.dumps({**asdict(report), "said": said_of(self._service, report)}), flush=True)


def said_of(service: str, report: Report) -> str:
    """The outcome in a sentence or two."""
    done = f"{service}: {report.rewrapped:,} keys were wrapped anew under {report.current}."
    if not report.left:
        return (
            f"{done} Nothing is wrapped under another key: the others may leave the keys file. Keep them with"
            " the backups that were made before, which need them."
        )
    left = ", ".join(f"{count:,} under {kek_id}" for kek_id, count in report.left.items())
    return (
        f"{done} There are still {left}: a service that was not restarted since {report.current} became the"
        " current key makes such ones. Restart it and run this again."
    )
