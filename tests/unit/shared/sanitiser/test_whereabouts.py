"""Places that a person belongs to go; an officer's station, a town and the place of the incident stay."""

import pytest

from shared.sanitiser.text import sanitise


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("My sister works weekends at Silver Kettle Foods.", "Silver Kettle"),
        ("I volunteer down at Ravenhall Boxing Club on Mondays.", "Ravenhall"),
        ("I muck out the horses. At Larkmoor Riding Stables, since March.", "Larkmoor"),
        ("She attends Wexcombe Gospel Hall with her mum.", "Wexcombe"),
        ("Her nan's at Brackle Mead and he followed her there.", "Brackle"),
        ("He met Ingrid there. Ingrid sails at Polvellan Sailing Club.", "Polvellan"),
    ],
)
def test_a_place_that_a_person_belongs_to_goes(text: str, gone: str) -> None:
    assert gone not in sanitise(text).text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("The sergeant works at Wexcombe Green and so does PC Lowe.", "Wexcombe Green"),
        ("I live in Bradford.", "Bradford"),
        ("He hit Ingrid at Polvellan Market.", "Polvellan Market"),
        ("He stopped me near Ravenhall Bridge.", "Ravenhall Bridge"),
        ("She works at the police station in Larkmoor.", "Larkmoor"),
        ("It was Sergeant Frost, Colin Frost, King's Lynn.", "King's Lynn"),
    ],
)
def test_a_station_a_town_and_the_place_of_the_incident_stay(text: str, kept: str) -> None:
    assert kept in sanitise(text).text


def test_what_is_masked_once_is_masked_wherever_it_stands_again() -> None:
    text = "We live at Skelgarth End. There is no signal at Skelgarth End."
    assert "Skelgarth" not in sanitise(text).text


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("He came to 14 Rowan at night.", "14 Rowan"),
        ("Her mum is at number 12, Larkrise.", "Larkrise"),
        ("They searched flat 6 Argyle again.", "Argyle"),
        ("My clinic number is RX 4451 09.", "4451"),
    ],
)
def test_a_house_number_before_a_name_and_a_number_of_ones_own_go(text: str, gone: str) -> None:
    assert gone not in sanitise(text).text


@pytest.mark.parametrize(
    "text",
    [
        "It was on 14 March at 3 in the morning.",
        "He got off bus 14 Leeds to York.",
        "My crime number is 4451/09 and my log number 2231.",
        "There were 14 Asian men.",
    ],
)
def test_dates_routes_and_numbers_of_the_event_stay(text: str) -> None:
    assert sanitise(text).text == text
