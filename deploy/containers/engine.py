"""The container engine, by the docker command and its compose plugin.

`Compose.found(env_file)` has made sure that they are there and that the engine answers. What compose tells
while it works goes through to the terminal.

How it fails: an `EngineError`, one sentence that says what to do.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.errors import LaunchError

_ASK_SECONDS = 30
_WAIT_SECONDS = 180
_LAST_LINES = 15


class EngineError(LaunchError):
    """There is no container engine, or it did not do what was asked."""


@dataclass(frozen=True)
class Compose:
    """One project of docker compose, as its env file describes it.

    Attributes:
        env_file: names project, compose file and the values that the file asks for.
    """

    env_file: Path

    @classmethod
    def found(cls, env_file: Path) -> "Compose":
        """
        Raises:
            EngineError: no docker command, no compose plugin, or no answer of the engine.
        """
        if shutil.which("docker") is None:
            raise EngineError(
                "the docker command is not here: install Docker with its compose plugin"
                " (https://docs.docker.com/engine/install), or use `make run`, which needs neither."
            )
        if _asked(["docker", "compose", "version"]).returncode != 0:
            raise EngineError(
                "docker has no compose plugin (version 2): install it"
                " (https://docs.docker.com/compose/install), or use `make run`, which needs none."
            )
        answer = _asked(["docker", "version", "--format", "{{.Server.Version}}"])
        if answer.returncode != 0:
            raise EngineError(
                f"the container engine does not answer ({_last_line(answer.stderr)}): start Docker, or see"
                " whether this account may use it and what DOCKER_HOST says."
            )
        return cls(env_file)

    def build(self, revision: str) -> None:
        """The image of this clone."""
        # One service has the build, all have the image.
        built = self._shown("build", "topics", environment={"HOTLINE_REVISION": revision})
        if built != 0:
            raise EngineError("the image could not be built: docker's words above say why.")

    def up(self) -> None:
        """Everything that is not as the file says is started, and is ready or done when this returns."""
        wait = ("--wait", "--wait-timeout", str(_WAIT_SECONDS))
        if self._shown("up", "--detach", "--no-build", "--remove-orphans", *wait) != 0:
            raise EngineError(self._what_failed())

    def down(self) -> None:
        """Every container is stopped and removed; the volumes stay."""
        if self._shown("down", "--remove-orphans") != 0:
            raise EngineError("not everything could be stopped: docker's words above say why.")

    def published_ports(self) -> frozenset[int]:
        """The ports of this machine that running containers of this project have."""
        return frozenset(
            publisher["PublishedPort"]
            for container in self._containers()
            if container["State"] == "running"
            for publisher in container["Publishers"] or ()
            if publisher["PublishedPort"]
        )

    def _what_failed(self) -> str:
        failed = [
            container["Service"]
            for container in self._containers("--all")
            if container.get("Health") in {"starting", "unhealthy"}
            or container["State"] not in {"running", "exited", "created"}
            or (container["State"] == "exited" and container["ExitCode"] != 0)
        ]
        more = f"docker compose --env-file {self.env_file}"
        if not failed:
            return f"not everything came up: docker's words above say why, and `{more} ps --all` what runs."
        told = _asked([*self._command, "logs", "--no-log-prefix", "--tail", str(_LAST_LINES), failed[0]])
        lines = "\n  ".join(told.stdout.rstrip().splitlines()) or "(nothing)"
        return (
            f"{' and '.join(failed)} did not come up; `{more} logs` tells more, `make down` stops the rest."
            f" The end of the log of {failed[0]}:\n  {lines}"
        )

    def _containers(self, *options: str) -> list[dict[str, Any]]:
        answer = _asked([*self._command, "ps", "--format", "json", *options])
        if answer.returncode != 0:
            raise EngineError(f"docker does not say what runs: {_last_line(answer.stderr)}.")
        return containers_of(answer.stdout)

    @property
    def _command(self) -> list[str]:
        return ["docker", "compose", "--env-file", str(self.env_file)]

    def _shown(self, *arguments: str, environment: Mapping[str, str] | None = None) -> int:
        return subprocess.run(  # noqa: S603  (no shell, and argv is ours)
            [*self._command, *arguments], env={**_environment(), **(environment or {})}, check=False
        ).returncode


def containers_of(told: str) -> list[dict[str, Any]]:
    """What `docker compose ps --format json` printed: an object a line; one list before version 2.21."""
    if told.lstrip().startswith("["):
        listed: list[dict[str, Any]] = json.loads(told)
        return listed
    return [json.loads(line) for line in told.splitlines() if line.strip()]


def _environment() -> dict[str, str]:
    """The caller's, without what would overrule the env file."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("COMPOSE_", "HOTLINE_"))
    }


def _asked(argv: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603  (no shell, and argv is ours)
            argv, env=_environment(), capture_output=True, text=True, timeout=_ASK_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(argv, 1, "", f"no answer within {_ASK_SECONDS} s")


def _last_line(told: str) -> str:
    lines = told.strip().splitlines()
    return lines[-1].rstrip(".") if lines else "without a word"
