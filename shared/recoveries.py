"""`python -m services.X recover`: what is told of it while it runs, and of what it adopted.

As text for people, progress on standard error; or a JSON object a line, for `./hotline recover`:
``{"done", "total"}`` while it looks, then the fields of `shared.streaming.recovery.Report` and its sentences
as ``"said"``.
"""

import json
import sys
from dataclasses import asdict

from shared.streaming.recovery import Report

_LOST = {
    "intake": "the receipts and repetition keys of the adopted complaints: a request or an import of that"
    " time sent again is recorded a second time.",
    "dedup": "what people decided about matches: these stand again as the rule made them, and incidents and"
    " patterns follow from that, when all their complaints were consumed again.",
    "referral": "who looked at the figures. What came to an open case and told nobody anything may come"
    " again: a case that was decided meanwhile may then open again.",
}


class Teller:
    """Tells people."""

    def __init__(self, service: str) -> None:
        self._service = service

    def progress(self, done: int, total: int) -> None:
        if done == total:
            print(f"{self._service}: all that answer were asked", file=sys.stderr)

    def report(self, report: Report) -> None:
        for sentence in said_of(self._service, report):
            print(sentence)


class JsonTeller(Teller):
    """Tells a program."""

    def progress(self, done: int, total: int) -> None:
        print(json.dumps({"done": done, "total": total}), flush=True)

    def report(self, report: Report) -> None:
        print(json.dumps({**asdict(report), "said": said_of(self._service, report)}), flush=True)


def said_of(service: str, report: Report) -> list[str]:
    """The outcome in sentences."""
    passed = [f"Passed over: {', '.join(report.passed_over)}."] if report.passed_over else []
    if report.unreadable:
        passed.append(
            f"{report.unreadable:,} batches of the topic or events of followers could not be read: what"
            " these alone had is lost."
        )
    if not report.adopted:
        return [
            f"{service}: the log has all that topic and followers know; nothing was adopted.",
            "A service that was halted appends again.",
            *passed,
        ]
    said = [f"{service}: {report.adopted:,} events adopted, positions {report.first:,} to {report.last:,}."]
    if report.filled:
        said.append(f"{report.filled:,} positions between, whose events nobody has, were filled.")
    if report.new_keys:
        said.append(f"{report.new_keys:,} complaints got a new data key, for theirs was lost.")
    if report.erased:
        said.append(f"{report.erased:,} events stay erased.")
    said.append(f"Lost for good: what was recorded and never published, and {_LOST[service]}")
    said.append("The service appends again.")
    return said + passed
