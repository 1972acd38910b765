"""Registrations of vehicles that are not the officer's.

The nearest word that says whose vehicle it is decides: `my car`, `the caller's van`, `mine` send it; `police van`,
`his car`, `the officer drove`, a rank or a subject's name keep it. Where nothing says, it goes.
"""

import re
from collections.abc import Iterator
from typing import Final

from shared.sanitiser.languages import is_other_language
from shared.sanitiser.lexicon import POLICE, RANK
from shared.sanitiser.reading import Reading, Span

_PLATE: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Z]{2}[0-9]{2}\s?[A-Z]{3}|[a-z]{2}[0-9]{2}\s?[a-z]{3}|[A-Z][0-9]{1,3}\s[A-Z]{3}|[A-Z][0-9]{2,3}[A-Z]{3}"
    r"|[a-z][0-9]{1,3} [a-z]{3}|[A-Z]{3}\s?[0-9]{1,3}[A-Z]|[A-Z]{1,3}\s?[0-9]{3,4})(?![A-Za-z0-9])"
)
_NEW_FORM: Final = re.compile(r"(?:[A-Za-z]{2}[0-9]{2}\s?[A-Za-z]{3})\Z")
_OLD_FORM: Final = re.compile(r"[A-Z]{1,3}\s?[0-9]{1,4}\Z")
_SAYS_PLATE: Final = re.compile(
    r"\b(?:reg|registration|plate|plates|vrm|index)\W{1,4}(?:(?:number|no|num|is|was)\W{1,4}){0,4}\Z"
)
_OWNERS: Final = re.compile(
    r"\b(?:(?P<mine>my|mine|our|ours|i|i'm|we|me|us|caller|caller's|callers|clr|clr's|complainant|complainant's|victim|victim's|ip|ip's|informant"
    r"|mum's|dad's|son's|daughter's|sister's|brother's|mate's|friend's|neighbour's|partner's|wife's|husband's|girlfriend's|boyfriend's"
    r"|\[name-[0-9]+\])"
    r"|(?P<theirs>police|patrol|marked|unmarked|undercover|panda|job|bilays|heddlu|siren|van was a|cruiser|response|traffic|carrier|riot|plainclothes|his|their|theirs|he|he's|hes"
    r"|she|she's|they|officer|officers|officer's|cop|cops|copper|coppers|pc|dc|ps|ds|di|sgt|sergeant|inspector|constable|policeman|policewoman"
    r"|polis|bobby|who|her|anpr))(?![\w])"
)
_NEAR: Final = 90
_AFTER: Final = 60
_IS_MINE_AFTER: Final = re.compile(
    r"[\s,)(]*(?:(?:is|was|belongs|it's|its|which is|that's|thats)\s(?:to )?(?:mine|my|ours|our|me)\b|mine\))"
)
_IS_THEIRS_AFTER: Final = re.compile(
    r"[\s,)(]*(?:is|was|that is|it's|which|that's|thats|the one)?\s?(?:what |the one )?(?:he|she|they|pc|dc|ds|sgt|police|officer|his|the police|parked outside|followed)\b"
)


_POLICE_AFTER: Final = re.compile(r"\b(?:police|riot|unmarked|patrol|pc|officer|bilays|polis|heddlu)\b")


def vehicles(reading: Reading) -> Iterator[Span]:
    """Registrations of private vehicles, by the words around them."""
    if not reading.digits:
        return
    low = reading.low
    for found in reading.around_digits(_PLATE, 1, 3):
        start, end = found.span()
        if not _NEW_FORM.match(found.group()):
            before = reading.before(start, _NEAR)
            if _OLD_FORM.match(found.group()) and not _SAYS_PLATE.search(before):
                continue
            if not re.search(
                r"\b(?:reg|registration|plate|plates|car|van|bike|vehicle|index)\b", before[-50:]
            ):
                continue
        if _is_private(low, start, end, reading):
            yield Span(start, end, "vehicle")


def _is_private(low: str, start: int, end: int, reading: Reading) -> bool:
    after = re.split(r"[.!?\n]", low[end : end + _AFTER], maxsplit=1)[0]
    if _IS_MINE_AFTER.match(after):
        return True
    if _IS_THEIRS_AFTER.match(after) or _POLICE_AFTER.search(after[:40]):
        return False
    window = low[max(0, start - _NEAR) : start]
    sentence = re.split(r"[.!?](?=\s)|\n", window)
    for part in (sentence[-1], *reversed(sentence[:-1][-1:])):
        owner = None
        for found in _OWNERS.finditer(part):
            owner = found
        if owner is None:
            continue
        if owner.lastgroup == "mine" and owner.group() in {"i", "i'm", "we", "me", "us"}:
            # `I saw his car, ...`: who acts is not who owns.
            owned = re.search(r"\b(?:driv|drove|own|in my|was in|had|have)\w*", part[owner.end() :])
            police = [one for one in _OWNERS.finditer(part) if one.lastgroup == "theirs"]
            if not owned and police:
                return False
            if not owned:
                continue
        return owner.lastgroup == "mine"
    if is_other_language(reading):
        return False  # a person looks at it
    return (
        not any(
            flags & (RANK | POLICE)
            for flags, at in zip(reading.flags, reading.starts, strict=True)
            if start - 60 < at < start
        )
        if len(reading.flags) < 400
        else True
    )
