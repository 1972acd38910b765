"""Keyset pagination: `{"items": [...], "next_cursor": ...}`, without totals.

A cursor is where the page ended, encrypted (AES-256-GCM) and bound to the route and the filters that it was
made for. It tells its holder nothing, and any other use of it (changed, shortened, another
route, other filters, an old key) is `Unprocessable`, naming `cursor`.
"""

import base64
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Generic, TypeVar

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from fastapi import Query
from pydantic import ConfigDict

from shared.errors import Unprocessable
from shared.web.schemas import Schema

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 200

Limit = Annotated[int, Query(ge=1, le=LARGEST_LIMIT, description="The most entries of a page.")]
Cursor = Annotated[
    str | None,
    Query(max_length=2048, description="The `next_cursor` of the page before, with the same filters."),
]

_NONCE_BYTES = 12

Row = TypeVar("Row")
Item = TypeVar("Item")


class Page(Schema, Generic[Item]):
    """A page; `next_cursor` is null on the last one."""

    model_config = ConfigDict(json_schema_extra={"description": "A page of a list."})

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        return f"{params[0].__name__}Page"

    items: list[Item]
    """The entries of this page."""
    next_cursor: str | None
    """The `cursor` of the next page; null on the last one."""


class Listing:
    """One request for one list: `route` and `filters` are what its cursors are bound to."""

    def __init__(self, key: AESGCM, route: str, filters: Mapping[str, Any]) -> None:
        self._key = key
        self._bound_to = orjson.dumps([route, dict(filters)], option=orjson.OPT_SORT_KEYS)

    def after(self, cursor: str | None) -> list[Any] | None:
        """The sort values that the page before ended with; None for the first page."""
        if cursor is None:
            return None
        try:
            sealed = _decode(cursor)
            values = self._key.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self._bound_to)
        except (InvalidTag, ValueError):
            raise Unprocessable.field("cursor", "is not a cursor of this list with these filters") from None
        position: list[Any] = orjson.loads(values)
        return position

    def page(
        self,
        rows: Sequence[Row],
        limit: int,
        *,
        position: Callable[[Row], Sequence[Any]],
        item: Callable[[Row], Item],
    ) -> Page[Item]:
        """`rows` are up to `limit + 1` in the list's order: the one too many tells that there is a next page.
        `position` gives the sort values of a row (numbers, strings, dates, UUIDs)."""
        shown = rows[:limit]
        is_last = len(rows) <= limit
        return Page(
            items=[item(row) for row in shown],
            next_cursor=None if is_last else self._seal(position(shown[-1])),
        )

    def _seal(self, values: Sequence[Any]) -> str:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _encode(nonce + self._key.encrypt(nonce, orjson.dumps(list(values)), self._bound_to))


def _encode(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def _decode(cursor: str) -> bytes:
    sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    if _encode(sealed) != cursor:  # base64 has several spellings of one last byte: only ours is good
        raise ValueError("another spelling")
    return sealed


class Cursors:
    """The cursors of a service; `secret` is 32 random bytes that all its replicas share."""

    def __init__(self, secret: bytes) -> None:
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"hotline page cursor v1")
        self._key = AESGCM(derived.derive(secret))

    def listing(self, route: str, **filters: Any) -> Listing:
        """`cursors.listing("/v1/cases", status=status, caller=caller.subject)`: whatever shapes the list."""
        return Listing(self._key, route, filters)
