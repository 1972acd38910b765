"""The compose file as it stands: PostgreSQL's settings, and what each container may do."""

import re
from typing import Any

import pytest
import yaml

from deploy.containers.credentials import ensure_credentials
from deploy.containers.project import COMPOSE_FILE, VOLUMES
from deploy.local.data_directory import DataDirectory
from deploy.local.postgres import SETTINGS

COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text())
CONTAINERS = sorted(COMPOSE["services"])


def test_postgresql_is_as_safe_and_as_silent_as_under_make_run() -> None:
    command = COMPOSE["services"]["postgres"]["command"]
    given = dict(part.removeprefix("--").split("=", 1) for part in command[1:])
    # It listens for other containers, and on the socket of its image.
    assert given.pop("listen_addresses") == "*"
    expected = dict(SETTINGS)
    del expected["listen_addresses"], expected["unix_socket_directories"]
    assert given == expected
    assert "--data-checksums" in COMPOSE["services"]["postgres"]["environment"]["POSTGRES_INITDB_ARGS"]


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_has_no_capability_gains_none_and_is_bounded(name: str) -> None:
    container = COMPOSE["services"][name]
    assert container["cap_drop"] == ["ALL"]
    assert "cap_add" not in container
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert container["read_only"] is (name != "kafka")
    assert container["mem_limit"]
    assert container["pids_limit"]
    assert container["restart"] in {"no", "unless-stopped"}
    assert container["logging"]["options"] == {"max-size": "10m", "max-file": "3"}


@pytest.mark.parametrize("name", CONTAINERS)
def test_what_is_published_is_on_the_loopback_address_and_no_metrics(name: str) -> None:
    for port in COMPOSE["services"][name].get("ports", ()):
        assert re.fullmatch(r"127\.0\.0\.1:\$\{HOTLINE_[A-Z]+_PORT:\?run make up\}:(8000|5432|9094)", port)


def test_the_file_holds_no_secret_and_each_secret_has_its_file(tmp_path: Any) -> None:
    data = DataDirectory(tmp_path)
    ensure_credentials(data)
    made = {path.name for path in (tmp_path / "secrets").iterdir()}
    named = {name: secret["file"] for name, secret in COMPOSE["secrets"].items()}
    assert named.keys() == made
    assert all(re.fullmatch(rf"\$\{{HOTLINE_SECRETS[^}}]*\}}/{name}", file) for name, file in named.items())


@pytest.mark.parametrize("service", ["intake", "dedup", "referral"])
def test_a_service_gets_its_own_secrets_alone(service: str) -> None:
    for name in (service, f"{service}-migrate"):
        given = [
            secret if isinstance(secret, str) else secret["source"]
            for secret in COMPOSE["services"][name]["secrets"]
        ]
        assert all(secret == "jwks" or secret.startswith(f"{service}_") for secret in given)
        # The account that may change events is the migration's alone.
        assert any("_owner_" in secret for secret in given) is (name != service)


def test_the_volumes_that_down_names_are_all_that_there_are() -> None:
    assert sorted(COMPOSE["volumes"]) == sorted(VOLUMES)
