"""How well real complaints are brought together. Skipped where the data for evaluation is not at hand.

The data name real people and unproven allegations: nothing of them is kept here but counts.
"""

import csv
import gzip
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import UUID

import pytest

from deploy.local.data_directory import ROOT
from services.dedup.domain.clusters import WHOLE, Cluster, Link, clusters
from services.dedup.domain.features import Features
from services.dedup.domain.model import load_model
from services.dedup.domain.normalising import features_of
from services.dedup.domain.scoring import Scorer
from services.dedup.training.pairs import candidate_pairs
from shared.contracts.complaint import ComplaintBody, SanitisedComplaint

DATA = ROOT.parent / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the complaints for evaluation are not at hand")


def read(path: Path) -> dict[str, Features]:
    """External reference -> features."""
    found = {}
    with gzip.open(path) as lines:
        for line in lines:
            body = ComplaintBody.model_validate_json(line)
            reference = body.external_reference or ""
            kept = body.model_dump_json(exclude={"continues"}, exclude_defaults=True)
            found[reference] = features_of(SanitisedComplaint.model_validate_json(kept), reference)
    return found


def candidates(of: Mapping[str, Features]) -> Iterator[tuple[str, str]]:
    """The pairs that are compared, the lower one first."""
    references = sorted(of)
    for a, b in candidate_pairs([of[reference] for reference in references]):
        yield references[a], references[b]


def test_duplicates_that_investigators_marked_stand_high_in_the_order_of_score() -> None:
    of = read(DATA / "chicago-half.ndjson.gz")
    scorer = Scorer(load_model())
    weights = {(a, b): scorer.score_incident(of[a], of[b]).weight for a, b in candidates(of)}
    with (DATA / "chicago-half-pairs.csv").open() as lines:
        marked = {
            (min(row["a"], row["b"]), max(row["a"], row["b"]))
            for row in csv.DictReader(lines)
            if row["label"] == "DUPLICATE"
        }
    ranked = sorted(weights, key=lambda pair: (-weights[pair], pair))
    for pairs_a_complaint, target in ((0.1, 0.60), (0.5, 0.85)):
        best = set(ranked[: int(len(of) * pairs_a_complaint)])
        assert len(marked & best) / len(marked) >= target


def test_different_incidents_are_not_swept_together() -> None:
    of = read(DATA / "philadelphia.ndjson.gz")
    found = incidents(of)
    assert len(of) == 5296
    assert len(found) >= 4800
    assert max(len(cluster.members) for cluster in found) <= 50


def incidents(of: Mapping[str, Features]) -> list[Cluster]:
    model = load_model()
    scorer = Scorer(model)
    ids = {reference: UUID(int=number) for number, reference in enumerate(sorted(of))}
    links = []
    for a, b in candidates(of):
        match = scorer.incident(of[a], of[b])
        if match is not None:
            links.append(Link((ids[a], WHOLE), (ids[b], WHOLE), match.scored.weight))
    return clusters({(id_, WHOLE) for id_ in ids.values()}, links, model.incident)
