"""Jars are there whole or not at all, whoever fetches them, and whatever the repository does."""

import hashlib
import multiprocessing
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.engines.jars import CENTRAL, Jar, fetched, locked
from tests.engines.missing import EnginesMissing


class Repository(ThreadingHTTPServer):
    """A Maven repository on a port of its own.

    Attributes:
        content: path -> bytes.
        asked: the paths that were asked for.
        cuts: a path whose body ends early, once.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.content: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.cuts = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def add(self, artifact: str, content: bytes) -> Jar:
        jar = Jar("org.example", artifact, "1.0", hashlib.sha256(content).hexdigest())
        self.content[f"/{jar.path}"] = content
        return jar


class _Answer(BaseHTTPRequestHandler):
    server: Repository

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        content = self.server.content.get(self.path)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.server.cuts == self.path:
            self.server.cuts, content = "", content[:-1]
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its name in the library)
        pass


@pytest.fixture
def repository() -> Iterator[Repository]:
    with Repository() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_all_of_them_are_fetched_once(repository: Repository, tmp_path: Path) -> None:
    jars = [repository.add(f"jar-{n}", bytes([n]) * 1000) for n in range(20)]
    directory = fetched(jars, tmp_path, repository.url)
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == {
        jar.file: repository.content[f"/{jar.path}"] for jar in jars
    }
    assert fetched(jars, tmp_path, repository.url) == directory
    assert sorted(repository.asked) == sorted(repository.content)


def test_one_with_another_checksum_leaves_nothing_to_be_used(repository: Repository, tmp_path: Path) -> None:
    jars = [repository.add("good", b"good"), repository.add("bad", b"bad")]
    repository.content[f"/{jars[1].path}"] = b"worse"
    with pytest.raises(EnginesMissing, match=r"bad-1\.0\.jar has the SHA-256"):
        fetched(jars, tmp_path, repository.url)
    assert not _finished(tmp_path)

    repository.content[f"/{jars[1].path}"] = b"bad"
    assert len(list(fetched(jars, tmp_path, repository.url).iterdir())) == 2


def test_what_an_interrupted_fetch_had_is_not_fetched_again(repository: Repository, tmp_path: Path) -> None:
    jars = [repository.add("there", b"there"), repository.add("missing", b"missing")]
    late = repository.content.pop(f"/{jars[1].path}")
    with pytest.raises(EnginesMissing, match=r"missing-1\.0\.jar cannot be fetched"):
        fetched(jars, tmp_path, repository.url)
    repository.content[f"/{jars[1].path}"] = late
    fetched(jars, tmp_path, repository.url)
    assert repository.asked.count(f"/{jars[0].path}") == 1


def test_a_body_that_is_cut_is_asked_for_again(repository: Repository, tmp_path: Path) -> None:
    jar = repository.add("long", b"long" * 1000)
    repository.cuts = f"/{jar.path}"
    fetched([jar], tmp_path, repository.url)
    assert repository.asked == [f"/{jar.path}"] * 2


def test_other_versions_lie_in_another_directory(repository: Repository, tmp_path: Path) -> None:
    first = fetched([repository.add("jar", b"first")], tmp_path, repository.url)
    second = fetched([repository.add("jar", b"second")], tmp_path, repository.url)
    assert first != second
    assert len(_finished(tmp_path)) == 2


def test_two_processes_fetch_once(repository: Repository, tmp_path: Path) -> None:
    jars = [repository.add(f"jar-{n}", bytes([n]) * 1000) for n in range(10)]
    starting = multiprocessing.get_context("spawn")
    processes = [starting.Process(target=fetched, args=(jars, tmp_path, repository.url)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert sorted(repository.asked) == sorted(repository.content)
    assert len(_finished(tmp_path)) == 1


def test_the_lock_names_each_jar_once_at_maven_central() -> None:
    jars = locked()
    assert {"kafka_2.13-4.3.0.jar", "kafka-tools-4.3.0.jar", "log4j-slf4j-impl-2.24.3.jar"} <= {
        jar.file for jar in jars
    }
    assert len({jar.file for jar in jars}) == len(jars) == len({jar.path for jar in jars})
    assert all(len(jar.sha256) == 64 for jar in jars)
    assert CENTRAL == "https://repo1.maven.org/maven2"


def _finished(cache: Path) -> list[Path]:
    return [path for path in cache.iterdir() if path.is_dir() and path.suffix != ".new"]
