"""Keys, tokens and passwords of the system in containers, as files that compose mounts into them.

```
.hotline-compose/
├── keys/             as for `make run`; keys are made once
├── passwords.json    0600; made once: PostgreSQL knows the superuser's since its data was made
└── secrets/          0700; what the containers get: written anew at each `make up` from the two above
```

A container sees single files of `secrets`, by compose's bind mounts, which keep owner and mode. Its account
has another number than whoever runs `make up`; so the files may be read by everybody, and their directory,
through which a container does not pass, by its owner alone. They are written in place: a container that runs
holds the file itself, and would not see another one of the same name.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from deploy.local.data_directory import DataDirectory, write_secret
from deploy.local.errors import DataDirectoryError
from deploy.local.issuer import JWKS_FILE
from deploy.local.keys import ensure_keys, keys_file
from deploy.local.ports import HOST
from deploy.local.postgres import DATABASES, OWNERS, SUPERUSER, new_passwords, read_passwords
from deploy.local.services import write_token

# Where PostgreSQL is for the services, in the network of the project.
_INSIDE = "postgres:5432"


def credentials(data: DataDirectory) -> Path:
    return data.path / "secrets"


def ensure_credentials(data: DataDirectory) -> dict[str, str]:
    """Makes what is missing, writes the files for the containers, and answers the password of each role.

    Raises:
        DataDirectoryError: keys or passwords are missing that were there.
    """
    ensure_keys(data.keys)
    passwords = _ensure_passwords(data)
    directory = credentials(data)
    directory.mkdir(mode=0o700, exist_ok=True)
    directory.chmod(0o700)
    for service in DATABASES:
        write_token(data, service)
    for name, content in _contents(data, passwords).items():
        _write_for_containers(directory / name, content)
    return passwords


def database_url(role: str, passwords: Mapping[str, str], address: str, database: str) -> str:
    return f"postgresql://{role}:{passwords[role]}@{address}/{database}"


def outside_database_urls(service: str, passwords: Mapping[str, str], port: int) -> dict[str, str]:
    """The addresses for the commands on this machine, as run.json has them."""
    return {
        name: database_url(role, passwords, f"{HOST}:{port}", service)
        for name, role in (("database_url", service), ("owner_database_url", OWNERS[service]))
    }


def _contents(data: DataDirectory, passwords: Mapping[str, str]) -> dict[str, str]:
    contents = {
        "jwks": (data.keys / JWKS_FILE).read_text(),
        f"{SUPERUSER}_password": passwords[SUPERUSER],
    }
    for service in DATABASES:
        contents[f"{service}_keys"] = keys_file(data.keys, service).read_text()
        contents[f"{service}_token"] = (data.keys / f"{service}.token").read_text()
        contents[f"{service}_password"] = passwords[service]
        contents[f"{service}_database_url"] = database_url(service, passwords, _INSIDE, service)
        owner = OWNERS[service]
        contents[f"{owner}_password"] = passwords[owner]
        contents[f"{owner}_database_url"] = database_url(owner, passwords, _INSIDE, service)
    return contents


def _ensure_passwords(data: DataDirectory) -> dict[str, str]:
    path = data.path / "passwords.json"
    if not path.exists():
        if data.containers_file.exists():
            raise DataDirectoryError(
                f"{path} is missing, and with it the way into PostgreSQL's data: restore it from a backup, or"
                " name another directory with HOTLINE_DATA to begin anew."
            )
        write_secret(path, json.dumps(new_passwords()) + "\n")
    return read_passwords(path)


def _write_for_containers(path: Path, content: str) -> None:
    if path.exists() and path.read_text() == content:
        return
    with path.open("w") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
