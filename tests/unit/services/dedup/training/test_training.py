"""Streams, fitting and measuring: what the model file is made by."""

import gzip
import os
import subprocess
import sys
from itertools import combinations
from math import log2
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.simulation import simulate
from deploy.simulation.offline import labelled_complaints
from deploy.simulation.stream import write_simulation
from deploy.simulation.truth import write_truth
from services.dedup.domain.features import FORM
from services.dedup.domain.model import Model, Provenance, load_model
from services.dedup.training.evaluating import figures
from services.dedup.training.fitting import fitted
from services.dedup.training.labelled import Labelled, read_simulated
from services.dedup.training.pairs import candidate_pairs, prepared
from services.dedup.training.streams import RATES, Stream
from services.dedup.training.training import (
    DUPLICATE,
    INCIDENT_CLUSTERING,
    INCIDENT_ZONES,
    OFFICER_CLUSTERING,
    OFFICER_ZONES,
    VERSION,
    trained,
)


def test_a_stream_is_the_same_for_the_same_seed_and_has_rates_of_its_own() -> None:
    one, again, other = Stream(7, 60), Stream(7, 60), Stream(8, 60)
    assert list(one) == list(again) != list(other)
    assert one.rates != other.rates
    assert all(low <= one.rates[name] <= high for name, (low, high) in RATES.items())


def test_a_stream_tells_who_each_subject_is() -> None:
    complaints = list(Stream(3, 300))
    assert all(len(each.officers) == len(each.body["subjects"]) for each in complaints)
    assert len({each.incident for each in complaints}) < 300, "some are told more than once"


@given(st.floats(0.05, 0.95), st.floats(0.01, 0.3))
@settings(max_examples=10, deadline=None)
def test_a_field_alone_weighs_the_logarithm_of_its_odds(m: float, u: float) -> None:
    random = Random(1)
    truth = [number % 4 == 0 for number in range(8000)]
    pairs = [[("name", "same" if random.random() < (m if true else u) else "other")] for true in truth]
    found = fitted(pairs, truth)
    told = [pair[0][1] == "same" for pair in pairs]
    matches = sum(a and b for a, b in zip(told, truth, strict=True))
    others = sum(a and not b for a, b in zip(told, truth, strict=True))
    apart = found.weights["name"]["same"] - found.weights["name"]["other"]
    expected = log2(matches / (2000 - matches)) - log2(others / (6000 - others))
    # The limits of a name's weights may cut it off.
    assert apart == pytest.approx(max(-16.0, min(16.0, expected)), abs=0.35)


def test_two_fields_that_say_the_same_weigh_no_more_than_one() -> None:
    random = Random(2)
    truth = [number % 2 == 0 for number in range(6000)]
    said = ["same" if random.random() < (0.8 if true else 0.1) else "other" for true in truth]
    once = fitted([[("name", each)] for each in said], truth)
    twice = fitted([[("name", each), ("looks", each)] for each in said], truth)
    both = twice.weights["name"]["same"] + twice.weights["looks"]["same"] + twice.prior
    assert both == pytest.approx(once.weights["name"]["same"] + once.prior, abs=0.3)


def test_a_model_is_trained_and_does_better_than_chance_on_another_stream() -> None:
    model = trained([prepared(Stream(seed, 400)) for seed in (1, 2)], "test", lambda _: None)
    assert Model.model_validate_json(model.model_dump_json()) == model
    found = figures(prepared(Stream(3, 400)), model)
    assert found.blocking > 0.5
    assert found.best_f1 > 0.4


_NAMES = [
    "Ashcombe", "Birkdale", "Crowther", "Dunmore", "Eastwick",
    "Fairfax", "Garside", "Hollins", "Iveson", "Jessop",
]  # fmt: skip
_TOWNS = [
    "Alderton", "Brigholm", "Carfax", "Dunholme", "Elsworth",
    "Fenwick", "Gorleston", "Hexworth", "Ilford", "Jarrow",
]  # fmt: skip


def test_figures_of_a_stream_that_is_easy_are_perfect() -> None:
    """Ten incidents, each told twice with all that there is to tell, about ten officers."""

    def body(n: int) -> dict[str, Any]:
        day = f"2020-{n + 1:02}-11"
        return {
            "channel": "web",
            "narrative": "-",
            "subjects": [
                {"name": f"Alan {_NAMES[n]}", "collar_number": f"{n + 2}{n}{9 - n}3", "force": "kent"}
            ],
            "incident": {"from": day, "to": day, "place": f"Larch Lane, {_TOWNS[n]}", "force": "kent"},
            "allegations": [{"code": "hate.racist"}],
        }

    twice = [Labelled(body(n), n, (n,)) for n in range(10) for _ in range(2)]
    found = figures(prepared(twice), load_model())
    assert (found.blocking, found.best_f1, found.r99, found.cluster_f1, found.officer_f1) == (1, 1, 1, 1, 1)


def test_every_pair_of_a_small_group_is_compared() -> None:
    body = {"channel": "web", "narrative": "-", "subjects": [{"name": "Alan Brockway", "force": "kent"}]}
    features = prepared([Labelled(body, 1, (1,)) for _ in range(12)]).features
    assert set(candidate_pairs(features)) == set(combinations(range(12), 2))


def simulated(folder: Path, seed: int, complaints: int) -> Path:
    """A stream of the simulator in files."""
    path = folder / f"training-{seed}.ndjson.gz"
    simulation = simulate(complaints, seed, "training")
    write_simulation(simulation, path)
    write_truth(path.with_name(f"{path.name}.truth.ndjson"), simulation.truth, seed, "training")
    return path


def test_the_simulators_files_are_read_with_their_truth(tmp_path: Path) -> None:
    path = simulated(tmp_path, 5, 40)
    stream = read_simulated(path)
    assert (stream.purpose, stream.seed) == ("training", 5)
    expected = list(labelled_complaints("training", 5, 40))
    assert [(each.incident, each.officers) for each in stream.labelled] == [each[1:] for each in expected]
    assert [each.body["narrative"] for each in stream.labelled] == [
        each.body["narrative"] for each in expected
    ]


def test_a_truth_that_is_not_of_these_complaints_is_refused(tmp_path: Path) -> None:
    path = simulated(tmp_path, 5, 40)
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    for wrong, where in ((lines[:-1], "line 40"), ([*lines, lines[0]], "line 41"), ([b"{\n"], "line 1")):
        path.write_bytes(gzip.compress(b"".join(wrong)))
        with pytest.raises(ValueError, match=where):
            read_simulated(path)
    path.with_name(f"{path.name}.truth.ndjson").write_bytes(b"{}\n")
    with pytest.raises(ValueError, match="line 1 does not tell"):
        read_simulated(path)


def test_the_same_streams_give_the_same_model_file_and_their_seeds_stand_in_it(tmp_path: Path) -> None:
    """In processes whose hashes of texts differ: the order of a set reaches no sum."""
    path = simulated(tmp_path, 5, 150)
    made = []
    for hash_seed in ("1", "2"):
        out = tmp_path / f"model-{hash_seed}.json"
        options = ["--streams", "2", "--complaints", "150", "--seed", "31", "--version", "small"]
        subprocess.run(
            [sys.executable, "-m", "services.dedup.training", "fit", *options, "--out", out, path],
            check=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        )
        made.append(out.read_bytes())
    assert made[0] == made[1]
    assert Model.model_validate_json(made[0]).provenance == (
        Provenance(origin="generated", seeds=(31, 32), complaints=150),
        Provenance(origin="simulated, training", seeds=(5,), complaints=150),
    )


def test_the_model_that_comes_with_the_software_has_the_constants_of_training() -> None:
    """Whoever changes them trains it again."""
    model = load_model()
    assert (model.version, model.form, model.duplicate) == (VERSION, FORM, DUPLICATE)
    assert (model.incident.zones, model.incident.clustering) == (INCIDENT_ZONES, INCIDENT_CLUSTERING)
    assert (model.officer.zones, model.officer.clustering) == (OFFICER_ZONES, OFFICER_CLUSTERING)
