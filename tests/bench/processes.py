"""CPU time and memory of processes, as Linux counts them in /proc.

A `Meter` counts from its making on. Of a PostgreSQL server it knows the whole exactly, for the kernel adds
what ended to its parent's account; and what each living process did for which database, as its title tells.
How it fails: what a connection did after the last `look` and before its end counts as the server's others.
"""

import os
from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

_TICKS = os.sysconf("SC_CLK_TCK")
_KIB = 1024
OTHERS = "others"


class Times(NamedTuple):
    """Seconds of CPU: a process's own, and those of its children that have ended."""

    own: float
    ended: float


def times(stat: str) -> Times:
    """Of the text of /proc/PID/stat."""
    # The name, in parentheses, may hold anything; what follows begins with field 3.
    fields = stat.rpartition(")")[2].split()
    user, system, ended_user, ended_system = (int(field) / _TICKS for field in fields[11:15])
    return Times(user + system, ended_user + ended_system)


def peak_memory(pid: int) -> int:
    """The most bytes that were ever resident."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * _KIB
    raise RuntimeError(f"process {pid} has no memory")


def database_of(title: str, databases: Collection[str]) -> str:
    """Whose work a process of PostgreSQL does by its title: `postgres: ROLE DATABASE ...`, or `postgres:
    autovacuum worker DATABASE`; else `OTHERS`."""
    return next((word for word in title.split()[2:4] if word in databases), OTHERS)


class Meter:
    """See the module.

    Args:
        processes: what each is called -> its id.
        postmaster: the server's process.
        databases: those that are told apart.
    """

    def __init__(self, processes: Mapping[str, int], postmaster: int, databases: Collection[str]) -> None:
        self._processes, self._postmaster, self._databases = processes, postmaster, databases
        self._begin = {name: _times_of(pid).own for name, pid in processes.items()}
        self._begin_of_child = self._children()
        self._begin_of_server = self._server()
        self._last: dict[int, tuple[str, float]] = {}
        self.look()

    def look(self) -> None:
        """Sees what each process of the server did, before it ends."""
        for pid, seconds in self._children().items():
            try:
                title = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            done = seconds - self._begin_of_child.get(pid, 0.0)
            self._last[pid] = database_of(title, self._databases), done

    def seconds(self) -> dict[str, float]:
        """Of each process."""
        return {name: _times_of(pid).own - self._begin[name] for name, pid in self._processes.items()}

    def seconds_of_server(self) -> dict[str, float]:
        """Of each database, and of what works for none or has ended unseen, as `OTHERS`."""
        self.look()
        told: defaultdict[str, float] = defaultdict(float)
        for database, seconds in self._last.values():
            told[database] += seconds
        known = {each: told[each] for each in self._databases}
        return {**known, OTHERS: self._server() - self._begin_of_server - sum(known.values())}

    def _server(self) -> float:
        return sum(_times_of(self._postmaster)) + sum(self._children().values())

    def _children(self) -> dict[int, float]:
        found = {}
        for each in Path(f"/proc/{self._postmaster}/task/{self._postmaster}/children").read_text().split():
            try:
                found[int(each)] = _times_of(int(each)).own
            except OSError:  # it has just ended
                continue
        return found


def _times_of(pid: int) -> Times:
    return times(Path(f"/proc/{pid}/stat").read_text())
