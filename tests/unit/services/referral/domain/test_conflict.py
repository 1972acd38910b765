"""Who may be a subject, serves beside one, or cannot be told apart from one, is in conflict."""

from typing import Any

import pytest

from services.referral.domain.conflict import Holder, is_in_conflict
from tests.unit.services.referral.domain.telling import told

HOLDER = Holder(force="kent", unit="Roads Policing", name="Sgt David Carrick", collar_number="1234AB")


@pytest.mark.parametrize(
    "subject",
    [
        {"force": "kent", "collar_number": "1234 ab"},
        {"force": "kent", "collar_number": "234", "name": "Wilson"},
        {"force": "kent", "name": "PC Carrick"},
        {"force": "kent", "name": "John Carrick"},
        {"force": "kent", "name": "Carick"},
        {"force": "kent", "name": "Dave"},
        {"force": "kent", "name": "CD"},
        {"force": "kent", "name": "David Carrick", "collar_number": "9999"},
        {"force": "kent", "unit": "the roads policing unit", "name": "Jane Wilson"},
        {"force": "kent", "description": "tall"},
        {"force": "essex", "name": "David Carrick"},
        {"force": "essex", "name": "D. Carrick"},
        {"name": "Carrick"},
        {"role": "witness", "name": "Carrick"},
        {},
    ],
)
def test_in_conflict(subject: dict[str, Any]) -> None:
    assert is_in_conflict(HOLDER, [told(1, subjects=[subject, {"name": "A. Stranger", "force": "essex"}])])


@pytest.mark.parametrize(
    "subject",
    [
        {"force": "kent", "name": "Jane Wilson"},
        {"force": "kent", "name": "JW"},
        {"force": "kent", "collar_number": "9999"},
        {"force": "essex"},
        {"force": "essex", "name": "Carrick"},
        {"force": "essex", "name": "Jane Carrick"},
        {"force": "essex", "collar_number": "1234AB"},
        {"force": "essex", "unit": "Roads Policing"},
        {"force": "kent", "unit": "Firearms", "name": "Wilson"},
    ],
)
def test_told_apart(subject: dict[str, Any]) -> None:
    assert not is_in_conflict(HOLDER, [told(1, subjects=[subject])])


def test_where_nobody_is_accused_it_may_be_anybody_of_the_force() -> None:
    assert is_in_conflict(HOLDER, [told(1, incident={"force": "kent"})])
    assert is_in_conflict(HOLDER, [told(1)])
    assert not is_in_conflict(HOLDER, [told(1, incident={"force": "essex"})])


def test_of_whom_nothing_is_known_cannot_be_told_apart() -> None:
    assert is_in_conflict(Holder(), [told(1, subjects=[{"name": "Jane Wilson", "force": "kent"}])])


def test_one_complaint_of_several_is_enough() -> None:
    clear = told(1, subjects=[{"force": "essex", "name": "Jane Wilson"}])
    assert not is_in_conflict(HOLDER, [clear])
    assert is_in_conflict(HOLDER, [clear, told(2, subjects=[{"force": "kent", "name": "Carrick"}])])
