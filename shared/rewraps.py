"""`python -m services.X rewrap`: its progress and its outcome.

As text for people, progress on standard error; or a JSON object a line, for `./hotline rewrap`:
``{"done", "total"}`` while it runs, then ``{"current", "rewrapped", "left": {kek_id: count}, "said"}``.
"""

import json
from dataclasses import asdict

from shared.progress import JsonProgress, Progress
from shared.store.key_retirement import Report


class Teller(Progress):
    """Tells people."""

    def report(self, report: Report) -> None:
        print(said_of(self._service, report))


class JsonTeller(JsonProgress, Teller):
    """Tells a program."""

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
