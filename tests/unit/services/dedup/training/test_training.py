"""Streams, fitting and measuring: what the model file is made by."""

from itertools import combinations
from math import log2
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.dedup.domain.model import Model, load_model
from services.dedup.training.evaluating import figures
from services.dedup.training.fitting import fitted
from services.dedup.training.labelled import Labelled, read_labelled
from services.dedup.training.pairs import candidate_pairs, prepared
from services.dedup.training.streams import RATES, Stream
from services.dedup.training.training import trained


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


def test_labelled_complaints_are_read_from_lines() -> None:
    line = {"body": {"channel": "web", "narrative": "-"}, "incident": 4, "officers": []}
    assert list(read_labelled([orjson.dumps(line), b"\n"])) == [Labelled(line["body"], 4, ())]  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="line 1"):
        list(read_labelled([b'{"body": {}}']))
