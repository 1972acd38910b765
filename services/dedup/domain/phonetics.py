"""How a surname sounds, roughly: names that are easily confused on the telephone share a code.

In the manner of Metaphone, for British names: spellings of one sound fall together, vowels count at the
beginning alone. It is used to find candidates, never to decide, so it errs on the side of sharing.
"""

import re
from functools import lru_cache

# In order: the first rules see the spelling as it is. Silent letters, then spellings of one sound.
_RULES = [
    (re.compile(pattern), sound)
    for pattern, sound in [
        (r"^(kn|gn|pn)", "n"),
        (r"^(wr|rh)", "r"),
        (r"^ps", "s"),
        (r"^wh", "w"),
        (r"^x", "s"),
        (r"mb$", "m"),
        (r"(?<=m)p(?=[st])", ""),
        (r"ough|augh|igh|eigh", "a"),
        (r"tch|ch|sh|sch", "x"),
        (r"th", "0"),
        (r"ph|v", "f"),
        (r"ck|q|c(?![eiy])", "k"),
        (r"c|z", "s"),
        (r"dg(?=[eiy])|g(?=[eiy])", "j"),
        (r"gh", ""),
        (r"x(?!$)(?=[a-z0])", "x"),
        (r"(?<=.)[wh]", ""),
        (r"d", "t"),
        (r"(?<=.)[aeiouy]+", ""),
        (r"^[aeiouy]", "a"),
        (r"(.)\1+", r"\1"),
    ]
]


@lru_cache(maxsize=20_000)
def sound_of(word: str) -> str:
    """The code of a lower-case word, at most six characters; of one letter it is the letter."""
    if len(word) < 2:
        return word
    for pattern, sound in _RULES:
        word = pattern.sub(sound, word)
    return word[:6]
