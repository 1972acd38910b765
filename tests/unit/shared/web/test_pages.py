"""A cursor goes on exactly where the page ended, tells nothing, and is good for one list with its filters."""

import secrets
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Unprocessable
from shared.web.pages import Cursors, Listing, Page

SECRET = secrets.token_bytes(32)
ROUTE = "/v1/cases"


def listing(secret: bytes = SECRET, route: str = ROUTE, **filters: Any) -> Listing:
    return Cursors(secret).listing(route, **filters)


def page_of(rows: list[int], limit: int, **filters: Any) -> Page[int]:
    return listing(**filters).page(rows, limit, position=lambda row: [row], item=lambda row: row)


def refused(of: Listing, cursor: str) -> bool:
    try:
        of.after(cursor)
    except Unprocessable as problem:
        return [error.field for error in problem.errors] == ["cursor"]
    return False


@given(st.lists(st.integers(0, 10_000), unique=True), st.integers(1, 20))
def test_pages_together_are_the_whole_list_in_order(values: list[int], limit: int) -> None:
    rows = sorted(values)
    seen: list[int] = []
    cursor = None
    while True:
        position = listing().after(cursor)
        rest = [row for row in rows if position is None or row > position[0]]
        page = page_of(rest[: limit + 1], limit)
        assert len(page.items) <= limit
        seen += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == rows


def cursor_of(**filters: Any) -> str:
    cursor = page_of([1, 2], 1, **filters).next_cursor
    assert cursor is not None
    return cursor


@given(st.data())
def test_a_changed_cursor_is_refused(data: st.DataObject) -> None:
    cursor = cursor_of()
    place = data.draw(st.integers(0, len(cursor) - 1))
    other = data.draw(st.characters().filter(lambda c: c != cursor[place]))
    assert refused(listing(), cursor[:place] + other + cursor[place + 1 :])


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    assert refused(listing(), text)


def test_a_shortened_or_padded_cursor_is_refused() -> None:
    cursor = cursor_of()
    assert refused(listing(), cursor[:-1])
    assert refused(listing(), cursor + "=")
    assert refused(listing(), cursor + "A")


@pytest.mark.parametrize(
    "other",
    [
        listing(route="/v1/referrals", status="open"),
        listing(status="closed"),
        listing(status="open", force="kent"),
        listing(),
        listing(secret=secrets.token_bytes(32), status="open"),
    ],
    ids=["another route", "another filter value", "one more filter", "no filter", "another secret"],
)
def test_a_cursor_of_another_list_is_refused(other: Listing) -> None:
    cursor = cursor_of(status="open")
    assert listing(status="open").after(cursor) == [1]
    assert refused(other, cursor)


def test_the_order_of_filters_does_not_matter() -> None:
    assert listing(b="2", a="1").after(cursor_of(a="1", b="2")) == [1]


def test_a_cursor_does_not_show_its_position_and_no_two_are_alike() -> None:
    def position(_: int) -> list[str]:
        return ["the surname"]

    def cursor() -> str:
        made = listing().page([1, 2], 1, position=position, item=str).next_cursor
        assert made is not None
        return made

    assert "surname" not in cursor()
    assert cursor() != cursor()
