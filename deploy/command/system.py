"""The running system as run.json tells it, for the commands that talk to it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.data_directory import DataDirectory
from deploy.local.errors import LaunchError
from deploy.local.issuer import Issuer

SERVICES = ("intake", "dedup", "referral")


class UnknownServiceError(LaunchError):
    """Somebody named a service that there is not."""


class NotRunningError(LaunchError):
    """There is no system to talk to."""


@dataclass(frozen=True, slots=True)
class System:
    """Addresses, databases and the issuer of a system that `make run` or `make up` started."""

    run: dict[str, Any]

    @classmethod
    def running(cls) -> "System":
        """
        Raises:
            NotRunningError: nothing runs on the data directory.
        """
        data = DataDirectory.for_commands()
        if (run := data.read_run_file()) is None:
            raise NotRunningError(
                f"nothing runs on {data.path}: start it with `make run` in another terminal, or with"
                " `make up`, or name its directory with HOTLINE_DATA."
            )
        return cls(run)

    def url(self, service: str) -> str:
        return str(self.run["services"][service]["url"])

    def database_url(self, service: str) -> str:
        return str(self.run["services"][service]["database_url"])

    def owner_database_url(self, service: str) -> str:
        """For the account that owns the tables."""
        return str(self.run["services"][service]["owner_database_url"])

    @property
    def broker(self) -> str:
        return str(self.run["broker"])

    @property
    def keys(self) -> Path:
        """The directory of the services' keys and of the issuer's."""
        return Path(self.run["issuer"]["key_file"]).parent

    def token(self, role: str, subject: str | None = None) -> str:
        return Issuer(self.keys).mint(role, subject=subject)


def require_service(service: str) -> None:
    """
    Raises:
        UnknownServiceError: `service` is none.
    """
    if service not in SERVICES:
        raise UnknownServiceError(f"{service} is no service: {', '.join(SERVICES)} are.")
