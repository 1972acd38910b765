"""Which Java runs Kafka."""

from pathlib import Path

import pytest

from tests.engines.java import java
from tests.engines.missing import EnginesMissing


def _home(place: Path, told: str) -> dict[str, str]:
    """A JAVA_HOME whose program says so of itself."""
    (place / "bin").mkdir()
    program = place / "bin" / "java"
    program.write_text(f"#!/bin/sh\necho '{told}' >&2\n")
    program.chmod(0o755)
    return {"JAVA_HOME": str(place)}


def test_a_newer_one_of_java_home_is_taken(tmp_path: Path) -> None:
    environment = _home(tmp_path, 'openjdk version "21.0.2" 2024-01-16')
    assert java(environment) == f"{tmp_path}/bin/java"


@pytest.mark.parametrize(
    ("told", "version"),
    [('java version "1.8.0_401"', "1"), ('openjdk version "11.0.22"', "11"), ("?", "of an unknown version")],
)
def test_an_older_one_is_told_what_kafka_needs(tmp_path: Path, told: str, version: str) -> None:
    with pytest.raises(EnginesMissing, match=f"is Java {version}: Kafka needs 17 or newer"):
        java(_home(tmp_path, told))


def test_no_java_at_all_is_told_too() -> None:
    with pytest.raises(EnginesMissing, match="no Java on the PATH, and no JAVA_HOME"):
        java({"PATH": "/nowhere"})


def test_a_java_home_without_a_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnginesMissing, match=f"{tmp_path}/bin/java does not run"):
        java({"JAVA_HOME": str(tmp_path)})
