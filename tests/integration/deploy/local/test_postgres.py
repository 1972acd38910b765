"""The embedded PostgreSQL: it survives, it keeps roles apart, it logs nothing, its faults are sentences."""

import json
import os
import shutil
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local import placement
from deploy.local.errors import AccountError, ChildError, DataDirectoryError
from deploy.local.postgres import DATABASES, OWNERS, Postgres, binaries
from deploy.local.process import Account
from tests.conditions import wait_until
from tests.engines import reachable_directory

# The smallest that it takes, for these tests start many servers.
_SMALL = {"shared_buffers": "16MB"}


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    """A data directory as `prepare()` made it; copied, for initdb takes half a second."""
    with reachable_directory() as directory:
        Postgres(directory / "postgres").prepare()
        yield directory / "postgres"


@pytest.fixture
def own(template: Path) -> Iterator[Postgres]:
    """A server of the test's own, prepared and not started."""
    with reachable_directory() as directory:
        place = directory / "postgres"
        shutil.copytree(template, place)
        account = Account.for_postgres()
        for path in (place / "data", *(place / "data").rglob("*")):
            os.chown(path, account.uid, account.gid)
        server = Postgres(place, settings=_SMALL)
        yield server
        server.stop()


async def _write(server: Postgres, number: int, role: str = OWNERS["intake"]) -> None:
    connection = await asyncpg.connect(server.dsn("intake", role))
    await connection.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
    await connection.execute("INSERT INTO kept VALUES ($1)", number)
    await connection.close()


async def _read(server: Postgres) -> list[int]:
    connection = await asyncpg.connect(server.dsn("intake", OWNERS["intake"]))
    rows = await connection.fetch("SELECT number FROM kept ORDER BY number")
    await connection.close()
    return [row["number"] for row in rows]


async def test_what_was_committed_survives_stop_and_kill_on_the_same_port(own: Postgres) -> None:
    own.start()
    address = own.dsn("intake")
    await _write(own, 1)
    own.stop()
    own.start()
    await _write(own, 2)
    own.kill()
    own.prepare()
    own.start()
    assert await _read(own) == [1, 2]
    assert own.dsn("intake") == address


async def test_another_object_on_the_same_directory_finds_port_and_passwords_again(own: Postgres) -> None:
    own.start()
    await _write(own, 1)
    address = own.dsn("intake")
    own.stop()
    again = Postgres(own.directory, settings=_SMALL)
    again.prepare()
    again.start()
    assert again.dsn("intake") == address
    assert await _read(again) == [1]
    again.stop()


async def test_a_port_that_somebody_took_meanwhile_is_given_up(own: Postgres) -> None:
    own.start()
    before = own.port
    own.stop()
    with socket.create_server(("127.0.0.1", before)):
        again = Postgres(own.directory, settings=_SMALL)
        again.start()
        assert again.port != before
        again.stop()


async def test_a_port_that_is_taken_while_it_starts_is_given_up(own: Postgres) -> None:
    with socket.create_server(("127.0.0.1", own.port)) as other:
        own.start()
        assert own.port != other.getsockname()[1]


async def test_a_lock_file_whose_number_another_program_has_by_now_is_no_hindrance(own: Postgres) -> None:
    """After the restart of a container the number in postmaster.pid often belongs to somebody else."""
    (own.data / "postmaster.pid").write_text(f"{os.getpid()}\n{own.data}\n")
    own.prepare()
    own.start()
    await _write(own, 1)
    assert await _read(own) == [1]


@pytest.mark.parametrize("database", DATABASES)
async def test_a_database_has_an_owner_and_an_account_that_runs_which_no_other_lets_in(
    postgres: Postgres, database: str
) -> None:
    connection = await asyncpg.connect(postgres.dsn(database))
    owner = await connection.fetchval(
        "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
    )
    await connection.close()
    assert owner == OWNERS[database]
    for other in {*DATABASES, "postgres", "template1"} - {database}:
        for role in (database, OWNERS[database]):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await asyncpg.connect(postgres.dsn(other, role=role))


async def test_the_owner_takes_over_a_database_that_the_services_own_role_owned(own: Postgres) -> None:
    """As in the versions in which one role migrated and ran."""
    own.start()
    for service, owner in OWNERS.items():
        own.query(f"ALTER DATABASE {service} OWNER TO {service}; DROP ROLE {owner}")
    await _write(own, 1, role="intake")
    passwords = json.loads((own.directory / "passwords.json").read_text())
    earlier = {role: word for role, word in passwords.items() if role not in OWNERS.values()}
    (own.directory / "passwords.json").write_text(json.dumps(earlier))
    own.stop()

    own.start()
    connection = await asyncpg.connect(own.dsn("intake", OWNERS["intake"]))
    assert await connection.fetchval("SELECT number FROM kept") == 1
    assert await connection.fetchval("SELECT tableowner FROM pg_tables WHERE tablename = 'kept'") == (
        "intake_owner"
    )
    await connection.close()


async def test_a_wrong_password_is_refused(postgres: Postgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres.dsn("intake"), password="guess")


async def test_commits_are_durable_and_pages_have_checksums(postgres: Postgres) -> None:
    connection = await asyncpg.connect(postgres.dsn("intake"))
    shown = {
        name: await connection.fetchval(f"SHOW {name}")
        for name in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums", "server_encoding")
    }
    version = connection.get_server_version().major
    await connection.close()
    assert version == 18
    assert shown.pop("server_encoding") == "UTF8"
    assert set(shown.values()) == {"on"}


async def test_no_statement_parameter_or_row_reaches_the_log(own: Postgres) -> None:
    own.start()
    before = own.log.read_text()
    connection = await asyncpg.connect(own.dsn("intake", OWNERS["intake"]))
    await connection.execute("CREATE TABLE secret (word text UNIQUE CHECK (word <> 'forbidden-word'))")
    await connection.execute("INSERT INTO secret VALUES ($1)", "kept-word")
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute("INSERT INTO secret VALUES ($1)", "kept-word")
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute("INSERT INTO secret VALUES ($1)", "forbidden-word")
    with pytest.raises(asyncpg.PostgresSyntaxError):
        await connection.execute("INSERT broken-word")
    await connection.close()
    # Not even that something happened: a line carries the time of a contact.
    assert own.log.read_text() == before


def test_it_listens_on_loopback_alone_and_its_files_are_private(own: Postgres) -> None:
    own.start()
    settings = own.query("SELECT setting FROM pg_settings WHERE name = 'listen_addresses'").strip()
    assert settings == "127.0.0.1"
    assert stat.S_IMODE(own.data.stat().st_mode) == 0o700
    assert stat.S_IMODE((own.directory / "passwords.json").stat().st_mode) == 0o600


def test_it_is_gone_when_stopped(own: Postgres) -> None:
    own.start()
    pid = own.pid
    assert pid
    own.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not own.is_ready()


def test_workers_of_a_killed_server_end_by_themselves(own: Postgres) -> None:
    own.start()
    workers = own.query("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()").split()
    assert workers
    own.kill()
    wait_until(
        lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), what="the workers were gone"
    )


# -- faults --------------------------------------------------------------------------------------------


def test_a_directory_of_other_files_is_left_alone(own: Postgres) -> None:
    (own.data / "PG_VERSION").unlink()
    before = sorted(own.data.rglob("*"))
    with pytest.raises(DataDirectoryError, match="no PG_VERSION in it"):
        own.prepare()
    assert sorted(own.data.rglob("*")) == before


def test_another_major_version_is_named(own: Postgres) -> None:
    (own.data / "PG_VERSION").write_text("16\n")
    with pytest.raises(DataDirectoryError, match="written by PostgreSQL 16, and this is 18"):
        own.prepare()


@pytest.mark.parametrize("damage", [b"", b"x" * 8192], ids=["empty", "overwritten"])
def test_a_damaged_control_file_is_named(own: Postgres, damage: bytes) -> None:
    (own.data / "global" / "pg_control").write_bytes(damage)
    with pytest.raises(DataDirectoryError, match="pg_control is damaged"):
        own.prepare()


def test_lost_passwords_are_named(own: Postgres) -> None:
    (own.directory / "passwords.json").unlink()
    with pytest.raises(DataDirectoryError, match=r"passwords\.json is missing"):
        own.prepare()


def test_a_server_that_cannot_start_is_explained_by_its_own_words(own: Postgres) -> None:
    shutil.rmtree(own.data / "pg_wal")
    with pytest.raises(ChildError, match=r"did not start \(its log: .*pg_wal"):
        own.start()


def test_no_space_is_said_to_be_no_space(own: Postgres) -> None:
    told = 'initdb: error: could not write to file "pg_wal/xlogtemp.1": No space left on device'
    assert "no space left on the disk of" in str(own.explained(told, "it could not be made"))


def test_an_interrupted_making_is_made_again() -> None:
    with reachable_directory() as directory:
        place = directory / "postgres"
        (place / "data.new" / "base").mkdir(parents=True)
        server = Postgres(place, settings=_SMALL)
        server.prepare()
        assert (server.data / "PG_VERSION").read_text().strip() == "18"
        assert not (place / "data.new").exists()


only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL under another account")


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory that only root may pass through; what is placed elsewhere is gone afterwards."""
    with reachable_directory() as directory, reachable_directory() as home:
        monkeypatch.setattr("deploy.local.placement.HOME", home / "hotline")
        closed = directory / "closed"
        closed.mkdir(mode=0o700)
        yield closed
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@only_root
async def test_data_that_the_account_could_not_reach_lies_elsewhere_and_is_found_again(closed: Path) -> None:
    """Root's home and temporary directories are closed to others, and the first thing a newcomer tries."""
    for number in (1, 2):
        server = Postgres(closed / "postgres", settings=_SMALL)
        server.prepare()
        server.start()
        try:
            await _write(server, number)
            assert await _read(server) == list(range(1, number + 1))
        finally:
            server.stop()
        assert server.is_elsewhere
        assert (closed / "postgres" / "data").resolve() == server.data


@only_root
def test_a_link_to_data_that_was_deleted_gets_new_data(closed: Path) -> None:
    server = Postgres(closed / "postgres", settings=_SMALL)
    server.prepare()
    shutil.rmtree(server.data.parent)
    server.prepare()
    assert (server.data / "PG_VERSION").exists()


@only_root
def test_data_within_reach_stays_in_its_directory(own: Postgres) -> None:
    own.prepare()
    assert not own.is_elsewhere
    assert own.data == own.directory / "data"


@only_root
def test_data_that_went_out_of_reach_is_named(own: Postgres, closed: Path) -> None:
    place = closed / "postgres"
    shutil.copytree(own.directory, place)
    with pytest.raises(AccountError, match=f"may not pass through {closed} to the data"):
        Postgres(place).prepare()


@only_root
@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_programs_out_of_the_accounts_reach_are_copied_once(
    monkeypatch: pytest.MonkeyPatch, closed: Path, mask: int
) -> None:
    """The environment of a clone in root's home, installed under whatever umask."""
    package = binaries().parents[1]
    old = os.umask(mask)
    try:
        for part in (package.name, f"{package.name}.libs"):
            shutil.copytree(
                package.with_name(part), closed / part, symlinks=True, copy_function=shutil.copyfile
            )
        for program in (closed / package.name / "pginstall18" / "bin").iterdir():
            program.chmod(0o777 & ~mask)
        out_of_reach = closed / package.name / "pginstall18" / "bin"
        monkeypatch.setattr("deploy.local.postgres.binaries", lambda: out_of_reach)
        with reachable_directory() as directory:
            for _ in range(2):
                server = Postgres(directory / "postgres", settings=_SMALL)
                server.prepare()
                server.start()
                server.stop()
    finally:
        os.umask(old)
    programs = list((placement.HOME / "programs").iterdir())
    assert len(programs) == 1


@only_root
def test_no_place_for_the_data_is_a_sentence(monkeypatch: pytest.MonkeyPatch, closed: Path) -> None:
    monkeypatch.setattr("deploy.local.placement.HOME", Path("/proc/hotline"))
    with pytest.raises(AccountError, match=r"may not pass through to .*HOTLINE_DATA"):
        Postgres(closed / "postgres").prepare()
