"""Apache Kafka's jars from Maven Central, as `kafka-jars.lock` pins them, in the clone's `.cache`.

What the reader gets: `fetched()`, a directory that holds every jar of the lock, each with its SHA-256, and
nothing else. It is there whole or not at all: jars are gathered beside it under a lock that one process
holds, and renamed when the last one is right. What an interrupted fetch had is not fetched again.

How it fails: `EnginesMissing`, one sentence.
"""

import fcntl
import hashlib
import http.client
import shutil
import sys
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from deploy.local.data_directory import ROOT
from tests.engines.missing import EnginesMissing

CENTRAL = "https://repo1.maven.org/maven2"
LOCK = Path(__file__).with_name("kafka-jars.lock")
CACHE = ROOT / ".cache"

_AT_ONCE = 8
_TRIES = 3
_ANSWER_SECONDS = 30.0


class Jar(NamedTuple):
    """One line of the lock: the four, with spaces between."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file(self) -> str:
        return f"{self.artifact}-{self.version}.jar"

    @property
    def path(self) -> str:
        """Within a Maven repository."""
        return f"{self.group.replace('.', '/')}/{self.artifact}/{self.version}/{self.file}"


def locked() -> list[Jar]:
    return [Jar(*line.split()) for line in LOCK.read_text().splitlines()]


def fetched(jars: Sequence[Jar], cache: Path = CACHE, repository: str = CENTRAL) -> Path:
    """The directory with all of `jars`; fetched where it is not there yet.

    Raises:
        EnginesMissing: the repository cannot be reached, or has something else under a jar's name.
    """
    pinned = hashlib.sha256("".join(f"{jar.path} {jar.sha256}\n" for jar in jars).encode())
    directory = cache / f"kafka-{pinned.hexdigest()[:16]}"
    if directory.is_dir():
        return directory
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache / f"{directory.name}.fetching"):
        if not directory.is_dir():  # another process may have been quicker
            draft = cache / f"{directory.name}.new"
            draft.mkdir(exist_ok=True)
            _fetch(jars, draft, repository)
            draft.rename(directory)
    return directory


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time; the kernel lets go of the lock however its holder ends."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch(jars: Sequence[Jar], draft: Path, repository: str) -> None:
    for path in {*draft.iterdir()} - {draft / jar.file for jar in jars}:
        path.unlink()
    progress = _Progress(len(jars))
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        try:
            for _ in threads.map(lambda jar: _fetch_one(jar, draft, repository, progress), jars):
                pass
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
        finally:
            progress.end()


def _fetch_one(jar: Jar, draft: Path, repository: str, progress: "_Progress") -> None:
    path = draft / jar.file
    if not (path.is_file() and _sha256(path) == jar.sha256):
        part = path.with_suffix(".part")
        _download(f"{repository}/{jar.path}", part)
        if (found := _sha256(part)) != jar.sha256:
            part.unlink()
            raise EnginesMissing(
                f"{repository}/{jar.path} has the SHA-256 {found}, and {LOCK.name} wants {jar.sha256}: find"
                " out who changed it"
            )
        part.replace(path)
    progress.one_more(path.stat().st_size)


def _download(url: str, path: Path) -> None:
    for left in reversed(range(_TRIES)):
        try:
            with urllib.request.urlopen(url, timeout=_ANSWER_SECONDS) as answer, path.open("wb") as file:  # noqa: S310  (https, but for tests)
                shutil.copyfileobj(answer, file)
                if answer.length:  # what is left of a body that was cut
                    raise http.client.IncompleteRead(b"", answer.length)
        except (OSError, http.client.HTTPException) as fault:
            if not left:
                raise EnginesMissing(f"{url} cannot be fetched ({fault})") from fault
        else:
            return


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Progress:
    """One line, written over on a terminal."""

    def __init__(self, count: int) -> None:
        self._count, self._done, self._size = count, 0, 0
        self._one_at_a_time = threading.Lock()
        self._on_terminal = sys.stderr.isatty()
        self._tell("\r" if self._on_terminal else "\n")

    def one_more(self, size: int) -> None:
        with self._one_at_a_time:
            self._done, self._size = self._done + 1, self._size + size
            if self._on_terminal:
                self._tell("\r")

    def end(self) -> None:
        self._tell("\n")

    def _tell(self, end: str) -> None:
        told = f"fetching Apache Kafka: {self._done} of {self._count} jars, {self._size / 1e6:.0f} MB"
        print(told, end=end, file=sys.stderr, flush=True)
