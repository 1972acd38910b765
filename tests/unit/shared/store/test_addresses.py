"""A database's address is read as libpq reads it; one that cannot be kept is refused without its words."""

from pathlib import Path

import pytest

from shared.store.connections import Address


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("postgresql://u:p@one/db", [("one", 5432)]),
        ("postgres://u:p@one:6000/db", [("one", 6000)]),
        ("postgresql://u:p%40ss@one:1,two,[::1]:3/db", [("one", 1), ("two", 5432), ("::1", 3)]),
        ("postgresql:///db?host=one,two&port=1,2", [("one", 1), ("two", 2)]),
        ("postgresql:///db?host=one,two&port=7", [("one", 7), ("two", 7)]),
        ("postgresql://one?dbname=db", [("one", 5432)]),
        ("postgresql://u@%2Frun%2Fpostgresql/db", [("/run/postgresql", 5432)]),
        ("postgresql:///db?host=/run/postgresql&port=6000", [("/run/postgresql", 6000)]),
    ],
)
def test_every_host_of_an_address_is_known(url: str, hosts: list[tuple[str, int]]) -> None:
    assert list(Address.parse(url).hosts) == hosts


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:hunter2@one/db",
        "postgresql://u:hunter2@one",
        "postgresql:///db",
        "postgresql://u:hunter2@one:port/db",
        "postgresql://u:hunter2@one:70000/db",
        "postgresql://u:hunter2@one,two/db?port=1,2,3",
        "postgresql://u:hunter2@,two/db",
        "postgresql://u:hunter2@one/db?sslmode=verify",
        "postgresql://u:hunter2@one/db?sslrootcert=/nowhere/hunter2.pem",
        "postgresql://u:hunter2@one/db?channel_binding=require",
        "postgresql://u:hunter2@one/db?target_session_attrs=read-only",
    ],
)
def test_an_address_that_is_not_one_or_cannot_be_kept_is_refused_without_its_words(url: str) -> None:
    with pytest.raises(ValueError, match=r"^is ") as refused:
        Address.parse(url)
    assert "hunter2" not in str(refused.value)


def test_limits_of_an_address_are_passed_over_and_the_rest_is_kept(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.touch()
    url = (
        "postgresql://u:p@one,two/db?sslmode=verify-full&connect_timeout=3&keepalives=1&channel_binding=prefer"
        f"&sslrootcert={authority}&application_name=a%20b&target_session_attrs=read-write"
    )
    kept = Address.parse(url).url
    for name in ("sslmode=verify-full", "sslrootcert=", "application_name=a+b"):
        assert name in kept
    for name in ("timeout", "keepalives", "channel_binding", "target_session_attrs"):
        assert name not in kept


def test_the_password_is_not_in_what_is_printed_of_an_address() -> None:
    assert "hunter2" not in repr(Address.parse("postgresql://u:hunter2@one/db"))
