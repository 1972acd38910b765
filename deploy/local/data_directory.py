"""The directory in which a local system keeps everything: `./.hotline`, or what `HOTLINE_DATA` names.

A system in containers (`make up`) has one too, `./.hotline-compose`, for its keys and addresses; its data
lies in volumes of the container engine. Neither system starts on the other's directory.

```
.hotline/           0700; 0711 for root, whose PostgreSQL runs under another account
├── launcher.lock   held by the one launcher that runs on this data; its process number
├── run.json        0600; what runs where, for other terminals; there while a launcher runs
├── keys/           0700; the services' keys, the issuer's key, the services' tokens
├── logs/           0700; NAME.log of every child
├── postgres/       see deploy.local.postgres
└── compose.env     in place of logs and postgres: a system in containers, see deploy.containers.project
```

`DataDirectory.hold()` gives it to one launcher at a time. A directory that is not empty and not ours is
refused, so that a slip in HOTLINE_DATA changes nobody's permissions.
"""

import contextlib
import errno
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.errors import DataDirectoryError, NoSpaceError

ROOT = Path(__file__).resolve().parents[2]
CONTAINERS = ".hotline-compose"
LEAST_FREE_BYTES = 500 * 1000 * 1000


@dataclass(frozen=True)
class DataDirectory:
    path: Path

    @classmethod
    def from_environment(cls, default: str = ".hotline") -> "DataDirectory":
        """What HOTLINE_DATA names, else the clone's `default`."""
        named = os.environ.get("HOTLINE_DATA")
        return cls(Path(named).expanduser().absolute() if named else ROOT / default)

    @classmethod
    def for_commands(cls) -> "DataDirectory":
        """The one that a command is for: what HOTLINE_DATA names, else that of the clone's running system.

        Raises:
            DataDirectoryError: the clone runs two.
        """
        local, in_containers = cls.from_environment(), cls.from_environment(CONTAINERS)
        if local == in_containers or not in_containers.run_file.exists():
            return local
        if local.run_file.exists():
            raise DataDirectoryError(
                f"Hotline runs on {local.path} and on {in_containers.path}: name the one that is meant with"
                " HOTLINE_DATA."
            )
        return in_containers

    @property
    def keys(self) -> Path:
        return self.path / "keys"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def run_file(self) -> Path:
        return self.path / "run.json"

    @property
    def containers_file(self) -> Path:
        return self.path / "compose.env"

    @property
    def _lock_file(self) -> Path:
        return self.path / "launcher.lock"

    @contextlib.contextmanager
    def hold(self, *, in_containers: bool = False) -> Iterator[None]:
        """Makes the directory if there is none, and keeps other launchers off it.

        Raises:
            DataDirectoryError: another launcher holds it, or it is no such system's.
        """
        self._make()
        # Not inherited by children (Python's default), so that it is free as soon as the launcher is gone.
        with self._lock_file.open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                raise DataDirectoryError(
                    f"Hotline already runs on {self.path} (process {lock.read().strip() or 'unknown'}): use"
                    " that one, stop it, or name another directory with HOTLINE_DATA."
                ) from None
            self._check_kind(in_containers=in_containers)
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            self._check_space()
            yield

    def _make(self) -> None:
        mode = 0o711 if os.geteuid() == 0 else 0o700
        try:
            if self.path.is_dir() and not self._lock_file.exists() and any(self.path.iterdir()):
                raise DataDirectoryError(
                    f"{self.path} is not empty and no data directory of Hotline: name another one with"
                    " HOTLINE_DATA, or empty it."
                )
            self.path.mkdir(mode=mode, parents=True, exist_ok=True)
            self.path.chmod(mode)
            self._lock_file.touch(mode=0o600)
            self.logs.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise NoSpaceError(
                    f"no space left on the disk of {self.path}: free some, or name another directory with"
                    " HOTLINE_DATA."
                ) from error
            raise DataDirectoryError(
                f"{self.path} cannot be used as the data directory ({error.strerror}): name another one with"
                " HOTLINE_DATA."
            ) from error

    def _check_kind(self, *, in_containers: bool) -> None:
        """Two systems with the same keys and each its own half of the data would be a puzzle for ever."""
        other, path = ("make run", self.postgres) if in_containers else ("make up", self.containers_file)
        if path.exists():
            raise DataDirectoryError(
                f"{self.path} is the data directory of `{other}`: name another one with HOTLINE_DATA."
            )

    def _check_space(self) -> None:
        free = shutil.disk_usage(self.path).free
        if free < LEAST_FREE_BYTES:
            raise NoSpaceError(
                f"{free // 1_000_000} MB are free on the disk of {self.path}, and Hotline wants"
                f" {LEAST_FREE_BYTES // 1_000_000}: free some, or name another directory with HOTLINE_DATA."
            )

    def write_run_file(self, content: dict[str, Any]) -> None:
        write_secret(self.run_file, json.dumps(content, indent=2) + "\n")

    def read_run_file(self) -> dict[str, Any] | None:
        """What runs, or None where nothing does."""
        try:
            content: dict[str, Any] = json.loads(self.run_file.read_text())
        except FileNotFoundError:
            return None
        return content


def write_secret(path: Path, text: str) -> None:
    """Writes `path` with mode 0600, whole or not at all, also while others read it."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    with draft.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
