"""`make up` and `make down`: the system in containers, from nothing to the panel, and stopped again.

After `up` everything is ready, and `run.json` of the data directory tells the `./hotline` commands addresses
and issuer, as that of `make run` does. Up again, while it runs too, changes only what is not as this clone
has it. The data lies in volumes of the engine; `down` keeps them.

How it fails: a `LaunchError`; what came up by then is left running, for a look at it.
"""

import os
import shlex
import shutil
import subprocess

from rich.console import Console

from deploy.containers.credentials import ensure_credentials, outside_database_urls
from deploy.containers.engine import Compose
from deploy.containers.project import Project, read_env_file
from deploy.local.data_directory import ROOT, DataDirectory
from deploy.local.errors import LaunchError
from deploy.local.issuer import ISSUER, Issuer
from deploy.local.panel import show
from deploy.local.services import DEFAULT_PORTS


class NeverUpError(LaunchError):
    """There is nothing to stop."""


def up(data: DataDirectory, console: Console) -> None:
    compose = Compose.found(data.containers_file)
    with data.hold(in_containers=True):
        own = compose.published_ports() if data.containers_file.exists() else frozenset()
        project = Project.of(data, os.environ, own)
        passwords = ensure_credentials(data)
        project.write(data)
        compose.build(_revision())
        compose.up()
        issuer = Issuer(data.keys)
        data.write_run_file(
            {
                "project": project.name,
                "services": {
                    service: {
                        "url": project.url(service),
                        **outside_database_urls(service, passwords, project.ports["postgres"]),
                    }
                    for service in DEFAULT_PORTS
                },
                "broker": project.broker,
                "issuer": {"iss": ISSUER, "key_file": str(issuer.key_file)},
            }
        )
    show(console, _places(data, project), "`make down` stops everything and keeps the data.")


def down(data: DataDirectory, console: Console) -> None:
    if not data.containers_file.exists():
        raise NeverUpError(
            f"nothing was ever started on {data.path}: `make up` does it, and HOTLINE_DATA names another"
            " directory."
        )
    compose = Compose.found(data.containers_file)
    with data.hold(in_containers=True):
        compose.down()
        data.run_file.unlink(missing_ok=True)
    name = read_env_file(data)["COMPOSE_PROJECT_NAME"]
    volumes = " ".join(Project(name, {}).volumes)
    console.print(
        "Stopped. All data is kept: `make up` finds it again.\n"
        f"To delete it for good: docker volume rm {volumes} && rm -r {shlex.quote(str(data.path))}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def _places(data: DataDirectory, project: Project) -> list[tuple[str, str]]:
    logs = f"docker compose --env-file {shlex.quote(str(data.containers_file))} logs"
    return [
        *((service, f"{project.url(service)}  (/docs)") for service in DEFAULT_PORTS),
        ("PostgreSQL 18", f"127.0.0.1:{project.ports['postgres']}  (databases intake, dedup, referral)"),
        ("Kafka", project.broker),
        ("data", f"volumes {' and '.join(project.volumes)}; keys in {data.path}"),
        ("logs", logs),
    ]


def _revision() -> str:
    """The commit of the clone, for the image's label."""
    if (git := shutil.which("git")) is None:
        return "unknown"
    told = subprocess.run(  # noqa: S603  (no shell, and argv is ours)
        [git, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip() or "unknown"
