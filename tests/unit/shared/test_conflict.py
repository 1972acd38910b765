"""Who may be a subject, serves beside one, or cannot be told apart from one, is in conflict."""

import json
from typing import Any

import pytest

from shared.conflict import Holder, is_in_conflict
from shared.contracts.complaint import SanitisedComplaint

HOLDER = Holder(force="kent", unit="Roads Policing", name="Sgt David Carrick", collar_number="1234AB")
STRANGER = {"name": "A. Stranger", "force": "essex"}


def told(*subjects: dict[str, Any], narrative: str = "x", **members: Any) -> SanitisedComplaint:
    body = {"channel": "phone", "narrative": narrative, "subjects": subjects, **members}
    return SanitisedComplaint.model_validate_json(json.dumps(body))


@pytest.mark.parametrize(
    "subject",
    [
        {"force": "kent", "collar_number": "1234 ab"},
        {"force": "kent", "collar_number": "1234AB", "name": "Wilson"},
        {"force": "kent", "collar_number": "1243AB"},
        {"force": "kent", "collar_number": "234"},
        {"collar_number": "1234AB"},
        {"force": "kent", "name": "PC Carrick"},
        {"force": "kent", "name": "Carick"},
        {"force": "kent", "name": "CARRICK, Dave"},
        {"force": "kent", "name": "David J Carrick"},
        {"force": "kent", "name": "Dave"},
        {"force": "kent", "name": "PC David C"},
        {"force": "kent", "name": "DC"},
        {"force": "kent", "name": "PC DC"},
        {"force": "kent", "name": "David Carrick", "collar_number": "9999"},
        {"force": "kent", "unit": "the roads policing unit", "name": "Jane Wilson"},
        {"force": "kent", "unit": "Firearms", "name": "Carrick"},
        {"unit": "roads policing"},
        {"force": "essex", "name": "David Carrick"},
        {"force": "essex", "name": "D. Carrick"},
        {"name": "Carrick"},
        {"name": "David"},
        {"force": "unknown", "name": "Carrick"},
        {"role": "witness", "name": "Carrick"},
    ],
)
def test_in_conflict(subject: dict[str, Any]) -> None:
    assert is_in_conflict(HOLDER, [told(subject, STRANGER)])


@pytest.mark.parametrize(
    "subject",
    [
        {"force": "kent", "name": "Jane Wilson"},
        {"force": "kent", "name": "John Carrick"},
        {"force": "kent", "name": "JW"},
        {"force": "kent", "name": "CD"},
        {"force": "kent", "name": "Carrick", "collar_number": "9999"},
        {"force": "kent", "collar_number": "9999"},
        {"force": "kent", "collar_number": "234", "name": "Wilson"},
        {"force": "kent", "collar_number": "1"},
        {"force": "kent", "name": "C"},
        {"force": "kent", "description": "tall"},
        {"collar_number": "1234AB", "name": "Wilson"},
        {"force": "essex"},
        {"force": "essex", "name": "Carrick"},
        {"force": "essex", "name": "Jane Carrick"},
        {"force": "essex", "collar_number": "1234AB"},
        {"force": "essex", "unit": "Roads Policing"},
        {"force": "kent", "unit": "Firearms", "name": "Wilson"},
        {},
    ],
)
def test_told_apart(subject: dict[str, Any]) -> None:
    assert not is_in_conflict(HOLDER, [told(subject)])


def test_nobody_in_particular_is_not_the_holder() -> None:
    assert not is_in_conflict(HOLDER, [told(incident={"force": "kent"})])
    assert not is_in_conflict(HOLDER, [told()])


@pytest.mark.parametrize(
    "holder", [Holder(), Holder(force="kent"), Holder(force="unknown", name="", unit=" ")]
)
def test_a_holder_of_whom_nothing_is_known_is_hidden_nothing(holder: Holder) -> None:
    assert not is_in_conflict(holder, [told({"force": "kent", "name": "Jane Wilson"}), told({})])


def test_a_name_alone_hides_its_bearers_and_nobody_else() -> None:
    holder = Holder(name="David Carrick")
    assert is_in_conflict(holder, [told({"force": "kent", "name": "PC Carrick"})])
    assert is_in_conflict(holder, [told({"name": "D. C."})])
    for other in ({"name": "Jane Carrick"}, {"collar_number": "12"}, {"unit": "CID"}):
        assert not is_in_conflict(holder, [told(other)]), other


@pytest.mark.parametrize("name", ["Rob Smith", "Bobby Smith", "B. Smith", "R Smith", "Robert Smith", "RS"])
def test_a_short_form_is_the_same_name(name: str) -> None:
    assert is_in_conflict(Holder(name="Robert Smith", force="kent"), [told({"name": name, "force": "kent"})])


@pytest.mark.parametrize(
    ("narrative", "is_named"),
    [
        ("Then PC Carrick hit me.", True),
        ("It was Dave Carrick from the roads.", True),
        ("He showed me number 1234AB.", True),
        ("A man called Carrick saw it.", False),
        ("In 1234AB days.", False),
        ("PC Wilson hit me.", False),
    ],
)
def test_who_is_named_in_the_narrative_alone_is_in_conflict_too(narrative: str, is_named: bool) -> None:
    assert is_in_conflict(HOLDER, [told(narrative=narrative)]) is is_named
    assert not is_in_conflict(
        HOLDER, [told(narrative=narrative, incident={"force": "essex"}), told(STRANGER)]
    )


def test_the_force_of_the_incident_is_that_of_a_subject_without_one() -> None:
    assert is_in_conflict(HOLDER, [told({"name": "Dave"}, incident={"force": "kent"})])
    assert not is_in_conflict(HOLDER, [told({"name": "Carrick"}, incident={"force": "essex"})])
    assert is_in_conflict(HOLDER, [told({"name": "Dave", "force": "kent"}, incident={"force": "essex"})])


def test_one_complaint_of_several_is_enough() -> None:
    clear = told({"force": "essex", "name": "Jane Wilson"})
    assert not is_in_conflict(HOLDER, [clear])
    assert is_in_conflict(HOLDER, [clear, told({"force": "kent", "name": "Carrick"})])
