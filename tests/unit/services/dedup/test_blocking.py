"""Complaints that may belong together share a blocking key."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given

from services.dedup.domain.blocking import blocking_keys
from services.dedup.domain.features import Features
from tests.unit.services.dedup.examples import FEATURES, features

DAY = date(2020, 3, 1)
YEARS = date(2024, 9, 9)


def meet(one: Features, other: Features) -> bool:
    return bool(set(blocking_keys(one).asked) & set(blocking_keys(other).indexed))


def at(day: date, **fields: Any) -> Features:
    return features(
        incident={"from": day, "to": day, "force": "kent", **fields.pop("incident", {})}, **fields
    )


def during(day: date, length: int, **fields: Any) -> Features:
    return features(incident={"from": day, "to": day + timedelta(length), "force": "kent"}, **fields)


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
        # Three days more or less, and within a longer time.
        (at(DAY, subjects=[{"unit": "Ashford"}]), at(DAY + timedelta(3), subjects=[{"unit": "Ashford"}])),
        (
            during(DAY, 30, subjects=[{"name": "Smyth"}]),
            at(DAY + timedelta(12), subjects=[{"name": "Smith"}]),
        ),
        (during(DAY, 30, subjects=[{"name": "Smyth"}]), during(DAY, 25, subjects=[{"name": "Smith"}])),
        # One of the two has no time.
        (
            features(incident={"place": "Winton Yard", "force": "kent"}),
            at(DAY, incident={"place": "Winton Yard"}),
        ),
        # A day that is wrong by weeks, a time of many months, and a day alone.
        (at(DAY, incident={"place": "Winton"}), at(DAY + timedelta(20), incident={"place": "Winton"})),
        (
            during(DAY, 300, allegations=[{"code": "hate.racist"}]),
            at(DAY + timedelta(200), allegations=[{"code": "hate.racist"}]),
        ),
        (features(incident={"from": DAY}), features(incident={"from": DAY + timedelta(1)})),
        (at(DAY), at(DAY + timedelta(3))),
        # A station is told as a place or as a unit.
        (at(DAY, subjects=[{"unit": "Ashford nick"}]), at(DAY, incident={"place": "Ashford"})),
        # One officer, years apart.
        (
            at(DAY, subjects=[{"name": "Mick", "unit": "Ashford"}]),
            at(YEARS, subjects=[{"name": "Michael Orr", "unit": "Ashford"}]),
        ),
        (at(DAY, subjects=[{"collar_number": "44??"}]), at(YEARS, subjects=[{"collar_number": "4471"}])),
        (
            at(DAY, subjects=[{"collar_number": "ends in 71"}]),
            at(YEARS, subjects=[{"collar_number": "4471"}]),
        ),
        (at(DAY, subjects=[{"vehicle": "AB12"}]), at(YEARS, subjects=[{"vehicle": "Transit AB12 CDE"}])),
        (at(DAY, subjects=[{"name": "PC Thomas"}]), at(YEARS, subjects=[{"name": "Ann Thomas"}])),
    ],
)
def test_so_are_those_that_tell_less(one: Features, other: Features) -> None:
    assert meet(one, other) and meet(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (at(DAY, subjects=[{"unit": "Ashford"}]), at(YEARS, subjects=[{"unit": "Ashford"}])),
        (at(DAY, subjects=[{"name": "Not known"}]), at(YEARS, subjects=[{"name": "Not known"}])),
        (at(DAY, allegations=[{"code": "other.drugs"}]), at(YEARS, allegations=[{"code": "other.drugs"}])),
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
