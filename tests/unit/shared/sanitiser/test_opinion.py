"""The second opinion: it holds a text in which the rules may have missed somebody, and forgets no capital."""

from shared.sanitiser.opinion import candidates, likelihood
from shared.sanitiser.reading import Reading
from shared.sanitiser.text import sanitise
from shared.sanitiser.training import examples_of, fit


def _likelihood(text: str, words: str) -> float:
    reading = Reading(text)
    first, last = next(
        (first, last)
        for first, last in candidates(reading)
        if reading.text[reading.starts[first] : reading.ends[last]] == words
    )
    return likelihood(reading, first, last, frozenset())


def test_a_relatives_name_is_likelier_private_than_a_sergeants() -> None:
    assert _likelihood("I told my sister Quenby about it.", "Quenby") > 0.5
    assert _likelihood("It was sergeant Quenby who hit me.", "Quenby") < 0.3


def test_names_that_no_rule_places_hold_the_text() -> None:
    text = "He has been round to see Zorb, and Quill, and then at Vexley and Thrane, by my daughter's."
    result = sanitise(text)
    left = [text[doubt.start : doubt.end] for doubt in result.doubts if doubt.reason == "unplaced_person"]
    assert all(name in result.text for name in left)


def test_a_text_without_names_is_not_held() -> None:
    assert sanitise("The officer shouted at the driver and took the phone away.").doubts == ()


def test_the_officer_of_the_form_alone_does_not_hold_a_text() -> None:
    text = "PC Paul Brannock pushed me over outside the station in Leeds and laughed."
    assert sanitise(text, subjects=["PC Paul Brannock"]).doubts == ()


def test_a_wifes_own_name_is_in_doubt_only_where_it_stands_without_title() -> None:
    clear = sanitise("PC Marlow hit Mrs Marlow. I saw it.", subjects=["PC Marlow"])
    assert "same_name" not in {doubt.reason for doubt in clear.doubts}


def test_the_same_texts_give_the_same_weights() -> None:
    line = {
        "narrative": "I told Quenby and Ansel that PC Trew was in Leeds.",
        "expected_masked": ["Quenby", "Ansel"],
        "expected_kept": ["PC Trew", "Leeds"],
    }
    examples = examples_of(line) * 4
    assert {label for _, label in examples} == {0, 1}
    assert fit(examples) == fit(examples)
