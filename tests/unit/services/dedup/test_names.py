"""Names of officers come apart in the same way, however a caller tells them and in whichever script."""

import unicodedata

import pytest

from services.dedup.domain.names import Name, name_of

NAMES = {
    # A rank in front, of every force and grade.
    "Det. Sgt Smith": Name("smith"),
    "PC Smith": Name("smith"),
    "P.C. Smith": Name("smith"),
    "D.I. Smith": Name("smith"),
    "D/Sgt Smith": Name("smith"),
    "A/Sgt Smith": Name("smith"),
    "T/DC Smith": Name("smith"),
    "Acting Inspector Smith": Name("smith"),
    "Temporary Chief Supt Smith": Name("smith"),
    "Chief Constable Smith": Name("smith"),
    "Special Constable Smith": Name("smith"),
    "PCSO Smith": Name("smith"),
    "Commander Smith": Name("smith"),
    "Sgt.Smith": Name("smith"),
    "Detective Smith": Name("smith"),
    "Ms Smith": Name("smith"),
    # Titles that are names.
    "John Constable": Name("constable", "john", "j"),
    "PC Constable": Name("constable"),
    "PC Young": Name("young"),
    "PC White": Name("white"),
    "PC Short": Name(either="short"),
    "PC Warden": Name("warden"),
    "David Guard": Name("guard", "david", "d"),
    "Brown": Name("brown"),
    # Both names, whichever order.
    "SMITH, John Paul": Name("smith", "john", "jp"),
    "Brockway David": Name("brockway", "david", "d"),
    "J Brown": Name("brown", "", "j"),
    "PC J.K. Brown": Name("brown", "", "jk"),
    "James Bailey Jr.": Name("bailey", "james", "j"),
    "Inspector Ann van der Berg": Name("vanderberg", "ann", "a"),
    "de Souza": Name("desouza"),
    "Mc Donald": Name("mcdonald"),
    "Ben Smith": Name("smith", "ben", "b"),
    # One word: a forename, a surname, or either.
    "Dave": Name("", "dave", "d"),
    "PC Mohammed": Name("", "mohammed", "m"),
    "Brockway": Name(either="brockway"),
    "PC Thomas": Name(either="thomas"),
    "Kelly": Name(either="kelly"),
    # Initials.
    "PC David C": Name("", "david", "dc"),
    "DC": Name("", "", "dc"),
    "J. K.": Name("", "", "jk"),
    # A number or a place beside the name.
    "PC 4471 Brockway (Hampshire)": Name(either="brockway", number="4471"),
    "Brockway 4471": Name(either="brockway", number="4471"),
    "PC Brockway (on his badge)": Name(either="brockway"),
    # Hyphens and dashes of every kind.
    "Ann Smith-Jones": Name("smithjones", "ann", "a"),
    "Ann Smith\u2011Jones": Name("smithjones", "ann", "a"),
    "Ann Smith \u2013 Jones": Name("smithjones", "ann", "a"),
    "Ann Smith\u00adJones": Name("smithjones", "ann", "a"),
    # Apostrophes of every kind.
    "Siobh\u00e1n O'Brien": Name("obrien", "siobhan", "s"),
    "Siobh\u00e1n O\u2019Brien": Name("obrien", "siobhan", "s"),
    "Siobhan O Brien": Name("obrien", "siobhan", "s"),
    # Letters that have a plain form, and invisible ones.
    "John S\u00f8rensen": Name("sorensen", "john", "j"),
    "Lech Wa\u0142\u0119sa": Name("walesa", "lech", "l"),
    "Hans Stra\u00dfer": Name("strasser", "hans", "h"),
    "\uff30\uff23 \uff2a\uff4f\uff48\uff4e \uff33\uff4d\uff49\uff54\uff48": Name("smith", "john", "j"),
    "Zo\u200be Ball": Name("ball", "zoe", "z"),
    # Other scripts stay whole.
    "\u738b\u4f1f": Name(either="\u738b\u4f1f"),
    "\u0418\u0432\u0430\u043d\u043e\u0432": Name(either="\u0438\u0432\u0430\u043d\u043e\u0432"),
    "PC \u0936\u0930\u094d\u092e\u093e": Name(either="\u0936\u0930\u094d\u092e\u093e"),
}

NOBODY = [
    "", " ", "-", "\u2014", "?", "??", "...", "n/a", "N/A", "NA", "not known", "Not Known", "NOT KNOWN",
    "unknown", "Unknown officer", "unknown male officer", "don't know", "Don\u2019t know",
    "did not give it", "would not say", "refused", "none", "None given", "no name", "name not given",
    "cannot remember", "can't recall", "not sure", "unidentified", "anonymous", "TBC", "xxx", "null",
    "door staff", "a council worker", "store security", "ambulance man", "traffic warden", "bar manager",
    "the landlord", "prison officer", "two bouncers", "my neighbour", "a security guard",
    "two officers", "the officers", "several officers", "a police officer", "police", "police car",
    "the officer", "male officer", "white male officer", "the tall one", "officer 2", "officers",
    "another PC", "PC", "PCSO", "Sgt", "Sergeant", "Police Constable", "Detective Inspector",
    "Acting Sergeant", "Chief Superintendent", "[name removed]", "PC [name]", "a man in uniform",
    "policeman", "no idea", "I didn't see", "wasn't told",
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), NAMES.items())
def test_a_name_is_taken_apart(text: str, expected: Name) -> None:
    assert name_of(text) == expected


@pytest.mark.parametrize("text", NAMES)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_it_does_not_matter_in_how_many_code_points_a_letter_is_written(form: str, text: str) -> None:
    assert name_of(unicodedata.normalize(form, text)) == NAMES[text]  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [None, *NOBODY])
def test_an_answer_that_names_nobody_is_no_name(text: str | None) -> None:
    assert name_of(text) == Name()
