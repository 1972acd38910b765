"""A PostgreSQL of the benchmarks' own, set as `make run` sets it, in a temporary directory."""

import asyncio
import contextlib
import itertools
import re
import subprocess
from collections.abc import Iterable, Iterator

import asyncpg

from deploy.local.postgres import Postgres, binaries
from deploy.local.process import PLAIN_ENVIRONMENT
from tests.engines import reachable_directory


class Server:
    """A running server that hands out new databases."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._numbers = itertools.count(1)

    @property
    def pid(self) -> int:
        """The postmaster's process."""
        pid = self._postgres.pid
        assert pid is not None
        return pid

    @contextlib.contextmanager
    def database(self, statements: Iterable[str] = ()) -> Iterator[str]:
        """The address of a new database in which `statements` ran; each starts out from a checkpoint."""
        name = f"bench_{next(self._numbers)}"
        self._postgres.create_database(name, owner="intake")
        try:
            url = self._postgres.dsn(name, role="intake")
            asyncio.run(_execute(url, statements))
            self._postgres.query("CHECKPOINT")
            yield url
        finally:
            self._postgres.drop_database(name)


@contextlib.contextmanager
def running_server() -> Iterator[Server]:
    with reachable_directory() as directory:
        postgres = Postgres(directory / "postgres")
        postgres.prepare()
        postgres.start()
        try:
            yield Server(postgres)
        finally:
            postgres.stop()


def pgbench(script: str, url: str, *, clients: int, threads: int, seconds: float) -> float:
    """Transactions a second of `script` as a prepared statement, without the time to connect."""
    # The password goes apart: everybody may read the list of processes.
    user, _, place = url.removeprefix("postgresql://").partition("@")
    name, _, password = user.partition(":")
    ran = subprocess.run(
        [
            str(binaries() / "pgbench"),
            *("--no-vacuum", "--protocol=prepared", "--file=/dev/stdin"),
            *(f"--client={clients}", f"--jobs={threads}", f"--time={max(1, round(seconds))}"),
            f"postgresql://{name}@{place}",
        ],
        input=script,
        env={**PLAIN_ENVIRONMENT, "PGPASSWORD": password},
        capture_output=True,
        text=True,
        check=True,
    )
    told = re.search(r"^tps = ([0-9.]+)", ran.stdout, re.MULTILINE)
    if told is None:
        raise RuntimeError(f"pgbench told no speed: {ran.stdout}")
    return float(told[1])


async def _execute(url: str, statements: Iterable[str]) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
