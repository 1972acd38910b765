"""A name that stands twice in one object is found, however it is spelled and wherever it stands."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.json_text import repeated_names, without_mark

MARK = b"\xef\xbb\xbf"


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ('{"a": 1, "a": 2}', [("a",)]),
        ('{"a": 1, "a": 2, "a": 1}', [("a",)]),
        (r'{"name": 1, "n\u0061me": 2}', [("name",)]),
        ('{"a": {"b": 1, "b": 1}, "c": [{}, {"d": 1, "d": 2}]}', [("a", "b"), ("c", 1, "d")]),
        ('{"a": {"b": 1}, "a": {"b": 1, "b": 2}}', [("a",), ("a", "b")]),
        ('[{"": 1, "": 1}]', [(0, "")]),
        ('{"a": 1, "A": 2, "b": {"a": 1}, "c": "\\"a\\": 1, \\"a\\": 2"}', []),
        ("{}", []),
        ('{"a": 1, "a": 2', []),
        ("[" * 100_000, []),
        (r'{"\ud800": 1, "\ud800": 2}', [("\ud800",)]),
    ],
)
def test_names_that_stand_twice_are_found_with_their_paths(
    text: str, paths: list[tuple[str | int, ...]]
) -> None:
    assert repeated_names(text.encode()) == paths


def test_a_text_that_is_no_utf_8_has_none() -> None:
    assert repeated_names(b'{"a": "\xff", "a": 1}') == []


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)


@given(documents)
def test_of_what_was_written_from_an_object_nothing_stands_twice(document: object) -> None:
    assert repeated_names(json.dumps(document).encode()) == []


@given(st.dictionaries(st.text(max_size=3), documents, min_size=1, max_size=4), st.data(), documents)
def test_a_member_that_is_put_in_again_is_found(
    document: dict[str, object], data: st.DataObject, again: object
) -> None:
    name = data.draw(st.sampled_from(sorted(document)))
    text = f"{json.dumps(document)[:-1]}, {json.dumps(name)}: {json.dumps(again)}}}"
    assert repeated_names(text.encode()) == [(name,)]


def test_a_byte_order_mark_is_passed_over_once() -> None:
    assert without_mark(MARK + b"{}") == b"{}"
    assert without_mark(b"{}") == b"{}"
    assert without_mark(MARK + MARK) == MARK
