"""Starting programs as children that die with this process, perhaps under another account.

`Account.for_postgres()` answers under whom PostgreSQL runs: nobody special, unless we are root.
`tied_command()` wraps a command so that it gets a signal when the calling process ends (see `tied`).
The parent-death signal belongs to the *thread* that starts the child: start children from a thread
that lives as long as the process does, in practice the main one.
"""

import os
import pwd
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import AccountError

_TIED = Path(__file__).with_name("tied.py")

# Children get this and what they need, not the caller's environment (PGHOST and the like).
PLAIN_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class Account:
    """An account of the machine, under which a program is run."""

    name: str
    uid: int
    gid: int

    @property
    def is_own(self) -> bool:
        return self.uid == os.geteuid()

    @classmethod
    def own(cls) -> "Account":
        try:
            name = pwd.getpwuid(os.geteuid()).pw_name
        except KeyError:  # a container with an arbitrary uid has no entry for it
            name = str(os.geteuid())
        return cls(name, os.geteuid(), os.getegid())

    @classmethod
    def for_postgres(cls) -> "Account":
        """The own account; for root, whom PostgreSQL refuses, `postgres` or else `nobody`."""
        if os.geteuid() != 0:
            return cls.own()
        for name in ("postgres", "nobody"):
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(name, entry.pw_uid, entry.pw_gid)
        raise AccountError(
            "PostgreSQL does not run as root, and this machine has neither an account 'postgres' nor one"
            " 'nobody': run Hotline as an ordinary user."
        )


def tied_command(
    argv: list[str], *, account: Account | None = None, death_signal: signal.Signals = signal.SIGTERM
) -> list[str]:
    """The command that runs `argv` under `account` and signals it when the calling process ends."""
    account = account or Account.own()
    return [
        *(sys.executable, "-I", "-S", str(_TIED)),
        *(str(os.getpid()), death_signal.name, f"{account.uid}:{account.gid}"),
        *argv,
    ]


def run_as(account: Account, argv: list[str], *, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Runs a short command to its end under `account`, from `/` and with a plain environment."""
    try:
        return subprocess.run(  # noqa: S603  (no shell, and argv is ours)
            tied_command(argv, account=account, death_signal=signal.SIGKILL),
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            env=PLAIN_ENVIRONMENT,
            cwd="/",
            check=False,
        )
    except OSError as error:
        raise AccountError(f"{argv[0]} could not be run as {account.name}: {error.strerror}.") from error


def unreachable(account: Account, paths: list[Path]) -> Path | None:
    """The first directory on the way to `paths` that `account` may not pass through, if any.

    The account itself is asked, by a shell, so that access lists and read-only mounts count too.
    """
    ways = dict.fromkeys(part for path in paths for part in reversed([path, *path.parents]))
    script = 'for d in "$@"; do if [ ! -x "$d" ]; then printf %s "$d"; exit; fi; done'
    asked = run_as(account, ["/bin/sh", "-c", script, "sh", *map(str, ways)])
    if asked.returncode != 0:
        raise AccountError(
            f"nothing can be run as {account.name} here ({asked.stderr.strip().splitlines()[-1:]}):"
            " run Hotline as an ordinary user."
        )
    return Path(asked.stdout) if asked.stdout else None
