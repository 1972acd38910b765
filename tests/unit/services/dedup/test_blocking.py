"""Complaints that may belong together share a blocking key."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given

from services.dedup.domain.blocking import blocking_keys
from services.dedup.domain.features import Features
from tests.unit.services.dedup.examples import FEATURES, features

DAY = date(2020, 3, 1)


def meet(one: Features, other: Features) -> bool:
    return bool(set(blocking_keys(one).asked) & set(blocking_keys(other).indexed))


def at(day: date, **fields: Any) -> Features:
    return features(
        incident={"from": day, "to": day, "force": "kent", **fields.pop("incident", {})}, **fields
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (at(DAY, subjects=[{"unit": "Ashford"}]), at(DAY, subjects=[{"unit": "Ashford"}])),
        (at(DAY, allegations=[{"code": "other.drugs"}]), at(DAY, allegations=[{"code": "other.drugs"}])),
        (at(DAY, incident={"place": "Winton Yard"}), at(DAY, incident={"place": "near Winton"})),
        (at(DAY, subjects=[{"name": "Smith"}]), at(DAY + timedelta(7), subjects=[{"name": "Smyth"}])),
        (
            features(subjects=[{"collar_number": "4471", "force": "kent"}]),
            features(subjects=[{"collar_number": "04471", "force": "kent"}]),
        ),
        (
            features(subjects=[{"name": "Ann Brockway", "force": "kent"}]),
            features(subjects=[{"name": "Ann Brockway", "force": "essex"}]),
        ),
    ],
)
def test_these_are_compared(one: Features, other: Features) -> None:
    assert meet(one, other) and meet(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (at(DAY, subjects=[{"unit": "Ashford"}]), at(DAY + timedelta(2), subjects=[{"unit": "Ashford"}])),
        (at(DAY, subjects=[{"name": "Smith"}]), at(DAY + timedelta(30), subjects=[{"name": "Smith"}])),
        (features(), features()),
    ],
)
def test_these_are_not(one: Features, other: Features) -> None:
    assert not meet(one, other) and not meet(other, one)


@given(FEATURES, FEATURES)
def test_if_one_finds_the_other_the_other_finds_it(one: Features, other: Features) -> None:
    assert meet(one, other) == meet(other, one)


def test_a_long_narrative_is_found_again_though_a_word_changed() -> None:
    words = [f"word{number}" for number in range(120)]
    again = [*words[:60], "changed", *words[61:]]
    assert meet(features(narrative=" ".join(words)), features(narrative=" ".join(again)))
    other = " ".join(f"other{number}" for number in range(120))
    assert not meet(features(narrative=" ".join(words)), features(narrative=other))
