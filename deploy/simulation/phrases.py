"""Texts that say one thing in many ways: `{rang|phoned} <me> {twice|again and again}`.

Braces hold alternatives and nest; `<word>` is filled in by whoever says it. A phrase is parsed once and said
often. A brace that is not closed is a `ValueError`.
"""

from collections.abc import Mapping
from functools import cache
from random import Random
from typing import NamedTuple


class _Blank(NamedTuple):
    word: str


class _Choice(NamedTuple):
    alternatives: "tuple[_Sequence, ...]"


_Sequence = tuple["str | _Blank | _Choice", ...]


def say(phrase: str, rng: Random, words: Mapping[str, str]) -> str:
    """One way of saying `phrase`. A blank that `words` does not know is a `KeyError`."""
    said: list[str] = []
    _say(_parsed(phrase), rng, words, said)
    return "".join(said)


def _say(sequence: _Sequence, rng: Random, words: Mapping[str, str], said: list[str]) -> None:
    for part in sequence:
        if isinstance(part, str):
            said.append(part)
        elif isinstance(part, _Blank):
            said.append(words[part.word])
        else:
            _say(part.alternatives[int(rng.random() * len(part.alternatives))], rng, words, said)


@cache
def _parsed(phrase: str) -> _Sequence:
    sequence, end = _sequence(phrase, 0, inside=False)
    if end != len(phrase):
        raise ValueError(f"{phrase!r} closes a brace that is not open at {end}")
    return sequence


def _sequence(phrase: str, at: int, *, inside: bool) -> tuple[_Sequence, int]:
    parts: list[str | _Blank | _Choice] = []
    text = at
    while at < len(phrase):
        character = phrase[at]
        if character == "}" or (inside and character == "|"):
            break
        if character not in "{<":
            at += 1
            continue
        if text < at:
            parts.append(phrase[text:at])
        if character == "<":
            end = phrase.index(">", at)
            parts.append(_Blank(phrase[at + 1 : end]))
            at = end + 1
        else:
            choice, at = _choice(phrase, at + 1)
            parts.append(choice)
        text = at
    if text < at:
        parts.append(phrase[text:at])
    return tuple(parts), at


def _choice(phrase: str, at: int) -> tuple[_Choice, int]:
    alternatives = []
    while True:
        sequence, at = _sequence(phrase, at, inside=True)
        alternatives.append(sequence)
        if at >= len(phrase):
            raise ValueError(f"{phrase!r} does not close a brace")
        at += 1
        if phrase[at - 1] == "}":
            return _Choice(tuple(alternatives)), at
