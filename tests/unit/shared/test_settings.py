"""A process with a wrong environment says which variable, what is wrong, what it should be, not its value."""

from pathlib import Path

import pytest

from services.dedup.settings import Settings
from shared.errors import SettingsError
from shared.settings import DatabaseSettings, read


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("keys", "token", "jwks"):
        (tmp_path / name).write_text("{}")
    good = {
        "DATABASE_URL": "postgresql://dedup:hunter2@127.0.0.1:5432/dedup",
        "KEYS_FILE": str(tmp_path / "keys"),
        "SERVICE_TOKEN_FILE": str(tmp_path / "token"),
        "JWKS": str(tmp_path / "jwks"),
        "ISSUER": "https://issuer.test",
        "KAFKA": "127.0.0.1:9092, localhost:9093",
        "PEERS": '{"intake": "http://127.0.0.1:8001/", "referral": "https://referral.test"}',
    }
    for name, value in good.items():
        monkeypatch.setenv(f"HOTLINE_{name}", value)
    for name in ("PORT", "METRICS_PORT", "HOST", "METRICS_HOST", "RUN_FILE", "AUDIENCE"):
        monkeypatch.delenv(f"HOTLINE_{name}", raising=False)
    return monkeypatch


def test_a_whole_environment_is_read(environment: pytest.MonkeyPatch) -> None:
    settings = read(Settings)
    assert (settings.host, settings.port, settings.metrics_port) == ("127.0.0.1", 8002, 9002)
    assert settings.kafka == ("127.0.0.1:9092", "localhost:9093")
    assert settings.peers == {"intake": "http://127.0.0.1:8001", "referral": "https://referral.test"}
    assert settings.audience == "hotline"


def test_the_password_shows_in_no_form_of_the_settings(environment: pytest.MonkeyPatch) -> None:
    settings = read(Settings)
    assert "hunter2" not in f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"
    assert "hunter2" in settings.database_url.get_secret_value()


def test_settings_do_not_change(environment: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="frozen"):
        read(Settings).port = 1  # type: ignore[misc]  # what mypy forbids too


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        (
            "HOTLINE_DATABASE_URL",
            "mysql://root:hunter2@db/x",
            "postgresql://user:password@host:port/database",
        ),
        ("HOTLINE_DATABASE_URL", "postgresql://[hunter2", "postgresql://user:password@host:port/database"),
        (
            "HOTLINE_DATABASE_URL",
            "postgresql://u:hunter2@host",
            "postgresql://user:password@host:port/database",
        ),
        ("HOTLINE_PORT", "hunter2", "a port number"),
        ("HOTLINE_PORT", "65536", "a port number"),
        ("HOTLINE_METRICS_PORT", "-1", "a port number"),
        ("HOTLINE_KEYS_FILE", "/nowhere/hunter2", "this service's keys"),
        ("HOTLINE_SERVICE_TOKEN_FILE", "/nowhere/hunter2", "bearer token"),
        ("HOTLINE_JWKS", "/nowhere/hunter2", "JWK set"),
        ("HOTLINE_JWKS", "http://", "JWK set"),
        ("HOTLINE_KAFKA", "hunter2", "host:port"),
        ("HOTLINE_KAFKA", "a:1,,b:2", "host:port"),
        ("HOTLINE_KAFKA", "a:99999", "host:port"),
        ("HOTLINE_PEERS", "{hunter2", "JSON object"),
        ("HOTLINE_PEERS", '["hunter2"]', "JSON object"),
        ("HOTLINE_PEERS", '{"intake": "ftp://hunter2", "referral": "http://a"}', "JSON object"),
    ],
)
def test_a_wrong_variable_is_named_with_what_it_should_be_and_not_with_its_value(
    environment: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    environment.setenv(variable, value)
    with pytest.raises(SettingsError) as raised:
        read(Settings)
    (line,) = raised.value.lines
    assert line.startswith(f"{variable}: is ")
    assert said in line.partition("it should be")[2]
    assert "hunter2" not in line


def test_every_missing_variable_has_its_line(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("HOTLINE_ISSUER")
    environment.setenv("HOTLINE_DATABASE_URL", "")
    with pytest.raises(SettingsError) as raised:
        read(Settings)
    assert [line.partition(";")[0] for line in raised.value.lines] == [
        "HOTLINE_DATABASE_URL: is not set",
        "HOTLINE_ISSUER: is not set",
    ]


def test_a_broker_is_named_by_address_or_by_run_file(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("HOTLINE_KAFKA")
    with pytest.raises(SettingsError, match=r"HOTLINE_KAFKA: .*HOTLINE_RUN_FILE"):
        read(Settings)
    environment.setenv("HOTLINE_RUN_FILE", "run.json")
    assert read(Settings).run_file == Path("run.json")


def test_whoever_a_service_follows_must_have_an_address(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("HOTLINE_PEERS", '{"intake": "http://127.0.0.1:8001"}')
    with pytest.raises(SettingsError, match=r"HOTLINE_PEERS: has no address for referral"):
        read(Settings)


def test_migrating_needs_the_database_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_DATABASE_URL", "postgresql://a:b@c:1/d")
    assert read(DatabaseSettings).database_url.get_secret_value() == "postgresql://a:b@c:1/d"


def test_the_databases_address_may_lie_in_a_file(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://dedup:hunter3@postgres:5432/dedup\n")
    environment.delenv("HOTLINE_DATABASE_URL")
    environment.setenv("HOTLINE_DATABASE_URL_FILE", str(tmp_path / "url"))
    url = read(Settings).database_url.get_secret_value()
    assert url == "postgresql://dedup:hunter3@postgres:5432/dedup"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "HOTLINE_DATABASE_URL_FILE: names no file that can be read"),
        ("mysql://root:hunter2@db/x", "HOTLINE_DATABASE_URL: is no PostgreSQL address"),
    ],
)
def test_a_file_without_an_address_is_said_without_what_it_holds(
    environment: pytest.MonkeyPatch, tmp_path: Path, content: str | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "hunter2").write_text(content)
    environment.delenv("HOTLINE_DATABASE_URL")
    environment.setenv("HOTLINE_DATABASE_URL_FILE", str(tmp_path / "hunter2"))
    with pytest.raises(SettingsError) as raised:
        read(DatabaseSettings)
    assert said in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_an_address_and_a_file_are_one_too_many(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").touch()
    environment.setenv("HOTLINE_DATABASE_URL_FILE", str(tmp_path / "url"))
    with pytest.raises(SettingsError, match=r"HOTLINE_DATABASE_URL: is set, and so is .*; set one of them"):
        read(DatabaseSettings)
