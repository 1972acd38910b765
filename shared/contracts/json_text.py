"""JSON as it is sent: a byte order mark is passed over, a name that stands twice in one object is found.

Every parser takes one of two equal names and drops the other without a word, and not each the same one; so a
text with two narratives would be kept as half of what was said.
"""

import codecs
import json
from collections.abc import Iterator
from typing import Any, Final

_MARK: Final = codecs.BOM_UTF8


class _Twice(Exception):
    """A name stands twice in one object."""


def without_mark(raw: bytes) -> bytes:
    """The text without the byte order mark that some editors put before it."""
    return raw.removeprefix(_MARK)


def repeated_names(raw: bytes) -> list[tuple[str | int, ...]]:
    """The paths of the names that stand more than once in their object: `("subjects", 0, "name")`.

    Names are compared as they are read: `"n\\u0061me"` is `"name"`. A text that is no JSON has none here: it
    is refused where it is read. Costs about 6 microseconds for a complaint of 900 bytes.
    """
    try:
        text = raw.decode()
        _LOOKING.decode(text)
    except _Twice:
        return list(dict.fromkeys(_paths(_READING.decode(text), ())))
    except (ValueError, RecursionError):
        pass
    return []


def _refuse_twice(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) < len(pairs):
        raise _Twice


class _Pairs(list[tuple[str, Any]]):
    """An object with all its members."""


# Lenient, for a text is refused elsewhere: where Python's parser is stricter, nothing would be found.
_LOOKING: Final = json.JSONDecoder(object_pairs_hook=_refuse_twice, strict=False)
_READING: Final = json.JSONDecoder(object_pairs_hook=_Pairs, strict=False)


def _paths(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    match value:
        case _Pairs():
            seen: set[str] = set()
            for name, inner in value:
                if name in seen:
                    yield (*path, name)
                seen.add(name)
                yield from _paths(inner, (*path, name))
        case list():
            for index, inner in enumerate(value):
                yield from _paths(inner, (*path, index))
        case _:
            pass
