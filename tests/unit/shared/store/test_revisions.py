"""On which databases software runs: on its own, on newer ones that only have more, and on no others."""

from pathlib import Path

import pytest

from shared.store import revisions
from shared.store.revisions import DatabaseRevision, Window, migrations, oldest_code, window

SOFTWARE = Window("intake", oldest="0003", newest="0005")


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (DatabaseRevision(None), "at revision none, the code needs 0003"),
        (DatabaseRevision("0002"), "at revision 0002, the code needs 0003"),
        (DatabaseRevision("0003"), ""),
        (DatabaseRevision("0005", "0005"), ""),
        (DatabaseRevision("0009"), ""),
        (DatabaseRevision("0009", "0005"), ""),
        (DatabaseRevision("0009", "0006"), "takes software of 0006 or newer, this is 0005"),
    ],
)
def test_software_runs_from_its_newest_expansion_to_the_first_contract_that_it_does_not_bear(
    found: DatabaseRevision, reason: str
) -> None:
    misfit = SOFTWARE.misfit(found)
    assert reason in misfit
    assert bool(misfit) == bool(reason)


def test_a_contract_is_not_needed_by_the_software_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs before that too: it does not use what goes."""
    versions = tmp_path / "services" / "tests" / "migrations" / "versions"
    versions.mkdir(parents=True)
    for revision, mark in (("0001", ""), ("0002", ""), ("0003", 'contract_from = "0002"')):
        (versions / f"{revision}_x.py").write_text(f"{mark}\n\ndef upgrade(): ...\n")
    monkeypatch.setattr(revisions, "ROOT", tmp_path)
    migrations.cache_clear()
    try:
        assert window("tests") == Window("tests", oldest="0002", newest="0003")
        assert oldest_code("tests") == "0002"
    finally:
        migrations.cache_clear()
