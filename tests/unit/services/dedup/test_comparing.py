"""The levels into which times and places of two complaints fall."""

from datetime import date, timedelta

import pytest

from services.dedup.domain.comparing import compare_settings
from tests.unit.services.dedup.examples import features

DAY = date(2020, 3, 11)


def levels(
    place: str | None = None, other_place: str | None = None, *, days: int = 0, other_days: int = 0
) -> dict[str, str]:
    one = features(incident={"from": DAY, "to": DAY + timedelta(days), "place": place})
    other = features(incident={"from": DAY, "to": DAY + timedelta(other_days), "place": other_place})
    assert compare_settings(one, other) == compare_settings(other, one)
    return dict(compare_settings(one, other)[1])


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Winton", "Wintom", "similar"),
        ("Sycamore Lane, Winton", "Sycamor Lane, Winton", "similar street and more"),
        ("Sycamore Lane", "Sycamoer Lane", "similar street"),
        ("Sycamore Lane, Winton", "Foundry Lane, Winton", "other street, same town"),
        ("beat 713", "beat 712", "other number"),
        ("District 15", "district 19", "other number"),
        ("beat 713", "district 713", "different"),
        ("Winton", "Carfax", "different"),
        # Four letters are too few to call one of them a slip.
        ("Hove", "Hope", "different"),
    ],
)
def test_a_slip_is_no_other_place_and_another_number_is(one: str, other: str, expected: str) -> None:
    assert levels(one, other)["place"] == f"{expected}, near"


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (6, "within a week"),
        (25, "within a month"),
        (90, "within a season"),
        (360, "within a year"),
        (900, "within years"),
    ],
)
def test_a_longer_time_tells_less(days: int, expected: str) -> None:
    assert levels(days=days)["day"] == expected
