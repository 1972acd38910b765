"""Persons told by where their name stands, whatever else the word means."""

import pytest

from shared.sanitiser.text import sanitise


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("My husband Gale was there.", "Gale"),
        ("Her daughter is Clementine, and she saw it.", "Clementine"),
        ("A lad known locally as Ferret rang him.", "Ferret"),
        ("There is a woman Pepper who saw it all.", "Pepper"),
        ("She is there with her children K and D.", "K and D"),
        ("Signed in haste\nB.", "\nB."),
        ("Handler: And the girl?\nCaller: Biscuit. From the flats.", "Biscuit"),
        ('Ask Trevor "Whippet" Hobday about it.', "Whippet"),
        ("my uncle sprout went round and he saw it all, so he did", "sprout"),
        ("it's my friend grace and grace won't ring you, she is scared", "grace"),
        ("Ring me on O7700 9OO 551 please.", "9OO"),
        ("Date of birth 12 of the 7th 74.", "7th"),
    ],
)
def test_a_private_person_is_found_by_the_place_of_the_name(text: str, gone: str) -> None:
    assert gone not in sanitise(text).text


@pytest.mark.parametrize(
    "text",
    [
        "The victim is her colleague. PC Anna Trew, 24, who is the victim, rang her mum.",
        "PC 4471 R. Trew - that's me - would rather not.",
        "Report by DC Anna Trew, self-identified.",
        "He has a list. So has PC Anna Trew, whom he assaulted in May.",
    ],
)
def test_an_officer_who_is_harmed_or_calls_goes(text: str) -> None:
    assert "Trew" not in sanitise(text).text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("PC Paul Trew hit the victim.", "PC Paul Trew"),
        ("PC Trew arrested my son and the victim's mother.", "PC Trew"),
        ("Caller: PC Paul Trew. He did it.", "PC Paul Trew"),
        ("My wife was stopped on 2 March at her address.", "2 March"),
        ("My husband is Polish and my son English.", "Polish"),
    ],
)
def test_an_accused_officer_and_plain_words_stay(text: str, kept: str) -> None:
    assert kept in sanitise(text).text


def test_the_officers_surname_stays_when_it_is_spelled() -> None:
    text = "Can you spell it? T R E W. Inspector Trew."
    assert sanitise(text, subjects=["Inspector Trew"]).text == text


def test_a_reverend_of_the_officers_surname_goes() -> None:
    kept = sanitise("PC Izzy Trew hit me. I told Rev. Trew.", subjects=["PC Izzy Trew"]).text
    assert kept == "PC Izzy Trew hit me. I told Rev. [name-1]."
