"""The command line of a service: what it runs, and how it says that it cannot."""

import argparse

import pytest

import shared.store.migrate
from services.intake.__main__ import recovering, wiring
from services.intake.settings import Settings
from services.referral.__main__ import projecting
from shared.web.process import PARTS, main, parts


@pytest.mark.parametrize(
    ("text", "meant"),
    [("http", {"http"}), ("relay,consumer", {"relay", "consumer"}), ("http, relay ,consumer", PARTS)],
)
def test_parts_are_named_with_commas(text: str, meant: set[str]) -> None:
    assert parts(text) == meant


@pytest.mark.parametrize("text", ["", "http,", "HTTP", "worker"])
def test_an_unknown_part_is_refused_with_the_known_ones(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="consumer, http, relay"):
        parts(text)


@pytest.mark.parametrize("arguments", [["serve"], ["migrate"]])
def test_without_settings_it_says_so_and_ends_with_2(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("HOTLINE_DATABASE_URL", raising=False)
    assert main("intake", Settings, wiring, arguments, projecting=projecting, recovering=recovering) == 2
    assert "HOTLINE_DATABASE_URL: is not set; it should be postgresql://" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "code", "asked"), [(["--wait=60"], 0, 3), ([], 1, 1)])
def test_migrating_waits_for_the_database_as_long_as_it_is_told(
    arguments: list[str], code: int, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[str] = []

    async def migrate(service: str, database_url: str, service_role: str) -> None:
        found.append(service)
        if len(found) < 3:
            raise OSError("the name is not known yet")

    monkeypatch.setattr(shared.store.migrate, "migrate", migrate)
    monkeypatch.setattr("shared.web.process._PAUSE_SECONDS", 0.0)
    monkeypatch.setenv("HOTLINE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    assert (
        main(
            "intake", Settings, wiring, ["migrate", *arguments], projecting=projecting, recovering=recovering
        )
        == code
    )
    assert len(found) == asked


def test_a_rebuild_needs_the_database_and_the_keys(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for variable in ("HOTLINE_DATABASE_URL", "HOTLINE_KEYS_FILE"):
        monkeypatch.delenv(variable, raising=False)
    assert main("referral", Settings, wiring, ["rebuild"], projecting=projecting, recovering=recovering) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["HOTLINE_DATABASE_URL", "HOTLINE_KEYS_FILE"]


@pytest.mark.parametrize("arguments", [[], ["dance"], ["serve", "--only", "worker"], ["rebuild", "dedup"]])
def test_wrong_arguments_end_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main("intake", Settings, wiring, arguments, projecting=projecting, recovering=recovering)
    assert ended.value.code == 2
    assert "usage: python -m services.intake" in capsys.readouterr().err
