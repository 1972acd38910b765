"""Misspellings: slips of the hand, names by their sound, plain letters for strange ones."""

import unicodedata
from random import Random
from typing import Final

from deploy.simulation.weighted import pick

_KEYBOARD: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_BESIDE: Final = {
    letter: "".join(row[place] for place in (at - 1, at + 1) if 0 <= place < len(row))
    for row in _KEYBOARD
    for at, letter in enumerate(row)
}

_SOUNDS: Final = (
    ("ph", "f"), ("f", "ph"), ("ck", "k"), ("k", "ck"), ("ie", "ei"), ("ee", "ea"), ("ea", "ee"),
    ("ll", "l"), ("l", "ll"), ("tt", "t"), ("t", "tt"), ("nn", "n"), ("n", "nn"), ("ss", "s"), ("ey", "y"),
    ("y", "ie"), ("y", "i"), ("son", "sen"), ("sen", "son"), ("th", "t"), ("gh", ""), ("ou", "o"),
    ("oo", "u"), ("er", "ar"), ("or", "er"), ("ar", "er"), ("w", "wh"), ("wr", "r"), ("kn", "n"),
    ("mc", "mac"), ("mac", "mc"), ("c", "k"), ("k", "c"), ("s", "z"), ("z", "s"), ("j", "g"), ("v", "w"),
    ("a", "e"), ("e", "a"), ("i", "y"), ("o", "u"), ("b", "p"), ("d", "t"), ("m", "n"), ("ham", "um"),
    ("ford", "fud"), ("ight", "ite"), ("ai", "ay"),
)  # fmt: skip

_PLAIN: Final = str.maketrans(
    {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "ß": "ss", "æ": "ae", "Æ": "Ae", "þ": "th", "Þ": "Th",
     "đ": "d", "Đ": "D", "\N{LATIN SMALL LETTER DOTLESS I}": "i", "\N{RIGHT SINGLE QUOTATION MARK}": "'"}
)  # fmt: skip


def plain(word: str) -> str:
    """Without accents, and the strange letters by those that people type for them."""
    if word.isascii():
        return word
    decomposed = unicodedata.normalize("NFKD", word.translate(_PLAIN))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def mistyped(word: str, rng: Random) -> str:
    """With one slip of the hand: a letter left out, doubled, swapped or its neighbour's."""
    if len(word) < 3:
        return word
    at = 1 + int(rng.random() * (len(word) - 1))
    slip = int(rng.random() * 4)
    if slip == 0:
        return word[:at] + word[at + 1 :]
    if slip == 1:
        return word[:at] + word[at] + word[at:]
    if slip == 2 and at > 1:
        return word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :]
    beside = _BESIDE.get(word[at].lower(), "e")
    return word[:at] + pick(beside, rng) + word[at + 1 :]


def misheard(name: str, rng: Random) -> str:
    """As somebody writes it who heard it once."""
    low = name.lower()
    possible = [(heard, written) for heard, written in _SOUNDS if heard in low]
    if not possible:
        return mistyped(name, rng)
    heard, written = pick(possible, rng)
    return low.replace(heard, written, 1).title() or name
