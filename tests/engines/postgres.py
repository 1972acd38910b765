"""PostgreSQL for tests: one of the wheel in a temporary place, or a server that is there already.

`Databases` hands out new, empty databases on either, each owned by one of the three roles.
"""

import asyncio
import contextlib
import itertools
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlsplit

import asyncpg

from deploy.local.placement import new_place
from deploy.local.postgres import Postgres
from deploy.local.process import Account, unreachable

# A test's data is small; fsync and synchronous_commit stay on, as in production.
_SMALL = {"shared_buffers": "64MB"}

_ANSWER_SECONDS = 10.0


class Server(Protocol):
    """What `Databases` needs of a server."""

    def create_database(self, database: str, *, owner: str) -> None: ...

    def drop_database(self, database: str) -> None: ...

    def dsn(self, database: str, role: str | None = None) -> str: ...

    def query(self, sql: str) -> object: ...


class Databases:
    """New, empty databases on one running server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        # A server may be shared with other workers and other runs.
        self._run = secrets.token_hex(4)
        self._numbers = itertools.count(1)

    @contextlib.contextmanager
    def new(self, owner: str = "intake") -> Iterator[str]:
        """The address of a new database for its owner, one of the three roles; dropped afterwards."""
        name = f"test_{self._run}_{next(self._numbers)}"
        self._server.create_database(name, owner=owner)
        try:
            yield self._server.dsn(name, role=owner)
        finally:
            self._server.drop_database(name)

    @contextlib.contextmanager
    def copy(self, url: str) -> Iterator[str]:
        """The address of a copy of one of them, to which nobody is connected; dropped afterwards."""
        place, _, name = url.rpartition("/")
        copied = f"{name}_{next(self._numbers)}"
        owner = urlsplit(url).username
        self._server.query(f'CREATE DATABASE "{copied}" TEMPLATE "{name}" OWNER "{owner}"')
        try:
            yield f"{place}/{copied}"
        finally:
            self._server.drop_database(copied)

    def set_back(self, url: str, copied: str) -> None:
        """The copy takes the database's place, and name; whoever was connected is cut off."""
        name, copy = (address.rpartition("/")[2] for address in (url, copied))
        self._server.drop_database(name)
        self._server.query(f'ALTER DATABASE "{copy}" RENAME TO "{name}"')


class ServerAt:
    """A server that somebody else runs, spoken to as its superuser.

    Roles belong to the whole server: it makes its own, with names that nobody else has, and drops them in
    `close()`.

    Args:
        url: postgresql://superuser:password@host:port, without a database.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._prefix = f"test_{secrets.token_hex(4)}"
        self._passwords: dict[str, str] = {}

    def create_database(self, database: str, *, owner: str) -> None:
        role = self._role(owner)
        self.query(f'CREATE DATABASE "{database}" OWNER "{role}"')
        self.query(f'REVOKE CONNECT, TEMPORARY ON DATABASE "{database}" FROM PUBLIC')

    def drop_database(self, database: str) -> None:
        self.query(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def dsn(self, database: str, role: str | None = None) -> str:
        """The address of `database` for the role that stands for `role`; else for the superuser."""
        parts = urlsplit(self._url)
        if role is None:
            return parts._replace(path=f"/{database}").geturl()
        place = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{self._role(role)}:{quote(self._passwords[role])}@{place}/{database}"

    def close(self) -> None:
        for role in self._passwords:
            self.query(f'DROP ROLE "{self._prefix}_{role}"')
        self._passwords.clear()

    def _role(self, role: str) -> str:
        name = f"{self._prefix}_{role}"
        if role not in self._passwords:
            password = secrets.token_urlsafe(24)
            self.query(f"CREATE ROLE \"{name}\" LOGIN PASSWORD '{password}'")
            self._passwords[role] = password
        return name

    def query(self, sql: str) -> object:
        return superusers_answer(self._url, sql)


def superusers_answer(url: str, sql: str) -> object:
    """The first value that one statement answers, or None.

    In a thread of its own: it is asked from fixtures whose event loop is running.
    """

    async def asked() -> object:
        connection = await asyncpg.connect(url, timeout=_ANSWER_SECONDS)
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, asked()).result()


@contextlib.contextmanager
def reachable_directory() -> Iterator[Path]:
    """A temporary directory which PostgreSQL's account can pass through (pytest's `tmp_path` it cannot), also
    where it may not pass through the machine's own one."""
    path = Path(tempfile.mkdtemp(prefix="hotline-test-"))
    if unreachable(Account.for_postgres(), [path.parent]):
        path.rmdir()
        path = new_place("test")
    try:
        path.chmod(0o711)
        yield path
    finally:
        shutil.rmtree(path)


@contextlib.contextmanager
def running_postgres() -> Iterator[Postgres]:
    """The wheel's PostgreSQL, in a temporary place."""
    with reachable_directory() as directory:
        postgres = Postgres(directory / "postgres", settings=_SMALL)
        postgres.prepare()
        postgres.start()
        try:
            yield postgres
        finally:
            postgres.stop()
