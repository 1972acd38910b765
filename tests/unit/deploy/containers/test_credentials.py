"""Keys and passwords of the system in containers: made once, readable for a container, for nobody else."""

import json
import stat
from pathlib import Path

import pytest

from deploy.containers.credentials import credentials, ensure_credentials, outside_database_urls
from deploy.local.data_directory import DataDirectory
from deploy.local.errors import DataDirectoryError


@pytest.fixture
def data(tmp_path: Path) -> DataDirectory:
    return DataDirectory(tmp_path)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def contents(data: DataDirectory) -> dict[str, str]:
    return {path.name: path.read_text() for path in credentials(data).iterdir()}


def test_a_container_gets_its_own_keys_token_and_address(data: DataDirectory) -> None:
    passwords = ensure_credentials(data)
    found = contents(data)
    for service in ("intake", "dedup", "referral"):
        assert found[f"{service}_keys"] == (data.keys / f"{service}.json").read_text()
        assert found[f"{service}_token"].count(".") == 2
        password = passwords[service]
        assert found[f"{service}_password"] == password
        assert (
            found[f"{service}_database_url"] == f"postgresql://{service}:{password}@postgres:5432/{service}"
        )
    assert found["postgres_password"] == passwords["postgres"]
    assert "d" not in json.loads(found["jwks"])["keys"][0]
    for service in ("intake", "dedup", "referral"):
        owner = f"{service}_owner"
        assert found[f"{owner}_database_url"] == (
            f"postgresql://{owner}:{passwords[owner]}@postgres:5432/{service}"
        )
    assert len(set(passwords.values())) == 7


def test_any_account_may_read_the_files_and_only_the_owner_gets_to_them(data: DataDirectory) -> None:
    ensure_credentials(data)
    assert mode(credentials(data)) == 0o700
    assert {mode(path) for path in credentials(data).iterdir()} == {0o644}
    assert mode(data.path / "passwords.json") == 0o600


def test_all_but_the_tokens_stay_as_they_are(data: DataDirectory) -> None:
    ensure_credentials(data)
    before = contents(data)
    ensure_credentials(data)
    after = contents(data)
    changed = {name for name, content in after.items() if content != before[name]}
    assert after.keys() == before.keys()
    assert changed <= {"intake_token", "dedup_token", "referral_token"}


def test_a_running_container_sees_a_new_token_in_the_file_that_it_holds(data: DataDirectory) -> None:
    ensure_credentials(data)
    token = credentials(data) / "dedup_token"
    token.write_text("of last year")
    with token.open() as held:
        ensure_credentials(data)
        assert held.read().count(".") == 2


def test_lost_passwords_are_an_error_and_never_replaced(data: DataDirectory) -> None:
    ensure_credentials(data)
    data.containers_file.touch()
    (data.path / "passwords.json").unlink()
    with pytest.raises(DataDirectoryError, match=r"passwords\.json is missing.*restore it from a backup"):
        ensure_credentials(data)
    assert not (data.path / "passwords.json").exists()


def test_damaged_passwords_are_one_sentence(data: DataDirectory) -> None:
    (data.path / "passwords.json").write_text("{}")
    with pytest.raises(DataDirectoryError, match=r"passwords\.json is damaged"):
        ensure_credentials(data)


def test_the_commands_reach_a_database_by_the_published_port(data: DataDirectory) -> None:
    passwords = ensure_credentials(data)
    assert outside_database_urls("dedup", passwords, 15432) == {
        "database_url": f"postgresql://dedup:{passwords['dedup']}@127.0.0.1:15432/dedup",
        "owner_database_url": (f"postgresql://dedup_owner:{passwords['dedup_owner']}@127.0.0.1:15432/dedup"),
    }


def test_passwords_of_before_the_owners_roles_get_theirs_and_stay(data: DataDirectory) -> None:
    before = ensure_credentials(data)
    earlier = {role: before[role] for role in ("postgres", "intake", "dedup", "referral")}
    (data.path / "passwords.json").write_text(json.dumps(earlier))
    after = ensure_credentials(data)
    assert earlier.items() <= after.items()
    assert after.keys() == before.keys()
    assert ensure_credentials(data) == after
