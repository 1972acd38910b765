"""What a verification found: checks with a count of what was looked at, and what is wrong."""

from collections.abc import Iterable
from dataclasses import dataclass, field

MOST_SHOWN = 10


@dataclass(slots=True)
class Check:
    """One claim, e.g. "intake: positions have no gaps"; `seen` things were looked at."""

    claim: str
    seen: int = 0
    wrong: list[str] = field(default_factory=list)
    note: str = ""

    @property
    def holds(self) -> bool:
        return not self.wrong


@dataclass(slots=True)
class Findings:
    checks: list[Check] = field(default_factory=list)

    def add(self, claim: str, seen: int, wrong: Iterable[str] = (), note: str = "") -> None:
        """Note a check; `wrong` tells each violation in words that name no content."""
        self.checks.append(Check(claim, seen, list(wrong), note))

    @property
    def all_hold(self) -> bool:
        return all(check.holds for check in self.checks)
