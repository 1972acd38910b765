"""A second PostgreSQL that follows a first one by streaming replication, to fail over to."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.ports import HOST
from deploy.local.postgres import SUPERUSER, Postgres
from deploy.local.process import run_as
from tests.engines.postgres import reachable_directory

NAME = "standby"
"""As `synchronous_standby_names` knows it."""
DATABASE = "tried"


class Standby(Postgres):
    """Made from `primary`, which runs. Started and stopped as any server; `promote()` lets it take writes."""

    def __init__(self, directory: Path, primary: Postgres) -> None:
        super().__init__(directory, settings={"shared_buffers": "64MB", "cluster_name": NAME})
        self._primary = primary

    def prepare(self) -> None:
        self.directory.mkdir(mode=0o711)
        self.directory.chmod(0o711)
        if not self.account.is_own:
            os.chown(self.directory, self.account.uid, self.account.gid)
        passwords = self._primary.directory / "passwords.json"
        shutil.copy(passwords, self.directory / "passwords.json")
        address = (
            f"host={HOST} port={self._primary.port} user={SUPERUSER}"
            f" password={self._primary._passwords()[SUPERUSER]} application_name={NAME}"
        )
        copied = run_as(
            self.account,
            [
                *(str(self._bin / "pg_basebackup"), "--dbname", address, "--pgdata", str(self.data)),
                *("--write-recovery-conf", "--checkpoint", "fast", "--wal-method", "stream"),
            ],
        )
        assert copied.returncode == 0, copied.stderr

    def create_databases(self) -> None:
        """They come from the primary."""

    def promote(self) -> None:
        """It is a primary when this returns."""
        self.query("SELECT pg_promote(true, 60)")

    @contextmanager
    def paused(self) -> Iterator[None]:
        """None of its processes runs: the primary is connected to it and gets no answer."""
        assert self.pid is not None
        processes = [self.pid, *_children(self.pid)]
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def primary_and_standby(*, synchronous: bool) -> Iterator[tuple[Postgres, Standby]]:
    """Two servers with an empty `DATABASE`; with `synchronous` a commit of the first waits for the second."""
    with reachable_directory() as directory:
        primary = Postgres(directory / "primary", settings={"shared_buffers": "64MB"})
        primary.prepare()
        primary.start()
        primary.create_database(DATABASE, owner="intake")
        standby = Standby(directory / "standby", primary)
        try:
            standby.prepare()
            standby.start()
            if synchronous:
                primary.query(f"ALTER SYSTEM SET synchronous_standby_names = '{NAME}'")
                primary.query("SELECT pg_reload_conf()")
                _until_synchronous(primary)
            yield primary, standby
        finally:
            standby.stop()
            primary.stop(timeout=5)


def _until_synchronous(primary: Postgres) -> None:
    deadline = time.monotonic() + 20
    while "sync" not in primary.query("SELECT sync_state FROM pg_stat_replication").split():
        assert time.monotonic() < deadline, "the standby did not become synchronous"
        time.sleep(0.05)


def address(*servers: Postgres) -> str:
    """The database's address, which names the servers in this order."""
    hosts = ",".join(f"{HOST}:{server.port}" for server in servers)
    one = servers[0]
    return one.dsn(DATABASE, role="intake").replace(f"{HOST}:{one.port}", hosts)
