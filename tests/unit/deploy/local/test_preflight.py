"""What `make install` says about a Python with which no environment can be made."""

import ast
from pathlib import Path

from deploy.local import preflight


def test_a_python_that_has_all_is_let_through() -> None:
    assert preflight.missing((3, 11), {"ensurepip", "venv"}) == ""
    assert preflight.missing((3, 14), {"ensurepip", "venv"}) == ""


def test_a_missing_ensurepip_names_the_debian_package_of_this_version() -> None:
    assert "apt install python3.12-venv" in preflight.missing((3, 12), {"venv"})


def test_an_older_python_is_told_what_is_needed() -> None:
    assert "3.11 or newer, and this is 3.9" in preflight.missing((3, 9), {"ensurepip", "venv"})


def test_an_older_python_can_read_it() -> None:
    ast.parse(Path(preflight.__file__).read_text(), feature_version=(3, 7))
