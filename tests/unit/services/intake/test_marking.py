"""What a person masks or keeps in a text, and where a span is afterwards. All examples are invented."""

from typing import Any, get_args

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.intake.domain.complaints import sanitise_body
from services.intake.domain.marking import Moved, markers_in, mask_more
from shared.contracts.complaint import ComplaintBody, SanitisedComplaint, field_errors
from shared.contracts.spans import TextSpan
from shared.contracts.words import TraceKind
from shared.sanitiser.markers import Redaction, Rendered, merged
from shared.sanitiser.reading import KINDS

NARRATIVE = "My name is Jane Smith. Blenkinsop hit me. Ask Blenkinsop or Jane Smith."


def body(narrative: str, **members: Any) -> ComplaintBody:
    sent = {"channel": "phone", "narrative": narrative, **members}
    return ComplaintBody.model_validate_json(orjson.dumps(sent))


def span(text: str, part: str, after: int = 0, **members: Any) -> dict[str, Any]:
    start = text.index(part, after)
    return {"start": start, "end": start + len(part), **members}


def test_the_kinds_of_a_mask_are_those_of_the_sanitiser() -> None:
    assert get_args(TraceKind) == KINDS


def test_a_mask_takes_out_what_was_missed_and_one_person_has_one_number() -> None:
    text = "My flat is by the red mill at Fenny Weir. The red mill is mine."
    masks = [span(text, "the red mill at Fenny Weir", kind="address")]
    assert (
        sanitise_body(body(text, masks=masks)).narrative.text
        == "My flat is by [address]. The red mill is mine."
    )
    plain = "He knows zorbleth and zorbleth knows quill."
    masks = [span(plain, "zorbleth"), span(plain, "zorbleth", 12), span(plain, "quill")]
    sanitised = sanitise_body(body(plain, masks=masks)).narrative
    assert sanitised.text == "He knows [name-1] and [name-1] knows [name-2]."
    assert [(one.start, one.end) for one in sanitised.redactions] == [(9, 17), (22, 30), (37, 42)]


def test_a_mask_has_the_number_of_the_same_name_that_was_found_or_a_free_one() -> None:
    text = "My name is Jane Smith. He said JANE  SMITH, then zorbleth."
    masks = [span(text, "JANE  SMITH"), span(text, "zorbleth")]
    found = sanitise_body(body(text)).narrative.text
    assert found.startswith("My name is [name-1].")
    assert (
        sanitise_body(body(text, masks=masks)).narrative.text
        == "My name is [name-1]. He said [name-1], then [name-2]."
    )


def test_what_is_kept_stays_and_is_a_reason_for_doubt() -> None:
    text = "My neighbour Priya Nair saw it. Ring 07700 900123."
    sanitised = sanitise_body(body(text, keep=[span(text, "Priya Nair")]))
    assert sanitised.narrative.text == "My neighbour Priya Nair saw it. Ring [phone]."
    assert ("narrative", "kept_by_handler", 13, 23) in [
        (field, doubt.reason, doubt.start, doubt.end) for field, doubt in sanitised.doubts
    ]


def test_of_what_is_kept_in_part_the_rest_is_masked() -> None:
    text = "My neighbour Priya Nair saw it."
    sanitised = sanitise_body(body(text, keep=[span(text, "Nair")]))
    assert sanitised.narrative.text == "My neighbour [name-1]Nair saw it."


def test_other_fields_are_put_right_too() -> None:
    members = {
        "subjects": [{"name": "PC David Ward", "description": "knows zorbleth"}],
        "incident": {"place": "behind zorbleth's"},
    }
    masks = [
        {"field": "subjects.0.description", "start": 6, "end": 14},
        {"field": "incident.place", "start": 7, "end": 15},
    ]
    sanitised = sanitise_body(body("He hit me.", masks=masks, **members))
    assert sanitised.text("subjects.0.description") == "knows [name-1]"
    assert sanitised.text("incident.place") == "behind [name-1]'s"


def test_a_redaction_of_a_preview_can_be_sent_as_it_stands() -> None:
    text = "My name is Jane Smith. Ring 07700 900123."
    sent = [
        {"start": one.start, "end": one.end, "kind": one.kind, "person": one.person or None}
        for one in sanitise_body(body(text)).narrative.redactions
    ]
    again = sanitise_body(body(text, masks=sent)).narrative
    assert again.text == sanitise_body(body(text)).narrative.text
    assert sanitise_body(body(text, keep=sent)).narrative.text == text


def test_a_span_never_parts_a_letter_from_its_marks() -> None:
    text = "He knows Zorbe\u0301."
    masked = sanitise_body(body(text, masks=[{"start": 9, "end": 14}])).narrative.text
    assert masked == "He knows [name-1]."


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"masks": [{"start": 3, "end": 3}]}, "masks.0.end"),
        ({"masks": [{"start": 0, "end": 1}, {"start": 3, "end": 999}]}, "masks.1.end"),
        ({"keep": [{"start": -1, "end": 2}]}, "keep.0.start"),
        ({"keep": [{"start": 0, "end": 2, "field": "subjects.0.name"}]}, "keep.0.field"),
        ({"masks": [{"start": 0, "end": 2, "field": "channel"}]}, "masks.0.field"),
        ({"masks": [{"start": 0, "end": 2, "field": "a b@c"}]}, "masks.0.field"),
        ({"masks": [{"start": 0, "end": 2, "kind": "secret"}]}, "masks.0.kind"),
        ({"masks": [{"start": 0, "end": 4}], "keep": [{"start": 3, "end": 9}]}, "keep.0"),
        ({"masks": [{"start": 0, "end": 1}] * 501}, "masks"),
    ],
)
def test_a_wrong_span_is_named_by_its_path(members: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        body("He hit me.", **members)
    assert [error.field for error in field_errors(wrong.value)] == [field]


def test_more_is_masked_in_a_text_with_marks_and_a_mark_goes_as_a_whole() -> None:
    texts = {"narrative": "[name-1] met zorbleth at [address], then Zorbleth left."}
    masks = [
        TextSpan(start=13, end=21),
        TextSpan(start=texts["narrative"].index("Zorbleth"), end=texts["narrative"].index("Zorbleth") + 8),
        TextSpan(start=22, end=27, kind="address"),
    ]
    ((text, _),) = mask_more(texts, masks).values()
    assert text == "[name-1] met [name-2] [address], then [name-2] left."


def test_a_mask_over_a_mark_alone_changes_nothing() -> None:
    assert mask_more({"narrative": "Ring [phone]."}, [TextSpan(start=6, end=9, kind="phone")]) == {}


def test_marks_are_found_with_their_kind_and_number() -> None:
    assert [(one.kind, one.person) for one in markers_in("[bank-account] [name-12] [nhs-number] [x]")] == [
        ("bank-account", 0),
        ("name", 12),
        ("nhs-number", 0),
    ]


@given(
    st.text(max_size=60),
    st.lists(st.tuples(st.integers(0, 59), st.integers(1, 12)), max_size=6),
    st.integers(0, 59),
    st.integers(0, 59),
)
def test_a_span_leads_to_the_same_characters_and_whole_marks(
    text: str, spans: list[tuple[int, int]], one: int, other: int
) -> None:
    redactions = merged(
        Redaction(start, min(start + length, len(text)), "phone")
        for start, length in spans
        if start < len(text)
    )
    kept = Rendered(text, redactions).text
    start, end = sorted((min(one, len(text)), min(other, len(text))))
    begin, stop = Moved(redactions).span(start, end)
    expected, position = "", start
    for redaction in redactions:
        if redaction.start < end and start < redaction.end:
            expected += text[position : max(position, redaction.start)] + redaction.marker
            position = redaction.end
    expected += text[position:end] if position < end else ""
    if start < end:
        assert kept[begin:stop] == expected


def test_texts_of_a_complaint_are_replaced_by_their_path() -> None:
    kept = SanitisedComplaint.model_validate_json(
        b"""{"channel": "phone", "narrative": "a", "subjects": [{"name": "b", "unit": "c"}],
        "incident": {"place": "d"}, "external_reference": "e"}"""
    )
    assert list(kept.texts()) == [
        "narrative",
        "subjects.0.name",
        "subjects.0.unit",
        "incident.place",
        "external_reference",
    ]
    changed = kept.with_texts({path: text.upper() for path, text in kept.texts().items()})
    assert list(changed.texts().values()) == ["A", "B", "C", "D", "E"]
    assert changed.with_texts({"narrative": "a"}).texts()["narrative"] == "a"
