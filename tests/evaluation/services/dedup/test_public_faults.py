"""The pairs that reports of linkage faults name. Skipped where they are not at hand."""

from pathlib import Path

import pytest

from deploy.local.data_directory import ROOT
from services.dedup.domain.features import Features
from services.dedup.domain.model import load_model
from services.dedup.domain.normalising import features_of
from services.dedup.domain.scoring import Scorer
from shared.contracts.complaint import ComplaintBody, SanitisedComplaint

INPUTS = ROOT.parent / "shared" / "faults" / "inputs"

pytestmark = pytest.mark.skipif(not INPUTS.is_dir(), reason="the inputs of known faults are not at hand")


def read(path: Path) -> list[Features]:
    found = []
    for number, line in enumerate(path.read_bytes().splitlines()):
        body = ComplaintBody.model_validate_json(line).model_dump_json(exclude_defaults=True)
        found.append(features_of(SanitisedComplaint.model_validate_json(body), str(number)))
    return found


@pytest.mark.parametrize(
    ("name", "is_one_officer"), [("link_not_known.ndjson", False), ("link_soerensen.ndjson", True)]
)
def test_they_are_linked_as_they_should_be(name: str, is_one_officer: bool) -> None:
    one, other = read(INPUTS / name)
    matches = Scorer(load_model()).pairs(one, other)
    accepted = [match for match in matches if match.kind == "same_officer" and match.zone == "accepted"]
    assert bool(accepted) == is_one_officer
    assert not [match for match in matches if match.kind != "same_officer"], "another day, another incident"
