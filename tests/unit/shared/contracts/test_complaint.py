"""The body of a complaint: what is taken, and that what is wrong is named and never quoted."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.contracts.admission import Admission
from shared.contracts.complaint import ComplaintBody, SanitisedComplaint, read_complaint
from shared.errors import Unprocessable
from shared.vocabulary import load_vocabulary

ADMISSION = Admission(date(2026, 11, 24), load_vocabulary())

FULL: dict[str, Any] = {
    "channel": "phone",
    "narrative": "He followed me home.\n\tTwice.",
    "subjects": [
        {
            "role": "accused",
            "name": "PC Daniel X",
            "rank": "constable",
            "collar_number": "1234AB",
            "force": "metropolitan",
            "unit": "response",
            "description": "tall",
            "vehicle": "AB12 CDE",
            "seen_from": "2019-01-01",
            "seen_to": "2020-12-31",
        },
        {"role": "failed_to_act"},
        {},
    ],
    "allegations": [{"code": "sexual.abuse_of_position", "subjects": [0]}, {"code": "hate.racist"}],
    "national_categories": ["G", "J"],
    "incident": {"from": "2020-03-01", "to": "2020-03-31", "place": "a station", "force": "hampshire"},
    "risk": {"immediate_danger": False, "ongoing_contact": True},
    "wish": "only_with_another",
    "could_be_guessed": "yes",
    "continues": "1234 5678-9012 3456",
    "external_reference": "X/1",
}


def read(**changes: object) -> ComplaintBody:
    return read_complaint(json.dumps(FULL | changes).encode(), ADMISSION)


def wrong(**changes: object) -> dict[str, str]:
    with pytest.raises(Unprocessable) as caught:
        read(**changes)
    return {error.field: error.message for error in caught.value.errors}


def test_everything_is_read_as_it_was_sent() -> None:
    body = read()
    assert body.continues == "1234567890123456"
    sent = FULL | {"continues": body.continues}
    assert json.loads(body.model_dump_json(exclude_unset=True)) == sent


def test_channel_and_narrative_are_enough() -> None:
    body = read_complaint(b'{"channel": "web", "narrative": "x"}', ADMISSION)
    assert (body.wish, body.could_be_guessed, body.subjects, body.incident) == (
        "pass_on",
        "unknown",
        (),
        None,
    )


@pytest.mark.parametrize("missing", ["channel", "narrative"])
def test_channel_and_narrative_must_be_given(missing: str) -> None:
    raw = json.dumps({name: value for name, value in FULL.items() if name != missing}).encode()
    with pytest.raises(Unprocessable) as caught:
        read_complaint(raw, ADMISSION)
    assert [(error.field, error.message) for error in caught.value.errors] == [(missing, "must be given")]


def test_an_allegation_without_subjects_is_about_every_accused_one() -> None:
    body = read()
    assert [body.subjects_of(allegation) for allegation in body.allegations] == [(0,), (0, 2)]


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"surname": "x"}, "surname", "is not a known field"),
        ({"subjects": [{"nick": "x"}]}, "subjects.0.nick", "is not a known field"),
        ({"subjects": [{"seen_from": "2026-11-25"}]}, "subjects.0.seen_from", "must not be in the future"),
        ({"incident": {"to": "2026-11-25"}}, "incident.to", "must not be in the future"),
        ({"incident": {"from": "2020-02-30"}}, "incident.from", "must be a date, as 2020-12-31"),
        ({"incident": {"from": "20200201"}}, "incident.from", "must be a date, as 2020-12-31"),
        ({"incident": {"from": "1577836800"}}, "incident.from", "must be a date, as 2020-12-31"),
        ({"incident": {"from": "2020-W01-1"}}, "incident.from", "must be a date, as 2020-12-31"),
        ({"incident": {"from": 1577836800}}, "incident.from", "must be a date, as 2020-12-31"),
        ({"incident": {"from": "0202-01-01"}}, "incident.from", "must not be before 1900"),
        (
            {"incident": {"from": "2020-02-02", "to": "2020-02-01"}},
            "incident.to",
            "must not be before the beginning",
        ),
        (
            {"subjects": [{}, {"seen_from": "2020-02-02", "seen_to": "2020-02-01"}], "allegations": []},
            "subjects.1.seen_to",
            "must not be before the beginning",
        ),
        (
            {"allegations": [{"code": "hate.other2"}]},
            "allegations.0.code",
            "must be one of the known categories",
        ),
        ({"allegations": [{"code": "hate.x"}]}, "allegations.0.code", "must be one of the known categories"),
        (
            {"subjects": [{"force": "atlantis"}], "allegations": []},
            "subjects.0.force",
            "must be one of the known forces, or unknown",
        ),
        (
            {"allegations": [{"code": "hate.racist"}, {"code": "hate.racist", "subjects": [0, 3]}]},
            "allegations.1.subjects.1",
            "must be the index of one of the subjects",
        ),
        (
            {"allegations": [{"code": "hate.racist", "subjects": [1, 1]}]},
            "allegations.0.subjects",
            "must name each subject once",
        ),
        (
            {"allegations": [{"code": "hate.racist", "subjects": ["0"]}]},
            "allegations.0.subjects.0",
            "whole number",
        ),
        ({"allegations": [{"code": "hate.racist", "subjects": [-1]}]}, "allegations.0.subjects.0", "greater"),
        ({"national_categories": ["A", "A"]}, "national_categories", "must name each category once"),
        ({"national_categories": ["I"]}, "national_categories.0", "'A', 'B'"),
        ({"channel": "fax"}, "channel", "'phone', 'web', 'post' or 'partner'"),
        ({"risk": {"immediate_danger": "no"}}, "risk.immediate_danger", "must be true or false"),
        ({"continues": "1234 5678"}, "continues", "must be the 16 digits of a receipt"),
        ({"continues": "12345678901234567"}, "continues", "must be the 16 digits of a receipt"),
        ({"narrative": ""}, "narrative", "at least 1 character"),
        ({"narrative": "x" * 20_001}, "narrative", "at most 20000 characters"),
        ({"narrative": " \n\t\u00a0\u2003"}, "narrative", "must say something"),
        ({"narrative": 1}, "narrative", "must be a text"),
        ({"subjects": "x"}, "subjects", "must be a list"),
        ({"risk": []}, "risk", "must be an object"),
        ({"subjects": [{"name": "x" * 201}], "allegations": []}, "subjects.0.name", "at most 200 characters"),
        ({"incident": {"place": "a\x7f"}}, "incident.place", "must not hold control characters"),
        ({"external_reference": "a\x00"}, "external_reference", "must not hold control characters"),
        ({"narrative": "a\x1bb"}, "narrative", "without control characters"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(changes: dict[str, object], field: str, message: str) -> None:
    errors = wrong(**changes)
    assert list(errors) == [field]
    assert message in errors[field]


def test_the_longest_narrative_is_taken_by_code_points() -> None:
    assert len(read(narrative="\U0001f6a8" * 20_000).narrative) == 20_000


def test_fifty_subjects_and_allegations_are_taken_and_no_more() -> None:
    allegation = {"code": "hate.racist", "subjects": [49]}
    assert len(read(subjects=[{}] * 50, allegations=[allegation] * 50).allegations) == 50
    assert "at most 50 items" in wrong(subjects=[{}] * 51)["subjects"]
    assert "at most 50 items" in wrong(allegations=[{"code": "hate.racist"}] * 51)["allegations"]


def test_today_is_not_the_future() -> None:
    body = read(incident={"from": "2026-11-24", "to": "2026-11-24"})
    assert body.incident is not None
    assert body.incident.to == ADMISSION.today


def test_every_lone_surrogate_is_named_though_json_cannot_be_read() -> None:
    raw = (
        b'{"channel": "web", "narrative": "a\\ud800b", "subjects": [{"name": "\\udfff"}], '
        b'"external_reference": "\\ud83d\\ude00"}'
    )
    with pytest.raises(Unprocessable) as caught:
        read_complaint(raw, ADMISSION)
    assert {error.field for error in caught.value.errors} == {"narrative", "subjects.0.name"}
    assert all("lone surrogates" in error.message for error in caught.value.errors)


def test_a_control_character_that_was_not_escaped_is_named() -> None:
    with pytest.raises(Unprocessable) as caught:
        read_complaint(b'{"channel": "web", "narrative": "a\x01"}', ADMISSION)
    assert [error.field for error in caught.value.errors] == ["narrative"]


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"1", b"\xff", b"[" * 200_000, b'{"a":' + b"9" * 9_000 + b"}", b'"\xed\xa0\x80"'],
)
def test_what_is_no_object_in_json_is_a_wrong_body(raw: bytes) -> None:
    with pytest.raises(Unprocessable) as caught:
        read_complaint(raw, ADMISSION)
    assert [error.field for error in caught.value.errors] == ["body"]


def test_the_name_of_an_unknown_field_is_not_repeated_unless_it_is_plain() -> None:
    errors = wrong(**{"my name is Jane Smith": 1})
    assert errors == {"?": "is not a known field"}


def test_a_body_of_nothing_but_errors_gets_a_short_answer() -> None:
    with pytest.raises(Unprocessable) as caught:
        read(**{f"field{number}": 1 for number in range(10_000)})
    assert len(caught.value.errors) == 100


SECRET = "Xq7Zw9"


@pytest.mark.parametrize(
    "changes",
    [
        {"channel": SECRET},
        {"narrative": f"{SECRET}\x00"},
        {"wish": SECRET},
        {"continues": SECRET},
        {"subjects": [{"force": SECRET, "seen_from": SECRET, "role": SECRET}]},
        {"allegations": [{"code": SECRET, "subjects": [SECRET]}]},
        {"incident": SECRET},
        {"risk": {"child_involved": SECRET}},
    ],
)
def test_no_error_quotes_what_was_sent(changes: dict[str, object]) -> None:
    with pytest.raises(Unprocessable) as caught:
        read(**changes)
    assert SECRET not in repr(caught.value.errors) + str(caught.value)
    with pytest.raises(ValidationError) as validation:
        ComplaintBody.model_validate_json(json.dumps(FULL | changes), context=ADMISSION)
    assert SECRET not in str(validation.value)


def test_a_complaint_that_was_admitted_is_read_again_whatever_words_are_in_force() -> None:
    raw = json.dumps(FULL | {"allegations": [{"code": "hate.dropped_since"}]})
    assert ComplaintBody.model_validate_json(raw).allegations[0].code == "hate.dropped_since"


def test_what_is_kept_holds_no_receipt() -> None:
    sent_alone = ComplaintBody.model_fields.keys() - SanitisedComplaint.model_fields.keys()
    assert sent_alone == {"continues", "masks", "keep"}
    with pytest.raises(ValidationError):
        SanitisedComplaint.model_validate_json(json.dumps(FULL))


def test_a_sanitised_text_may_be_longer_than_what_was_sent() -> None:
    longer = {
        "channel": "web",
        "narrative": "[national-insurance]" * 2_000,
        "subjects": [{"name": "x" * 300}],
    }
    assert len(SanitisedComplaint.model_validate_json(json.dumps(longer)).narrative) == 40_000


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: json.dumps(text).encode()))
def test_whatever_bytes_come_they_are_read_or_refused(raw: bytes) -> None:
    with pytest.raises(Unprocessable):
        read_complaint(raw, ADMISSION)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(FULL)), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(FULL)), JSON, max_size=3))
def test_whatever_stands_in_a_field_it_is_read_or_refused(changes: dict[str, object]) -> None:
    try:
        body = read(**changes)
    except Unprocessable as refusal:
        assert refusal.errors
    else:
        assert body.narrative


@pytest.mark.parametrize(
    "narrative",
    [
        "\u200b\u200b",
        "\ufeff \u2060",
        "\u00ad",
        "\u3164",
        "\u2800",
        "\u0301",
        "\u202e\u202c",
        "\U000e0041",
        "\ue000",
    ],
    ids=ascii,
)
def test_a_narrative_of_which_nothing_is_seen_says_nothing(narrative: str) -> None:
    assert wrong(narrative=f" {narrative}\n") == {"narrative": "must say something that can be read"}


@pytest.mark.parametrize(
    "narrative", ["x", "!", "9", "\u4e2d", "\u0627", "\U0001f6a8", "\u200bx", "e\u0301", "\u20ac"]
)
def test_a_narrative_of_one_visible_character_says_something(narrative: str) -> None:
    assert read(narrative=narrative).narrative == narrative


def test_a_narrative_that_was_kept_is_read_whatever_it_says() -> None:
    assert SanitisedComplaint(channel="web", narrative="\u200b").narrative == "\u200b"


def test_what_is_said_twice_is_refused_by_its_path() -> None:
    subjects = b'"subjects": [{}, {"name": "b", "name": "c"}]'
    raw = b'\xef\xbb\xbf{"channel": "web", "narrative": "a", ' + subjects + b', "narrative": ""}'
    with pytest.raises(Unprocessable) as caught:
        read_complaint(raw, ADMISSION)
    assert {error.field: error.message for error in caught.value.errors} == {
        "narrative": "must be given once",
        "subjects.1.name": "must be given once",
    }


def test_a_byte_order_mark_before_a_complaint_is_passed_over() -> None:
    assert read_complaint(b'\xef\xbb\xbf{"channel": "web", "narrative": "a"}', ADMISSION).narrative == "a"
